/**
 * Looks at folders and at the watched files in them, again and again, where the system tells no events: the names in a folder
 * when its time has changed, and the times and sizes of the files that somebody wants to hear of.
 */
import { lstat, lstatSync, readdirSync, type Stats } from 'node:fs';
import { join } from 'node:path';

/** Of the time, so much at most goes into looking, whatever the interval. */
const MOST_SHARE = 0.1;
/** The coarsest clock of a file system (FAT's), in ms: two changes within it may leave the same time. */
const COARSE_MS = 2000;

export interface Poll {
  /** All that happens in it from now on is told. */
  add(folder: string): void;
  remove(folder: string): void;
  /** Somebody wants to hear of this name from now on. */
  note(folder: string, name: string): void;
  close(): void;
}

interface Looked {
  names: ReadonlySet<string>;
  changedMs: number;
  /** What tells one state of a name from the next. */
  readonly files: Map<string, string>;
}

/**
 * @param everyMs the pause between two looks
 * @param wanted the names in that folder that matter
 * @param heard something happened to this name in it
 */
export function openPoll(
  everyMs: number,
  wanted: (folder: string) => Iterable<string>,
  heard: (folder: string, name: string) => void,
): Poll {
  const folders = new Map<string, Looked>();
  let timer: NodeJS.Timeout | null = null;

  const lookIn = async (folder: string, looked: Looked): Promise<void> => {
    const told = new Set<string>();
    const now = timeOf(await statOf(folder));
    // One that is gone is empty.
    if (now !== looked.changedMs || Math.abs(Date.now() - now) < COARSE_MS) {
      const names = namesIn(folder);
      for (const name of names) if (!looked.names.has(name)) told.add(name);
      for (const name of looked.names) if (!names.has(name)) told.add(name);
      looked.names = names;
      looked.changedMs = now;
    }
    const files = [...wanted(folder)];
    const stamps = await Promise.all(files.map(async (name) => stampOf(await statOf(join(folder, name)))));
    files.forEach((name, at) => {
      const stamp = stamps[at] ?? '';
      if ((looked.files.get(name) ?? stamp) !== stamp) told.add(name);
      looked.files.set(name, stamp);
    });
    const still = new Set(wanted(folder));
    for (const name of looked.files.keys()) if (!still.has(name)) looked.files.delete(name);
    for (const name of told) if (folders.get(folder) === looked) heard(folder, name);
  };

  const round = async (): Promise<void> => {
    const since = performance.now();
    for (const [folder, looked] of [...folders]) if (folders.get(folder) === looked) await lookIn(folder, looked);
    const took = performance.now() - since;
    if (timer === null) return;
    timer = folders.size === 0 ? null : setTimeout(round, Math.max(everyMs, took / MOST_SHARE));
  };

  return {
    add(folder) {
      const files = new Map<string, string>();
      for (const name of wanted(folder)) files.set(name, stampOf(statNow(join(folder, name))));
      folders.set(folder, { changedMs: timeOf(statNow(folder)), names: namesIn(folder), files });
      timer ??= setTimeout(round, everyMs);
    },
    remove: (folder) => void folders.delete(folder),
    note(folder, name) {
      const files = folders.get(folder)?.files;
      if (files && !files.has(name)) files.set(name, stampOf(statNow(join(folder, name))));
    },
    close() {
      folders.clear();
      if (timer !== null) clearTimeout(timer);
      timer = null;
    },
  };
}

/**
 * Not in the way of whatever else is to be done: a network folder may be slow to answer. Of a link itself: what it points to
 * is another name that matters.
 */
const statOf = (path: string): Promise<Stats | null> =>
  new Promise((resolve) => lstat(path, (error, stats) => resolve(error ? null : stats)));

const statNow = (path: string): Stats | null => {
  try {
    return lstatSync(path);
  } catch {
    // Not there, or out of reach: as good as absent.
    return null;
  }
};

/** What happens in a folder is not its own change. Empty for what is not there. */
function stampOf(stats: Stats | null): string {
  if (stats === null) return '';
  const { ino, mtimeMs, ctimeMs, size, birthtimeMs } = stats;
  return (stats.isDirectory() ? [ino, birthtimeMs] : [ino, mtimeMs, ctimeMs, size]).join(' ');
}

const timeOf = (stats: Stats | null): number => stats?.mtimeMs ?? 0;

function namesIn(folder: string): ReadonlySet<string> {
  try {
    return new Set(readdirSync(folder));
  } catch {
    // Gone, or out of reach: as good as empty.
    return new Set();
  }
}
