/**
 * V8's code cache: modules that were compiled once are not compiled again. Node 22.10 and newer. Node would write it when
 * the process ends, and a reload waits for that, so it is written before.
 */
import nodeModule from 'node:module';

export interface CodeCache {
  /** Writes what is new. */
  write(): void;
  /** The same, when the app has had time for its start. */
  writeSoon(): void;
}

/** By then the functions have run that run at the start; what has not run is not in the cache. */
const SOON_MS = 25;

/** @param folder null: without one */
export function openCodeCache(folder: string | null): CodeCache {
  const { enableCompileCache, flushCompileCache } = nodeModule as unknown as {
    enableCompileCache?(folder: string): unknown;
    flushCompileCache?(): void;
  };
  if (folder === null || !enableCompileCache || !flushCompileCache) return { write() {}, writeSoon() {} };
  enableCompileCache(folder);
  return {
    write: () => flushCompileCache(),
    writeSoon: () => void setTimeout(flushCompileCache, SOON_MS).unref(),
  };
}
