/**
 * The tsconfig of a file: the nearest one above it, with all that it extends. Files in node_modules have none: what a
 * package ships there was made for its own build, and often extends what is not installed.
 *
 * Finding is done here and cached per folder; reading is get-tsconfig's, which is loaded for the first tsconfig that is
 * not `known` from an earlier run (6 ms by require, 12 by import).
 */
import { statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { type Fault, messageOf } from '../errors.ts';
import { faultOfJson, placeAt } from './json.ts';

const require = createRequire(import.meta.url);

export interface TsconfigInfo {
  /** Absolute path of the tsconfig.json or jsconfig.json. */
  readonly path: string;
  /** Every config file that shaped it, itself first; of one that cannot be used also those that it misses. */
  readonly files: readonly string[];
  /** For esbuild's `tsconfigRaw`: JSON with those compilerOptions that matter for one file on its own. */
  readonly raw: string;
  /** Absolute. */
  readonly rootDirs: readonly string[];
  /** Whether there are `paths` or a `baseUrl`. */
  readonly maps: boolean;
  /** Where `paths` or `baseUrl` would have a bare specifier, best first; empty if nowhere. */
  match(specifier: string): readonly string[];
  /** It cannot be used; `raw` is empty and nothing matches. */
  readonly faults: readonly Fault[];
  /** It has no files of its own and only refers to these configs (absolute paths), of which the first with the file counts. */
  readonly references: readonly string[];
  /** Whether the file is one of those that it is for. */
  includes(file: string): boolean;
}

/** What is worth keeping from one run to the next, as JSON. Checked by mtime and size of every file before it is used. */
export type Known = Readonly<Record<string, KnownConfig>>;

interface KnownConfig {
  /** Path, mtimeMs, size. */
  readonly stamps: readonly (readonly [string, number, number])[];
  readonly raw: string;
  readonly rootDirs: readonly string[];
  readonly maps: boolean;
}

export interface Tsconfigs {
  /** Null if there is none. Never throws: a broken one has faults. */
  tsconfigFor(file: string): TsconfigInfo | null;
  /** Files with the same scope have the same tsconfig: its folder, or where that does not do, the file. */
  scopeOf(file: string): string;
  /** Whether any config used so far has `paths` or a `baseUrl`. */
  maps(): boolean;
  /** All faultless configs used so far, for `openTsconfigs` of the next run. */
  known(): Known;
  /** Forgets everything. */
  reset(): void;
}

/** Options that the transform reads, but for paths and baseUrl, which are resolution. */
const OPTIONS = [
  'alwaysStrict',
  'emitDecoratorMetadata',
  'esModuleInterop',
  'experimentalDecorators',
  'importsNotUsedAsValues',
  'jsx',
  'jsxFactory',
  'jsxFragmentFactory',
  'jsxImportSource',
  'preserveValueImports',
  'strictNullChecks',
  'target',
  'useDefineForClassFields',
  'verbatimModuleSyntax',
] as const;

/** A file changed this shortly (ms) before it was looked at may change again without a new mtime. */
const RACY_MS = 2000;

const IN_PACKAGE = `${sep}node_modules${sep}`;

export function openTsconfigs(before: Known = {}): Tsconfigs {
  const byFolder = new Map<string, TsconfigInfo | null>();
  /** Where one only refers to others. */
  const byFile = new Map<string, TsconfigInfo>();
  const found = new Map<string, string | null>();
  const infos = new Map<string, TsconfigInfo>();
  let trusted: Known = before;
  let kept = new Map<string, KnownConfig>();

  function tsconfigFor(file: string): TsconfigInfo | null {
    const folder = dirname(file);
    let info = byFolder.get(folder);
    if (info === undefined) {
      const path = file.includes(IN_PACKAGE) ? null : (find(folder, 'tsconfig.json') ?? find(folder, 'jsconfig.json'));
      info = path === null ? null : load(path);
      byFolder.set(folder, info);
    }
    return info === null || info.references.length === 0 ? info : referred(info, file);
  }

  const scopeOf = (file: string): string => {
    tsconfigFor(file);
    return byFolder.get(dirname(file))?.references.length ? file : dirname(file);
  };

  /** As editors have it: what a tsconfig without files refers to is looked through for the file. */
  function referred(info: TsconfigInfo, file: string): TsconfigInfo {
    let found = byFile.get(file);
    if (found === undefined) {
      const others = info.references.filter(isFile).map(load);
      const other = others.find(({ faults, includes }) => faults.length > 0 || includes(file));
      found = { ...(other ?? info), files: [...new Set([info, ...others].flatMap(({ files }) => files))] };
      byFile.set(file, found);
    }
    return found;
  }

  function find(folder: string, name: string): string | null {
    const path = join(folder, name);
    let at = found.get(path);
    if (at === undefined) {
      const above = dirname(folder);
      if (isFile(path)) at = path;
      else at = above === folder ? null : find(above, name);
      found.set(path, at);
    }
    return at;
  }

  function load(path: string): TsconfigInfo {
    let info = infos.get(path);
    if (info === undefined) {
      const old = trusted[path];
      if (old?.stamps.every(isUnchanged)) {
        kept.set(path, old);
        info = fromKnown(path, old);
      } else {
        const { info: read, known } = parse(path);
        if (known) kept.set(path, known);
        info = read;
      }
      infos.set(path, info);
    }
    return info;
  }

  function reset(): void {
    byFolder.clear();
    byFile.clear();
    found.clear();
    infos.clear();
    trusted = Object.fromEntries(kept);
    kept = new Map();
  }

  return {
    tsconfigFor,
    scopeOf,
    maps: () => [...infos.values()].some(({ maps }) => maps),
    known: () => Object.fromEntries(kept),
    reset,
  };
}

const isFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() === true;

function isUnchanged([file, mtimeMs, size]: KnownConfig['stamps'][number]): boolean {
  const stat = statSync(file, { throwIfNoEntry: false });
  return stat !== undefined && stat.mtimeMs === mtimeMs && stat.size === size;
}

/** Most bare specifiers are met in projects without `paths`: those never load get-tsconfig again. */
function fromKnown(path: string, { stamps, raw, rootDirs, maps }: KnownConfig): TsconfigInfo {
  let again: TsconfigInfo | undefined;
  const whole = (): TsconfigInfo => {
    again ??= parse(path).info;
    return again;
  };
  return {
    path,
    files: stamps.map(([file]) => file),
    raw,
    rootDirs,
    maps,
    match: (specifier) => (maps ? whole().match(specifier) : []),
    faults: [],
    references: [],
    includes: (file) => whole().includes(file),
  };
}

function parse(path: string): {
  info: TsconfigInfo;
  known: KnownConfig | null;
} {
  const { parseTsconfig, createPathsMatcher, createFilesMatcher } =
    require('get-tsconfig') as typeof import('get-tsconfig');
  // get-tsconfig caches its file system calls here by `method:arguments`, which tells what it has read.
  const calls = new Map<string, unknown>();
  const asked = Date.now();
  try {
    const config = parseTsconfig(path, calls as Map<string, string>);
    const texts = textsRead(path, calls);
    const broken = [...texts].map(([file, text]) => faultOfJson(file, text, 'jsonc')).filter((fault) => fault !== null);
    if (broken.length > 0) return { info: unusable(path, [...texts.keys()], broken), known: null };
    const options: Record<string, unknown> = { ...config.compilerOptions };
    const matcher = createPathsMatcher({ path, config });
    const files = [...texts.keys()];
    const raw = rawOf(options);
    const rootDirs = ((options.rootDirs as string[] | undefined) ?? []).map((dir) => resolve(dirname(path), dir));
    const stamps = files.flatMap((file) => {
      const stat = statSync(file, { throwIfNoEntry: false });
      return stat && stat.mtimeMs < asked - RACY_MS ? [[file, stat.mtimeMs, stat.size] as const] : [];
    });
    const references = isSolution(config)
      ? config.references.map(({ path: to }) => configAt(resolve(dirname(path), to)))
      : [];
    const known =
      stamps.length === files.length && references.length === 0
        ? { stamps, raw, rootDirs, maps: matcher !== null }
        : null;
    return {
      info: {
        path,
        files,
        raw,
        rootDirs,
        maps: matcher !== null,
        match: (specifier) => matcher?.(specifier) ?? [],
        faults: [],
        references,
        includes: (file) => createFilesMatcher({ path, config })(file) !== undefined,
      },
      known,
    };
  } catch (error) {
    const texts = textsRead(path, calls);
    return {
      info: unusable(path, [...texts.keys(), ...missedIn(calls)], [blame(path, texts, messageOf(error))]),
      known: null,
    };
  }
}

/** TypeScript's name for one that only refers to others. */
const isSolution = <Config extends { files?: unknown[]; include?: unknown[]; references?: unknown[] }>(
  config: Config,
): config is Config & { references: NonNullable<Config['references']> } =>
  config.files?.length === 0 && !config.include?.length && Boolean(config.references?.length);

/** A reference names a config, or the folder of one. */
const configAt = (path: string): string =>
  statSync(path, { throwIfNoEntry: false })?.isDirectory() ? join(path, 'tsconfig.json') : path;

function textsRead(path: string, calls: ReadonlyMap<string, unknown>): Map<string, string> {
  const texts = new Map<string, string>([[path, '']]);
  for (const [call, value] of calls) {
    const file = /^readFileSync:(.*):utf8$/s.exec(call)?.[1];
    if (file !== undefined && typeof value === 'string' && basename(file) !== 'package.json')
      texts.set(resolve(file), value);
  }
  return texts;
}

/** What it looked for, and was not there; a package is told by the lockfile when it is installed. */
const missedIn = (calls: ReadonlyMap<string, unknown>): string[] =>
  [...calls].flatMap(([call, value]) => {
    const file = value === false ? /^existsSync:(.*)$/s.exec(call)?.[1] : undefined;
    return file === undefined || /[\\/]node_modules[\\/]/.test(file) ? [] : [resolve(file)];
  });

const unusable = (path: string, files: readonly string[], faults: readonly Fault[]): TsconfigInfo => ({
  path,
  files,
  raw: '',
  rootDirs: [],
  maps: false,
  match: () => [],
  faults,
  references: [],
  includes: () => false,
});

/** Puts a message of get-tsconfig to the file and line that caused it, as far as it names something that stands there. */
function blame(path: string, texts: ReadonlyMap<string, string>, message: string): Fault {
  for (const [file, text] of texts) {
    const broken = faultOfJson(file, text, 'jsonc');
    if (broken) return broken;
  }
  const extended = /^File '(.*)' not found\.$/.exec(message)?.[1];
  if (extended === undefined) return { text: `${message.replace(/\.$/, '')}.`, file: path };
  const quoted = JSON.stringify(extended);
  for (const [file, text] of [...texts].reverse()) {
    const at = text.indexOf(quoted);
    if (at >= 0)
      return {
        text: `"extends" names ${extended}, which is not there.`,
        file,
        ...placeAt(text, at, quoted.length),
      };
  }
  return {
    text: `"extends" names ${extended}, which is not there.`,
    file: path,
  };
}

function rawOf(options: Readonly<Record<string, unknown>>): string {
  const kept: Record<string, unknown> = {};
  for (const key of OPTIONS) if (options[key] !== undefined) kept[key] = options[key];
  // These two leave JSX to a later step, and there is none; react-jsx is what such steps do.
  if (kept.jsx === 'preserve' || kept.jsx === 'react-native') kept.jsx = 'react-jsx';
  // Up to TypeScript 5 it is off where nobody says so, but for the values of `module` that are Node's own.
  if (/^(?:node(?:\d+|next)|preserve)$/i.test(String(options.module))) kept.esModuleInterop ??= true;
  return JSON.stringify({ compilerOptions: kept });
}
