/**
 * Folders that the app lists at its start, to load or read what it finds there: a file that appears in one is news, if it is
 * of a kind that the app takes from there. What else is done in them is not looked at.
 *
 * Listed folders that lie in one another are one *tree*, walked by one loader; a folder that appears in it belongs to it. A
 * name is news once: what the app has not taken by the time it is up is passed over from then on, so that a program which
 * makes files there at each start does not reload the app for ever.
 */
import { readdirSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import { codeOf } from '../errors.ts';
import type { Entries, Entry, Folder } from './entries.ts';
import { troubleOf } from './folders.ts';
import type { Rules } from './rules.ts';
import { statOf } from './trail.ts';

export interface Listed {
  /** Absolute. */
  readonly path: string;
  /** It was found below one that the app has listed with all that is in it. */
  readonly isFound?: boolean;
  /** What was in it when the app was up; else what is in it now. */
  readonly names?: readonly string[] | undefined;
}

export interface Lists {
  /** The app is up and has taken from these what it wants, since it began to run at `since` (ms since the epoch). */
  add(folders: readonly Listed[], since: number): void;
  /** Looks through a folder that is listened to from now on, or may be another one than before. */
  scan(folder: Folder): void;
  /** Something is, or was, under this name in a folder. */
  find(folder: Folder, name: string): void;
  /** Whether what was said of this file holds: that it is new, and has a content; or is gone again after that was told. */
  isNews(file: string): boolean;
  /** The app itself makes this file. */
  written(file: string): void;
  /** Those that are watched. */
  folders(): readonly string[];
}

/** One inotify watch each, where the app has loaded nothing from them. */
const MOST = 500;

/** What a walk of the app takes: kinds of files. */
type Kinds = Set<string>;

interface Open {
  readonly kinds: Kinds;
  /** Names that are no news. */
  readonly passed: Set<string>;
  /** Made while we watch, and found again by the folder above. */
  readonly isFollowed: boolean;
}

/**
 * A compiler writes JavaScript beside the TypeScript, and programs write JSON; nobody but people writes TypeScript. So each
 * kind counts where it is taken from, and TypeScript wherever modules are.
 */
function kindOf(name: string): string {
  if (name.startsWith('.') || /\.d\.[cm]?ts$/.test(name)) return '';
  // They lie beside what they test, and loaders pass them over.
  if (/\.(?:test|spec)\.[cm]?[jt]sx?$/.test(name)) return '.test';
  const ending = extname(name);
  return /^\.[cm]?tsx?$/.test(ending) ? '.ts' : /^\.[cm]?jsx?$/.test(ending) ? '.js' : ending;
}

/** @param main the entry: nobody lists a folder to find it */
export function openLists(
  main: string | null,
  rules: Pick<Rules, 'read' | 'lists' | 'follows'>,
  entries: Entries,
  onTrouble: (sentence: string) => void,
): Lists {
  const told = new Map<string, Listed>();
  const open = new Map<string, Open>();
  const own = new Set<string>();
  /** What was told to be new, and may have been looked for since. */
  const news = new Set<string>();

  const isTaken = ({ rule, isExpected, path }: Entry): boolean =>
    (rule === 'loaded' && !isExpected && path !== main) || rule === 'read';

  /** The kinds of what the app takes, by the uppermost folder of each tree. */
  const kindsOfTrees = (): Map<string, Kinds> => {
    const trees = new Map<string, Kinds>();
    for (const path of [...told.keys(), ...open.keys()]) {
      const top = topOf(path);
      const kinds = trees.get(top) ?? new Set();
      trees.set(top, kinds);
      for (const entry of entries.folders.get(path)?.entries.values() ?? []) {
        const kind = isTaken(entry) ? kindOf(basename(entry.path)) : '';
        if (kind !== '') kinds.add(kind);
        if (kind === '.js') kinds.add('.ts');
      }
    }
    return trees;
  };

  const topOf = (path: string): string => {
    let top = path;
    for (let above = dirname(top); told.has(above) || open.has(above); above = dirname(top)) top = above;
    return top;
  };

  const begin = (path: string, how: Open): void => {
    if (open.size >= MOST || open.has(path)) return;
    open.set(path, how);
    const folder = entries.folderAt(path);
    folder.isListed = true;
    if (folder.place?.state === 'settled') scan(folder);
  };

  const end = (folder: Folder): void => {
    open.delete(folder.path);
    folder.isListed = false;
    entries.leave(folder);
  };

  const scan = (folder: Folder): void => {
    const now = open.get(folder.path);
    if (!now) return;
    if (!folder.place?.trail.real) {
      if (now.isFollowed) end(folder);
      return;
    }
    for (const name of namesIn(folder.path)) find(folder, name);
  };

  const namesIn = (path: string): string[] => {
    try {
      return readdirSync(path);
    } catch (error) {
      // Gone again: its own trail tells. Unreadable: so said the attempt to watch it.
      if (codeOf(error) !== 'ENOENT' && codeOf(error) !== 'EACCES') onTrouble(troubleOf(path, error as Error, 0));
      return [];
    }
  };

  const find = (folder: Folder, name: string): void => {
    const now = open.get(folder.path);
    if (!now || now.passed.has(name)) return;
    const known = folder.entries.get(name);
    if (known !== undefined && known.rule !== null) return;
    const path = join(folder.path, name);
    const stats = statOf(path);
    if (stats?.isDirectory()) {
      if (rules.follows(path)) begin(path, { kinds: now.kinds, passed: new Set(), isFollowed: true });
      return;
    }
    if (!stats?.isFile() || !now.kinds.has(kindOf(name)) || own.has(path) || !rules.read(path)) return;
    const entry = entries.at(path);
    entry.rule = 'listed';
    entry.since = Date.now();
    entry.isChecked = true;
    entries.touch(entry);
  };

  const pass = (entry: Entry): void => {
    news.delete(entry.path);
    entry.rule = null;
    entries.forget(entry);
  };

  return {
    add(folders, since) {
      for (const [path, { passed }] of open) {
        for (const entry of [...(entries.folders.get(path)?.entries.values() ?? [])]) {
          if (entry.rule !== 'listed' || entry.since >= since || isEmpty(entry.path)) continue;
          passed.add(basename(entry.path));
          pass(entry);
        }
      }
      for (const listed of folders) {
        const counts = listed.isFound ? rules.follows : rules.lists;
        if (counts(listed.path) && (told.size < MOST || told.has(listed.path))) told.set(listed.path, listed);
      }
      const trees = kindsOfTrees();
      for (const [path, { names }] of told) {
        const kinds = trees.get(topOf(path)) ?? new Set();
        const now = open.get(path);
        if (now) for (const kind of kinds) now.kinds.add(kind);
        else if (kinds.size > 0) begin(path, { kinds, passed: new Set(names ?? namesIn(path)), isFollowed: false });
      }
    },
    scan,
    find,
    isNews(file) {
      const entry = entries.known(file);
      if (entry?.rule !== 'listed') return entry !== undefined;
      const isGone = statOf(file) === undefined;
      if (!isGone && !own.has(file)) {
        if (isEmpty(file)) return false;
        news.add(file);
        return true;
      }
      const wasTold = news.has(file);
      pass(entry);
      return isGone && wasTold;
    },
    written: (file) => void own.add(file),
    folders: () => [...open.keys()],
  };
}

/** An editor is about to fill it. */
const isEmpty = (file: string): boolean => statOf(file)?.size === 0;
