/**
 * Where V8 keeps what it has compiled: beside our own cache. Node writes it when a process ends, which is when there is no
 * time for it, or by `module.flushCompileCache` (22.10): 20 ms for Express and an S3 client, and none if nothing is new.
 */
import nodeModule from 'node:module';
import { join } from 'node:path';
import { cacheFolder } from './folder.ts';

/** Node's own; on Node 20 the runtime has one. */
const IS_SUPPORTED = 'flushCompileCache' in nodeModule || process.versions.node.startsWith('20.');
/** The user has one, or wants none, or measures coverage, which it makes wrong. */
const VARIABLES = ['NODE_COMPILE_CACHE', 'NODE_DISABLE_COMPILE_CACHE', 'NODE_V8_COVERAGE'];

/** Null: there is none, or the user has a say in it. */
export function codeCacheFolder(root: string): string | null {
  if (!IS_SUPPORTED || VARIABLES.some((name) => process.env[name])) return null;
  const above = cacheFolder(root);
  return above === null ? null : join(above, 'v8');
}
