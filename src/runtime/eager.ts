/**
 * V8 compiles a function when it is called first, and a standby has the time to compile before. Node's cache of compiled
 * code (src/compile_cache.cc) holds only what was compiled with the module, so a new process would compile all that runs at
 * its start anew: 20 ms of 35 for an app with Express, zod, an S3 client and the like, to the answer of its first request.
 */
import nodeModule from 'node:module';
import { getHeapCodeStatistics, setFlagsFromString } from 'node:v8';
import { isCovered } from './maps.ts';
import type { Boot } from './messages.ts';

/** Bytecode of all functions of a heavy app's packages, in bytes; beyond it memory is worth more than time. */
const PLENTY = 32 * 2 ** 20;
/** Of an app that has its own mind about it. V8 takes `_` for `-`. */
const LAZY_FLAG = /^--(no-?)?lazy$/;

/** Coverage counts what was compiled, and a cache of the user's would have to be written anew: V8 tells it apart by its flags. */
const isWanted = (): boolean =>
  !isCovered() &&
  !(nodeModule as { getCompileCacheDir?(): string | undefined }).getCompileCacheDir?.() &&
  !process.execArgv.some((flag) => LAZY_FLAG.test(flag.replaceAll('_', '-')));

let isEager = false;

/** It is a standby, which has time for things. */
export const hasTime = ({ preload, warm, ahead }: Boot): boolean => preload.length > 0 || warm.length > 0 || ahead;

/** From here on a module is compiled with all its functions. */
export function compileEagerly(): void {
  if (isWanted()) set(true);
}

/** As V8 does it by itself. */
export function compileLazily(): void {
  if (isEager) set(false);
}

/** Goes back to V8's own way if there is plenty. */
export function limitEagerness(): void {
  if (isEager && getHeapCodeStatistics().bytecode_and_metadata_size > PLENTY) set(false);
}

function set(eager: boolean): void {
  isEager = eager;
  setFlagsFromString(eager ? '--no-lazy' : '--lazy');
}
