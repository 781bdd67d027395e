/**
 * Loads packages while this process is a standby, before its entry is looked at. Node calls `Module.runMain` for the entry,
 * which it keeps patchable for scripts that are preloaded by --require (lib/internal/main/run_main_module.js): so the main
 * module waits until the packages are there.
 */
import nodeModule, { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { Asker } from './ask.ts';
import { compileLazily, hasTime, limitEagerness } from './eager.ts';
import { AHEAD_URL } from './loader.ts';
import type { Boot, Preload } from './messages.ts';
import { rehearse, tidy } from './rehearsal.ts';

interface Runner {
  runMain(...args: unknown[]): void;
}
const Module = nodeModule as unknown as Runner;

/**
 * @param loaded takes up what has been loaded: by + ' ' + URL
 * @param ahead modules of the project are loaded too; called when that is over
 * @param done called when all is loaded
 * @returns says all that was written meanwhile; to be called when the generation begins
 */
export function preload(
  options: Boot,
  asker: Pick<Asker, 'tell'>,
  loaded: Set<string>,
  ahead: (() => void) | null,
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
    void getReady(options, asker, loaded, ahead).then(() => {
      done();
      tidy();
      setImmediate(() => runMain.apply(Module, args));
    });
  };
  return streams;
}

async function getReady(
  { preload: packages, warm: builtins }: Boot,
  asker: Pick<Asker, 'tell'>,
  loaded: Set<string>,
  settle: (() => void) | null,
): Promise<void> {
  const since = performance.now();
  await loadPackages(packages, loaded);
  if (packages.length > 0) asker.tell({ tell: 'preloaded', ms: performance.now() - since });
  await rehearse(builtins);
  // Of many modules few are called at the start, and what they hold has to be freed when it is their turn to leave.
  compileLazily();
  if (!settle) return;
  // What was loaded and linked stays in Node's cache of modules, though this import must fail.
  await import(AHEAD_URL).catch(() => {});
  // Where it fails early, others may not have looked yet for what they import (Node 20).
  await new Promise(setImmediate);
  settle();
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
