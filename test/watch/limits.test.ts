/** What the watch costs, what it says when the system refuses, and that it leaves nothing behind. */
import { execFile, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { troubleOf } from '../../src/watch/folders.ts';
import { openWatch } from '../../src/watch/index.ts';
import { Bench, text } from './bench.ts';

const run = promisify(execFile);

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});
afterEach(() => bench.close());

/** inotify watches of this process; Linux only. */
function watches(): number {
  let count = 0;
  for (const fd of readdirSync('/proc/self/fdinfo')) {
    try {
      count += readFileSync(join('/proc/self/fdinfo', fd), 'utf8').match(/^inotify /gm)?.length ?? 0;
    } catch {
      // The descriptor that listed the others is closed by now.
    }
  }
  return count;
}

describe.skipIf(!existsSync('/proc/self/fdinfo'))('the cost', () => {
  it('is one watch per folder, whatever is in it, and none for node_modules', async () => {
    const files = Array.from({ length: 800 }, (_, at) => bench.write(`src/${at}.ts`));
    for (let at = 0; at < 300; at++) bench.write(`node_modules/${at}/package.json`);
    await bench.open();
    const before = watches();
    await bench.load(...files, bench.path('node_modules/7/package.json'));
    expect(watches() - before).toBe(2); // src, and the project's folder above it
    expect(await bench.told(() => writeFileSync(bench.path('src/799.ts'), text()))).toEqual([bench.path('src/799.ts')]);
  });

  it('is one watch per searched folder', async () => {
    for (let at = 0; at < 50; at++) bench.write(`node_modules/${at}/a.sql`);
    for (let at = 0; at < 10; at++) for (let n = 0; n < 20; n++) bench.write(`db/${at}/${n}.sql`);
    const before = watches();
    await bench.open({ watch: ['**/*.sql'] });
    expect(watches() - before).toBe(2 + 10 + 2); // the project, db, its folders; and the test's fences, with the folder above them
    await bench.opened.close();
    expect(watches()).toBe(before);
  });

  it('is given back when it closes, also when it closes at once', async () => {
    const before = watches();
    for (let time = 0; time < 20; time++) {
      const file = bench.write('src/a.ts');
      const watch = await bench.open({ watch: ['**/*'] });
      watch.add({ file, mtimeMs: 0, size: 0 });
      watch.expect([bench.path('x/y')]);
      await Promise.all([watch.close(), watch.close()]);
      await watch.close();
    }
    expect(watches()).toBe(before);
  });
});

it('a flood of events that may have run over the kernel’s queue has everything told', async () => {
  const files = ['a.ts', 'x/b.ts'].map((name) => bench.write(name, text()));
  await bench.open();
  await bench.load(...files);
  // All in one turn of the event loop, several events each, none of them of a watched file.
  const flood = () => {
    for (let at = 0; at < 5000; at++) {
      writeFileSync(bench.path(`${at}.out`), 'x');
    }
  };
  expect(await bench.told(flood)).toEqual([...files].sort());
});

describe('in a process of its own', () => {
  // Built, as it is shipped, beside the packages it needs: any Node.js runs it.
  const bundle = new URL(`../../node_modules/.hotrun-watch-${process.pid}.mjs`, import.meta.url).pathname;
  beforeAll(async () => {
    const entryPoints = [new URL('../../src/watch/index.ts', import.meta.url).pathname];
    await build({ entryPoints, bundle: true, platform: 'node', format: 'esm', packages: 'external', outfile: bundle });
  });
  afterAll(() => rmSync(bundle, { force: true }));

  const script = () => `
    const { openWatch } = await import(${JSON.stringify(bundle)});
    const dir = ${JSON.stringify(bench.dir)}, program = { kind: 'command', run: '' }, sentences = [];
    const config = { cwd: dir, root: dir, base: dir, watch: ['src', 'db'], ignore: [], build: null, program };
    const watch = openWatch(config, () => {}, (sentence) => sentences.push(sentence));
    await watch.settled();
    // What is ending takes a few turns of the event loop to be gone; what stays, stays.
    const resources = async (expected) => {
      let names = [];
      for (let turn = 0; turn < 10_000; turn++) {
        await new Promise((resolve) => setImmediate(resolve));
        names = process.getActiveResourcesInfo().filter((name) => !/Pipe|TTY|FILEHANDLE|Immediate/.test(name));
        if (names.every((name) => name === expected)) break;
      }
      return names;
    };
    const idle = [...new Set(await resources('FSEventWrap'))];
    await watch.close();
    process.stdout.write(JSON.stringify({ idle, left: await resources(''), sentences }));`;

  it('there are only watches, no timers, and nothing that keeps it alive after close', async () => {
    bench.write('src/a.ts');
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script()], { timeout: 20_000 });
    expect(JSON.parse(stdout)).toEqual({ idle: ['FSEventWrap'], left: [], sentences: [] });
  });

  // A user namespace has a limit of its own; where the system does not give us one, there is nothing to try it in.
  const limited = ['-U', '-r', 'sh', '-c', 'echo 2 > /proc/sys/user/max_inotify_watches && exec "$@"', 'sh'];
  it.skipIf(spawnSync('unshare', [...limited, 'true']).status !== 0)(
    'one sentence says that the limit of watches is used up',
    async () => {
      for (let at = 0; at < 5; at++) bench.write(`src/${at}/a.ts`);
      const args = [...limited, process.execPath, '--input-type=module', '-e', script()];
      const { stdout } = await run('unshare', args, { timeout: 20_000 });
      expect(JSON.parse(stdout).sentences).toEqual([expect.stringContaining('fs.inotify.max_user_watches')]);
    },
  );
});

it.each([
  ['ENOSPC', 'fs.inotify.max_user_watches'],
  ['EMFILE', 'fs.inotify.max_user_instances'],
  ['EACCES', '/x/y'],
  ['EIO', 'why'],
])('says in one sentence what to do about %s', (code, remedy) => {
  const sentence = troubleOf('/x/y', Object.assign(new Error('why'), { code }), 500);
  expect(sentence).toContain(remedy);
  expect(sentence).toMatch(/^[^.]*\/x\/y\b.*\.$/);
});

it('does not poll when the environment asks chokidar to', async () => {
  process.env.CHOKIDAR_USEPOLLING = '1';
  try {
    const file = bench.write('a.ts', text());
    await bench.open();
    await bench.load(file);
    expect(await bench.told(() => writeFileSync(file, text()))).toEqual([file]);
  } finally {
    delete process.env.CHOKIDAR_USEPOLLING;
  }
});

it('a root that does not exist is waited for', async () => {
  const troubles: string[] = [];
  const dir = bench.path('not/yet');
  const watch = openWatch(
    {
      cwd: dir,
      root: dir,
      base: dir,
      watch: [],
      ignore: [],
      build: null,
      poll: 0,
      program: { kind: 'command', run: '' },
    },
    (changes) => bench.changes.push(...changes),
    (sentence) => troubles.push(sentence),
  );
  await watch.settled();
  await bench.open();
  const file = bench.write('not/yet/a.go', text());
  await watch.settled();
  await bench.drained();
  await watch.settled();
  await bench.drained();
  expect(bench.changes).toContainEqual({ file, rule: 'watch' });
  expect(troubles).toEqual([]);
  await watch.close();
});
