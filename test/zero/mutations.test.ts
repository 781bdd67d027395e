/** Each part of the handover is needed: hotrun without it fails where hotrun does not. */
import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { JOURNAL, journalOf } from '../e2e/journal.ts';
import { answers, closeAll, freePort, HOTRUN, launch, makeProject, type Project, type Started, until } from '../rig.ts';
import { openLine } from './lines.ts';

const root = join(HOTRUN, '../..');
const made: string[] = [];
const projects: Project[] = [];
afterEach(async () => {
  await closeAll();
  for (const project of projects.splice(0)) project.close();
});
afterAll(() => {
  for (const dir of made) rmSync(dir, { recursive: true, force: true });
});

/** A copy of the build in which `from`, which is there once, is `to`. Returns its bin/hotrun.js. */
function mutant(from: RegExp, to: string): string {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'hotrun-mutant-')));
  made.push(dir);
  for (const name of ['bin', 'dist', 'package.json']) cpSync(join(root, name), join(dir, name), { recursive: true });
  symlinkSync(realpathSync(join(root, 'node_modules')), join(dir, 'node_modules'));
  const files = readdirSync(join(dir, 'dist'), { recursive: true, encoding: 'utf8' })
    // A cluster worker's part has the same drain a second time.
    .filter((name) => /\.c?js$/.test(name) && !name.endsWith('worker.cjs'))
    .map((name) => join(dir, 'dist', name));
  let count = 0;
  for (const file of files) {
    const parts = readFileSync(file, 'utf8').split(from);
    count += parts.length - 1;
    if (parts.length > 1) writeFileSync(file, parts.join(to));
  }
  expect(count, `how often ${from} is found in the build`).toBe(1);
  return join(dir, 'bin/hotrun.js');
}

interface Run {
  readonly project: Project;
  readonly hotrun: Started;
  readonly port: number;
}

const marker = (text: string): string => `export const marker = '${text}';\n`;
async function run(bin: string, rest: string, args: readonly string[] = []): Promise<Run> {
  const project = makeProject({
    'app.js': `${JOURNAL}import { createServer } from 'node:http';
import { marker } from './marker.js';
const server = createServer((request, response) => response.end(marker));
const listen = () => server.listen(Number(process.env.PORT), '127.0.0.1', () => log('listens'));
${rest}`,
    'marker.js': marker('m0'),
    // Stays for a while after the signal that ends the app.
    'helper.js':
      "process.on('SIGINT', () => setTimeout(() => process.exit(), 3000)); setInterval(() => {}, 1000); console.log('here');",
  });
  projects.push(project);
  const port = await freePort();
  const hotrun = launch(project, [process.execPath, bin, ...args, 'app.js'], { env: { PORT: String(port) } });
  await answers(port, 'm0');
  return { project, hotrun, port };
}

/** Whether no request is lost on connections that are busy while they move. */
async function losesNothing(bin: string): Promise<boolean> {
  const { project, port } = await run(bin, 'server.keepAliveTimeout = 1000;\nlisten();\n');
  const lines = Array.from({ length: 150 }, () => openLine({ port, host: '127.0.0.1' }));
  let isOver = false;
  let lost = 0;
  const loops = lines.map(async (line) => {
    while (!isOver) {
      if (/^failed/.test(await line.ask())) {
        lost++;
        break;
      }
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 20));
    }
    line.socket.destroy();
  });
  for (let reload = 1; reload <= 5 && lost === 0; reload++) {
    project.write('marker.js', marker(`m${reload}`));
    await answers(port, `m${reload}`);
  }
  isOver = true;
  await Promise.all(loops);
  return lost === 0;
}

/** Whether the app's own end of its server succeeds. */
async function endsItsServer(bin: string): Promise<boolean> {
  const { project } = await run(
    bin,
    `listen();
process.on('SIGINT', () => server.close((error) => {
  log(error?.code ?? 'closed');
  process.exit();
}));
`,
  );
  project.write('marker.js', marker('m1'));
  const journal = journalOf(project);
  await journal.has('2 listens');
  return journal.lines().includes('1 closed');
}

const CLIENTS = 600;
const SOMAXCONN = '/proc/sys/net/core/somaxconn';

/** Whether a crowd that comes while nobody listens gets into the queue. */
async function queues(bin: string): Promise<boolean> {
  const { project, port } = await run(
    bin,
    `log('starts');
if (marker !== 'm0') await released('go');
listen();
`,
  );
  project.write('marker.js', marker('m1'));
  await journalOf(project).has('2 starts');
  const sockets = Array.from({ length: CLIENTS }, () => net.connect(port, '127.0.0.1').on('error', () => {}));
  const hex = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const { queue } = await until('every connect', () => {
    const all = readFileSync('/proc/net/tcp', 'utf8')
      .split('\n')
      .map((line) => line.trim().split(/\s+/));
    // proc(5): of a socket that listens (0A) the receive queue is the number of connections that wait to be accepted.
    const listener = all.find(([, local, , state]) => local?.endsWith(hex) && state === '0A');
    const length = Number.parseInt(listener?.[4]?.split(':')[1] ?? '', 16);
    const outside = all.filter(([, , remote, state]) => remote?.endsWith(hex) && state === '02').length;
    return length + outside >= CLIENTS && { queue: length };
  });
  project.write('go', '');
  await answers(port, 'm1');
  for (const socket of sockets) socket.destroy();
  return queue >= CLIENTS;
}

/** Whether no generation runs before the last process of its predecessor is gone. */
async function isNeverTwo(bin: string): Promise<boolean> {
  const { project } = await run(
    bin,
    `import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
// A zombie is gone.
const alive = (pid) => {
  try {
    return !/\\) [ZX] /.test(readFileSync('/proc/' + pid + '/stat', 'latin1'));
  } catch {
    return false;
  }
};
const before = existsSync('helper') ? Number(readFileSync('helper', 'utf8')) : 0;
log(before && alive(before) ? 'two' : 'one');
const helper = spawn(process.execPath, ['helper.js'], { stdio: ['ignore', 'pipe', 'ignore'] });
writeFileSync('helper', String(helper.pid));
helper.stdout.once('data', listen);
`,
    ['--stop', 'SIGINT 60s'],
  );
  project.write('marker.js', marker('m1'));
  const journal = journalOf(project);
  await journal.has('2 listens');
  return journal.lines().includes('2 one');
}

/** What takes longer than this, in ms, has failed. The real build takes a tenth of it. */
const HANGS_MS = 40_000;

const MUTATIONS = [
  { part: 'readStop', from: /handle\.readStop\(\);/, to: '', scenario: losesNothing },
  {
    part: 'the dummy handle',
    from: /server\._handle = deafHandle\(name\);/,
    to: 'server._handle = null;',
    scenario: endsItsServer,
  },
  { part: 'the backlog', from: /Math\.max\(backlog, BACKLOG\)/, to: 'backlog', scenario: queues },
  {
    part: 'the wait for the group',
    from: /if \(!\w+\.isAlive\(\)\)\s+(?=return gone\w*\(ending\);)/,
    to: '',
    scenario: isNeverTwo,
  },
] as const;

describe.each(MUTATIONS)('$part', ({ part, from, to, scenario }) => {
  const skip = part === 'the backlog' && Number(readFileSync(SOMAXCONN, 'utf8')) < CLIENTS;

  test.skipIf(skip)('hotrun has it', async () => {
    expect(await scenario(HOTRUN)).toBe(true);
  });

  test.skipIf(skip)('without it the same fails', { timeout: 2 * HANGS_MS }, async () => {
    // Whoever loses a request may wait for its answer for ever.
    const hangs = new Promise<false>((resolve) => setTimeout(() => resolve(false), HANGS_MS).unref());
    expect(await Promise.race([scenario(mutant(from, to)), hangs])).toBe(false);
  });
});
