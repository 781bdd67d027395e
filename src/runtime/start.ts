/** What --require names in every generation, and in the forks and worker threads that inherit the flag. */
import { createRequire } from 'node:module';
import { compileEagerly, hasTime } from './eager.ts';
import { BOOT_VARIABLE } from './messages.ts';

/** Built beside this file. */
const MAIN = './main.cjs';
const OFFSHOOT = './offshoot.cjs';
const require = createRequire(__filename);
const told = process.env[BOOT_VARIABLE];
// Before it installs hooks, which would answer for a module of the project, and have a standby ask too early.
const path = require.resolve(told ? MAIN : OFFSHOOT);
// How it takes leave is compiled before it must: 6 ms.
if (told && hasTime(JSON.parse(told))) compileEagerly();
require(path);
// The app's require.cache is its own.
delete require.cache[__filename];
delete require.cache[path];
