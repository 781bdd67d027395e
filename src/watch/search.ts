/**
 * What globs match: looked for in the folders that may hold it, when those are first listened to and when they change. A
 * project may have 100,000 files, and saves have to be heard meanwhile: folders are looked through a slice at a time.
 */
import { type Dirent, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { codeOf } from '../errors.ts';
import type { Entries, Entry, Folder } from './entries.ts';
import { troubleOf } from './folders.ts';
import type { Rules } from './rules.ts';
import { linkOf, statOf, trailOf } from './trail.ts';

/** The clock of a file system ticks every 4 to 10 ms, so it may be behind ours by that. */
const TICK_MS = 10;
/** So long at most it is looked at a time, in ms. */
const SLICE_MS = 3;
/** So many folders are begun to be listened to at a time, which takes 1 ms each in turns of chokidar's own. */
const OPENING_MAX = 8;

export interface Search {
  /** Begins where the globs do. */
  start(): void;
  /** Looks through a folder; `isNew`: all that is found in it is new. */
  scan(folder: Folder, isNew: boolean): void;
  /** Something is, or was, under this name in a searched folder. */
  find(folder: Folder, name: string, isNew: boolean): void;
  /** A file that a glob matched and that is gone is found again when it comes back. */
  drop(entry: Entry): void;
  /** Whether nothing is left to be looked through; resolves when that is so. */
  isDone(): boolean;
  done(): Promise<void>;
  close(): void;
}

/** A folder that is to be looked through, and what is left of it; null: it has not been read. */
interface Task {
  readonly folder: Folder;
  readonly isNew: boolean;
  left: Dirent[] | null;
}

/**
 * `openedAt`, in ms since the epoch: what is found counts as saved if it has changed since then. `onDone`: nothing is left
 * to be looked through, for now.
 */
export function openSearch(
  rules: Rules,
  entries: Entries,
  openedAt: number,
  onTrouble: (sentence: string) => void,
  onDone: () => void,
): Search {
  const since = openedAt - TICK_MS;

  const tasks: Task[] = [];
  /** Those that are not listened to yet. */
  const opening = new Set<Folder>();
  let turn: NodeJS.Immediate | null = null;
  let waiting: (() => void)[] = [];
  let isClosed = false;

  /** A folder in which to look for files that globs match. */
  const enter = (path: string, isNew: boolean): void => {
    const folder = entries.folderAt(path);
    if (folder.isSearched) return;
    folder.isSearched = true;
    folder.isNew = isNew;
    if (folder.place?.state === 'settled') scan(folder, isNew);
    else opening.add(folder);
  };

  const scan = (folder: Folder, isNew: boolean): void => {
    opening.delete(folder);
    const waits = tasks.some((task) => task.folder === folder && task.left === null && (task.isNew || !isNew));
    if (!waits) tasks.push({ folder, isNew, left: null });
    if (!isClosed) turn ??= setImmediate(work);
  };

  const work = (): void => {
    const end = performance.now() + SLICE_MS;
    turn = null;
    for (let task = tasks.at(-1); task !== undefined && opening.size < OPENING_MAX; task = tasks.at(-1)) {
      task.left ??= entriesOf(task.folder);
      for (let entry = task.left.pop(); entry !== undefined; entry = task.left.pop()) {
        // Of what is not there, as of a file that no glob matches, there is no more to find out.
        if (entry.isFile() ? rules.globbed(join(task.folder.path, entry.name)) : isOther(entry))
          find(task.folder, entry.name, task.isNew);
        if (performance.now() < end && opening.size < OPENING_MAX) continue;
        if (opening.size < OPENING_MAX) turn = setImmediate(work);
        return;
      }
      tasks.splice(tasks.indexOf(task), 1);
    }
    if (!isDone()) return;
    onDone();
    const woken = waiting;
    waiting = [];
    for (const resolve of woken) resolve();
  };

  const entriesOf = (folder: Folder): Dirent[] => {
    if (entries.folders.get(folder.path) !== folder || !folder.isSearched) return [];
    const real = folder.place?.trail.real ?? null;
    if (real === null) {
      // A folder that is gone comes back as an entry of the one above, unless it is where the search began.
      if (!rules.bases.includes(folder.path)) folder.isSearched = false;
      entries.leave(folder);
      return [];
    }
    try {
      return readdirSync(real, { withFileTypes: true });
    } catch (error) {
      // Gone again: its own trail tells. Unreadable: so said the attempt to watch it.
      if (codeOf(error) !== 'ENOENT' && codeOf(error) !== 'EACCES')
        onTrouble(troubleOf(folder.path, error as Error, 0));
      return [];
    }
  };

  const find = (folder: Folder, name: string, isNew: boolean): void => {
    const path = join(folder.path, name);
    if (rules.globbed(path)) {
      if (folder.entries.has(name) && folder.entries.get(name)?.rule !== null) return;
      const stats = statOf(path);
      if (stats?.isFile() || (stats === undefined && linkOf(path) !== null)) {
        const entry = entries.at(path);
        entry.rule = 'watch';
        entry.since = since;
        if (isNew) {
          entry.isChecked = true;
          entries.touch(entry);
        } else entries.begin(entry);
        return;
      }
    }
    if (!entries.folders.get(path)?.isSearched && rules.entered(path) && isWorthEntering(path)) enter(path, isNew);
  };

  /** A linked folder is searched for globs only, and not from inside itself. */
  const isWorthEntering = (path: string): boolean => {
    if (!statOf(path)?.isDirectory()) return false;
    if (linkOf(path) === null) return true;
    if (rules.isEverything) return false;
    const within = entries.folders.get(dirname(path))?.place?.trail;
    const target = trailOf(path).real;
    return within?.real !== target && !within?.steps.some((step) => join(step.folder, step.name) === target);
  };

  const drop = (entry: Entry): void => {
    if (entry.isThere || entry.rule !== 'watch' || entry.isExpected || linkOf(entry.path) !== null) return;
    entry.rule = null;
    entries.forget(entry);
  };

  const start = (): void => {
    for (const base of rules.bases) {
      enter(base, false);
      if (rules.isEverything || !rules.globbed(base)) continue;
      const entry = entries.at(base);
      entry.rule = 'watch';
      entry.isExpected = true;
      entry.isThere = statOf(base)?.isFile() ?? false;
      entry.since = since;
      entries.begin(entry);
    }
  };

  const isDone = (): boolean => isClosed || (tasks.length === 0 && opening.size === 0);

  const done = (): Promise<void> =>
    isDone() ? Promise.resolve() : new Promise((resolve) => void waiting.push(resolve));

  const close = (): void => {
    isClosed = true;
    if (turn !== null) clearImmediate(turn);
    for (const resolve of waiting) resolve();
  };

  return { start, scan, find, drop, isDone, done, close };
}

/** A folder, or a link that may lead to one. */
const isOther = (entry: Dirent): boolean => entry.isDirectory() || entry.isSymbolicLink();
