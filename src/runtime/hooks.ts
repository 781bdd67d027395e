/** The two answers that module hooks give, for every way of installing them. */
import { isAbsolute } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import {
  AHEAD_URL,
  aheadSource,
  GATE_URL,
  gateSource,
  IN_PACKAGE,
  type Loader,
  NEVER_URL,
  neverSource,
  type Source,
  withGate,
} from './loader.ts';

export interface Hooks {
  resolve(specifier: string, parentURL: string | undefined): string | undefined;
  /** Where that leads which `resolve` leaves to Node, if Node need not be asked. */
  known(specifier: string, parentURL: string | undefined, by: 'import' | 'require'): string | undefined;
  /** Node has found it by itself. */
  resolved(specifier: string, parentURL: string | undefined, url: string, by: 'import' | 'require'): void;
  /** Node has found nothing: the file that it looked for may stand for another one. */
  missed(error: unknown, parentURL: string | undefined): string | undefined;
  load(url: string, by: 'import' | 'require'): { format: string; source: string | null } | undefined;
}

/** The entry, where it waits at the gate: absent in workers and forks. */
export interface GatedEntry {
  /** Absolute path. */
  readonly entry: string;
  /** Waits at the gate, the first time: called where the entry is CommonJS, which has no imports to wait in. */
  gate(): void;
}

/** From Node 24 on an imported CommonJS source that a synchronous hook gives runs in Node's own CommonJS loader. */
export const GIVEN_COMMONJS_IS_WHOLE = Number.parseInt(process.versions.node, 10) >= 24;

const PLAIN = /\.[cm]?js$/;

/** Modules that there are only here. */
export const OURS: ReadonlySet<string> = new Set([GATE_URL, AHEAD_URL, NEVER_URL]);

/** @param isThread the hooks are not synchronous */
export function makeHooks(
  loader: Loader,
  isMain: (file: string) => boolean,
  gated: GatedEntry | null,
  isThread = false,
): Hooks {
  const isWhole = GIVEN_COMMONJS_IS_WHOLE && !isThread;
  return {
    known: loader.known,
    resolved: loader.resolved,
    missed(error, parentURL) {
      const what = missingIn(error);
      if (what === undefined) return undefined;
      const file = isAbsolute(what) ? what : undefined;
      if (file === undefined || IN_PACKAGE.test(file)) {
        loader.missed(what, parentURL);
        return undefined;
      }
      const { href } = pathToFileURL(file);
      // Text that is run as a module (`data:`) is nobody's, and names files by their URL.
      return loader.resolve(href, parentURL?.startsWith('data:') ? href : parentURL);
    },
    resolve(specifier, parentURL) {
      if (OURS.has(specifier)) return specifier;
      return parentURL === AHEAD_URL ? specifier : loader.resolve(specifier, parentURL);
    },
    load(url, by) {
      if (url === GATE_URL) return { format: 'module', source: gateSource() };
      if (url === AHEAD_URL) return { format: 'module', source: aheadSource(loader.ahead()) };
      if (url === NEVER_URL) return { format: 'module', source: neverSource };
      const loaded = loader.load(url);
      const file = url.startsWith('file:') ? fileURLToPath(url) : '';
      if (gated && file === gated.entry) {
        // Node may ask twice, by require and then by import: both times the gate is in front.
        if (loaded?.format === 'module') return { format: 'module', source: withGate(loaded.source) };
        gated.gate();
      }
      if (loaded?.format === 'commonjs' && by === 'import' && !isWhole)
        return imported(url, file, loaded, isMain(file), loader);
      return loaded;
    },
  };
}

/**
 * Before Node 24, and from Node's thread of hooks, a CommonJS source that a hook gives to `import` runs without require.cache and module.parent. Where no
 * names have to be found (the main module, plain JavaScript) the CommonJS loader is left to read it, through our extension
 * handlers. Otherwise a small module requires it and exports its names, which esbuild lists at the end for
 * cjs-module-lexer.
 */
function imported(url: string, file: string, loaded: Source, isMain: boolean, loader: Loader) {
  if (isMain) return { format: 'commonjs', source: null };
  if (PLAIN.test(file)) return undefined;
  const names = namesIn(url, loaded, loader, new Set([url]));
  // `export =`: Node finds the names in what it is given.
  if (names === undefined) return loaded;
  const exported = [...new Set(names)]
    .filter((name) => name !== 'default')
    .map((name) => `export const ${name}=m[${JSON.stringify(name)}];`);
  const source = `import{createRequire as c}from"node:module";const m=c(${JSON.stringify(url)})(${JSON.stringify(file)});export default m;${exported.join('')}`;
  return { format: 'module', source };
}

/** What esbuild lists at the end: names, and `...require("x")` for an `export *`. */
function namesIn(url: string, { source }: Source, loader: Loader, seen: Set<string>): string[] | undefined {
  const list = /\n0 && \(module\.exports = \{([^}]*)\}\)/.exec(source)?.[1];
  return list?.split(',').flatMap((part) => {
    const name = part.trim();
    const from = /^\.\.\.require\("(.+)"\)$/.exec(name)?.[1];
    if (from === undefined) return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(name) ? [name] : [];
    const target = loader.resolve(from, url);
    if (target === undefined || seen.has(target)) return [];
    seen.add(target);
    const loaded = loader.load(target);
    return (loaded && namesIn(target, loaded, loader, seen))?.filter((each) => each !== 'default') ?? [];
  });
}

/** What Node names: a package, or the file where `imports` or `exports` of a package.json lead to. */
function missingIn(error: unknown): string | undefined {
  const { code, url, message } = error as { code?: unknown; url?: unknown; message?: unknown };
  if (code !== 'ERR_MODULE_NOT_FOUND' && code !== 'MODULE_NOT_FOUND') return undefined;
  if (typeof url === 'string') return url.startsWith('file:') ? fileURLToPath(url) : undefined;
  return /^Cannot find (?:module|package) '([^'\n]+)'/.exec(String(message))?.[1];
}
