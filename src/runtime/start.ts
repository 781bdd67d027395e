/** What --require names in every generation, and in the forks and worker threads that inherit the flag. */
import { createRequire } from 'node:module';
import { BOOT_VARIABLE } from './messages.ts';

/** Built beside this file. */
const MAIN = './main.cjs';
const OFFSHOOT = './offshoot.cjs';
const require = createRequire(__filename);
const file = process.env[BOOT_VARIABLE] ? MAIN : OFFSHOOT;
require(file);
// The app's require.cache is its own.
for (const path of [__filename, require.resolve(file)]) delete require.cache[path];
