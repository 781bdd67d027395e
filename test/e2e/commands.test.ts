/** A generation that is a command, in any language, with a build before it. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { answers, type Project, type Started, until } from '../rig.ts';
import { begin, endAll } from './begin.ts';
import { journalOf, runs } from './journal.ts';

afterEach(endAll);

const node = process.execPath;
const quoted = JSON.stringify(node);

/** A server without anything of ours in it; it binds its port by itself. */
const SERVER = `const { appendFileSync, readFileSync } = require('node:fs');
appendFileSync('journal', process.env.HOTRUN_GENERATION + ' start ' + process.pid + '\\n');
const marker = readFileSync(process.argv[2] ?? 'word.txt', 'utf8').trim();
require('node:http').createServer((_request, response) => response.end(marker)).listen(Number(process.env.PORT), '127.0.0.1');
`;
const FILES = { 'server.cjs': SERVER, 'word.txt': 'w0' };
const WATCH = ['--watch', '*.txt'];

async function quit(hotrun: Started): Promise<void> {
  hotrun.kill('SIGINT');
  expect(await hotrun.ended).toEqual({ code: 130, signal: null });
  expect(hotrun.processes()).toEqual([]);
}
const rc = (value: object): Record<string, string> => ({ '.hotrc.json': JSON.stringify(value) });

test('hotrun -- command args: no shell, and what follows -- is not touched', async () => {
  const print = 'console.log(JSON.stringify(process.argv.slice(1)));setInterval(() => {}, 1000)';
  const args = ['--watch', '-x', '$HOME', 'a b', '*', '--', '"'];
  const { hotrun } = await begin({}, { node, args: ['--', node, '-e', print, '--', ...args] });
  const [line] = await hotrun.seen(/^\[.*\]$/m, 'stdout');
  expect(JSON.parse(line)).toEqual(args);
  await quit(hotrun);
});

test('--exec: through the shell, which is not in the way of signals', async () => {
  const { hotrun, port, project } = await begin(FILES, {
    node,
    args: [...WATCH, '--exec', `${quoted} server.cjs "w"ord*`],
  });
  await answers(port, 'w0');
  const pid = Number(await journalOf(project).value('1 start'));
  // `exec`: the program is the leader itself.
  expect(readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').pop()?.split(' ')[2]).toBe(String(pid));
  await quit(hotrun);
});

test('it has HOTRUN and HOTRUN_GENERATION, and nothing else of ours', async () => {
  const print = 'console.log(Object.entries(process.env).filter(([key]) => /HOTRUN|NODE_CH/.test(key)).join());';
  const files = { 'word.txt': '', 'print.cjs': `${print}setInterval(() => {}, 1000);` };
  const { hotrun, project } = await begin(files, { node, args: [...WATCH, '--', node, 'print.cjs'] });
  await hotrun.seen(/^HOTRUN,1,HOTRUN_GENERATION,1$/m, 'stdout');
  project.write('word.txt', 'x');
  await hotrun.seen(/^HOTRUN,1,HOTRUN_GENERATION,2$/m, 'stdout');
  await quit(hotrun);
});

test('reload after reload on one port: the old one is gone before the new one runs', async () => {
  const { hotrun, port, project } = await begin(FILES, { node, args: [...WATCH, '--', node, 'server.cjs'] });
  await answers(port, 'w0');
  for (let nth = 1; nth <= 4; nth++) {
    project.write('word.txt', `w${nth}`);
    await answers(port, `w${nth}`);
  }
  expect(hotrun.stderr()).not.toMatch(/EADDRINUSE|crashed/);
  await quit(hotrun);
});

test('build and run in the rc file: a build in a shell script', async () => {
  const { hotrun, port, project } = await begin(
    {
      ...FILES,
      'build.sh':
        'set -e\necho "building $(cat word.txt)"\nif grep -q broken word.txt; then exit 1; fi\ncp word.txt out\n',
      ...rc({ build: 'sh build.sh', run: [node, 'server.cjs', 'out'], watch: ['word.txt'] }),
    },
    { node, args: [] },
  );
  await answers(port, 'w0');
  // What a build prints does not get into the app's stdout.
  expect(hotrun.stdout()).toBe('');
  expect(hotrun.stderr()).toMatch(/building w0/);
  project.write('word.txt', 'broken');
  await hotrun.seen(/word\.txt changed: .*build failed/);
  await hotrun.seen(/sh build\.sh failed with exit code 1/);
  await answers(port, 'w0');
  project.write('word.txt', 'w1');
  await answers(port, 'w1');
  expect(journalOf(project).lines()).toHaveLength(2);
  await quit(hotrun);
});

test('a build that is a compiler, started without a shell', async () => {
  const compiler = `const { readFileSync, writeFileSync } = require('node:fs');
const source = readFileSync('app.src', 'utf8');
if (source.includes('!')) { console.error('app.src(1,1): error TS1000: no'); process.exit(2); }
writeFileSync('app.out.cjs', source.replace(': string', ''));
`;
  const source = (word: string): string =>
    `const word: string = '${word}'; require('node:http').createServer((_, r) => r.end(word)).listen(Number(process.env.PORT), '127.0.0.1');`;
  const { hotrun, port, project } = await begin(
    {
      'compiler.cjs': compiler,
      'app.src': source('w0'),
      ...rc({ build: [node, 'compiler.cjs'], run: [node, 'app.out.cjs'], watch: ['*.src'] }),
    },
    { node, args: [] },
  );
  await answers(port, 'w0');
  project.write('app.src', '!');
  await hotrun.seen(/TS1000/);
  await hotrun.seen(/failed with exit code 2/);
  await answers(port, 'w0');
  project.replace('app.src', source('w1'));
  await answers(port, 'w1');
  await quit(hotrun);
});

test('a newer save ends a running build, with all that it has started', async () => {
  const build = `echo $$ > build.pid
case $(cat word.txt) in slow*) sleep 300 & echo $! > sleep.pid; wait ;; esac
`;
  const { hotrun, port, project } = await begin(
    { ...FILES, 'build.sh': build, ...rc({ build: 'sh build.sh', run: [node, 'server.cjs'], watch: ['word.txt'] }) },
    { node, args: [] },
  );
  await answers(port, 'w0');
  project.write('word.txt', 'slow');
  const sleep = await pidIn(project, 'sleep.pid');
  const shell = await pidIn(project, 'build.pid');
  project.write('word.txt', 'w1');
  await answers(port, 'w1');
  expect([sleep, shell].filter(runs)).toEqual([]);
  expect(hotrun.stderr()).not.toMatch(/build failed/);
  expect(journalOf(project).lines()).toHaveLength(2);
  await quit(hotrun);
});

test('Ctrl-C during a build: nothing of it is left', async () => {
  const build = `trap '' INT TERM; sleep 300 & echo $! > sleep.pid; wait; wait\n`;
  const { hotrun, project } = await begin(
    { ...FILES, 'build.sh': build, ...rc({ build: 'sh build.sh', run: [node, 'server.cjs'], watch: ['word.txt'] }) },
    { node, args: [] },
  );
  await pidIn(project, 'sleep.pid');
  await quit(hotrun);
});

test('what a build leaves running does not outlive it', async () => {
  const build = 'sleep 300 & echo $! > sleep.pid\n';
  const { hotrun, port, project } = await begin(
    { ...FILES, 'build.sh': build, ...rc({ build: 'sh build.sh', run: [node, 'server.cjs'], watch: ['word.txt'] }) },
    { node, args: [] },
  );
  await answers(port, 'w0');
  expect(runs(await pidIn(project, 'sleep.pid'))).toBe(false);
  await quit(hotrun);
});

test('a build command that does not exist', async () => {
  const files = { ...FILES, ...rc({ build: ['no-such-compiler'], run: [node, 'server.cjs'] }) };
  const { hotrun } = await begin(files, { node, args: [] });
  await hotrun.seen(/build command no-such-compiler was not found/);
  await hotrun.seen(/nothing runs; waiting for a change/);
  await quit(hotrun);
});

test('a command that does not exist: one sentence, and exit code 127', async () => {
  const { hotrun } = await begin({}, { node, args: ['--', 'no-such-command', 'x'] });
  expect(await hotrun.ended).toEqual({ code: 127, signal: null });
  expect(hotrun.stderr().trimEnd().split('\n')).toEqual([expect.stringMatching(/no-such-command.* was not found$/)]);
});

test('a file that may not be executed: one sentence, and exit code 126', async () => {
  const { hotrun } = await begin({ 'run.sh': '#!/bin/sh\n' }, { node, args: ['--', './run.sh'] });
  expect(await hotrun.ended).toEqual({ code: 126, signal: null });
  expect(hotrun.stderr().trimEnd().split('\n')).toEqual([expect.stringMatching(/run\.sh may not be executed$/)]);
});

test('a command that ends by itself is told, and runs again after a save', async () => {
  const { hotrun, project } = await begin(FILES, { node, args: [...WATCH, '--exec', 'cat word.txt; exit 5'] });
  await hotrun.seen(/w0/, 'stdout');
  await hotrun.seen(/crashed with exit code 5, waiting for a change/);
  project.write('word.txt', 'w1');
  await hotrun.seen(/w1/, 'stdout');
  await quit(hotrun);
});

test('a command that catches nothing ends at the first signal', async () => {
  const { hotrun } = await begin({}, { node, args: ['--', 'sleep', '300'] });
  await hotrun.seen(/ready in/);
  await quit(hotrun);
  expect(hotrun.stderr()).not.toMatch(/still there|bug/);
});

const python = spawnSync('python3', ['-c', ''], { stdio: 'ignore' }).status === 0;
const TRAPS = {
  'a shell script': 'trap "echo TERM >> journal; exit 0" TERM\necho started >> journal\nwhile :; do sleep 0.05; done\n',
  python: `import signal, sys, time
def term(*_):
    open('journal', 'a').write('TERM\\n')
    sys.exit(0)
signal.signal(signal.SIGTERM, term)
open('journal', 'a').write('started\\n')
while True: time.sleep(0.05)
`,
};

test.skipIf(process.platform !== 'linux')('a shell script that traps TERM alone gets TERM first', async () => {
  const { hotrun, project } = await begin({ run: TRAPS['a shell script'] }, { node, args: ['--', 'sh', 'run'] });
  await journalOf(project).has('started');
  await quit(hotrun);
  expect(journalOf(project).lines()).toEqual(['started', 'TERM']);
});

test.skipIf(process.platform !== 'linux' || !python)(
  `a python program that handles TERM alone gets TERM first${python ? '' : ' (SKIPPED: there is no python3)'}`,
  async () => {
    const { hotrun, project } = await begin({ run: TRAPS.python }, { node, args: ['--', 'python3', 'run'] });
    await journalOf(project).has('started');
    await quit(hotrun);
    expect(journalOf(project).lines()).toEqual(['started', 'TERM']);
  },
);

test('the whole ladder for a command that ignores everything, children included', async () => {
  const run = `trap '' INT TERM; sleep 300 & echo $! > sleep.pid; while :; do sleep 1; done\n`;
  const stop = ['--stop', 'SIGINT 200ms, SIGTERM 200ms'];
  const { hotrun, project } = await begin({ run }, { node, args: [...stop, '--exec', 'sh run'] });
  await pidIn(project, 'sleep.pid');
  hotrun.kill('SIGINT');
  await hotrun.seen(/SIGTERM sent/);
  await hotrun.seen(/SIGKILL sent/);
  expect((await hotrun.ended).code).toBe(130);
  expect(hotrun.processes()).toEqual([]);
});

function pidIn(project: Project, file: string): Promise<number> {
  return until(`a pid in ${file}`, () => {
    try {
      return Number(readFileSync(project.path(file), 'utf8'));
    } catch {
      return undefined;
    }
  });
}
