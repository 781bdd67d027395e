/**
 * One chokidar watcher on one folder, used for what never fails in it: the raw events.
 *
 * **Measured**, chokidar 5.0.0 on Linux with Node 20: 256 saves (in place, atomic rename, remove, remove and write) 1 to
 * 60 ms apart; inotify watches and the time to begin with 800 files in one folder; CPU of the whole process per save.
 *
 *     way                                    saves not told   watches             CPU, 800 files   CPU, 5,000 files
 *     each file, events                      254              800, 47 ms          2.7 ms           0.9 ms
 *     the folder, depth 0, events            90               1 (+ files), 24 ms  19 ms            87 ms
 *     the folder, `raw`, listing suppressed  0                1, 1 ms             0.4 ms           0.5 ms
 *
 * Why events get lost: a second write within 5 ms of the first, or a second `change` within 50 ms, is throttled away with
 * nothing told afterwards; a replaced file is watched again only after an asynchronous stat; a file that is gone is not
 * watched any more; a folder that was removed and made again is never watched again. `raw` passes on every event of
 * fs.watch as it comes, and a watch on a folder names the file, whatever inode the name stands for.
 *
 * At each event chokidar lists the folder and stats all its files (the CPU above) unless it did so just now: with
 * `_throttle` saying "just now" every time it does neither, and sets no timer. That also keeps it from minding the files:
 * a folder costs one inotify watch, whatever is in it.
 */
import type { Stats } from 'node:fs';
import { FSWatcher } from 'chokidar';

/** `name` is null where the system did not say. `isRename`: made, removed or moved; otherwise written or its mode changed. */
export type Hear = (name: string | null, isRename: boolean) => void;

export interface Ear {
  /** Resolves to what is watched (null: not a folder, or gone) or to the error that prevented it; never rejects. */
  readonly opened: Promise<Stats | Error | null>;
  close(): Promise<void>;
}

class Listener extends FSWatcher {
  constructor() {
    super({ atomic: false, depth: 0 });
    // CHOKIDAR_USEPOLLING in the environment beats the option, and polling a folder tells nothing of the files in it.
    this.options = Object.freeze({ ...this.options, usePolling: false });
  }

  override _throttle(): false {
    return false;
  }
}

/** Watches `folder` (a real path). Events before `opened` resolves are told as well, where there are any. */
export function openEar(folder: string, hear: Hear, onError: (error: Error) => void): Ear {
  const watcher = new Listener();
  let found: Stats | null = null;
  let fault: Error | null = null;
  let isOpen = false;
  let isClosed = false;
  const opened = new Promise<Stats | Error | null>((resolve) => {
    watcher.on('ready', () => {
      isOpen = true;
      resolve(fault ?? found);
    });
  });
  watcher
    .on('addDir', (_path, stats) => {
      found ??= stats ?? null;
    })
    .on('error', (thrown) => {
      const error = thrown instanceof Error ? thrown : new Error(String(thrown));
      if (isOpen) onError(error);
      else fault = error;
    })
    .on('raw', (kind, name) => {
      if (!isClosed) hear(typeof name === 'string' && name !== '' ? name : null, kind !== 'change');
    });
  watcher.add(folder);
  return {
    opened,
    close: async () => {
      isClosed = true;
      // Closed while it opens, chokidar 5.0.0 can leave its fs.watch behind.
      await opened;
      await watcher.close();
    },
  };
}
