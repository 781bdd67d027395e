/**
 * Promise 1, where an app is counted as gone before the kernel has cleared it away: no line of it runs any more, and what
 * it held is free.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { type Begun, begin, endAll, NODES, SERVER, server } from './begin.ts';

afterEach(endAll);

const marker = (text: string): string => `export const marker = '${text}';\n`;
const RELOADS = 15;
/** So that the kernel has something to do: 64 MiB. */
const LARGE = `const ballast = Buffer.alloc(64 * 2 ** 20, 1);`;

describe.each(NODES)('on Node $version', ({ node, version }) => {
  const run = (first: string): Promise<Begun> =>
    begin(
      {
        ...SERVER,
        'src/server.ts': server(`import { marker } from './marker.ts';\nimport './first.ts';`, 'marker'),
        'src/first.ts': first,
      },
      { node },
    );
  async function reload({ project, answers }: Begun): Promise<void> {
    await answers('m0');
    for (let nth = 1; nth <= RELOADS; nth++) {
      project.replace('src/marker.ts', marker(`m${nth}`));
      await answers(`m${nth}`);
    }
  }

  test('nothing that its threads do comes after the first line of the next one', async () => {
    const begun = await run(`import { appendFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
const line = process.env.HOTRUN_GENERATION + '\\n';
const beat = () => appendFileSync('beats', line);
beat();
${LARGE}
setInterval(beat, 1).unref();
const source = \`const { appendFileSync } = require('node:fs');
const cell = new Int32Array(new SharedArrayBuffer(4));
for (;;) {
  appendFileSync('beats', \${JSON.stringify(line)});
  Atomics.wait(cell, 0, 0, 0.5);
}\`;
new Worker(source, { eval: true }).unref();
export { ballast };
`);
    await reload(begun);
    const beats = begun.project.read('beats').trim().split('\n').map(Number);
    expect(beats.at(-1)).toBe(RELOADS + 1);
    expect(beats.filter((gen, at) => gen < (beats[at - 1] ?? 0))).toEqual([]);
    await begun.quit();
  });

  test('its connections have ended before the next one makes its own', async () => {
    const told: string[] = [];
    const database = net.createServer((socket) => {
      told.push('begins');
      socket
        .on('error', () => {})
        .on('close', () => told.push('ends'))
        .resume();
    });
    database.listen(0, '127.0.0.1');
    await once(database, 'listening');
    const { port } = database.address() as net.AddressInfo;
    const begun = await run(`import { once } from 'node:events';
import { connect } from 'node:net';
${LARGE}
const socket = connect(${port}, '127.0.0.1');
await once(socket, 'connect');
export { ballast };
`);
    await reload(begun);
    await begun.quit();
    database.close();
    await once(database, 'close');
    expect(told).toEqual(Array.from({ length: RELOADS + 1 }, () => ['begins', 'ends']).flat());
  });

  // Node.js has it since 22.13.
  test.skipIf(/^v(?:20|22\.(?:\d|1[0-2])\.)/.test(version))('its locks are free', async () => {
    const begun = await run(`import { DatabaseSync } from 'node:sqlite';
${LARGE}
const database = new DatabaseSync('data.db');
database.exec('PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE; CREATE TABLE IF NOT EXISTS t (x)');
export { ballast, database };
`);
    await reload(begun);
    expect(begun.hotrun.stderr()).not.toMatch(/locked/);
    await begun.quit();
  });

  test('what it has started is waited for', async () => {
    const begun = await run(`import { spawn } from 'node:child_process';
import { appendFileSync } from 'node:fs';
const line = process.env.HOTRUN_GENERATION + '\\n';
appendFileSync('beats', line);
${LARGE}
// It goes on for a moment after each signal.
const script = \`trap 'echo \${line.trim()} >> beats; exit' INT; while :; do sleep 0.01; done\`;
spawn('sh', ['-c', script], { stdio: 'ignore' });
export { ballast };
`);
    await reload(begun);
    await begun.quit();
    const beats = readFileSync(begun.project.path('beats'), 'utf8').trim().split('\n').map(Number);
    expect(beats.filter((gen, at) => gen < (beats[at - 1] ?? 0))).toEqual([]);
  });
});
