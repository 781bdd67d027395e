/** The files of packages that a standby holds: which changes are told, and what it costs. */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openPackages, type Packages } from '../../src/watch/packages.ts';
import { until } from '../rig.ts';
import { Bench } from './bench.ts';

let bench: Bench;
let packages: Packages | null = null;
let told: string[] = [];
beforeEach(() => {
  bench = new Bench();
});
afterEach(async () => {
  packages?.close();
  await bench.close();
});

/** Files that are there since long. */
async function write(...files: string[]): Promise<void> {
  for (const file of files) bench.write(file, 'old');
  const now = Date.now();
  await until('the clock to move on', () => Date.now() > now + 20);
}
const open = (isDeaf = false): Packages => {
  told = [];
  packages = openPackages(isDeaf, { heard() {}, changed: (path) => told.push(path) });
  return packages;
};
function hold(files: readonly string[], since = Date.now()): void {
  const held: Record<string, string[]> = {};
  for (const file of files.map((name) => bench.path(name))) {
    const names = held[dirname(file)] ?? [];
    held[dirname(file)] = [...names, file.slice(dirname(file).length + 1)];
  }
  packages?.hold(held, since);
}
const tells = (name: string): Promise<true> =>
  until(`${name} to be told`, () => (told.includes(bench.path(name)) ? true : undefined));

/** inotify watches of this process on what is below the project; each folder has one inode. */
const watches = (): number =>
  readdirSync('/proc/self/fdinfo')
    .flatMap((fd) => {
      try {
        return readFileSync(join('/proc/self/fdinfo', fd), 'utf8').match(/^inotify /gm) ?? [];
      } catch {
        // The descriptor that listed the others is closed by now.
        return [];
      }
    })
    .filter(Boolean).length;

const A = 'node_modules/a/index.js';
const DEEP = 'node_modules/@s/b/lib/deep/x.js';

describe('what is told', () => {
  it('is a file that is held, its package.json, and no other', async () => {
    await write(A, DEEP, 'node_modules/a/README.md', 'node_modules/a/package.json', 'node_modules/@s/b/package.json');
    open();
    hold([A, DEEP]);
    bench.write('node_modules/a/README.md', 'new');
    for (const file of [A, 'node_modules/a/package.json', DEEP, 'node_modules/@s/b/package.json']) {
      bench.write(file, 'new');
      await tells(file);
    }
    expect(told).not.toContain(bench.path('node_modules/a/README.md'));
  });

  it('is what has changed since the standby was booted', async () => {
    await write(A, DEEP);
    open();
    const since = Date.now();
    bench.write(A, 'new');
    hold([DEEP], since);
    expect(told).toEqual([]);
    hold([A, DEEP], since);
    await tells(A);
    // What was held is so no more.
    told = [];
    await until('the clock to move on', () => Date.now() > since + 100);
    hold([A, DEEP]);
    packages?.look();
    expect(told).toEqual([]);
  });

  it('is what is replaced, and what is in a folder that is made anew', async () => {
    await write(A, DEEP, 'new.js');
    open();
    hold([A, DEEP]);
    renameSync(bench.path('new.js'), bench.path(A));
    await tells(A);
    for (const folder of ['node_modules/@s/b/lib', 'node_modules/@s/b', 'node_modules/@s']) {
      rmSync(bench.path(folder), { recursive: true });
      await tells(folder);
      told = [];
      mkdirSync(dirname(bench.path(DEEP)), { recursive: true });
      await tells(folder);
      hold([]);
      writeFileSync(bench.path(DEEP), '');
      await tells(DEEP);
    }
  });

  it('where nothing is heard: when a reload begins', async () => {
    await write(A, DEEP);
    open(true);
    const before = existsSync('/proc/self/fdinfo') ? watches() : 0;
    hold([A, DEEP]);
    packages?.look();
    expect(told).toEqual([]);
    if (before > 0) expect(watches()).toBe(before);
    const now = Date.now();
    await until('the clock to move on', () => Date.now() > now + 20);
    bench.write(DEEP, 'new');
    packages?.look();
    expect(told).toEqual([bench.path(DEEP)]);
    // Told once.
    packages?.look();
    expect(told).toHaveLength(1);
  });

  it('also after the watches were given up', async () => {
    await write(A);
    open();
    hold([A]);
    packages?.yield();
    const now = Date.now();
    await until('the clock to move on', () => Date.now() > now + 20);
    bench.write(A, 'new');
    packages?.look();
    expect(told).toEqual([bench.path(A)]);
  });
});

describe.skipIf(!existsSync('/proc/self/fdinfo'))('the cost', () => {
  it('is one watch for each folder on the way, a thousand at most, given back in the end', async () => {
    const files = Array.from({ length: 1100 }, (_, nth) => `node_modules/p${nth}/index.js`);
    await write(...files);
    const before = watches();
    open();
    hold(files.slice(0, 10));
    await until('the watches', () => watches() - before === 11);
    hold(files);
    await until('the watches', () => watches() - before === 1000);
    bench.write(files[1099] as string, 'new');
    packages?.look();
    await tells(files[1099] as string);
    packages?.close();
    expect(watches()).toBe(before);
  });
});
