/**
 * The paths whose changes matter, each an entry of the folder that it is in: whether they are there, what they link to, and
 * whether they have changed between the time they were read and the time their folder is listened to.
 */
import { basename, dirname, resolve } from 'node:path';
import type { Place, Places } from './places.ts';
import type { Rule } from './rules.ts';
import { linkOf, madeAt, statOf } from './trail.ts';

/** A path whose changes matter. */
export interface Entry {
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
  /** When it was changed last, in ms, as far as we know; null if it was not there. */
  seen: number | null;
  /** Where it points, if it is a symbolic link; and what points here. */
  target: Entry | null;
  readonly sources: Set<Entry>;
}

export interface Folder {
  readonly path: string;
  place: Place | null;
  readonly entries: Map<string, Entry>;
  /** Globs may match files in it. */
  isSearched: boolean;
  /** The app lists it. */
  isListed: boolean;
  /** Made while we watch: all that is found in it is new. */
  isNew: boolean;
}

export interface Entries {
  readonly folders: ReadonlyMap<string, Folder>;
  /** The one at this path, if there is one, or a new one. */
  known(path: string): Entry | undefined;
  at(path: string): Entry;
  folderAt(path: string): Folder;
  /** Something has happened to it. */
  touch(entry: Entry): void;
  /** It is wanted: sees whether it has changed as soon as its folder is listened to. */
  begin(entry: Entry): void;
  check(entry: Entry): void;
  /** Lets go of what nothing wants any more. */
  forget(entry: Entry): void;
  leave(folder: Folder): void;
}

export interface EntryEvents {
  /** It was written, made or removed. */
  changed(entry: Entry, rule: Rule): void;
  /** The folder is being listened to. `isMoved`: not for the first time, and it may be another one than before. */
  settled(folder: Folder, isMoved: boolean): void;
  /** Something happened to this name in it, or to some name (null). */
  heard(folder: Folder, name: string | null): void;
}

export function openEntries(places: Pick<Places, 'open' | 'drop' | 'note'>, on: EntryEvents): Entries {
  const folders = new Map<string, Folder>();

  /** Tells it, unless it neither was nor is there (`config`, a folder, whose files are told), and what links to it. */
  const touch = (entry: Entry, seen = new Set<Entry>()): void => {
    if (seen.has(entry)) return;
    seen.add(entry);
    const wasThere = entry.isThere;
    look(entry);
    if (entry.rule !== null && (wasThere || entry.isThere)) on.changed(entry, entry.rule);
    for (const source of entry.sources) touch(source, seen);
  };

  /** Sees whether it exists, and follows it if it is a symbolic link. */
  const look = (entry: Entry): void => {
    if (entry.folder.place) places.note(entry.folder.place, basename(entry.path));
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
    entry.seen = stats?.mtimeMs ?? null;
  };

  /** Tells it if it may have changed before it was listened to. */
  const check = (entry: Entry): void => {
    if (entry.isChecked) return;
    entry.isChecked = true;
    const { known, since } = entry;
    if (entry.folder.place) places.note(entry.folder.place, basename(entry.path));
    const stats = statOf(entry.path);
    const isSame =
      known === null
        ? !entry.isThere || stats !== undefined
        : stats?.mtimeMs === known.mtimeMs && stats.size === known.size;
    const links = entry.folder.place?.trail.steps.filter(({ isLink }) => isLink) ?? [];
    const isNew = stats !== undefined && Math.max(stats.ctimeMs, ...links.map(madeAt)) >= since;
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
      seen: null,
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
    if (folder.isSearched || folder.isListed || folder.entries.size > 0) return;
    folders.delete(folder.path);
    if (folder.place) places.drop(folder.place);
  };

  const folderAt = (path: string): Folder => {
    const known = folders.get(path);
    if (known) return known;
    const folder: Folder = { path, place: null, entries: new Map(), isSearched: false, isListed: false, isNew: false };
    folders.set(path, folder);
    folder.place = places.open(path, {
      settled: (place, isMoved) => {
        folder.place = place;
        on.settled(folder, isMoved);
      },
      heard: (name) => on.heard(folder, name),
      names: () => folder.entries.keys(),
    });
    return folder;
  };

  return {
    folders,
    known: (path) => folders.get(dirname(path))?.entries.get(basename(path)),
    at: entryAt,
    folderAt,
    touch,
    begin,
    check,
    forget,
    leave,
  };
}
