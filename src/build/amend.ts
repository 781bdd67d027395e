/** Where esbuild's output would behave otherwise than tsc's. PURE. Lines stay what they are, so source maps stay true. */

/** In esbuild's helper `__export`, which defines the getters of `exports`. */
const GETTER = '__defProp(target, name, { get: all[name], enumerable: true });';
const LENIENT_GETTER =
  '__defProp(target, name, { get: ((get) => () => { try { return get(); } catch (error) { if (!(error instanceof ReferenceError)) throw error; } })(all[name]), enumerable: true });';

/**
 * CommonJS: in a circle of modules, what is not there yet is undefined to whoever reads it from `exports`. A getter of what
 * is declared by class, let or const throws.
 */
export const likeCommonjs = (code: string): string => code.replace(GETTER, LENIENT_GETTER);

const IMPORT_EQUALS = /\bimport\s+[\w$]+\s*=\s*require\s*\(/;
const REQUIRED = /^((?:export )?const [\w$]+ = )require(?=\(")/gm;
const MAP_COMMENT = '\n//# sourceMappingURL=';

/** A module: `import a = require('b')` is allowed in one, where nothing is called `require`. What is appended is hoisted. */
export function likeModule(source: string, code: string): string {
  if (!IMPORT_EQUALS.test(source)) return code;
  const required = code.replace(REQUIRED, '$1__require');
  if (required === code) return code;
  const at = required.lastIndexOf(MAP_COMMENT);
  const end = at < 0 ? required.length : at;
  const helper =
    '\nimport { createRequire as __createRequire } from "node:module";\nfunction __require(id) { return __createRequire(import.meta.url)(id); }';
  return required.slice(0, end) + helper + required.slice(end);
}
