/**
 * hotrun in a project with 100,000 files that the app does not load: the time to the first answer, the watches, and the CPU
 * of an idle hotrun. Usage: node scripts/many.mjs [files]; after `node scripts/build.mjs`. Linux.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const FILES = Number(process.argv[2] ?? 100_000);
const PER_FOLDER = 50;
const IDLE_MS = 10_000;
const HOTRUN = fileURLToPath(new URL('../bin/hotrun.js', import.meta.url));
const dir = mkdtempSync(join(tmpdir(), 'hotrun-many-'));

function fill(top, files) {
  for (let at = 0; at < files; at++) {
    const folder = join(dir, top, String(Math.floor(at / PER_FOLDER)));
    if (at % PER_FOLDER === 0) mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `${at}.js`), '');
  }
}

/** inotify watches of a process. */
function watches(pid) {
  return readdirSync(`/proc/${pid}/fdinfo`).reduce((sum, fd) => {
    const text = readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8');
    return sum + (text.match(/^inotify /gm)?.length ?? 0);
  }, 0);
}

/** CPU time, in ticks of 10 ms. */
function ticks(pid) {
  const [, user, system] = /\) (?:\S+ ){11}(\d+) (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
  return Number(user) + Number(system);
}

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function measure(name, args) {
  const since = performance.now();
  const child = spawn(process.execPath, [HOTRUN, ...args, 'src/server.js'], {
    cwd: dir,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let told = '';
  child.stderr.on('data', (part) => {
    told += part;
  });
  await new Promise((resolve) => child.stdout.once('data', resolve));
  const start = performance.now() - since;
  await wait(3000);
  const before = ticks(child.pid);
  await wait(IDLE_MS);
  const idle = ticks(child.pid) - before;
  const saved = performance.now();
  writeFileSync(join(dir, 'src/server.js'), `${APP}\n// ${name}\n`);
  await new Promise((resolve) => child.stdout.once('data', resolve));
  const reload = performance.now() - saved;
  const counted = watches(child.pid);
  child.kill('SIGINT');
  await new Promise((resolve) => child.once('exit', resolve));
  const others = told.split('\n').filter((line) => line !== '' && !line.includes('ready in'));
  console.log(
    `${name}: start ${start.toFixed(0)} ms, ${counted} watches, ${idle} CPU ticks in ${IDLE_MS / 1000} s idle, reload ${reload.toFixed(0)} ms${others.map((line) => `\n  ${line}`).join('')}`,
  );
}

const APP = `require('node:http').createServer((_, response) => response.end()).listen(0, () => console.log('listening'));`;
try {
  mkdirSync(join(dir, 'src'));
  writeFileSync(join(dir, 'package.json'), '{}');
  writeFileSync(join(dir, 'src/server.js'), APP);
  await measure('an empty project', []);
  fill('node_modules', FILES / 2);
  fill('lib', FILES / 2);
  await measure(`${FILES} files`, []);
  await measure(`${FILES} files, --watch "**/*.sql"`, ['-w', '**/*.sql']);
  await measure(`${FILES} files, --watch "lib/**"`, ['-w', 'lib/**']);
  await measure(`${FILES} files, --watch "lib/**", --poll`, ['-w', 'lib/**', '--poll']);
} finally {
  rmSync(dir, { recursive: true, force: true });
}
