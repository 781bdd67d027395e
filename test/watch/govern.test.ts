/** Files that say how the app is run: watched whether they exist or not, and whatever is ignored. */
import { rmSync, utimesSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Bench } from './bench.ts';

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});
afterEach(() => bench.close());

const later = (): number => Date.now() + 60_000;

test('one that is there, one that is not, and one in a folder that is not', async () => {
  const rc = bench.write('.hotrc.json', '{}');
  const [env, deep] = [bench.path('.env'), bench.path('config/deep/.env')];
  const watch = await bench.open({ ignore: ['**/*.json', '.env'] });
  watch.govern([rc, env, deep], later());
  await bench.drained();
  expect(watch.list().filter(({ file }) => file.startsWith(bench.dir))).toEqual([{ file: rc, rule: 'config' }]);
  for (const file of [rc, env, deep]) {
    expect(await bench.told(() => bench.write(file.slice(bench.dir.length + 1), 'x'))).toEqual([file]);
    expect(await bench.told(() => rmSync(file))).toEqual([file]);
    expect(await bench.told(() => bench.write(file.slice(bench.dir.length + 1), 'y'))).toEqual([file]);
  }
});

test('one that has changed since it was read is told, an older one is not', async () => {
  const [old, changed] = [bench.write('old'), bench.write('changed')];
  utimesSync(changed, 0, 0);
  const watch = await bench.open();
  expect(await bench.told(() => watch.govern([old], later()))).toEqual([]);
  expect(await bench.told(() => watch.govern([changed], Date.now() - 60_000))).toEqual([changed]);
});

test('whether the app loads it as well, or a glob matches it, it is told by this rule', async () => {
  const [loaded, globbed, both] = [bench.write('a.json'), bench.write('b.txt'), bench.write('c.json')];
  const watch = await bench.open({ watch: ['*.txt'] });
  await bench.load(loaded);
  watch.govern([loaded, globbed, both], later());
  await bench.load(both);
  expect(
    await bench.told(() => [loaded, globbed, both].map((file) => bench.write(file.slice(bench.dir.length + 1), 'x'))),
  ).toEqual([loaded, globbed, both]);
  expect([...new Set(bench.changes.filter(({ file }) => file.startsWith(bench.dir)).map(({ rule }) => rule))]).toEqual([
    'config',
  ]);
});
