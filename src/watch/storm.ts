/**
 * Tells a storm from a save: a checkout, a formatter, an install, a generator. A single file starts a build at once; what
 * comes on its heels asks for quiet, and so does everything while git works, or while files of these kinds are written
 * elsewhere in the project. So does a file that is written over and over, and one that a storm began with before.
 */
import { extname, join } from 'node:path';
import type { IsWriting } from './aftermath.ts';
import { openBeginnings } from './beginnings.ts';
import { repositoryOf } from './repository.ts';
import { statOf } from './trail.ts';

/** What is saved less than this after another file is of a storm, which is over when nothing was for as long, in ms. */
export const STORM_GAP_MS = 120;
/** By then, in ms, an editor has done with a file, and no reload is over: what comes sooner makes none too many. */
const RELOAD_MS = 10;
/** A file that is written again later than that, and again, without a pause that ends a storm, is of one. */
const REWRITES = 2;
/** A storm of so many files is over after so many times its longest pause, at most this (ms): some files take it longer. */
const MANY = 8;
const PAUSES = 4;
const MANY_GAP_MS = 500;
/** How long before a storm's quiet is over it is looked whether it goes on elsewhere, in ms. */
const LOOK_AHEAD_MS = 40;
/** Kinds that apps write too, for ever. */
const ANYBODYS: ReadonlySet<string> = new Set(['', '.json']);
/** npm tells nothing of what it unpacks but the files that are waited for: the rest of the package comes behind, in ms. */
const INSTALL_MS = 500;
/** git has renamed its lock to the index: what was to be written has been, in ms. */
const AFTER_LOCK_MS = 30;
/** A lock that is older than this was left behind, or is held by an editor for a commit message; in ms. */
export const LOCK_MAX_MS = 5000;
/** How often it is looked whether the lock is there, in ms, and only after a save. */
const LOOK_MS = 25;

export interface Storm {
  /** These were saved together, `now` (ms, of a clock that only moves on): the quiet they ask for in ms, 0 for none. */
  saved(files: readonly string[], now?: number): number;
  /** A program writes this file, as its content says: if it was saved alone, more is expected, and `onBusy` told. */
  generated(file: string): void;
  close(): void;
}

/**
 * `onBusy`: nothing was saved, but the storm goes on, and asks for so much quiet. `isWriting`: elsewhere in the project.
 * `isAnswered`: a build command writes files after each save, which says nothing of the save.
 */
export function openStorm(
  root: string,
  onBusy: (calmMs: number) => void,
  isWriting: IsWriting,
  isAnswered = false,
): Storm {
  const repository = repositoryOf(root);
  const lock = repository && join(repository.own, 'index.lock');
  const beginnings = openBeginnings();
  const burst = {
    files: new Set<string>(),
    last: Number.NEGATIVE_INFINITY,
    pause: 0,
    rewrites: 0,
    /** The file that it began with, until others follow. */
    lone: null as string | null,
    /** More is expected than that file. */
    isExpected: false,
  };
  /** What comes sooner than this is of the same storm. */
  let calmMs = STORM_GAP_MS;
  let timer: NodeJS.Timeout | null = null;
  let aftermath: NodeJS.Timeout | null = null;

  const isLocked = (): boolean => {
    const stats = lock === null ? undefined : statOf(lock);
    return stats !== undefined && Date.now() - stats.mtimeMs < LOCK_MAX_MS;
  };

  const look = (): void => {
    const isBusy = isLocked();
    timer = isBusy ? setTimeout(look, LOOK_MS) : null;
    onBusy(isBusy ? STORM_GAP_MS : AFTER_LOCK_MS);
  };

  /** The quiet that the storm asks for, and what it does meanwhile. */
  const calm = (): number => {
    const paceMs = burst.files.size < MANY ? 0 : burst.pause * PAUSES;
    calmMs = Math.min(Math.max(STORM_GAP_MS, paceMs), MANY_GAP_MS);
    if (aftermath !== null) clearTimeout(aftermath);
    aftermath = setTimeout(() => {
      aftermath = null;
      const kinds = new Set([...burst.files].map((file) => extname(file)).filter((kind) => !ANYBODYS.has(kind)));
      if (!isWriting(kinds, calmMs, burst.files)) return;
      if (burst.lone !== null) beginnings.followed(burst.lone);
      burst.lone = null;
      burst.last = performance.now();
      onBusy(calm());
    }, calmMs - LOOK_AHEAD_MS);
    return calmMs;
  };

  const begin = (files: readonly string[]): void => {
    if (burst.lone !== null) beginnings.alone(burst.lone);
    const [file = null, ...others] = files;
    burst.lone = others.length > 0 || isAnswered ? null : file;
    burst.isExpected = burst.lone !== null && beginnings.isOne(burst.lone);
    burst.files.clear();
    burst.pause = 0;
    burst.rewrites = 0;
    calmMs = STORM_GAP_MS;
  };

  const goOn = (files: readonly string[], pause: number): void => {
    burst.pause = Math.max(burst.pause, pause);
    if (pause >= RELOAD_MS) burst.rewrites++;
    const { lone } = burst;
    if (lone === null || files.every((file) => file === lone)) return;
    // Else it was one reload as it is: an editor has saved all its files.
    if (pause >= RELOAD_MS) beginnings.followed(lone);
    burst.lone = null;
  };

  return {
    saved(files, now = performance.now()) {
      const pause = now - burst.last;
      if (pause < calmMs) goOn(files, pause);
      else begin(files);
      burst.last = now;
      for (const file of files) burst.files.add(file);
      if (timer !== null || isLocked()) {
        burst.lone = null;
        timer ??= setTimeout(look, LOOK_MS);
        return STORM_GAP_MS;
      }
      if (files.some((file) => /[\\/]node_modules[\\/]/.test(file))) return INSTALL_MS;
      return burst.files.size > 1 || burst.isExpected || burst.rewrites >= REWRITES ? calm() : 0;
    },
    generated(file) {
      if (burst.lone !== file || burst.isExpected) return;
      beginnings.generated(file);
      burst.isExpected = beginnings.isOne(file);
      if (burst.isExpected) onBusy(calm());
    },
    close() {
      for (const each of [timer, aftermath]) if (each !== null) clearTimeout(each);
    },
  };
}
