/** Which files are being edited: those that were saved last, now or before this session. */
import type { Known } from './store.ts';

export interface Recently {
  saved(files: readonly string[]): void;
  /** What is likely to be saved next, of all these. */
  files(known: Iterable<Known>): ReadonlySet<string>;
}

const MOST = 20;
const BEFORE_MS = 86_400_000;

export function openRecently(): Recently {
  /** The newest is the last. */
  const saved = new Set<string>();
  return {
    saved(files) {
      for (const file of files) {
        saved.delete(file);
        saved.add(file);
      }
      for (const file of saved) if (saved.size > MOST) saved.delete(file);
    },
    files(known) {
      const since = Date.now() - BEFORE_MS;
      const before = [...known].filter(({ mtimeMs }) => mtimeMs > since).sort((a, b) => b.mtimeMs - a.mtimeMs);
      return new Set([...saved, ...before.slice(0, MOST).map(({ file }) => file)]);
    },
  };
}
