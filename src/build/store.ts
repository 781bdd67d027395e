/** The modules of the project as they were last read: from memory, from the disk cache, or by transforming them. */
import { readFileSync, type Stats, statSync } from 'node:fs';
import { codeOf, type Fault } from '../errors.ts';
import { type Cache, hashOf, openCache } from './cache.ts';
import { openPackages, type Packages } from './packages.ts';
import { openResolve, type Resolve } from './resolve.ts';
import { esbuildVersion, type Module, openTransform, type Transform } from './transform.ts';
import { openTsconfigs, type Tsconfigs } from './tsconfig.ts';

/** A file of the project as it was when it was read. Times in ms, sizes in bytes. */
export interface Known {
  readonly file: string;
  readonly mtimeMs: number;
  readonly size: number;
}

export interface Entry extends Known {
  readonly hash: string;
  /** What else shaped the module: tsconfig, package type, versions. */
  readonly shape: string;
  readonly module: Module;
}

/** Null: there is no such file. */
export type Made = Entry | { readonly faults: readonly Fault[] } | null;

export interface Tools {
  readonly packages: Packages;
  readonly tsconfigs: Tsconfigs;
  readonly cache: Cache;
  readonly transform: Transform;
  readonly resolver: Resolve;
}

export interface Store {
  /** Every module that was read, with its newest good content. */
  readonly entries: Map<string, Entry>;
  /** Opened by the first question: the first generation boots meanwhile. */
  tools(): Tools;
  /** Reads a file and makes its module. */
  read(file: string): Promise<Made>;
  /** The same, and keeps nothing of it. */
  make(file: string): Promise<Made>;
  keep(entry: Entry): Entry;
  /** What is wrong with a module that nothing is known to load yet: it is made for the cache only. */
  faultsIn(file: string): Promise<readonly Fault[]>;
  /**
   * Takes up the modules of the last session, as far as their files are the same: a cold start with a warm cache. Gives
   * what they imported by which words, which the resolver has to be asked again.
   */
  warm(): Imports;
  /** Forgets what it knows of package.json and tsconfig files. */
  renew(): void;
  /** Writes the cache, if anything changed; `loaded` is what the next session will want first. Never rejects. */
  save(loaded: Iterable<string>, imports: Imports): Promise<void>;
  close(): void;
}

/** Parent -> the specifiers in it that stood for files of the project. */
export type Imports = Readonly<Record<string, readonly string[]>>;

/** What the cache keeps beside the modules. */
const LOADED = 'loaded';
const IMPORTS = 'imports';
const TSCONFIGS = 'tsconfigs';

/** @param main the entry, or '' */
/** @param preserveSymlinks as node's flag */
export function openStore(root: string, main: string, version: string, preserveSymlinks: boolean): Store {
  const entries = new Map<string, Entry>();
  let opened: Tools | undefined;
  const tools = (): Tools => {
    opened ??= openTools(root, main, version, preserveSymlinks);
    return opened;
  };
  const keep = (entry: Entry): Entry => {
    entries.set(entry.file, entry);
    return entry;
  };
  /** Synchronously: for 800 files that takes 5 ms, in the thread pool 25, and nothing else waits at that moment. */
  const takeUp = (): void => {
    const { cache, transform } = tools();
    for (const file of (cache.note(LOADED) ?? []) as readonly string[]) {
      const stats = statOf(file);
      if (!stats) continue;
      const known = { file, mtimeMs: stats.mtimeMs, size: stats.size, shape: transform.shapeOf(file) };
      const cached = cache.get(file, known, known.shape);
      if (cached) keep({ ...known, hash: cached.hash, module: cached });
    }
  };
  const make = async (file: string): Promise<Made> => {
    // The stat comes before the source, so that a write in between shows as a difference.
    const stats = present(() => statSync(file));
    const source = stats && present(() => readFileSync(file, 'utf8'));
    if (!stats || source === null) return null;
    const { transform, cache } = tools();
    const hash = hashOf(source);
    const shape = transform.shapeOf(file);
    const known = { file, mtimeMs: stats.mtimeMs, size: stats.size, hash, shape };
    const before = entries.get(file);
    if (before?.hash === hash && before.shape === shape) return { ...known, module: before.module };
    const cached = cache.getBySource(file, hash, shape, known);
    if (cached) return { ...known, module: cached };
    const result = await transform.transform(file, source);
    if ('faults' in result) return result;
    cache.put(file, { ...known, ...result.module });
    return { ...known, module: result.module };
  };
  return {
    entries,
    tools,
    make,
    keep,
    async read(file) {
      const made = await make(file);
      return made && 'module' in made ? keep(made) : made;
    },
    async faultsIn(file) {
      const made = await make(file);
      if (made === null) return [];
      return 'faults' in made ? made.faults : tools().transform.faultsOfModule(file, made.module);
    },
    warm() {
      takeUp();
      return (tools().cache.note(IMPORTS) ?? {}) as Imports;
    },
    renew() {
      if (!opened) return;
      opened.packages.reset();
      opened.tsconfigs.reset();
      opened.transform.reset();
      opened.resolver.reset();
    },
    async save(loaded, imports) {
      if (!opened) return;
      const { cache, tsconfigs } = opened;
      const files = [...loaded];
      if (files.length > 0) {
        cache.setNote(LOADED, files);
        cache.setNote(IMPORTS, imports);
      }
      cache.setNote(TSCONFIGS, tsconfigs.known());
      await cache.save();
    },
    close: () => opened?.transform.close(),
  };
}

function openTools(root: string, entry: string, hotrunVersion: string, preserveSymlinks: boolean): Tools {
  const nodeVersion = process.versions.node;
  const nodeMajor = Number.parseInt(nodeVersion, 10);
  const packages = openPackages();
  const cache = openCache({ root, entry, hotrunVersion, nodeMajor, esbuildVersion: esbuildVersion() });
  const tsconfigs = openTsconfigs((cache.note(TSCONFIGS) ?? {}) as ReturnType<Tsconfigs['known']>);
  const transform = openTransform({ nodeVersion, tsconfigs, packages });
  const resolver = openResolve({ tsconfigs, packages, preserveSymlinks });
  return { packages, tsconfigs, cache, transform, resolver };
}

/** What cannot be looked at now is read when it is asked for, and the error told then. */
export function statOf(file: string): Stats | undefined {
  try {
    return statSync(file, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/** Null for a file that is not there, or is no file; anything else is thrown on. */
function present<T>(look: () => T): T | null {
  try {
    return look();
  } catch (error) {
    if (['ENOENT', 'EISDIR', 'ENOTDIR'].includes(codeOf(error) ?? '')) return null;
    throw error;
  }
}
