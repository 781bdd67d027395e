/** Whether plain JavaScript without a declared type is a module: Node's own detection, done with Node's own compiler. */
import { fileURLToPath } from 'node:url';
import { compileFunction } from 'node:vm';
import { type Fault, messageOf } from '../errors.ts';

const WRAPPER = ['exports', 'require', 'module', '__filename', '__dirname'];

/** As in Node's src/node_contextify.cc (esm_syntax_error_messages): what only a module may say. */
const MODULE_ONLY =
  /^(Cannot use import statement outside a module|Unexpected token 'export'|Cannot use 'import\.meta' outside a module)/;

/** Ibidem (throws_only_in_cjs_error_messages): what may be a fault in a module too, so that it takes a second look. */
const MAYBE_MODULE =
  /^(Identifier '(__filename|__dirname|await|exports|module|require)' has already been declared|await is only valid in async functions|Unexpected reserved word)/;

/** Nothing that only a module may say does without one of these words. */
const HINT = /\b(?:import|export|await)\b/;

/** What Node takes `source` for where neither extension nor package.json says. A file that is faulty as both is CommonJS. */
export function detectFormat(source: string): 'module' | 'commonjs' {
  if (!HINT.test(source)) return 'commonjs';
  const fault = faultOf(source, WRAPPER);
  if (fault === null) return 'commonjs';
  if (MODULE_ONLY.test(fault)) return 'module';
  if (!MAYBE_MODULE.test(fault)) return 'commonjs';
  // Top-level await, or a `const require = …` beside import statements: inside an async function both are legal.
  const again = faultOf(`(async function () {${source.replace(/^#!.*/, '')}\n})`, []);
  return again === null || MODULE_ONLY.test(again) ? 'module' : 'commonjs';
}

function faultOf(source: string, parameters: string[]): string | null {
  try {
    compileFunction(source, parameters);
    return null;
  } catch (error) {
    return messageOf(error);
  }
}

/** What Node's compiler finds wrong with a CommonJS source, or null. */
export function faultOfCommonjs(file: string, source: string): Fault | null {
  try {
    compileFunction(source, WRAPPER, { filename: file });
    return null;
  } catch (error) {
    return faultOfStack(messageOf(error), (error instanceof Error && error.stack) || '');
  }
}

/**
 * Node's own account of a source that cannot be compiled or linked. Its stack begins with `PLACE:LINE`, the source line,
 * and carets below it, where PLACE is a path or a file URL (node:internal/errors, decorateErrorStack).
 */
export function faultOfStack(text: string, stack: string): Fault {
  const at = /^(file:\/\/[^\n]*?|\/[^\n]*?|[a-zA-Z]:\\[^\n]*?):(\d+)\n([^\n]*)\n(?:( *)(\^+)\n)?/.exec(stack);
  if (!at) return { text };
  const [, place = '', line, source = '', indent, carets] = at;
  const file = place.startsWith('file:') ? fileURLToPath(place) : place;
  const where = carets === undefined ? {} : { column: (indent ?? '').length + 1, length: carets.length };
  return { text, file, line: Number(line), source, ...where };
}

/** The same the other way round: a place in the first lines of a stack. */
export function placeOf({ file, line, column, source, length = 1 }: Fault): string {
  if (!file || !line) return file ?? '';
  if (source === undefined || !column) return `${file}:${line}`;
  return `${file}:${line}\n${source}\n${' '.repeat(column - 1)}${'^'.repeat(length)}`;
}
