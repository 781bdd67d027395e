/**
 * What the module hooks answer, whichever way they are installed: the project's own modules come from hotrun, packages
 * from Node. The transformer lives in hotrun; here is only the pack of sources, and a question for what is not in it.
 */
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Asker } from './ask.ts';
import { MAP_COMMENT, type Maps } from './maps.ts';
import { type Format, type Loaded, MODULE_NAME, type Pack, type PackedModule, type Resolved } from './messages.ts';

/** The module that is imported in front of the entry: its evaluation waits at the gate. */
export const GATE_URL = 'hotrun:gate';
/**
 * A module that imports one that throws, and then all that is to be loaded ahead: so everything is linked, and nothing is run.
 * What was linked with a module that fails stays as it is (ECMA-262, 16.2.1.5.3: errors are for what waits for its turn).
 */
export const AHEAD_URL = 'hotrun:ahead';
export const NEVER_URL = 'hotrun:never';
/** Where the gate's module finds us, for the moment between the boot and the gate. */
export const GATE_SYMBOL = 'hotrun.gate';

export interface Source {
  readonly format: Format;
  readonly source: string;
}

export interface Loader {
  /** The file URL that a specifier stands for, or undefined where Node decides by itself. */
  resolve(specifier: string, parentURL: string | undefined): string | undefined;
  /** The source of a file of the project, or undefined where Node loads it by itself. */
  load(url: string): Source | undefined;
  /** Takes modules that are to be loaded ahead, and answers for them alone until `settle`. @returns their URLs */
  ahead(): string[];
  settle(): void;
  /** The files of packages that Node has asked for here (paths). */
  packaged(): string[];
  /** Tells what was loaded so far. From now on each file is told at once: an app that crashes has no later. */
  flush(): void;
  /** Where this leads to a package that this process has loaded, of what `resolve` leaves to Node. */
  known(specifier: string, parentURL: string | undefined, by: 'import' | 'require'): string | undefined;
  /** Node has resolved what `resolve` left to it. */
  resolved(specifier: string, parentURL: string | undefined, url: string, by: 'import' | 'require'): void;
  /** Node has found neither this package nor the file (absolute path) that a package leads to. */
  missed(what: string, parentURL: string | undefined): void;
}

const PATH_LIKE = /^(?:\.{0,2}\/|\.{1,2}$|file:)/;
/** A file that is not the project's. */
export const IN_PACKAGE = /[\\/]node_modules[\\/]/;

/**
 * @param entry absolute path
 * @param own the URL of the runtime, which imports for itself
 * @param maps keeps source maps out of the way; null where they have to stay in the sources
 * @param preloaded packages that this process has loaded: by + ' ' + URL
 */
export function openLoader(
  asker: Asker,
  entry: string,
  own: string,
  maps: Maps | null,
  preloaded: ReadonlySet<string> = new Set(),
): Loader {
  let pack: Pack | undefined;
  let body: Buffer;
  let modules: Map<string, PackedModule>;
  /** parent + '\n' + specifier of packages that hotrun knows of. */
  let told: Set<string>;
  /** by + ' ' + parent + '\n' + specifier -> the URL of one that is loaded. */
  let ways: Map<string, string>;
  const files = new Map<string, string>();

  // Asked for at the first use, so that a thread that loads nothing of the project never gets one.
  const unpack = (first: string): Pack => {
    if (!pack) {
      const answer = asker.ask<Pack>({ ask: 'pack', first });
      return take(answer.head, answer.body);
    }
    return pack;
  };
  const take = (head: Pack, bytes: Buffer): Pack => {
    pack = head;
    body = bytes;
    modules = new Map(head.modules.map((module) => [module.file, module]));
    told = new Set();
    ways = new Map();
    for (const [target, keys] of Object.entries(head.packages)) {
      const at = target.indexOf(' ');
      for (const key of keys) {
        told.add(key);
        if (preloaded.has(target)) ways.set(`${target.slice(0, at)} ${key}`, target.slice(at + 1));
      }
    }
    return head;
  };

  /**
   * The path of a file of the project, or undefined. The entry is the project's wherever it lies: that of a package's
   * command (`node_modules/.bin/next`) waits at the gate too. Kept: one URL is asked for several times.
   */
  const fileOf = (url: string): string | undefined => {
    if (!url.startsWith('file:') || url === own) return undefined;
    let file = files.get(url);
    if (file === undefined) {
      file = fileURLToPath(url);
      files.set(url, file);
    }
    return IN_PACKAGE.test(file) && file !== entry ? undefined : file;
  };

  /** Kept as well: a module is imported by many. */
  const hrefs = new Map<string, string>();
  const hrefOf = (file: string): string => {
    let href = hrefs.get(file);
    if (href === undefined) {
      href = pathToFileURL(file).href;
      hrefs.set(file, href);
      files.set(href, file);
    }
    return href;
  };

  /** Looked for in vain. */
  const missing = new Set<string>();
  /** Files from the pack that hotrun does not know of yet: those before the gate are told together. */
  let unsaid: string[] | undefined = [];
  const used = (file: string): void => {
    if (unsaid) unsaid.push(file);
    else asker.tell({ tell: 'loaded', files: [file] });
  };

  /** Nothing may be asked now but `ahead`: the answer would come with the next save. */
  let isAhead = false;

  return {
    ahead() {
      const answer = asker.ask<Pack>({ ask: 'ahead' });
      isAhead = true;
      take(answer.head, answer.body);
      return answer.head.modules.filter(({ format }) => format === 'module').map(({ file }) => hrefOf(file));
    },
    settle() {
      isAhead = false;
      pack = undefined;
    },
    packaged: () => [...files.values()].filter((file) => IN_PACKAGE.test(file)),
    flush() {
      if (unsaid && unsaid.length > 0) asker.tell({ tell: 'loaded', files: unsaid });
      unsaid = undefined;
    },
    known(specifier, parentURL, by) {
      const parent = preloaded.size > 0 && parentURL && fileOf(parentURL);
      if (!parent) return undefined;
      unpack(parent);
      return ways.get(`${by} ${parent}\n${specifier}`);
    },
    resolved(specifier, parentURL, url, by) {
      if (isAhead || !url.startsWith('file:') || PATH_LIKE.test(specifier)) return;
      const parent = parentURL && fileOf(parentURL);
      if (!parent) return;
      unpack(parent);
      const key = `${parent}\n${specifier}`;
      if (told.has(key)) return;
      told.add(key);
      asker.tell({ tell: 'package', parent, specifier, url, by });
    },
    missed(what, parentURL) {
      const parent = parentURL && fileOf(parentURL);
      // An app may try for it at every request.
      const key = `${parent}\n${what}`;
      if (!parent || isAhead || missing.has(key)) return;
      missing.add(key);
      asker.tell({ tell: 'missing', parent, what });
    },
    resolve(specifier, parentURL) {
      const parent = parentURL && fileOf(parentURL);
      if (!parent) return undefined;
      const { resolved, bare } = unpack(parent);
      const pathLike = PATH_LIKE.test(specifier);
      if (!pathLike && (!bare || specifier.startsWith('node:'))) return undefined;
      const query = queryOf(specifier, pathLike);
      const plain = query ? specifier.slice(0, -query.length) : specifier;
      const known = resolved[`${parent}\n${plain}`];
      if (known === undefined && isAhead) return undefined;
      const file = known ?? asker.ask<Resolved>({ ask: 'resolve', specifier: plain, parent }).head.file;
      return file === null ? undefined : hrefOf(file) + query;
    },
    load(url) {
      const file = fileOf(url);
      if (file === undefined || !MODULE_NAME.test(file)) return undefined;
      unpack(file);
      const packed = modules.get(file);
      if (packed) {
        if (!isAhead) used(file);
        const { format, start, map, end } = packed;
        // The entry's is changed by the gate.
        if (!maps || map === end || file === entry) return { format, source: body.toString('utf8', start, end) };
        const from = body;
        const comment = maps.keep(url, () => from.toString('utf8', map, end));
        return { format, source: body.toString('utf8', start, map) + comment };
      }
      if (isAhead) throw new Error(`${file} is not to be loaded ahead`);
      const { head, body: source } = asker.ask<Loaded>({ ask: 'load', file });
      if ('error' in head) throw errorOf(head);
      return head.format === null ? undefined : { format: head.format, source: source.toString() };
    },
  };
}

/** As Node shows what it cannot compile: the place comes first. */
function errorOf({ error: text, at }: { readonly error: string; readonly at: string }): SyntaxError {
  const error = new SyntaxError(text);
  if (at) error.stack = `${at}\n\n${error.stack}`;
  return error;
}

/** `?x` and `#x` make a module of their own of the same file, as in Node; `#x` alone is no fragment. */
const queryOf = (specifier: string, pathLike: boolean): string =>
  (pathLike ? /[?#].*$/s : /\?.*$/s).exec(specifier)?.[0] ?? '';

export const neverSource = 'throw 0;';
export const aheadSource = (urls: readonly string[]): string =>
  [NEVER_URL, ...urls].map((url) => `import ${JSON.stringify(url)};`).join('');

/** The gate's module. */
export const gateSource = (): string =>
  `const k=Symbol.for(${JSON.stringify(GATE_SYMBOL)}),g=globalThis[k];delete globalThis[k];g.open();export const evaluated=g.evaluated;`;

/**
 * An ECMAScript module entry that waits at the gate before anything of the app is evaluated, and says when it has been
 * evaluated itself. Imports are evaluated in the order of the source, so the gate is imported first. A source map is
 * told of the extra line; without one the import shares the first line, so that line numbers stay.
 */
export function withGate(source: string): string {
  const gate = `import{evaluated as __hotrunEvaluated}from${JSON.stringify(GATE_URL)};`;
  const tail = '\n;__hotrunEvaluated();';
  const hashbang = /^#!.*\n?/.exec(source)?.[0] ?? '';
  const at = source.lastIndexOf(MAP_COMMENT);
  if (at < 0) return hashbang + gate + source.slice(hashbang.length) + tail;
  const map = JSON.parse(Buffer.from(source.slice(at + MAP_COMMENT.length), 'base64').toString());
  // One more line in front. A hashbang's line has no mappings, so it is all the same before or after it.
  map.mappings = `;${map.mappings}`;
  const encoded = Buffer.from(JSON.stringify(map)).toString('base64');
  return `${hashbang}${gate}\n${source.slice(hashbang.length, at)}${tail}\n${MAP_COMMENT}${encoded}`;
}
