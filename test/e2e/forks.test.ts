/** Worker threads, forks and cluster workers of the app: TypeScript as in the app itself, watched, and never in the way. */
import { existsSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { until } from '../rig.ts';
import { type Begun, begin, ENTITLE, endAll, NODES } from './begin.ts';

afterEach(endAll);

const HELPERS = `import { fork } from 'node:child_process';
import { createServer, type IncomingMessage } from 'node:http';
import { Worker } from 'node:worker_threads';
${ENTITLE}
type Way = (file: string) => Promise<string>;
const worker = (name: string | URL) => new Promise<string>((resolve) => {
  new Worker(name, { workerData: null }).once('message', resolve).once('error', (error) => resolve(String(error.stack)));
});
const forked: Way = (name) => new Promise((resolve) => {
  fork(name, { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] }).once('message', (text) => resolve(String(text)))
    .once('exit', (code) => resolve('exit ' + code));
});
const ways: Record<string, Way> = {
  url: (file) => worker(new URL(file, import.meta.url)),
  path: (file) => worker('./src/' + file),
  fork: (file) => forked('./src/' + file),
  flags: async () => process.execArgv.join(' '),
};
createServer(async ({ url }: IncomingMessage, response) => {
  const [, way = '', file = ''] = (url ?? '').split('/');
  response.end(way in ways ? await ways[way]!(file) : '');
}).listen(Number(process.env.PORT), '127.0.0.1');
`;
const SAY = `import { parentPort } from 'node:worker_threads';
export function say(text: string): void {
  if (parentPort) parentPort.postMessage(text);
  else process.send!(text, () => process.disconnect());
}
`;
const word = (text: string): string => `enum Word { It = '${text}' }\nexport const word: string = Word.It;\n`;

/** A job in TypeScript that Node alone can neither parse nor resolve, for each way that a module is written in. */
const APP = {
  'tsconfig.json': '{ "compilerOptions": { "paths": { "@lib/*": ["./lib/*"] } } }',
  'src/server.ts': HELPERS,
  'src/say.ts': SAY,
  'src/word.ts': word('m0'),
  'src/job.ts': `import { lib } from '@lib/lib.ts';
import { say } from './say';
import { word } from './word.js';
say([word, lib].join(' '));
`,
  'src/job.cts': `import path = require('node:path');
enum Kind { Old = 'cts' }
const { part } = require('./part') as typeof import('./part.cts');
const said = [Kind.Old, part, require.main === module, path.basename(__filename)].join(' ');
const { parentPort } = require('node:worker_threads') as typeof import('node:worker_threads');
if (parentPort) parentPort.postMessage(said);
else process.send!(said, () => process.disconnect());
`,
  'src/part.cts': `enum Kind { A = 'part' }\nexport const part: string = Kind.A;\n`,
  'lib/lib.ts': `enum Kind { A = 'lib' }\nexport const lib: string = Kind.A;\n`,
};

const started = async (
  files: Readonly<Record<string, string>>,
  options: Parameters<typeof begin>[1],
): Promise<Begun> => {
  const begun = await begin(files, options);
  await begun.hotrun.seen(/ready in/);
  return begun;
};

describe.each(NODES)('on Node $version', ({ node }) => {
  describe.each([
    ['', []],
    // On Node 20 this brings the hooks into a thread of Node's.
    [' with code of the user’s before it', ['--import', './before.mjs']],
  ])('TypeScript%s', (_title, flags) => {
    test('in workers and forks', async () => {
      const { ask, quit } = await started({ ...APP, 'before.mjs': '' }, { node, args: [...flags, 'src/server.ts'] });
      for (const way of ['url', 'path', 'fork']) {
        expect(await ask(`/${way}/job.ts`)).toBe('m0 lib');
        expect(await ask(`/${way}/job.cts`)).toBe('cts part true job.cts');
      }
      // As an import does, a worker means job.ts by job.js.
      expect(await ask('/url/job.js')).toBe('m0 lib');
      await quit();
    });
  });

  test('their files are watched, also what a broken save leaves of them', async () => {
    const { project, hotrun, ask, answers, quit } = await started(APP, { node });
    expect(await ask('/url/job.ts')).toBe('m0 lib');
    project.write('src/word.ts', word('m1'));
    await hotrun.seen(/src\/word\.ts changed: ready in/);
    expect(await ask('/url/job.ts')).toBe('m1 lib');
    // A module that was not there before.
    project.write('src/word.ts', `${word('m2')}export * from './more';\n`);
    project.write('src/more.ts', word('x'));
    await answers('m2 lib', '/url/job.ts');
    project.write('src/word.ts', 'export const word: string = 1 +* 2;\n');
    await hotrun.seen(/^src\/word\.ts:1:\d+: \S/m);
    await hotrun.seen(/the running version is not touched/);
    // A thread that starts now is still one of the version that runs.
    expect(await ask('/url/job.ts')).toBe('m2 lib');
    expect(await ask('/fork/job.ts')).toBe('m2 lib');
    project.write('src/word.ts', word('m3'));
    await answers('m3 lib', '/url/job.ts');
    await quit();
  });

  test('what was saved before a worker asks for the first time is what it gets', async () => {
    const { project, ask, quit } = await started(APP, { node });
    // Nobody has loaded it, so it is not watched.
    project.write('src/word.ts', word('m1'));
    expect(await ask('/url/job.ts')).toBe('m1 lib');
    await quit();
  });

  test('errors in them have the place in the source', async () => {
    const { project, ask, quit } = await started(
      {
        ...APP,
        'src/throws.ts': `enum Kind { A }

const thrower = (kind: Kind): never => {
  throw new Error('from the job ' + kind);
};
thrower(Kind.A);
`,
        'src/broken.ts': 'const one: number = 1;\nconst x = 1 +* 2;\n',
      },
      { node },
    );
    expect(await ask('/url/throws.ts')).toMatch(/from the job 0\n.* at thrower \(.*src\/throws\.ts:4:9\)/);
    expect(await ask('/url/broken.ts')).toMatch(/src\/broken\.ts:2\nconst x = 1 \+\* 2;\n {13}\^\n\nSyntaxError: /);
    project.write('src/broken.ts', `import { say } from './say';\nsay('mended');\n`);
    await until('the worker', async () => (await ask('/url/broken.ts')) === 'mended');
    await quit();
  });

  test('a fork in a fork, a worker in a worker, a worker in a fork', async () => {
    const { ask, quit } = await started(
      {
        ...APP,
        'src/outer.ts': `import { fork } from 'node:child_process';
import { isMainThread, Worker } from 'node:worker_threads';
import { say } from './say';
enum Word { It = 'outer' }
new Worker(new URL('./job.ts', import.meta.url)).once('message', (text: string) => {
  if (!isMainThread) return say(Word.It + ' ' + text);
  fork('./src/job.ts').once('message', (other) => say(Word.It + ' ' + text + ' ' + other));
});
`,
      },
      { node },
    );
    expect(await ask('/url/outer.ts')).toBe('outer m0 lib');
    expect(await ask('/fork/outer.ts')).toBe('outer m0 lib m0 lib');
    await quit();
  });

  test('32 threads at once', async () => {
    const modules = Array.from({ length: 20 }, (_, at) => at);
    const many = `import { Worker } from 'node:worker_threads';
import { say } from './say';
const one = () => new Promise<number>((resolve, reject) => {
  new Worker(new URL('./sum.ts', import.meta.url)).once('message', resolve).once('error', reject);
});
const all = await Promise.all(Array.from({ length: 32 }, one));
say(all.length + ' ' + [...new Set(all)]);
`;
    const sum = `import { parentPort } from 'node:worker_threads';
${modules.map((at) => `import { value as v${at} } from './m${at}';`).join('\n')}
parentPort!.postMessage([${modules.map((at) => `v${at}`)}].reduce((a: number, b: number) => a + b));
`;
    const parts = modules.map((at) => [
      `src/m${at}.ts`,
      `enum Kind { A = ${at} }\nexport const value: number = Kind.A;\n`,
    ]);
    const files = { ...APP, 'src/many.ts': many, 'src/sum.ts': sum, ...Object.fromEntries(parts) };
    const { ask, quit } = await started(files, { node });
    expect(await ask('/url/many.ts')).toBe('32 190');
    await quit();
  });

  test('terminated in the middle of their questions', async () => {
    const { ask, quit } = await started(
      {
        ...APP,
        'src/hasty.ts': `import { Worker } from 'node:worker_threads';
import { say } from './say';
enum Word { It = 'survived' }
for (let round = 0; round < 20; round++) {
  const worker = new Worker(new URL('./job.ts', import.meta.url));
  await new Promise((resolve) => worker.once('online', resolve));
  await new Promise((resolve) => setTimeout(resolve, round % 5));
  await worker.terminate();
}
new Worker(new URL('./job.ts', import.meta.url)).once('message', (text: string) => say(Word.It + ' ' + text));
`,
      },
      { node },
    );
    expect(await ask('/url/hasty.ts')).toBe('survived m0 lib');
    await quit();
  });

  test('the app’s own cluster, of its entry and of another file', async () => {
    const cluster = (setup: string, body: string): string => `import cluster from 'node:cluster';
import { createServer } from 'node:http';
import { word } from './word';
enum Word { It = 'served' }
if (cluster.isPrimary) {
  ${setup}
  cluster.fork();
  cluster.fork();
} else {
${body}
}
`;
    const serve = `createServer((_request, response) => response.end(Word.It + ' ' + word)).listen(Number(process.env.PORT), '127.0.0.1');`;
    const other = `import { createServer } from 'node:http';\nimport { word } from './word';\nenum Word { It = 'other' }\n${serve}\n`;
    for (const [setup, said] of [
      ['', 'served'],
      [`cluster.setupPrimary({ exec: 'src/other.ts' });`, 'other'],
    ] as const) {
      const files = { ...APP, 'src/server.ts': cluster(setup, serve), 'src/other.ts': other };
      const { project, answers, quit } = await begin(files, { node });
      await answers(`${said} m0`);
      project.write('src/word.ts', word('m1'));
      await answers(`${said} m1`);
      await quit();
    }
  });

  test('node:test and vm', async () => {
    const { ask, quit } = await started(
      {
        ...APP,
        'src/runs.ts': `import { run } from 'node:test';
import vm from 'node:vm';
import { say } from './say';
enum Word { It = 'ran' }
const names: string[] = [];
const stream = run({ files: ['src/unit.test.ts'] });
stream.on('test:pass', ({ name }) => names.push(name));
stream.on('test:fail', ({ name, details }) => names.push('failed ' + name + ' ' + details.error));
stream.on('data', () => {});
stream.on('end', () => say(Word.It + ' ' + vm.runInNewContext('1 + 1') + ' ' + names.includes('m0 is the word')));
`,
        'src/unit.test.ts': `import test from 'node:test';
import { word } from './word.js';
test(word + ' is the word', () => {});
`,
      },
      { node },
    );
    expect(await ask('/fork/runs.ts')).toBe('ran 2 true');
    await quit();
  });

  test('a pool in a package, and a file under another tsconfig', async () => {
    const { ask, quit } = await started(
      {
        ...APP,
        'src/pooled.ts': `import { runs } from 'pool';
import { say } from './say';
enum Word { It = 'pooled' }
say(Word.It + ' ' + (await runs(new URL('../other/task.ts', import.meta.url).href)));
`,
        'node_modules/pool/package.json': '{ "name": "pool", "type": "module", "exports": "./pool.js" }',
        'node_modules/pool/pool.js': `import { Worker } from 'node:worker_threads';
export const runs = (workerData) => new Promise((resolve, reject) => {
  const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData });
  worker.once('message', resolve).once('error', reject);
});
`,
        'node_modules/pool/worker.js': `import { parentPort, workerData } from 'node:worker_threads';
parentPort.postMessage((await import(workerData)).default());
`,
        'other/tsconfig.json': '{ "compilerOptions": { "paths": { "part": ["./part.ts"] } } }',
        'other/part.ts': word('aliased'),
        'other/task.ts': `import { word } from 'part';
enum Kind { A = 'task' }
export default (): string => Kind.A + ' ' + word;
`,
      },
      { node },
    );
    expect(await ask('/url/pooled.ts')).toBe('pooled task aliased');
    await quit();
  });

  test('without hotrun’s socket they do what Node does', async () => {
    const { ask, quit } = await started(
      {
        ...APP,
        'src/plain.mjs': `import { parentPort } from 'node:worker_threads';\nparentPort.postMessage('plain');\n`,
      },
      { node },
    );
    expect(await ask('/url/job.ts')).toBe('m0 lib');
    const [, path = ''] = /hotrun@([^@]+)@/.exec(await ask('/flags')) ?? [];
    const socket = decodeURIComponent(path);
    expect(socket.startsWith(join(tmpdir(), 'hotrun-'))).toBe(true);
    rmSync(socket);
    expect(await ask('/url/plain.mjs')).toBe('plain');
    expect(await ask('/url/job.ts')).toMatch(/Error/);
    await quit();
    expect(existsSync(dirname(socket))).toBe(false);
  });

  test('where no socket can be made, that is told, and the app runs', async () => {
    const { hotrun, ask, quit } = await started(APP, { node, env: { TMPDIR: '/dev/null/tmp' } });
    expect(await ask('/')).toBe('');
    expect(hotrun.stderr()).toMatch(
      /Forks and workers of the app load modules as Node alone does, because .*\(ENOTDIR\)/,
    );
    await quit();
  });

  test('nothing is left of the socket, even when hotrun is killed', async () => {
    const { ask, hotrun } = await started(APP, { node });
    const [, path = ''] = /hotrun@([^@]+)@/.exec(await ask('/flags')) ?? [];
    const folder = dirname(decodeURIComponent(path));
    expect(existsSync(folder)).toBe(true);
    hotrun.kill('SIGKILL');
    await until('the end of its folder', () => !existsSync(folder));
  });
});
