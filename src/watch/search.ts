/** What globs match: looked for in the folders that may hold it, when those are first listened to and when they change. */
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { codeOf } from '../errors.ts';
import type { Entries, Entry, Folder } from './entries.ts';
import { troubleOf } from './folders.ts';
import type { Rules } from './rules.ts';
import { linkOf, statOf, trailOf } from './trail.ts';

/** The clock of a file system ticks every 4 to 10 ms, so it may be behind ours by that. */
const TICK_MS = 10;

export interface Search {
  /** Begins where the globs do. */
  start(): void;
  /** Looks through a folder; `isNew`: all that is found in it is new. */
  scan(folder: Folder, isNew: boolean): void;
  /** Something is, or was, under this name in a searched folder. */
  find(folder: Folder, name: string, isNew: boolean): void;
  /** A file that a glob matched and that is gone is found again when it comes back. */
  drop(entry: Entry): void;
}

/** `openedAt`, in ms since the epoch: what is found counts as saved if it has changed since then. */
export function openSearch(
  rules: Rules,
  entries: Entries,
  openedAt: number,
  onTrouble: (sentence: string) => void,
): Search {
  const since = openedAt - TICK_MS;

  /** A folder in which to look for files that globs match. */
  const enter = (path: string, isNew: boolean): void => {
    const folder = entries.folderAt(path);
    if (folder.isSearched) return;
    folder.isSearched = true;
    folder.isNew = isNew;
    if (folder.place?.state === 'settled') scan(folder, isNew);
  };

  const scan = (folder: Folder, isNew: boolean): void => {
    const real = folder.place?.trail.real ?? null;
    if (real === null) {
      // A folder that is gone comes back as an entry of the one above, unless it is where the search began.
      if (!rules.bases.includes(folder.path)) folder.isSearched = false;
      entries.leave(folder);
      return;
    }
    let names: readonly string[] = [];
    try {
      names = readdirSync(real);
    } catch (error) {
      // Gone again: its own trail tells. Unreadable: so said the attempt to watch it.
      if (codeOf(error) !== 'ENOENT' && codeOf(error) !== 'EACCES')
        onTrouble(troubleOf(folder.path, error as Error, 0));
    }
    for (const name of names) find(folder, name, isNew);
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

  return { start, scan, find, drop };
}
