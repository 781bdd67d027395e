/** The runtime is a guest: what an app sees and does under hotrun is what it sees and does under node alone. */
import { readdirSync, readFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { answers, closeAll, freePort, launch, makeProject, type Project, type Started, start, until } from '../rig.ts';
import { endAll, NODES } from './begin.ts';
import { JOURNAL, journalOf, runs } from './journal.ts';

const projects = new Set<Project>();
afterEach(async () => {
  await closeAll();
  await endAll();
  for (const project of projects) project.close();
  projects.clear();
});
function project(files: Readonly<Record<string, string>>): Project {
  const made = makeProject(files);
  projects.add(made);
  return made;
}

type Seen = Record<string, unknown>;

/** What the newest generation wrote: on a busy machine one may be made and given up, and has had a number. */
const lastOf = (here: Project): string =>
  `${Math.max(...readdirSync(here.dir).map((name) => Number.parseInt(name, 10) || 0))}.json`;

/**
 * What a fork or a worker can see of where it is, but for `execArgv`, the two variables that say that hotrun is there, and
 * what is over in the first turn of its event loop.
 */
const GLANCE = `const glance = () => ({
  argv: process.argv, keys: Object.keys(process).sort(), names: Object.getOwnPropertyNames(process).sort(),
  symbols: Object.getOwnPropertySymbols(globalThis).map(String).sort(), globals: Object.getOwnPropertyNames(globalThis).sort(),
  events: process.eventNames().map(String).sort(), listeners: process.listenerCount('exit') + process.listenerCount('message'),
  env: Object.entries(process.env).filter(([key]) => !/^HOTRUN(?:_GENERATION)?$|^RIG_MARK$/.test(key)).sort(),
  active: process.getActiveResourcesInfo().filter((name) => !['ConnectWrap', 'CloseReq'].includes(name)).sort(),
  stackTraceLimit: Error.stackTraceLimit, stack: new Error('where').stack.split('\\n').slice(0, 4), meta: Object.keys(import.meta).sort(),
});
`;

/** What an app can see of the process it is in. Nothing of it may run later than the first line of the app. */
const PROBE = `const count = (event) => process.listenerCount(event);
const events = ['message', 'disconnect', 'exit', 'beforeExit', 'uncaughtException', 'uncaughtExceptionMonitor', 'unhandledRejection',
  'rejectionHandled', 'warning', 'worker', 'multipleResolves', 'newListener', 'removeListener', 'SIGINT', 'SIGTERM', 'SIGHUP', 'SIGWINCH',
  'SIGUSR2', 'internalMessage', 'error'];
const seen = {
  argv: process.argv, execArgv: process.execArgv, argv0: process.argv0, title: process.title, cwd: process.cwd(), umask: process.umask(),
  send: typeof process.send, connected: typeof process.connected, hasSend: 'send' in process, hasConnected: 'connected' in process,
  hasChannel: 'channel' in process, hasDisconnect: 'disconnect' in process,
  processKeys: Object.keys(process).sort(), processNames: Object.getOwnPropertyNames(process).sort(),
  processSymbols: Object.getOwnPropertySymbols(process).map(String).sort(),
  listeners: Object.fromEntries(events.map((event) => [event, count(event)])), eventNames: process.eventNames().map(String).sort(),
  globals: Object.getOwnPropertyNames(globalThis).sort(), globalSymbols: Object.getOwnPropertySymbols(globalThis).map(String).sort(),
  globalKeys: Object.keys(globalThis).sort(),
  env: Object.entries(process.env).filter(([key]) => !['OUT', 'RIG_MARK'].includes(key)).sort(), active: process.getActiveResourcesInfo(),
  captures: process.hasUncaughtExceptionCaptureCallback(), sourceMaps: process.sourceMapsEnabled, stackTraceLimit: Error.stackTraceLimit,
  prepareStackTrace: typeof Error.prepareStackTrace, exitCode: process.exitCode, stdin: process.stdin.constructor.name,
  signals: readFileSync('/proc/self/status', 'utf8').match(/^Sig(?:Blk|Ign|Cgt).*$/gm), stack: new Error('where').stack,
  descriptors: String(execFileSync('ls', ['/proc/self/fd'])),
`;
const PROBES = {
  'app.cjs': `const { readFileSync, writeFileSync } = require('node:fs');
const { execFileSync } = require('node:child_process');
${PROBE}  isMain: require.main === module, id: module.id, parent: module.parent, children: module.children.length, paths: module.paths,
  cache: Object.keys(require.cache), extensions: Object.keys(require.extensions), requireKeys: Object.keys(require),
  filename: __filename, dirname: __dirname, this: this === module.exports, moduleKeys: Object.keys(module).sort(),
};
writeFileSync(process.env.OUT, JSON.stringify(seen));
`,
  'app.mjs': `#!/usr/bin/env node
import { readFileSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
${PROBE}  meta: Object.keys(import.meta).sort(), url: import.meta.url, dirname: import.meta.dirname, isMain: import.meta.main,
};
writeFileSync(process.env.OUT, JSON.stringify(seen));
`,
};

describe.each(NODES)('on Node $version', ({ node }) => {
  const major = Number(/\d+/.exec(NODES.find((each) => each.node === node)?.version ?? '')?.[0]);

  test('that TypeScript can be loaded, if it asks', async () => {
    const here = project({ 'app.mjs': 'console.log(Boolean(process.features.typescript));' });
    const hotrun = start(here, ['app.mjs'], { node });
    await hotrun.seen(/^true$/m, 'stdout');
  });

  describe('sees', () => {
    test.each(Object.entries(PROBES))('%s', async (file, source) => {
      const here = project({ [file]: source });
      const args = ['--stack-size=900', '--no-warnings', file, 'one', '--two', '-w'];
      const look = async (
        run: (env: Record<string, string>) => { ended: Promise<unknown> },
        name: string,
      ): Promise<Seen> => {
        await run({ OUT: name }).ended;
        return JSON.parse(readFileSync(here.path(name), 'utf8'));
      };
      const alone = await look((env) => launch(here, [node, ...args], { env }), 'alone.json');
      const under = await look((env) => {
        const hotrun = start(here, args, { node, env });
        void hotrun.seen(/ended with exit code 0/).then(() => hotrun.kill('SIGINT'));
        return hotrun;
      }, 'under.json');

      const seen = (what: string): string[] => (under[what] as string[] | undefined) ?? [];
      // The exceptions, all of them. Our own flags, because they are how forks and workers inherit us:
      const execArgv = (under.execArgv as string[]).filter((flag) => flag !== '--expose-internals');
      under.execArgv = execArgv;
      const at = execArgv.indexOf('--require');
      expect(execArgv[at + 1]).toMatch(/runtime\/hotrun@[^/]+\/\.\.\/start\.cjs$/);
      execArgv.splice(at, 2);
      // Two variables that say where it runs:
      expect(Object.fromEntries(under.env as [string, string][])).toMatchObject({
        HOTRUN: '1',
        HOTRUN_GENERATION: '1',
      });
      under.env = (under.env as string[][]).filter(([key = '']) => !['HOTRUN', 'HOTRUN_GENERATION'].includes(key));
      // The channel, which Node cannot do without, but nothing of it that can be enumerated:
      const channel = ['_channel', '_disconnect', '_handleQueue', '_pendingMessage', '_send', 'channel', 'disconnect'];
      under.processNames = seen('processNames').filter((name) => !channel.includes(name));
      under.processSymbols = seen('processSymbols').filter((name) => name !== 'Symbol(kChannelHandle)');
      under.hasChannel = under.hasDisconnect = false;
      under.eventNames = seen('eventNames').filter((name) => name !== 'internalMessage');
      (under.listeners as Record<string, number>).internalMessage = 0;
      // Source maps, without which a stack would not point at TypeScript:
      expect(under.sourceMaps).toBe(true);
      under.sourceMaps = alone.sourceMaps;
      // Before Node 24 `require` finds TypeScript through handlers that can be seen:
      if (major < 24 && under.extensions) under.extensions = seen('extensions').slice(0, 3);
      // A CommonJS entry says that it has been evaluated in the first turn of the event loop:
      under.active = seen('active').filter((name) => name !== 'Immediate');
      // On Node 20 the thread of the hooks of `import` opens stdout and stderr before the app does:
      if (major < 22) under.active = seen('active').filter((name) => name !== 'PipeWrap');
      // Node's own: it may still be closing the file that it has read.
      for (const all of [alone, under]) all.active = (all.active as string[]).filter((name) => name !== 'CloseReq');
      // Frames below the app's own are Node's, and of the way that Node was asked to load it:
      for (const all of [alone, under]) all.stack = String(all.stack).split('\n').slice(0, 2);
      expect(under).toEqual(alone);
    });

    test('no trace of what a standby has done before its turn', async () => {
      const here = project({
        'app.mjs': `import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { runInNewContext } from 'node:vm';
${PROBE}  gc: [typeof gc, runInNewContext('typeof gc')],
};
// Which of Node's own modules are loaded, and what is open, differs.
for (const name of ['env', 'active', 'descriptors', 'stack', 'signals']) delete seen[name];
writeFileSync(process.env.HOTRUN_GENERATION + '.json', JSON.stringify(seen));
createServer().listen(0, '127.0.0.1');
`,
      });
      const hotrun = start(here, ['app.mjs'], { node });
      await hotrun.seen(/ready in/);
      // hotrun, its guardian, the app and the standby.
      await until('the standby', () => hotrun.processes().length >= 4);
      here.replace('app.mjs', `${readFileSync(here.path('app.mjs'), 'utf8')}\n`);
      await hotrun.seen(/ready in/);
      // The number by which forks and workers say whose they are differs as well.
      const [first, second] = ['1.json', lastOf(here)].map((file) =>
        JSON.parse(readFileSync(here.path(file), 'utf8').replace(/@\d+\/\.\.\/start/, '@n/../start')),
      );
      expect(first.gc).toEqual(['undefined', 'undefined']);
      expect(second).toEqual(first);
    });
  });

  test('is no older than its turn', async () => {
    const here = project({
      'app.mjs': `import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { uptime } from 'node:process';
const age = performance.now();
writeFileSync(process.env.HOTRUN_GENERATION + '.json', JSON.stringify({ age, ups: [process.uptime() * 1000, uptime() * 1000] }));
createServer().listen(0, '127.0.0.1');
`,
    });
    const hotrun = start(here, ['app.mjs'], { node });
    await hotrun.seen(/ready in/);
    await until('the standby', () => hotrun.processes().length >= 4);
    // What it has waited for in vain.
    const WAIT_MS = 300;
    await new Promise((resolve) => setTimeout(resolve, WAIT_MS));
    here.replace('app.mjs', `${readFileSync(here.path('app.mjs'), 'utf8')}\n`);
    await hotrun.seen(/ready in/);
    const { age, ups } = JSON.parse(readFileSync(here.path(lastOf(here)), 'utf8'));
    for (const up of ups) {
      expect(up).toBeLessThanOrEqual(age - WAIT_MS);
      expect(up).toBeGreaterThanOrEqual(0);
    }
  });

  describe('ends as under node alone', () => {
    const ENDS: Record<string, string> = {
      'with nothing left to do': '',
      'after a timer': 'setTimeout(() => {}, 20);',
      "listening to 'message'": "process.on('message', () => {}); process.on('disconnect', () => {});",
      'listening to signals':
        "process.on('SIGINT', () => {}); process.on('SIGTERM', () => {}); setTimeout(() => process.exit(6), 20);",
      'process.exit(3)': 'process.exit(3);',
      'process.exit(0) before it listens': 'process.exit(0);',
      'process.exitCode = 5': 'process.exitCode = 5;',
      'an error': "throw new Error('on purpose');",
      'an error of its own class': 'class Own extends RangeError {}; throw new Own("on purpose");',
      'a thrown string': 'throw "on purpose";',
      'a later error': "setTimeout(() => { throw new Error('on purpose'); }, 20);",
      'a rejection': "Promise.reject(new Error('on purpose'));",
      'a caught error': "process.on('uncaughtException', () => process.exit(9)); setTimeout(() => { throw 1; }, 20);",
      'an error before a handler': "throw new Error('on purpose'); process.on('uncaughtException', () => {});",
      'in beforeExit':
        "let n = 0; process.on('beforeExit', () => { if (++n < 3) setTimeout(() => {}, 5); else process.exitCode = 40 + n; });",
      'in exit': "process.on('exit', (code) => { process.exitCode = code + 8; });",
      'a signal to itself': "process.kill(process.pid, 'SIGTERM'); setTimeout(() => {}, 5000);",
      'a closed server': "const s = require('node:http').createServer().listen(0, '127.0.0.1', () => s.close());",
      'an unref server': "require('node:net').createServer().listen(0, '127.0.0.1').unref();",
      'a port in use':
        "const { createServer } = require('node:net'); const s = createServer().listen(0, () => createServer().listen(s.address().port));",
      'a module that is missing at run time': "require('./nowhere' + '.js');",
    };
    const ESM: Record<string, string> = {
      'an await that never ends': 'await new Promise(() => {});',
      'a rejected await': "await Promise.reject(new Error('on purpose'));",
      'a later import that is missing': "await import('./nowhere' + '.js');",
      'a process.exit in the middle': "import { exit } from 'node:process'; await 1; exit(4);",
    };
    const MODULE = `import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);\n`;
    const both = (ends: Readonly<Record<string, string>>): [name: string, source: string][] => Object.entries(ends);

    // Several at a time: it is the same machine for both ways of running them.
    test.each([
      ['CommonJS', 'app.cjs', both(ENDS)],
      ['modules', 'app.mjs', [...both(ENDS), ...both(ESM)].map(([name, source]) => [name, MODULE + source])],
    ] as [string, string, [string, string][]][])('%s', { timeout: 300_000 }, async (_format, file, ends) => {
      const alone: Record<string, unknown> = {};
      const under: Record<string, unknown> = {};
      const queue = [...ends];
      await Promise.all(
        Array.from({ length: 4 }, async () => {
          for (let next = queue.shift(); next; next = queue.shift()) {
            const [name, source] = next;
            const here = project({ [file]: `${source}\n` });
            const plain = launch(here, [node, file]);
            const { code, signal } = await plain.ended;
            alone[name] = { how: signal ? `ended by ${signal}` : `exit code ${code}`, ...said(plain) };
            const hotrun = start(here, [file], { node });
            const [how] = await hotrun.seen(/exit code \d+|ended by SIG\w+/);
            hotrun.kill('SIGINT');
            expect(await hotrun.ended).toEqual({ code: 130, signal: null });
            under[name] = { how, ...said(hotrun) };
          }
        }),
      );
      expect(under).toEqual(alone);
    });
  });

  test('it reads what is typed into hotrun', async () => {
    const here = project({ 'app.js': "process.stdin.on('data', (text) => process.stdout.write('<' + text + '>'));" });
    const hotrun = start(here, ['app.js'], { node, stdin: 'pipe' });
    hotrun.child.stdin?.write('hello');
    await hotrun.seen(/<hello>/, 'stdout');
    hotrun.kill('SIGINT');
    expect((await hotrun.ended).code).toBe(130);
  });

  test('child_process.fork: the fork has a channel of its own', async () => {
    const here = project({
      'app.js': `import { fork } from 'node:child_process';
const child = fork('./child.js', ['a']);
child.on('message', (message) => {
  console.log(JSON.stringify(message));
  if (message.hello) child.send('go');
  else child.disconnect();
});
child.on('exit', (code) => console.log('exit ' + code));
`,
      'child.js': `${GLANCE}process.send({ hello: process.argv[2], connected: process.connected, seen: glance() });
process.on('message', (text) => process.send({ got: text, rest: process.listenerCount('message') }));
`,
    });
    const alone = launch(here, [node, 'app.js']);
    await alone.ended;
    const hotrun = start(here, ['app.js'], { node });
    await hotrun.seen(/ended with exit code 0/);
    expect(hotrun.stdout()).toBe(alone.stdout());
    expect(hotrun.stdout()).toMatch(/exit 0\n$/);
  });

  test('worker_threads', async () => {
    const here = project({
      'app.js': `import { Worker } from 'node:worker_threads';
const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData: 20 });
worker.on('message', (message) => console.log(JSON.stringify(message)));
worker.on('exit', (code) => console.log('exit ' + code));
`,
      'worker.js': `${GLANCE}import { parentPort, workerData } from 'node:worker_threads';
import { twice } from './twice.js';
parentPort.postMessage({ answer: twice(workerData), send: typeof process.send, seen: glance() });
`,
      'twice.js': 'export const twice = (n) => 2 * n;\n',
    });
    const alone = launch(here, [node, 'app.js']);
    await alone.ended;
    const hotrun = start(here, ['app.js'], { node });
    await hotrun.seen(/ended with exit code 0/);
    expect(hotrun.stdout()).toBe(alone.stdout());
    expect(hotrun.stdout()).toMatch(/"answer":40/);
  });

  test('cluster: two workers serve, and are gone after a reload', async () => {
    const here = project({
      'app.js': `${JOURNAL}import cluster from 'node:cluster';
import http from 'node:http';
import { marker } from './marker.js';
if (cluster.isPrimary) {
  cluster.fork();
  cluster.fork();
} else {
  http.createServer((_request, response) => response.end(marker)).listen(Number(process.env.PORT), '127.0.0.1', () => {
    log('worker ' + process.pid);
  });
}
`,
      'marker.js': "export const marker = 'm0';\n",
    });
    const port = await freePort();
    const hotrun = start(here, ['app.js'], { node, env: { PORT: String(port) } });
    const workers = (gen: number): number[] =>
      journalOf(here)
        .lines()
        .flatMap((line) => (line.startsWith(`${gen} worker `) ? [Number(line.split(' ')[2])] : []));
    const two = (gen: number): Promise<unknown> => expect.poll(() => workers(gen).length, { timeout: 20_000 }).toBe(2);
    await two(1);
    await answers(port, 'm0');
    here.write('marker.js', "export const marker = 'm1';\n");
    await two(2);
    await answers(port, 'm1');
    expect(workers(1).filter(runs)).toEqual([]);
    hotrun.kill('SIGINT');
    expect(await hotrun.ended).toEqual({ code: 130, signal: null });
    expect(hotrun.processes()).toEqual([]);
  });
});

/** What the app printed; of an error, what it is and the frames of the app's own files. */
const said = ({ stdout, stderr }: Started): Seen => ({
  stdout: stdout(),
  stderr: stderr()
    .split('\n')
    .filter((line) => /^(?:\w*Error|Warning)\b|^Uncaught|^ +at .*app\.[cm]js|^Node\.js/.test(line))
    .map((line) => line.replace(/\/tmp\/hotrun-test-\w+/g, '').replace(/:::\d+| \{$/, '')),
});
