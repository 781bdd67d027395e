/**
 * What --require names in every generation. Forks, workers and Node 20's thread of hooks inherit the flag: for them there
 * is nothing to do, and nothing is loaded.
 */
import { createRequire } from 'node:module';
import { BOOT_VARIABLE } from './messages.ts';

/** Built beside this file. */
const MAIN = './main.cjs';
const require = createRequire(__filename);
if (process.env[BOOT_VARIABLE]) require(MAIN);
// The app's require.cache is its own.
delete require.cache[__filename];
