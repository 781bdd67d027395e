/**
 * The real folders that are listened to: counted, opened once each, and opened again when the name stands for another
 * folder than before.
 */
import type { Stats } from 'node:fs';
import { basename, join } from 'node:path';
import { codeOf } from '../errors.ts';
import { type Ear, openEar } from './ear.ts';
import { statOf } from './trail.ts';

export interface Folders {
  /** One more needs it. */
  hold(folder: string): void;
  release(folder: string): void;
  /** Whether all that happens in it is told from now on, as far as it ever will be. */
  isOpen(folder: string): boolean;
  /** Listens anew if the name stands for another folder by now; then isOpen() is false for a while. */
  check(folder: string): void;
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

/** Errors never end it: a folder that cannot be watched is reported, and counts as open. */
export function openFolders(on: FolderEvents): Folders {
  const slots = new Map<string, Slot>();
  /** A new fs.watch in chokidar would join the old one on the same path until that is closed. */
  const closing = new Map<string, Promise<void>>();
  let opening = 0;

  const shut = (folder: string, slot: Slot): void => {
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
      slot.ear = openEar(
        folder,
        (name, isRename) => hear(folder, slot, name, isRename),
        (error) => on.failed(folder, error),
      );
      const found = await slot.ear.opened;
      if (slots.get(folder) !== slot) {
        shut(folder, slot);
        break;
      }
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
    opening: () => opening,
    close: async () => {
      for (const [folder, slot] of slots) {
        slots.delete(folder);
        shut(folder, slot);
      }
      await Promise.all(closing.values());
    },
  };
}

/** What to do about a folder that cannot be watched. */
export function troubleOf(folder: string, error: Error): string {
  switch (codeOf(error)) {
    case 'ENOSPC':
      return `Cannot watch ${folder}, so changes in it go unnoticed: the system's limit of watches is used up, raise it with "sysctl fs.inotify.max_user_watches=524288" or narrow "watch".`;
    case 'EMFILE':
    case 'ENFILE':
      return `Cannot watch ${folder}, so changes in it go unnoticed: the limit of open files or of watching programs is used up, raise "ulimit -n" or "sysctl fs.inotify.max_user_instances=1024" (on Linux, fs.inotify.max_user_watches may need it too).`;
    case 'EACCES':
    case 'EPERM':
      return `Cannot watch ${folder}, so changes in it go unnoticed: allow reading it ("chmod u+rx"), or list it in "ignore".`;
    default:
      return `Cannot watch ${folder}, so changes in it go unnoticed: ${error.message}.`;
  }
}
