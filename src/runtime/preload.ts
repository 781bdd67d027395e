/**
 * Loads packages while this process is a standby, before its entry is looked at. Node calls `Module.runMain` for the entry,
 * which it keeps patchable for scripts that are preloaded by --require (lib/internal/main/run_main_module.js): so the main
 * module waits until the packages are there.
 */
import nodeModule, { createRequire } from 'node:module';
import { basename, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Asker } from './ask.ts';
import { compileLazily, hasTime, limitEagerness } from './eager.ts';
import { AHEAD_URL, IN_PACKAGE, type Loader } from './loader.ts';
import type { Boot, Preload } from './messages.ts';
import { rehearse, tidy } from './rehearsal.ts';

interface Runner {
  runMain(...args: unknown[]): void;
}
const Module = nodeModule as unknown as Runner;

/**
 * @param loaded takes up what has been loaded: by + ' ' + URL
 * @param loader has seen packages' modules as well
 * @param done called when all is loaded
 * @returns says all that was written meanwhile; to be called when the generation begins
 */
export function preload(
  options: Boot,
  asker: Pick<Asker, 'tell'>,
  loaded: Set<string>,
  loader: Pick<Loader, 'settle' | 'packaged'>,
  done: () => void,
): () => void {
  // Where the user preloads code of the app, it comes after the gate, when no time is left.
  if (options.early || !hasTime(options)) {
    compileLazily();
    return () => {};
  }
  const { runMain } = Module;
  const streams = hush();
  Module.runMain = (...args) => {
    Module.runMain = runMain;
    // In a turn of its own, so that what the entry throws is an uncaught exception as ever.
    void getReady(options, asker, loaded, loader).then(() => {
      done();
      tidy();
      setImmediate(() => runMain.apply(Module, args));
    });
  };
  return streams;
}

async function getReady(
  { preload: packages, warm: builtins, ahead }: Boot,
  asker: Pick<Asker, 'tell'>,
  loaded: Set<string>,
  loader: Pick<Loader, 'settle' | 'packaged'>,
): Promise<void> {
  const since = performance.now();
  await loadPackages(packages, loaded);
  if (packages.length > 0) asker.tell({ tell: 'preloaded', ms: performance.now() - since });
  tellHeld(asker, loader);
  await rehearse(builtins);
  // Of many modules few are called at the start, and what they hold has to be freed when it is their turn to leave.
  compileLazily();
  if (!ahead) return;
  // What was loaded and linked stays in Node's cache of modules, though this import must fail.
  await import(AHEAD_URL).catch(() => {});
  // Where it fails early, others may not have looked yet for what they import (Node 20).
  await new Promise(setImmediate);
  loader.settle();
  tellHeld(asker, loader);
}

/** What is required is known by Node's cache, what is imported by our hooks, but where they run in a thread of Node's. */
function tellHeld(asker: Pick<Asker, 'tell'>, { packaged }: Pick<Loader, 'packaged'>): void {
  const { cache } = createRequire(__filename);
  const files: Record<string, string[]> = {};
  for (const file of new Set([...Object.keys(cache), ...packaged()])) {
    if (!IN_PACKAGE.test(file)) continue;
    const folder = dirname(file);
    files[folder] ??= [];
    files[folder].push(basename(file));
  }
  if (Object.keys(files).length > 0) asker.tell({ tell: 'holds', files });
}

async function loadPackages(packages: readonly Preload[], loaded: Set<string>): Promise<void> {
  const require = createRequire(__filename);
  for (const { url, by } of packages) {
    try {
      if (by === 'import') await import(url);
      else require(fileURLToPath(url));
      loaded.add(`${by} ${url}`);
      limitEagerness();
    } catch {
      // The app will meet the same error in its own time, and it is the app's to tell.
      return;
    }
  }
}

/** What a package prints when it is loaded appears when its generation starts. */
function hush(): () => void {
  const said: [NodeJS.WriteStream, unknown[]][] = [];
  const streams = [process.stdout, process.stderr];
  for (const stream of streams)
    stream.write = (...args: unknown[]): boolean => {
      said.push([stream, args]);
      return true;
    };
  return () => {
    for (const stream of streams) Reflect.deleteProperty(stream, 'write');
    for (const [stream, args] of said) (stream.write as (...args: unknown[]) => boolean)(...args);
  };
}
