/**
 * What the build command itself writes of what the app loads, as `tsc` writes dist/: while it runs that is no save, which
 * would end it and start it anew. Told by the time of the file: it was written while the command ran.
 */
import { statSync } from 'node:fs';
import type { Known } from './store.ts';

export interface Outputs {
  /** The command starts. */
  begin(): void;
  /** It has ended. */
  end(isGood: boolean): void;
  /** The command is running, and has written this file the last time it did. */
  absorbs(file: string): boolean;
  /** Of these, those that are not on disk as they were when they were read. */
  stale(files: Iterable<string>): string[];
}

/** @param entries what the app loads, as it was read */
export function openOutputs(entries: ReadonlyMap<string, Known>): Outputs {
  const written = new Set<string>();
  let last = { from: Number.POSITIVE_INFINITY, to: 0 };
  let begun: number | null = null;
  /** Only now: at the start the app loads them after the command has ended. */
  const learn = (): void => {
    for (const { file, mtimeMs } of entries.values()) {
      if (mtimeMs >= last.from && mtimeMs <= last.to) written.add(file);
      // Somebody else has, so it is as much a source.
      else if (mtimeMs > last.to) written.delete(file);
    }
  };
  return {
    begin() {
      learn();
      begun = Date.now();
    },
    end(isGood) {
      if (isGood && begun !== null) last = { from: begun, to: Date.now() };
      begun = null;
    },
    absorbs: (file) => begun !== null && written.has(file),
    stale: (files) =>
      [...files].filter((file) => {
        const known = entries.get(file);
        const stats = statSync(file, { throwIfNoEntry: false });
        return known && (known.mtimeMs !== stats?.mtimeMs || known.size !== stats.size);
      }),
  };
}
