/**
 * The transformed modules of an app, on disk from one run to the next: one file, the pack, so that a start reads once.
 * (pack.ts has its form.)
 *
 * A pack is replaced by rename only, so a reader sees an old one or a new one, whoever else writes. One that is not
 * exactly of this form is ignored and written anew.
 */
import { createHash, randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { codeOf, messageOf } from '../errors.ts';
import { cacheFolder, type Surroundings } from './folder.ts';
import { type Cached, type Entry, pack, unpack } from './pack.ts';

export type { Cached };

export interface Options extends Partial<Surroundings> {
  /** The package root of the app. */
  readonly root: string;
  readonly entry: string;
  readonly hotrunVersion: string;
  /** Of the child: 20, 22, … */
  readonly nodeMajor: number;
  readonly esbuildVersion: string;
}

/** mtime in ms since 1970, with fractions, and size in bytes, of the file at the time it was read. */
export interface Stat {
  readonly mtimeMs: number;
  readonly size: number;
}

export interface NewEntry extends Stat, Omit<Cached, 'extra' | 'bytes'> {
  readonly extra?: unknown;
}

export interface Cache {
  /** Absolute path of the pack, or null where there is no folder to write to. */
  readonly file: string | null;
  /** Why the pack was not read or not written last time, for the trace; null if all is well or it is just not there. */
  trouble(): string | null;
  /** By stat alone, without reading the source. Undefined also when the stat proves nothing: then read, and getBySource. */
  get(file: string, stat: Stat, shape: string): Cached | undefined;
  /** By content. With `stat` (taken before the source was read), later calls of `get` know it too. */
  getBySource(file: string, hash: string, shape: string, stat?: Stat): Cached | undefined;
  /** The stat must have been taken before the source was read. */
  put(file: string, entry: NewEntry): void;
  /** A JSON value kept beside the modules, such as what the tsconfig files said. */
  note(key: string): unknown;
  setNote(key: string, value: unknown): void;
  /**
   * Writes the pack if anything changed; never rejects (see `trouble`). Drops what was not used for 14 days and files that
   * are gone, and removes packs that nobody has used for 30 days.
   */
  save(): Promise<void>;
}

const DAY_MS = 86_400_000;
/** Entries unused for longer than this, in days. */
const KEEP_DAYS = 14;
const KEEP_PACK_DAYS = 30;
const KEEP_TEMP_MS = 3_600_000;

/**
 * A file written this shortly (ms) before it was read can be written again with the same mtime and size: its stat proves
 * nothing ("racily clean", Documentation/technical/racy-git in git's sources). 2 s is the coarsest clock in use (FAT).
 */
const RACY_MS = 2000;

/** The name of a content. */
export const hashOf = (source: string | Buffer): string => createHash('sha1').update(source).digest('base64url');

/** Reads the pack, if there is one. Never throws for what is on disk. */
export function openCache(options: Options): Cache {
  const { entry, hotrunVersion, nodeMajor, esbuildVersion } = options;
  const key = [entry, hotrunVersion, nodeMajor, esbuildVersion].join('\n');
  const folder = cacheFolder(options.root, options);
  const file = folder === null ? null : join(folder, `${hashOf(key)}.pack`);
  let problem: string | null = folder === null ? 'no folder to write to' : null;
  let changed = false;
  let saving: Promise<void> = Promise.resolve();
  const { entries, notes } = open();

  function open(): {
    entries: Map<string, Entry>;
    notes: Record<string, unknown>;
  } {
    const none = { entries: new Map<string, Entry>(), notes: {} };
    if (file === null) return none;
    try {
      return unpack(readFileSync(file), key) ?? none;
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return none;
      problem = `${file} was not used: ${messageOf(error)}`;
      changed = true;
      return none;
    }
  }

  function get(path: string, now: Stat, shape: string): Cached | undefined {
    const found = entries.get(path);
    if (found === undefined || found.mtimeMs !== now.mtimeMs || found.size !== now.size) return undefined;
    return found.shape === shape ? use(found) : undefined;
  }

  function getBySource(path: string, hash: string, shape: string, now?: Stat): Cached | undefined {
    const found = entries.get(path);
    if (found === undefined || found.hash !== hash || found.shape !== shape) return undefined;
    if (now !== undefined) {
      const mtimeMs = proven(now);
      if (mtimeMs !== found.mtimeMs || now.size !== found.size) changed = true;
      found.mtimeMs = mtimeMs;
      found.size = now.size;
    }
    return use(found);
  }

  function put(path: string, { extra, code, ...rest }: NewEntry): void {
    const bytes = () => Buffer.from(code);
    const { format, transformed, hash, shape, size } = rest;
    const entry = {
      format,
      transformed,
      hash,
      shape,
      size,
      code,
      extra,
      bytes,
      mtimeMs: proven(rest),
      usedOn: today(),
    };
    entries.set(path, { ...entry, usedNow: true });
    changed = true;
  }

  function setNote(name: string, value: unknown): void {
    if (JSON.stringify(notes[name]) === JSON.stringify(value)) return;
    notes[name] = value;
    changed = true;
  }

  function save(): Promise<void> {
    saving = saving.then(saveNow);
    return saving;
  }

  async function saveNow(): Promise<void> {
    if (file === null) return;
    const temp = `${file}.${randomUUID()}.tmp`;
    try {
      if (!changed) return await touch(file);
      const oldest = today() - KEEP_DAYS;
      for (const [path, { usedNow, usedOn }] of entries)
        if (!usedNow && (usedOn < oldest || !existsSync(path))) entries.delete(path);
      const packed = pack(key, entries, notes);
      // What is put from here on is of the next save.
      changed = false;
      await mkdir(dirname(file), { recursive: true, mode: 0o700 });
      await writeFile(temp, packed, { mode: 0o600 });
      await rename(temp, file);
      problem = null;
      await sweep(dirname(file)).catch((error: unknown) => {
        problem = `${dirname(file)} was not tidied: ${messageOf(error)}`;
      });
    } catch (error) {
      changed = true;
      problem = `${file} was not written: ${messageOf(error)}`;
      await rm(temp, { force: true }).catch(() => {
        // The folder takes no writes at all, which is what `problem` says.
      });
    }
  }

  return {
    file,
    trouble: () => problem,
    get,
    getBySource,
    put,
    note: (name) => notes[name],
    setNote,
    save,
  };
}

function use(entry: Entry): Cached {
  entry.usedNow = true;
  entry.usedOn = today();
  return entry;
}

const today = (): number => Math.floor(Date.now() / DAY_MS);

/** The mtime to remember, or -1, which no file has. */
const proven = ({ mtimeMs }: Stat): number => (Date.now() - mtimeMs >= RACY_MS ? mtimeMs : -1);

/** An unchanged pack is in use all the same: `sweep` goes by mtime. */
async function touch(file: string): Promise<void> {
  const now = Date.now();
  const before = await stat(file).catch(() => null);
  if (before && now - before.mtimeMs > DAY_MS) await utimes(file, now / 1000, now / 1000);
}

/** Packs of other versions and entries that nobody has used for long, and what a killed hotrun left half written. */
async function sweep(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const keepMs = name.endsWith('.pack') ? KEEP_PACK_DAYS * DAY_MS : name.endsWith('.tmp') ? KEEP_TEMP_MS : null;
    if (keepMs === null) continue;
    const path = join(folder, name);
    // Another hotrun may have removed it meanwhile.
    const old = await stat(path).catch(() => null);
    if (old && Date.now() - old.mtimeMs > keepMs) await rm(path, { force: true });
  }
}
