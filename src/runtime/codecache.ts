/**
 * V8's code cache: modules that were compiled once are not compiled again. Node 22.10 and newer have one, and would write it
 * when the process ends, and a reload waits for that, so it is written before. On Node 20 it is ours.
 */
import nodeModule from 'node:module';
import { openCompiled } from './compiled.ts';

export interface CodeCache {
  /** Compiles and runs a package's module as Node would. @returns false if Node has to do it */
  run(module: NodeJS.Module, source: string, filename: string): boolean;
  /** Writes what is new. */
  write(): void;
  /** The same, when the app has had time for its start. */
  writeSoon(): void;
}

/** By then the functions have run that run at the start; what has not run is not in the cache. */
const SOON_MS = 25;

/**
 * @param folder null: without one
 * @param entry absolute path
 * @param isStandby it has its own way to compile, which V8 tells apart
 */
export function openCodeCache(folder: string | null, entry: string, isStandby: boolean): CodeCache {
  const { enableCompileCache, flushCompileCache } = nodeModule as unknown as {
    enableCompileCache?(folder: string): unknown;
    flushCompileCache?(): void;
  };
  const none: CodeCache = { run: () => false, write() {}, writeSoon() {} };
  if (folder === null) return none;
  if (enableCompileCache && flushCompileCache) {
    enableCompileCache(folder);
    return cacheOf(flushCompileCache);
  }
  if (isStandby) return none;
  const own = openCompiled(folder, entry);
  return { ...cacheOf(own.write), run: own.run };
}

const cacheOf = (write: () => void): CodeCache => ({
  run: () => false,
  write,
  writeSoon: () => void setTimeout(write, SOON_MS).unref(),
});
