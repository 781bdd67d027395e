/** Where esbuild's output would behave otherwise than tsc's. PURE. Lines stay what they are, so source maps stay true. */

/** In esbuild's helper `__export`, which defines the getters of `exports`. */
const GETTER = '__defProp(target, name, { get: all[name], enumerable: true });';
const LENIENT_GETTER =
  '__defProp(target, name, { get: ((get) => () => { try { return get(); } catch (error) { if (!(error instanceof ReferenceError)) throw error; } })(all[name]), enumerable: true });';

/**
 * CommonJS: in a circle of modules, what is not there yet is undefined to whoever reads it from `exports`. A getter of what
 * is declared by class, let or const throws.
 */
export const likeCommonjs = (code: string): string =>
  code.replace(GETTER, LENIENT_GETTER).replace(EXPORTED, 'exports = module.exports = __toCommonJS(');

/** `exports` that the module itself reads or adds to is the object that others get. */
const EXPORTED = /^module\.exports = __toCommonJS\(/m;

const IMPORT_REQUIRE =
  /(?<=^|;)([ \t]*)(export +)?import +([\p{ID_Start}$_][\p{ID_Continue}$]*) *= *require *\( *("[^"\n]*"|'[^'\n]*') *\)/gmu;

/**
 * CommonJS: `import a = require('b')` is what `import * as a` is to tsc: left out where nothing but types is used of it, and
 * done in the order of the text. esbuild makes a `const` of it, after all imports.
 * @returns the source to be transformed, and the way back from what was made of it
 */
export function withStars(source: string): { readonly source: string; readonly back: (code: string) => string } {
  if (!IMPORT_EQUALS.test(source)) return { source, back: (code) => code };
  const names = new Set<string>();
  const starred = source.replace(IMPORT_REQUIRE, (_all, space, exported, name: string, from: string) => {
    names.add(name);
    return `${space}import * as ${name} from ${from}${exported ? `; export { ${name} }` : ''}`;
  });
  const back = (code: string): string =>
    code.replace(STAR, (all, start: string, name: string, required: string) =>
      names.has(name) ? `${start}${required};` : all,
    );
  return { source: starred, back };
}

/** `var express = __toESM(require("express"));` is made of `import * as`; what other imports make is called `import_…`. */
export const STAR = /^(var (?!import_)([\p{ID_Continue}$]+) = )__toESM\((require\("(?:[^"\\]|\\.)*"\))\);$/gmu;

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
