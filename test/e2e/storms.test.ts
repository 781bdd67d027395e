/** What many programs do to many files at once is one reload, when it is over. */
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { answers, closeAll, freePort, get, makeProject, type Project, type Started, start, until } from '../rig.ts';

const FILES = 400;
const names = Array.from({ length: FILES }, (_, at) => `src/m${at}.ts`);
const moduleOf = (version: string): string => `export const version: string = '${version}';\n`;
/** Answers with its generation, and with the versions of the modules, each once. */
const server = (files: readonly string[]): string => `import { createServer } from 'node:http';
${files.map((file, at) => `import { version as v${at} } from './${file.slice('src/'.length)}';`).join('\n')}
const versions = [...new Set([${files.map((_, at) => `v${at}`).join()}])].sort().join();
createServer((_, response) => response.end(process.env.HOTRUN_GENERATION + ' ' + versions))
  .listen(Number(process.env.PORT), '127.0.0.1');
`;

let project: Project;
let port: number;
let hotrun: Started;
afterEach(async () => {
  await closeAll();
  project.close();
});

async function run(files: readonly string[], more: Record<string, string> = {}): Promise<void> {
  const modules = Object.fromEntries(files.map((file) => [file, moduleOf('one')]));
  project = makeProject({ ...modules, 'src/server.ts': server(files), ...more });
  port = await freePort();
}

async function begin(...flags: string[]): Promise<void> {
  hotrun = start(project, [...flags, 'src/server.ts'], { env: { PORT: String(port) } });
  await answers(port, '1 one');
  // What is saved is seen from here on.
  await hotrun.seen(/ready in/);
}

/** A save of one file more is the next reload: so there was none but those that were expected. */
async function nothingMore(generation: number, file: string, version: string): Promise<void> {
  project.write(file, moduleOf(version));
  await until(`the answer of generation ${generation}`, async () => {
    const answer = await get(port);
    return 'body' in answer && answer.body.startsWith(`${generation} `) && answer.body.includes(version);
  });
}

const git = (...args: string[]) =>
  execFileSync('git', ['-c', 'user.name=x', '-c', 'user.email=x@x', '-c', 'core.hooksPath=none', ...args], {
    cwd: project.dir,
    stdio: 'pipe',
  });

test(`git checkout of ${FILES} files is one reload, there and back`, async () => {
  await run(names);
  git('init', '-q', '-b', 'one');
  git('add', '.');
  git('commit', '-q', '-m', 'one');
  git('checkout', '-q', '-b', 'two');
  for (const file of names) project.write(file, moduleOf('two'));
  git('commit', '-q', '-a', '-m', 'two');
  git('checkout', '-q', 'one');
  await begin();
  git('checkout', '-q', 'two');
  await answers(port, '2 two');
  git('checkout', '-q', 'one');
  await answers(port, '3 one');
  await hotrun.seen(new RegExp(`and ${FILES - 1} more changed: ready in`));
  await nothingMore(4, 'src/m7.ts', 'seven');
});

describe('while git works', () => {
  beforeEach(async () => {
    await run(names.slice(0, 3), { '.git/HEAD': 'ref: refs/heads/main\n' });
    await begin();
  });
  const lock = () => project.path('.git/index.lock');

  test('a save waits until it is done', async () => {
    writeFileSync(lock(), '');
    project.write('src/m0.ts', moduleOf('two'));
    for (const file of names.slice(1, 3)) project.write(file, moduleOf('two'));
    rmSync(lock());
    await answers(port, '2 two');
    await nothingMore(3, 'src/m0.ts', 'three');
  });

  test('and a lock that was left behind keeps nothing', async () => {
    execFileSync('touch', ['-d', '1 hour ago', lock()]);
    project.write('src/m0.ts', moduleOf('two'));
    await answers(port, '2 one,two');
    project.remove('.git/index.lock');
    // One that stays is waited for, and then no longer.
    execFileSync('touch', ['-d', '4 seconds ago', lock()]);
    project.write('src/m1.ts', moduleOf('two'));
    await answers(port, '3 one,two');
    await nothingMore(4, 'src/m2.ts', 'two');
  });
});

/** Runs as a program of its own, and says the longest time in ms that lay between two of its steps. */
function writing(
  steps: readonly (readonly string[])[],
  text: string,
  gapMs: number,
  firstGapMs = gapMs,
): Promise<number> {
  const script = `
    const fs = require('node:fs'), steps = ${JSON.stringify(steps)}, text = ${JSON.stringify(text)};
    let last = performance.now(), longest = 0, gapMs = ${firstGapMs};
    const step = () => {
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
      for (const file of steps.shift()) fs.writeFileSync(file, text);
      if (steps.length > 0) setTimeout(step, gapMs);
      else process.stdout.write(String(longest));
      gapMs = ${gapMs};
    };
    step();`;
  const child = spawn(process.execPath, ['-e', script], { cwd: project.dir, stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.on('data', (part) => {
    said += part;
  });
  return new Promise((resolve) => child.once('close', () => resolve(Number(said))));
}

/** Of which the app loads nothing. */
const elsewhere = Array.from({ length: 40 }, (_, at) => `lib/deep/e${at}.ts`);

/** The generation that is the first to answer with nothing but this version. */
const allOf = (version: string): Promise<number> =>
  until(`all of ${version}`, async () => {
    const answer = await get(port);
    const [, of = '', versions] = ('body' in answer && /^(\d+) (.*)$/.exec(answer.body)) || [];
    return versions === version && Number(of);
  });

// Its first file is a reload of its own where the next one comes later than that takes.
test.each([
  ['a formatter', 1, 1, 10, 2, []],
  ['a formatter that is elsewhere for a while', 1, 10, 50, 2, elsewhere],
  ['a generator that writes in steps', 2, 60, 100, 1, []],
  ['a generator that writes one file at a time', 1, 60, 100, 2, []],
])('%s is one reload, or two if its first file is alone', async (_name, each, gapMs, limitMs, most, others) => {
  const files = names.slice(0, 20);
  await run(files, Object.fromEntries(others.map((file) => [file, moduleOf('one')])));
  await begin();
  let generation = 1;
  for (let time = 0; ; time++) {
    const version = `v${time}`;
    const before = generation;
    const all = [...files.slice(0, 10), ...others, ...files.slice(10)];
    const steps = Array.from({ length: all.length / each }, (_, at) => all.slice(at * each, (at + 1) * each));
    const longest = await writing(steps, moduleOf(version), gapMs);
    generation = await allOf(version);
    // Where the machine was too busy to write in time, it was no storm.
    if (longest >= limitMs) continue;
    expect(generation - before).toBeLessThanOrEqual(most);
    break;
  }
  await nothingMore(generation + 1, names[0] as string, 'last');
});

test.each([
  ['has been seen', ''],
  ['says that it is one', '// Code generated by the test. DO NOT EDIT.\n'],
])('a generator that %s is one reload, and its first file is late once when it is saved alone', async (_name, head) => {
  const files = names.slice(0, 10);
  const first = files[0] as string;
  const steps = files.map((file) => [file]);
  let generations: number[] = [];
  for (let longest = Number.POSITIVE_INFINITY; longest >= 60; ) {
    // Where the machine was too busy to write in time it was no storm, and what was learnt is doubted: from the start.
    await closeAll();
    project?.close();
    await run(files);
    await begin('--trace');
    longest = 0;
    generations = [];
    for (const version of ['v1', 'v2', 'v3']) {
      longest = Math.max(longest, await writing(steps, head + moduleOf(version), 20, 45));
      generations.push(await allOf(version));
    }
  }
  const [once = 0, ...more] = generations;
  expect(more).toEqual([once + 1, once + 2]);
  if (head) expect(once).toBe(2);
  // What the machine was told of a save of this file alone: how much quiet it asked for.
  const calms = [];
  for (const generation of [once + 3, once + 4]) {
    const before = hotrun.stderr().length;
    await nothingMore(generation, first, `alone in ${generation}`);
    calms.push(/event \{"type":"saved","calmMs":(\d+)\}/.exec(hotrun.stderr().slice(before))?.[1]);
  }
  expect(calms).toEqual(['120', undefined]);
});

test('npm install of a package that the app misses is one good reload', async () => {
  project = makeProject({
    'package.json': '{ "name": "app", "type": "module" }',
    'src/server.ts': `import { createServer } from 'node:http';
import { version } from 'late';
createServer((_, response) => response.end(version)).listen(Number(process.env.PORT), '127.0.0.1');
`,
  });
  port = await freePort();
  const late = join(project.dir, '../late');
  mkdirSync(join(late, 'lib'), { recursive: true });
  writeFileSync(join(late, 'package.json'), '{ "name": "late", "version": "1.0.0", "main": "lib/index.js" }');
  writeFileSync(join(late, 'lib/index.js'), "exports.version = require('./deep.js');\n");
  writeFileSync(join(late, 'lib/deep.js'), "module.exports = 'late 1';\n");
  const npm = (...args: string[]) =>
    execFileSync('npm', [...args, '--offline', '--no-audit', '--no-fund'], { cwd: project.dir, stdio: 'pipe' });
  npm('pack', late);
  hotrun = start(project, ['src/server.ts'], { env: { PORT: String(port) } });
  await hotrun.seen(/late/);
  await hotrun.seen(/waiting for a change/);
  npm('install', './late-1.0.0.tgz');
  await answers(port, 'late 1');
  expect(hotrun.stderr().match(/waiting for a change/g)).toHaveLength(1);
});
