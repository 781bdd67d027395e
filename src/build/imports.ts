/** What a module imports as soon as it is loaded, in the order of its text. */
import { requiredBy } from './requires.ts';
import type { Module } from './transform.ts';

export interface Import {
  readonly specifier: string;
  /** `import './x'`: for its effects alone. */
  readonly isBare: boolean;
}

export type ImportsOf = (module: Module) => readonly Import[];

const known = new WeakMap<Module, readonly Import[]>();

/** Loads the lexer, which nothing needs until the app runs. */
export async function openImports(): Promise<ImportsOf> {
  const { init, parse } = await import('es-module-lexer');
  await init();
  return (module) => {
    let found = known.get(module);
    if (found === undefined) {
      found = module.format === 'module' ? esm(module.code, parse) : module.format === 'json' ? [] : commonjs(module);
      known.set(module, found);
    }
    return found;
  };
}

function esm(code: string, parse: typeof import('es-module-lexer').parse): Import[] {
  return parse(code)[0].flatMap(({ type, specifier, importStart, start }) =>
    (type === 'static' || type === 'reexport-star') && specifier
      ? [{ specifier, isBare: /^import\s*['"]/.test(code.slice(importStart, start)) }]
      : [],
  );
}

const commonjs = (module: Module): Import[] =>
  requiredBy(module).map((specifier) => ({
    specifier,
    isBare: module.code.includes(`\nrequire(${JSON.stringify(specifier)})`),
  }));
