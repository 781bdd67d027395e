/**
 * The real folders that are listened to: counted, opened once each, and opened again when the name stands for another
 * folder than before. Where events are not told, or not of everything, they are looked at again and again.
 */
import type { Stats } from 'node:fs';
import { basename, join } from 'node:path';
import { codeOf } from '../errors.ts';
import { type Ear, openEar } from './ear.ts';
import { farFromHere } from './mounts.ts';
import { openPoll } from './poll.ts';
import { statOf } from './trail.ts';

export interface Folders {
  /** One more needs it. */
  hold(folder: string): void;
  release(folder: string): void;
  /** Whether all that happens in it is told from now on, as far as it ever will be. */
  isOpen(folder: string): boolean;
  /** Listens anew if the name stands for another folder by now; then isOpen() is false for a while. */
  check(folder: string): void;
  /** This name in it matters from now on. */
  note(folder: string, name: string): void;
  /** Events are not to be trusted: looks at all folders from now on. */
  distrust(): void;
  /** How many are being opened. */
  opening(): number;
  close(): Promise<void>;
}

export interface FolderEvents {
  /** Something happened to `name` in it, or to some name (null). */
  heard(folder: string, name: string | null): void;
  /** It has been opened, or opened again, or could not be. */
  opened(folder: string): void;
  failed(folder: string, error: Error): void;
  /** It lies on such a file system, so it is looked at too. */
  far(folder: string, type: string): void;
  /** The names in it that matter. */
  names(folder: string): Iterable<string>;
}

interface Slot {
  users: number;
  ear: Ear | null;
  isOpen: boolean;
  /** Of what is watched. */
  identity: string | null;
}

/**
 * Tells a folder from another one that was made later under its name. The time of birth is needed because ext4 gives
 * the number of a removed inode to the next one made.
 */
const identityOf = (stats: Stats | undefined | null): string | null =>
  stats?.isDirectory() ? `${stats.dev}:${stats.ino}:${stats.birthtimeMs}` : null;

/** Between two looks at what events do not tell of, where the user has not said, in ms. */
export const POLL_MS = 500;

/** The system's limits, which polling does without. */
export const isLimit = (error: Error): boolean => ['ENOSPC', 'EMFILE', 'ENFILE'].includes(codeOf(error) ?? '');

/**
 * Errors never end it: a folder that cannot be watched is reported, and counts as open. `pollMs`: how often the user wants
 * all to be looked at, instead of listening; 0: only what has to be.
 */
export function openFolders(on: FolderEvents, pollMs: number): Folders {
  const slots = new Map<string, Slot>();
  /** A new fs.watch in chokidar would join the old one on the same path until that is closed. */
  const closing = new Map<string, Promise<void>>();
  let opening = 0;
  let isDoubted = pollMs > 0;
  const farOf = pollMs > 0 ? () => null : farFromHere();
  const poll = openPoll(pollMs || POLL_MS, on.names, (folder, name) => {
    const slot = slots.get(folder);
    if (slot) hear(folder, slot, name, true);
  });

  const shut = (folder: string, slot: Slot): void => {
    poll.remove(folder);
    if (slot.ear === null) return;
    const done = Promise.all([closing.get(folder), slot.ear.close()]).then(() => {
      if (closing.get(folder) === done) closing.delete(folder);
    });
    closing.set(folder, done);
    slot.ear = null;
  };

  const open = async (folder: string, slot: Slot): Promise<void> => {
    opening++;
    for (;;) {
      slot.isOpen = false;
      shut(folder, slot);
      await closing.get(folder);
      if (slots.get(folder) !== slot) break;
      if (identityOf(statOf(folder)) === null) {
        // Gone: who holds it finds out by its trail, and lets go.
        slot.identity = null;
        slot.isOpen = true;
        break;
      }
      const found = pollMs > 0 ? statOf(folder) : await listen(folder, slot);
      if (slots.get(folder) !== slot) {
        shut(folder, slot);
        break;
      }
      const far = farOf(folder);
      if (far !== null) on.far(folder, far);
      if (isDoubted || far !== null || (found instanceof Error && isLimit(found))) poll.add(folder);
      const now = identityOf(statOf(folder));
      if (found instanceof Error) on.failed(folder, found);
      else if (now === null || identityOf(found) !== now) continue;
      slot.identity = now;
      slot.isOpen = true;
      break;
    }
    opening--;
    on.opened(folder);
  };

  const listen = (folder: string, slot: Slot): Promise<Stats | Error | null> => {
    slot.ear = openEar(
      folder,
      (name, isRename) => hear(folder, slot, name, isRename),
      (error) => on.failed(folder, error),
    );
    return slot.ear.opened;
  };

  const check = (folder: string): void => {
    const slot = slots.get(folder);
    if (slot?.isOpen && identityOf(statOf(folder)) !== slot.identity) void open(folder, slot);
  };

  const hear = (folder: string, slot: Slot, name: string | null, isRename: boolean): void => {
    if (slots.get(folder) !== slot) return;
    on.heard(folder, name);
    // What happens to the folder itself comes under its own name, like what happens to a file of that name in it.
    if (!isRename || name !== basename(folder) || !slot.isOpen) return;
    if (statOf(join(folder, name)) === undefined) void open(folder, slot);
    else check(folder);
  };

  return {
    hold: (folder) => {
      const known = slots.get(folder);
      if (known) {
        known.users++;
        return;
      }
      const slot: Slot = { users: 1, ear: null, isOpen: false, identity: null };
      slots.set(folder, slot);
      void open(folder, slot);
    },
    release: (folder) => {
      const slot = slots.get(folder);
      if (!slot || --slot.users > 0) return;
      slots.delete(folder);
      shut(folder, slot);
    },
    isOpen: (folder) => slots.get(folder)?.isOpen ?? false,
    check,
    note: poll.note,
    distrust: () => {
      isDoubted = true;
      for (const [folder, slot] of slots) if (slot.isOpen) poll.add(folder);
    },
    opening: () => opening,
    close: async () => {
      poll.close();
      for (const [folder, slot] of slots) {
        slots.delete(folder);
        shut(folder, slot);
      }
      await Promise.all(closing.values());
    },
  };
}

/** What to do about a folder that cannot be watched, and what we do, looking every `everyMs`. */
export function troubleOf(folder: string, error: Error, everyMs: number): string {
  switch (codeOf(error)) {
    case 'ENOSPC':
      return `The system's limit of watches is used up, so files in ${folder} and further folders are looked at every ${everyMs} ms instead: raise it with "sysctl fs.inotify.max_user_watches=524288", or narrow "watch".`;
    case 'EMFILE':
    case 'ENFILE':
      return `The limit of open files or of watching programs is used up, so files in ${folder} and further folders are looked at every ${everyMs} ms instead: raise "ulimit -n" or "sysctl fs.inotify.max_user_instances=1024".`;
    case 'EACCES':
    case 'EPERM':
      return `Cannot watch ${folder}, so changes in it go unnoticed: allow reading it ("chmod u+rx"), or list it in "ignore".`;
    default:
      return `Cannot watch ${folder}, so changes in it go unnoticed: ${error.message}.`;
  }
}
