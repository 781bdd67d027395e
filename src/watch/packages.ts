/**
 * The files of packages that a standby holds. When one changes what waits is out of date: that is all, nothing is built for
 * it. So it costs as little as it can: nothing is polled, and where nothing is heard the times of the files are compared when a
 * save comes.
 *
 * `fs.watch` itself, for hundreds of folders of which nothing is asked but their events: 1 kB and 8 us each, where a chokidar
 * watcher (ear.ts) takes 21 kB. That a folder is made anew is heard in the one above it, up to node_modules.
 */
import { type FSWatcher, readFileSync, watch } from 'node:fs';
import { basename, dirname, join, sep } from 'node:path';
import { codeOf } from '../errors.ts';
import { isLimit } from './folders.ts';
import { type FarOf, farFromHere } from './mounts.ts';
import { statOf } from './trail.ts';

/** Names by folder (absolute path). */
export type Held = Readonly<Record<string, readonly string[]>>;

export interface Packages {
  /** A standby holds these, none read before `since` (ms since the epoch). What has changed since then is told. */
  hold(held: Held, since: number): void;
  /** A reload is about to begin: what would not be heard is looked at now. */
  look(): void;
  /** The watches are of more use elsewhere: does without from here on. */
  yield(): void;
  /** As if all had changed, for when events may have been lost. */
  doubt(): void;
  close(): void;
}

export interface PackageEvents {
  /** The kernel has told something. */
  heard(): void;
  /** This file or folder has changed ('': nobody knows which); what was held is so no longer, until it is held anew. */
  changed(path: string): void;
}

interface Folder {
  /** The files in it that are held, and the folders on the way to others. */
  readonly names: Set<string>;
  ear: FSWatcher | null;
  /** What has changed since then is out of date, in ms since the epoch; null: no more than what is heard. */
  since: number | null;
}

/** More folders than these are not listened to, nor more than this part of what the system allows. */
const FOLDERS_MAX = 1000;
const SHARE = 8;
/** How far the kernel's clock for files may be behind, in ms. */
const TICK_MS = 10;
/** So long at a time nothing else is done, and so long then everything else, in ms. */
const SLICE_MS = 2;
const PAUSE_MS = 5;
/** The most that a save, or a generation, waits for it, in ms. What is not reached by then is looked at afterwards. */
const LOOK_MS = 5;
const MANIFEST = 'package.json';
/** Where packages lie: above that nothing is listened to. */
const TOP = 'node_modules';

/** @param isDeaf nothing is listened to */
export function openPackages(isDeaf: boolean, on: PackageEvents): Packages {
  const folders = new Map<string, Folder>();
  /** To be listened to, or to be looked at; each below those that it lies in. */
  const due = new Set<string>();
  /** Of these nothing is heard. */
  const unheard = new Set<string>();
  let farOf: FarOf | undefined;
  let timer: NodeJS.Timeout | null = null;
  /** Since the last change. */
  let isHeld = false;
  let ears = 0;
  let most = isDeaf ? 0 : undefined;
  let isClosed = false;

  const at = (path: string): Folder => {
    let folder = folders.get(path);
    if (!folder) {
      folder = { names: new Set([MANIFEST]), ear: null, since: null };
      folders.set(path, folder);
      if (!isTop(path)) folders.get(dirname(path))?.names.add(basename(path));
    }
    return folder;
  };

  const changed = (file: string): void => {
    // Whoever holds these is thrown away.
    if (isHeld) for (const folder of folders.values()) folder.since = null;
    isHeld = false;
    on.changed(file);
  };

  const hear = (path: string, folder: Folder, ear: FSWatcher, kind: string, name: string | null): void => {
    on.heard();
    if (folder.ear !== ear) return;
    // What happens to the folder itself comes under its own name.
    if (kind === 'rename' && name === basename(path) && !folder.names.has(name)) anew(path);
    else if (name !== null && !folder.names.has(name)) return;
    else if (name !== null && folders.has(join(path, name))) {
      if (kind !== 'rename') return;
      anew(join(path, name));
    }
    changed(join(path, name ?? MANIFEST));
  };

  /** The names of these folders may stand for others by now. */
  const anew = (top: string): void => {
    for (const [path, folder] of folders) {
      if (path !== top && !path.startsWith(top + sep)) continue;
      shut(folder);
      due.add(path);
    }
    goOnSoon();
  };

  const shut = (folder: Folder): void => {
    if (folder.ear === null) return;
    folder.ear.close();
    folder.ear = null;
    folder.since ??= Date.now();
    ears--;
  };

  const listen = (path: string, folder: Folder): void => {
    most ??= Math.min(FOLDERS_MAX, allowed() / SHARE);
    unheard.delete(path);
    farOf ??= farFromHere();
    if (ears >= most || farOf(path) !== null) return void unheard.add(path);
    try {
      const ear = watch(path, { persistent: false }, (kind, name) => hear(path, folder, ear, kind, name));
      ear.on('error', () => {
        if (folder.ear !== ear) return;
        shut(folder);
        unheard.add(path);
      });
      folder.ear = ear;
      ears++;
    } catch (error) {
      // One that is gone comes back with an event above it, or with the next standby that finds it.
      if (error instanceof Error && isLimit(error)) giveUp();
      else if (codeOf(error) !== 'ENOENT' && codeOf(error) !== 'ENOTDIR') unheard.add(path);
    }
  };

  const giveUp = (): void => {
    most = 0;
    for (const [path, folder] of folders) {
      shut(folder);
      unheard.add(path);
    }
  };

  /** The first of these files that has changed too late. */
  const newsIn = (path: string, { names, since }: Folder): string | undefined =>
    since === null
      ? undefined
      : [...names]
          .map((name) => join(path, name))
          .find((file) => !folders.has(file) && (statOf(file)?.ctimeMs ?? 0) >= since - TICK_MS);

  const goOn = (forMs: number): void => {
    const end = performance.now() + forMs;
    for (const path of due) {
      if (performance.now() > end) break;
      due.delete(path);
      const folder = folders.get(path);
      if (!folder) continue;
      if (!folder.ear) listen(path, folder);
      const news = newsIn(path, folder);
      if (folder.ear) folder.since = null;
      if (news !== undefined) changed(news);
    }
    goOnSoon();
  };
  const goOnSoon = (): void => {
    if (due.size === 0 || isClosed) return;
    timer ??= setTimeout(() => {
      timer = null;
      goOn(SLICE_MS);
    }, PAUSE_MS).unref();
  };

  return {
    hold(held, since) {
      if (isClosed) return;
      const seen = new Set<string>();
      const wait = (path: string, folder: Folder): void => {
        // Of two that hold it the older one counts.
        folder.since ??= since;
        due.add(path);
      };
      const climb = (path: string): void => {
        if (seen.has(path)) return;
        seen.add(path);
        if (!isTop(path)) climb(dirname(path));
        const folder = at(path);
        if (folder.ear === null) wait(path, folder);
      };
      for (const [path, names] of Object.entries(held)) {
        if (!folders.get(path)?.ear) climb(path);
        const folder = at(path);
        const before = folder.names.size;
        for (const name of names) folder.names.add(name);
        if (folder.names.size > before) wait(path, folder);
      }
      isHeld = true;
      // At once, for it may be about to run.
      goOn(LOOK_MS);
    },
    look() {
      if (isClosed) return;
      for (const path of unheard) due.add(path);
      goOn(LOOK_MS);
    },
    yield: giveUp,
    doubt() {
      if (folders.size > 0) changed('');
    },
    close() {
      isClosed = true;
      if (timer !== null) clearTimeout(timer);
      for (const folder of folders.values()) shut(folder);
      folders.clear();
    },
  };
}

const isTop = (path: string): boolean => basename(path) === TOP || dirname(path) === path;

/** How many inotify watches one user may have; on other systems there is no such limit. */
function allowed(): number {
  try {
    return Number(readFileSync('/proc/sys/fs/inotify/max_user_watches', 'utf8'));
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
