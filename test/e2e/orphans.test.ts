/** Promise 6: nothing is left behind, however hotrun ends. */
import { randomInt } from 'node:crypto';
import { afterEach, describe, expect, test } from 'vitest';
import { type Started, until } from '../rig.ts';
import { type Begun, begin, endAll, NODES } from './begin.ts';
import { JOURNAL, type Journal, journalOf, runs } from './journal.ts';

afterEach(endAll);

/** How often hotrun is killed; a soak says more. */
const KILLS = Number(process.env.HOTRUN_KILLS ?? 12);
/** What is promised is 1 s; a busy machine may need longer. */
const GONE_MS = 3000;

const SHORT = ['--stop', 'SIGINT 200ms, SIGTERM 200ms'];
const STUBBORN = `process.on('SIGINT', () => {}); process.on('SIGTERM', () => {}); setInterval(() => {}, 1000);`;
const SERVER = `import http from 'node:http';
const server = http.createServer((_request, response) => response.end(marker));
server.listen(Number(process.env.PORT), '127.0.0.1');
`;

/** One of each kind of descendant; each writes its pid. \`more\` is the app's own. */
const family = (more: string): Record<string, string> => ({
  'app.js': `${JOURNAL}import { spawn } from 'node:child_process';
import { marker } from './marker.js';
log('start ' + process.pid);
const stubborn = [process.execPath, '-e', ${JSON.stringify(STUBBORN)}];
for (const [name, argv, options] of [
  ['sleep', ['sleep', '300'], {}],
  ['stubborn', stubborn, {}],
  ['detached', stubborn, { detached: true }],
  ['grandchild', ['/bin/sh', '-c', 'sleep 300 & wait'], {}],
]) {
  const child = spawn(argv[0], argv.slice(1), { stdio: 'ignore', ...options });
  log(name + ' ' + child.pid);
}
log('all there');
${more}`,
  'marker.js': "export const marker = 'm0';\n",
});

describe.each(NODES)('on Node $version', ({ node }) => {
  async function run(more: string): Promise<Begun & { journal: Journal }> {
    const begun = await begin(family(more), { node, args: [...SHORT, 'app.js'] });
    const journal = journalOf(begun.project);
    await journal.has('1 all there');
    await begun.hotrun.seen(/ready in/);
    return { ...begun, journal };
  }

  test('children of every kind are gone after a reload, and after the end', async () => {
    const { project, hotrun, journal } = await run(SERVER);
    const first = await pids(journal, 1);
    for (const pid of first) expect(runs(pid)).toBe(true);
    project.write('marker.js', "export const marker = 'm1';\n");
    await journal.value('2 start');
    expect(first.filter(runs)).toEqual([]);
    await journal.has('2 all there');
    hotrun.kill('SIGINT');
    expect(await hotrun.ended).toEqual({ code: 130, signal: null });
    expect(hotrun.processes()).toEqual([]);
  });

  test('what an app that ended by itself has left in its group is gone, without a reload', async () => {
    const { hotrun, journal } = await run(`setTimeout(() => process.exit(4), 50);\n`);
    await hotrun.seen(/crashed with exit code 4/);
    // One that made a session of its own cannot be found any more when its parent has gone.
    const [detached] = await pids(journal, 1, ['detached']);
    const left = await pids(journal, 1, ['sleep', 'stubborn', 'grandchild']);
    await until('the end of what the app has left', () => !left.some(runs));
    process.kill(detached ?? 0, 'SIGKILL');
  });

  test('hotrun dies by SIGKILL: children of every kind are gone', async () => {
    const { hotrun } = await run(SERVER);
    hotrun.kill('SIGKILL');
    await goneInTime(hotrun);
  });

  test('hotrun dies by SIGKILL: an app that is blocked and ignores every signal is gone', async () => {
    // Two turns later it is ready for sure.
    const block = `setImmediate(() => setImmediate(() => { log('blocked'); for (;;); }));\n`;
    const { hotrun, journal } = await run(STUBBORN + block);
    await journal.has('1 blocked');
    hotrun.kill('SIGKILL');
    await goneInTime(hotrun);
  });
});

const MARKER = { 'marker.js': "export const marker = 'm0';\n" };
const KINDS: readonly { kind: string; files: Record<string, string>; args: readonly string[] }[] = [
  { kind: 'an app with children', files: family(SERVER), args: [...SHORT, 'app.js'] },
  {
    kind: 'a TypeScript app that ignores every signal',
    files: { ...MARKER, 'app.ts': `import { marker } from './marker.js';\n${STUBBORN}${SERVER}` },
    args: [...SHORT, 'app.ts'],
  },
  {
    kind: 'a blocked app',
    files: {
      ...MARKER,
      'app.js': `import { marker } from './marker.js';\n${SERVER}setTimeout(() => { for (;;); }, 20);\n`,
    },
    args: [...SHORT, 'app.js'],
  },
  {
    kind: 'a command that ignores every signal',
    files: { ...MARKER, 'run.sh': `trap '' INT TERM HUP; sleep 300 & while :; do sleep 1; done\n` },
    args: ['--watch', 'marker.js', ...SHORT, '--exec', 'sh run.sh'],
  },
  {
    kind: 'a command with a build',
    files: MARKER,
    args: ['--watch', 'marker.js', '--build', 'sleep 0.2; true', '--', 'sleep', '300'],
  },
];
const MOMENTS = ['the boot', 'the run', 'a reload', 'a stop'] as const;

test(`hotrun dies by SIGKILL at ${KILLS} random moments, and nothing is left`, {
  timeout: KILLS * 20_000,
}, async () => {
  for (let nth = 0; nth < KILLS; nth++) {
    const { kind, files, args } = KINDS[nth % KINDS.length] as (typeof KINDS)[number];
    const moment = MOMENTS[nth % MOMENTS.length] ?? 'the run';
    const delay = randomInt(moment === 'the boot' ? 400 : 250);
    const about = `${kind}, ${delay} ms into ${moment}`;
    const { project, hotrun } = await begin(files, { node: process.execPath, args });
    if (moment !== 'the boot') await hotrun.seen(/ready in/);
    if (moment === 'a reload') project.write('marker.js', `export const marker = 'm1';\n`);
    if (moment === 'a stop') hotrun.kill('SIGINT');
    // Any moment will do: nothing is waited for.
    await new Promise((resolve) => setTimeout(resolve, delay));
    hotrun.kill('SIGKILL');
    await goneInTime(hotrun, about);
  }
});

async function pids(
  journal: Journal,
  gen: number,
  names: readonly string[] = ['start', 'sleep', 'stubborn', 'detached', 'grandchild'],
): Promise<number[]> {
  return Promise.all(names.map(async (name) => Number(await journal.value(`${gen} ${name}`))));
}

async function goneInTime(hotrun: Started, about = ''): Promise<void> {
  const since = performance.now();
  await until(`the end of what hotrun has left (${about})`, () => hotrun.processes().length === 0).catch((error) => {
    throw new Error(`${error.message}: ${hotrun.processes().join(', ')}; stderr was:\n${hotrun.stderr()}`);
  });
  const ms = performance.now() - since;
  if (process.env.HOTRUN_KILLS) console.log(`${Math.round(ms)} ms: ${about}`);
  expect(ms, about).toBeLessThan(GONE_MS);
}
