/**
 * The watch room: tells that a watched file was written, replaced, removed or made again, as soon as the kernel says so.
 * It does not look into files: the same content saved again is told too. What must not happen is that a save is lost.
 *
 * The folders that hold watched files are listened to, never the files: a folder's events name the file whatever it is
 * replaced by, and one inotify watch does for 5,000 files (measurements in ear.ts). Folders are found by their names and
 * found again when they are made anew (places.ts). An event is told in the same turn of the event loop, all events of a
 * turn in one call. There is no timer and no polling.
 *
 * Three moments when an event could slip by, and what is done:
 * - between the read of a file and the moment its folder is listened to: its stat is compared then;
 * - while a folder is made anew: everything in it is told;
 * - when the kernel's queue (16,384 events) runs over, of which Node says nothing: many events in one turn mean that it
 *   may have, and everything is told.
 */
import { readdirSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { Config } from '../config/config.ts';
import { codeOf } from '../errors.ts';
import { troubleOf } from './folders.ts';
import { openGitignore } from './gitignore.ts';
import { openPlaces, type Place } from './places.ts';
import { type Rule, rulesOf } from './rules.ts';
import { linkOf, statOf, trailOf } from './trail.ts';

export type { Rule } from './rules.ts';

export interface Change {
  /** Absolute path. */
  readonly file: string;
  /** Why it is watched. */
  readonly rule: Rule;
}

export interface Watch {
  /**
   * Files the app loads (absolute paths). Idempotent, cheap for known files. `mtimeMs` and `size` are those known when
   * the content was read: a change between that read and the moment the watch is in force is told.
   */
  add(files: readonly { file: string; mtimeMs: number; size: number }[]): void;
  /** Paths that do not exist but whose appearance would matter (a missing import), also in folders that do not exist. */
  expect(files: readonly string[]): void;
  /** Resolves when everything added so far is really being watched. */
  settled(): Promise<void>;
  /** What is watched now, in order of the paths; without the files that are only expected. */
  list(): readonly Change[];
  /** Leaves no handle. Safe to call twice. */
  close(): Promise<void>;
}

/** A path whose changes matter. */
interface Entry {
  readonly path: string;
  readonly folder: Folder;
  /** Null: only because a symbolic link leads here. */
  rule: Rule | null;
  /** Not listed as long as it does not exist. */
  isExpected: boolean;
  isThere: boolean;
  /** As it was when it was read, null if nobody said. */
  known: { readonly mtimeMs: number; readonly size: number } | null;
  /** A change (by ctime, which a rename sets too) at this time or later is news; ms. */
  since: number;
  isChecked: boolean;
  /** Where it points, if it is a symbolic link; and what points here. */
  target: Entry | null;
  readonly sources: Set<Entry>;
}

interface Folder {
  readonly path: string;
  place: Place | null;
  readonly entries: Map<string, Entry>;
  /** Globs may match files in it. */
  isSearched: boolean;
  /** Made while we watch: all that is found in it is new. */
  isNew: boolean;
}

/**
 * A write in the same tick of the kernel's clock (up to 10 ms) as the one before leaves the same times behind. Hence a file
 * changed less than this many ms before it was added is told, like git's "racily clean" files are read again.
 */
const RACY_MS = 50;
/** Half of fs.inotify.max_queued_events. */
const FLOOD = 8192;

/**
 * `onSaved`: at most one call per turn of the event loop. `onTrouble`: one sentence for the user; the rest works on.
 * `openedAt`, in ms since the epoch: what globs match counts as saved if it has changed since then.
 */
export function openWatch(
  config: Pick<Config, 'cwd' | 'root' | 'base' | 'watch' | 'ignore' | 'program' | 'build'>,
  onSaved: (changes: readonly Change[]) => void,
  onTrouble: (sentence: string) => void,
  openedAt: number = Date.now(),
): Watch {
  const git = openGitignore(config.root, onTrouble);
  const rules = rulesOf(config, git.ignores);
  const folders = new Map<string, Folder>();
  const told = new Set<string>();
  let pending = new Map<string, Rule>();
  let turn: NodeJS.Immediate | null = null;
  let heard = 0;
  let isClosed = false;

  const places = openPlaces(
    config.root,
    () => {
      heard++;
      turn ??= setImmediate(flush);
    },
    (folder, error) => {
      const code = codeOf(error);
      // One sentence for a limit that is reached by all folders, one per folder for what is that folder's own.
      const key = code === 'ENOSPC' || code === 'EMFILE' || code === 'ENFILE' ? code : `${code} ${folder}`;
      // Folders on the way to the project that may be passed but not read are no one's fault, and rarely renamed.
      if (isClosed || told.has(key) || (code === 'EACCES' && !folders.has(folder))) return;
      told.add(key);
      onTrouble(troubleOf(folder, error));
    },
  );

  const flush = (): void => {
    turn = null;
    if (heard >= FLOOD) places.doubt();
    heard = 0;
    const saved = pending;
    pending = new Map();
    const changes = [...saved].map(([file, rule]) => ({ file, rule }));
    if (turn !== null && pending.size === 0) {
      clearImmediate(turn);
      turn = null;
    }
    if (changes.length > 0) onSaved(changes);
  };

  /** Tells it, unless it neither was nor is there (`config`, a folder, whose files are told), and what links to it. */
  const touch = (entry: Entry, seen = new Set<Entry>()): void => {
    if (seen.has(entry)) return;
    seen.add(entry);
    const wasThere = entry.isThere;
    look(entry);
    const isWatched = entry.rule === 'watch' ? rules.globbed(entry.path) : entry.rule !== null;
    if (isWatched && (wasThere || entry.isThere)) {
      pending.set(entry.path, entry.rule ?? 'watch');
      turn ??= setImmediate(flush);
    }
    for (const source of entry.sources) touch(source, seen);
  };

  /** Sees whether it exists, and follows it if it is a symbolic link. */
  const look = (entry: Entry): void => {
    const link = linkOf(entry.path);
    const target = link === null ? null : resolve(entry.folder.place?.trail.real ?? entry.folder.path, link);
    if (entry.target !== null && entry.target.path !== target) {
      entry.target.sources.delete(entry);
      forget(entry.target);
      entry.target = null;
    }
    if (target !== null && entry.target === null) {
      entry.target = entryAt(target);
      entry.target.sources.add(entry);
      if (!entry.target.isChecked) {
        entry.target.known ??= entry.known;
        entry.target.since ||= entry.since;
      }
      begin(entry.target);
    }
    const stats = statOf(entry.path);
    // A folder is not a file that could be loaded, nor told.
    entry.isThere = stats !== undefined && !stats.isDirectory();
  };

  /** Tells it if it may have changed before it was listened to. */
  const check = (entry: Entry): void => {
    if (entry.isChecked) return;
    entry.isChecked = true;
    const { known, since } = entry;
    const stats = statOf(entry.path);
    const isSame =
      known === null
        ? !entry.isThere || stats !== undefined
        : stats?.mtimeMs === known.mtimeMs && stats.size === known.size;
    const isNew = stats !== undefined && stats.ctimeMs >= since;
    if (!isSame || isNew) touch(entry);
    else look(entry);
  };

  const begin = (entry: Entry): void => {
    if (entry.folder.place?.state === 'settled') check(entry);
  };

  const entryAt = (path: string): Entry => {
    const folder = folderAt(dirname(path));
    const known = folder.entries.get(basename(path));
    if (known) return known;
    const entry: Entry = {
      path,
      folder,
      rule: null,
      isExpected: false,
      isThere: false,
      known: null,
      since: 0,
      isChecked: false,
      target: null,
      sources: new Set(),
    };
    folder.entries.set(basename(path), entry);
    return entry;
  };

  /** Lets go of an entry that nothing wants any more, and of its folder. */
  const forget = (entry: Entry): void => {
    if (entry.rule !== null || entry.sources.size > 0) return;
    entry.folder.entries.delete(basename(entry.path));
    if (entry.target !== null) {
      entry.target.sources.delete(entry);
      forget(entry.target);
    }
    leave(entry.folder);
  };

  const leave = (folder: Folder): void => {
    if (folder.isSearched || folder.entries.size > 0) return;
    folders.delete(folder.path);
    if (folder.place) places.drop(folder.place);
  };

  const folderAt = (path: string): Folder => {
    const known = folders.get(path);
    if (known) return known;
    const folder: Folder = { path, place: null, entries: new Map(), isSearched: false, isNew: false };
    folders.set(path, folder);
    folder.place = places.open(path, {
      settled: (place, isMoved) => {
        folder.place = place;
        settle(folder, isMoved);
      },
      heard: (name) => hear(folder, name),
    });
    return folder;
  };

  /** A folder in which to look for files that globs match. */
  const search = (path: string, isNew: boolean): void => {
    const folder = folderAt(path);
    if (folder.isSearched) return;
    folder.isSearched = true;
    folder.isNew = isNew;
    if (folder.place?.state === 'settled') scan(folder, isNew);
  };

  const settle = (folder: Folder, isMoved: boolean): void => {
    for (const entry of [...folder.entries.values()]) {
      if (!isMoved || !entry.isChecked) check(entry);
      else if (entry.isThere || statOf(entry.path) !== undefined) touch(entry);
      drop(entry);
    }
    if (folder.isSearched) scan(folder, isMoved || folder.isNew);
  };

  const scan = (folder: Folder, isNew: boolean): void => {
    const real = folder.place?.trail.real ?? null;
    if (real === null) {
      // A folder that is gone comes back as an entry of the one above, unless it is where the search began.
      if (!rules.bases.includes(folder.path)) folder.isSearched = false;
      leave(folder);
      return;
    }
    let names: readonly string[] = [];
    try {
      names = readdirSync(real);
    } catch (error) {
      // Gone again: its own trail tells. Unreadable: so said the attempt to watch it.
      if (codeOf(error) !== 'ENOENT' && codeOf(error) !== 'EACCES') onTrouble(troubleOf(folder.path, error as Error));
    }
    for (const name of names) find(folder, name, isNew);
  };

  /** Something is, or was, under this name in a searched folder. */
  const find = (folder: Folder, name: string, isNew: boolean): void => {
    const path = join(folder.path, name);
    if (rules.globbed(path)) {
      if (folder.entries.has(name) && folder.entries.get(name)?.rule !== null) return;
      const stats = statOf(path);
      if (stats?.isFile() || (stats === undefined && linkOf(path) !== null)) {
        const entry = entryAt(path);
        entry.rule = 'watch';
        entry.since = openedAt - RACY_MS / 5;
        if (isNew) {
          entry.isChecked = true;
          touch(entry);
        } else begin(entry);
        return;
      }
    }
    if (!folders.get(path)?.isSearched && rules.entered(path) && isWorthEntering(path)) search(path, isNew);
  };

  /** A linked folder is searched for globs only, and not from inside itself. */
  const isWorthEntering = (path: string): boolean => {
    if (!statOf(path)?.isDirectory()) return false;
    if (linkOf(path) === null) return true;
    if (rules.isEverything) return false;
    const within = folders.get(dirname(path))?.place?.trail;
    const target = trailOf(path).real;
    return within?.real !== target && !within?.steps.some((step) => join(step.folder, step.name) === target);
  };

  const hear = (folder: Folder, name: string | null): void => {
    if (name === null) {
      for (const entry of [...folder.entries.values()]) touch(entry);
      if (folder.isSearched) scan(folder, true);
      return;
    }
    const entry = folder.entries.get(name);
    if (entry) {
      entry.isChecked = true;
      touch(entry);
      drop(entry);
    }
    if (!folder.isSearched) return;
    find(folder, name, true);
    if (rules.isEverything && name === '.gitignore') {
      git.forget();
      for (const other of [...folders.values()]) if (other.isSearched) scan(other, false);
    }
  };

  /** A file that a glob matched and that is gone is found again when it comes back. */
  const drop = (entry: Entry): void => {
    if (entry.isThere || entry.rule !== 'watch' || entry.isExpected || linkOf(entry.path) !== null) return;
    entry.rule = null;
    forget(entry);
  };

  for (const base of rules.bases) {
    search(base, false);
    if (rules.isEverything || !rules.globbed(base)) continue;
    const entry = entryAt(base);
    entry.rule = 'watch';
    entry.isExpected = true;
    entry.isThere = statOf(base)?.isFile() ?? false;
    entry.since = openedAt - RACY_MS / 5;
    begin(entry);
  }

  return {
    add: (files) => {
      if (isClosed) return;
      for (const { file, mtimeMs, size } of files) {
        const known = folders.get(dirname(file))?.entries.get(basename(file));
        if ((known?.rule === 'loaded' && !known.isExpected) || !rules.loaded(file)) continue;
        const entry = entryAt(resolve(file));
        entry.rule = 'loaded';
        entry.isExpected = false;
        entry.known = { mtimeMs, size };
        entry.isThere = true;
        entry.since = Date.now() - RACY_MS;
        entry.isChecked = false;
        begin(entry);
      }
    },
    expect: (files) => {
      if (isClosed) return;
      for (const file of files) {
        const known = folders.get(dirname(file))?.entries.get(basename(file));
        if (known?.rule || !rules.missed(file)) continue;
        const entry = entryAt(resolve(file));
        entry.rule = 'loaded';
        entry.isExpected = true;
        entry.since = 0;
        begin(entry);
      }
    },
    settled: () => places.settled(),
    list: () =>
      [...folders.values()]
        .flatMap((folder) => [...folder.entries.values()])
        .filter((entry) => entry.isThere || (entry.rule === 'loaded' && !entry.isExpected))
        .filter((entry) => entry.rule === 'loaded' || (entry.rule === 'watch' && rules.globbed(entry.path)))
        .map(({ path, rule }) => ({ file: path, rule: rule ?? 'watch' }))
        .sort((a, b) => (a.file < b.file ? -1 : 1)),
    close: async () => {
      isClosed = true;
      if (turn !== null) clearImmediate(turn);
      turn = null;
      await places.close();
    },
  };
}
