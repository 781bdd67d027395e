import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { type Cache, type NewEntry, type Options, openCache } from '../../src/build/cache.ts';
import { age, freshen, project, write } from './project.ts';

const versions = { hotrunVersion: '1.0.0', nodeMajor: 20, esbuildVersion: '0.28.0' };

function app(files: Record<string, string> = {}) {
  const root = project({ 'node_modules/x/y.js': '', 'a.ts': 'a', 'b.ts': 'b', ...files });
  for (const name of ['a.ts', 'b.ts']) age(join(root, name));
  const open = (other: Partial<Options> = {}) => openCache({ root, entry: join(root, 'a.ts'), ...versions, ...other });
  return { root, open, a: join(root, 'a.ts'), b: join(root, 'b.ts') };
}

function entry(file: string, more: Partial<NewEntry> = {}): NewEntry {
  const { mtimeMs, size } = statSync(file);
  return { format: 'module', code: `// ${file}`, transformed: true, hash: 'h', shape: 's', mtimeMs, size, ...more };
}

const packOf = (cache: Cache): string => cache.file as string;

test('what is put is there in the next run, by stat and by content', async () => {
  const { open, a, b } = app();
  const first = open();
  first.put(a, entry(a, { code: 'é\u{1f600}', extra: { imports: ['./b'] } }));
  first.put(b, entry(b, { format: 'commonjs', transformed: false, code: '', hash: 'other' }));
  first.setNote('known', { x: 1 });
  await first.save();
  expect(first.trouble()).toBeNull();

  const next = open();
  expect(next.get(a, statSync(a), 's')).toMatchObject({
    format: 'module',
    code: 'é\u{1f600}',
    transformed: true,
    hash: 'h',
    shape: 's',
    extra: { imports: ['./b'] },
  });
  expect(next.getBySource(b, 'other', 's')).toMatchObject({ format: 'commonjs', transformed: false, code: '' });
  expect(next.note('known')).toEqual({ x: 1 });
  expect(next.note('unknown')).toBeUndefined();
});

test('a changed stat, shape or content is no hit', async () => {
  const { open, a } = app();
  const first = open();
  first.put(a, entry(a));
  await first.save();
  const { mtimeMs, size } = statSync(a);
  const cache = open();
  expect(cache.get(a, { mtimeMs, size }, 's')).toBeDefined();
  expect(cache.get(a, { mtimeMs: mtimeMs + 1, size }, 's')).toBeUndefined();
  expect(cache.get(a, { mtimeMs, size: size + 1 }, 's')).toBeUndefined();
  expect(cache.get(a, { mtimeMs, size }, 'other')).toBeUndefined();
  expect(cache.getBySource(a, 'other', 's')).toBeUndefined();
  expect(cache.getBySource(a, 'h', 'other')).toBeUndefined();
  expect(cache.get(`${a}x`, { mtimeMs, size }, 's')).toBeUndefined();
});

test('a file written just before it was read is not trusted by stat until its content was compared', async () => {
  const { open, a } = app();
  freshen(a);
  const first = open();
  first.put(a, entry(a));
  expect(first.get(a, statSync(a), 's')).toBeUndefined();
  await first.save();

  const second = open();
  expect(second.get(a, statSync(a), 's')).toBeUndefined();
  expect(second.getBySource(a, 'h', 's', statSync(a))).toBeDefined();
  expect(second.get(a, statSync(a), 's'), 'still as young').toBeUndefined();

  age(a);
  expect(second.getBySource(a, 'h', 's', statSync(a))).toMatchObject({ code: `// ${a}` });
  expect(second.get(a, statSync(a), 's')).toBeDefined();
  await second.save();
  expect(open().get(a, statSync(a), 's')).toBeDefined();
});

test.each<[string, (pack: string) => void]>([
  ['empty', (pack) => writeFileSync(pack, '')],
  ['foreign', (pack) => writeFileSync(pack, 'PNG, or so\n'.repeat(100))],
  ['cut short', (pack) => writeFileSync(pack, readFileSync(pack).subarray(0, -10))],
  ['cut in the header', (pack) => writeFileSync(pack, readFileSync(pack).subarray(0, 60))],
  [
    'with a zeroed tail',
    (pack) => writeFileSync(pack, Buffer.concat([readFileSync(pack).subarray(0, -20), Buffer.alloc(20)])),
  ],
  [
    'with a broken header',
    (pack) => writeFileSync(pack, readFileSync(pack, 'latin1').replace('{"key"', '{"ke""'), 'latin1'),
  ],
  ['with a header of another kind', (pack) => writeFileSync(pack, 'hotrun-pack-1 4 0\nnull\nend\n')],
  [
    'with offsets beyond its end',
    (pack) => writeFileSync(pack, readFileSync(pack, 'latin1').replace('"o":0', '"o":9'), 'latin1'),
  ],
  ['a folder', (pack) => [rmSync(pack), mkdirSync(pack)]],
])('a pack that is %s is ignored, and the reason told', async (_, damage) => {
  const { open, a } = app();
  const first = open();
  first.put(a, entry(a));
  await first.save();
  damage(packOf(first));
  const cache = open();
  expect(cache.trouble()).toContain(packOf(first));
  expect(cache.get(a, statSync(a), 's')).toBeUndefined();
});

test('a damaged pack is written anew', async () => {
  const { open, a } = app();
  const first = open();
  first.put(a, entry(a));
  await first.save();
  writeFileSync(packOf(first), 'x');
  const second = open();
  await second.save();
  expect(second.trouble()).toBeNull();
  expect(open().trouble()).toBeNull();
});

test('other versions and entries have packs of their own', async () => {
  const { open, a } = app();
  const first = open();
  first.put(a, entry(a));
  await first.save();
  for (const other of [{ hotrunVersion: '2' }, { nodeMajor: 24 }, { esbuildVersion: '1' }, { entry: '/other.ts' }])
    expect(open(other).get(a, statSync(a), 's')).toBeUndefined();
});

test('a pack under the name of another is not used', async () => {
  const { open, a } = app();
  const first = open();
  first.put(a, entry(a));
  await first.save();
  const other = open({ nodeMajor: 24 });
  writeFileSync(packOf(other), readFileSync(packOf(first)));
  expect(open({ nodeMajor: 24 }).get(a, statSync(a), 's')).toBeUndefined();
});

test('nothing is written when nothing changed, and node_modules is never made', async () => {
  const { open, a } = app();
  const first = open();
  await first.save();
  expect(existsSync(packOf(first))).toBe(false);
  first.put(a, entry(a));
  first.setNote('n', [1]);
  await first.save();
  const { ino } = statSync(packOf(first));
  const second = open();
  second.get(a, statSync(a), 's')?.code;
  second.setNote('n', [1]);
  await second.save();
  expect(statSync(packOf(first)).ino).toBe(ino);

  const bare = project({ 'a.ts': '' });
  const cache = openCache({ root: bare, entry: 'a', ...versions, env: {}, platform: 'linux', home: null });
  cache.put(join(bare, 'a.ts'), entry(join(bare, 'a.ts')));
  await cache.save();
  expect(cache.file).toBeNull();
  expect(cache.trouble()).toBe('no folder to write to');
  expect(readdirSync(bare)).toEqual(['a.ts']);
});

test('files that are gone and long unused are dropped', async () => {
  const { open, a, b } = app();
  const first = open();
  first.put(a, entry(a));
  first.put(b, entry(b));
  await first.save();
  rmSync(b);
  const second = open();
  second.put(a, entry(a, { hash: 'new' }));
  await second.save();
  const third = open();
  expect(third.getBySource(a, 'new', 's')).toBeDefined();
  expect(third.getBySource(b, 'h', 's')).toBeUndefined();
});

test('an entry unused for more than 14 days is dropped, one used in this run stays', async () => {
  const { open, a, b } = app({ 'c.ts': 'c' });
  const first = open();
  for (const file of [a, b]) first.put(file, entry(file));
  await first.save();
  const day = Math.floor(Date.now() / 86_400_000);
  const text = readFileSync(packOf(first), 'latin1');
  const old = text.replace(/"u":\d+/g, `"u":${String(day - 15).padStart(String(day).length, '0')}`);
  expect(old.length).toBe(text.length);
  writeFileSync(packOf(first), old, 'latin1');
  const second = open();
  expect(second.trouble()).toBeNull();
  second.get(a, statSync(a), 's');
  second.setNote('changed', true);
  await second.save();
  const third = open();
  expect(third.get(a, statSync(a), 's')).toBeDefined();
  expect(third.get(b, statSync(b), 's')).toBeUndefined();
});

test('packs that nobody uses and temporary files of the dead are swept', async () => {
  const { open, a } = app();
  const cache = open();
  const folder = dirname(packOf(cache));
  mkdirSync(folder, { recursive: true });
  const days = (n: number) => Date.now() / 1000 - n * 86_400;
  for (const [name, time] of [
    ['old.pack', days(31)],
    ['new.pack', days(29)],
    ['dead.tmp', days(1)],
    ['live.tmp', days(0)],
    ['other', days(99)],
  ] as const) {
    writeFileSync(join(folder, name), '');
    utimesSync(join(folder, name), time, time);
  }
  cache.put(a, entry(a));
  await cache.save();
  const wanted = ['live.tmp', 'new.pack', 'other', packOf(cache).slice(folder.length + 1)];
  expect(readdirSync(folder).sort()).toEqual(wanted.sort());
});

test('where nothing can be written, the run goes on and the reason is told', async () => {
  const { root, open, a } = app();
  const cache = open();
  write(root, { 'node_modules/.cache': 'a file, where a folder is needed' });
  cache.put(a, entry(a));
  await cache.save();
  expect(cache.trouble()).toContain('was not written');
  expect(cache.get(a, statSync(a), 's')).toBeDefined();
  rmSync(join(root, 'node_modules/.cache'));
  await cache.save();
  expect(cache.trouble()).toBeNull();
  expect(open().get(a, statSync(a), 's')).toBeDefined();
});

test('two that save at once leave a good pack of one of them, and nothing else', async () => {
  const { open, a, b } = app();
  const caches = Array.from({ length: 8 }, () => open());
  for (const [i, cache] of caches.entries()) {
    cache.put(a, entry(a, { code: String(i).repeat(100_000) }));
    cache.put(b, entry(b, { code: String(i).repeat(10) }));
  }
  await Promise.all(caches.map((cache) => cache.save()));
  const last = open();
  expect(last.trouble()).toBeNull();
  const code = last.get(a, statSync(a), 's')?.code ?? '';
  expect(code).toBe((code[0] as string).repeat(100_000));
  expect(last.get(b, statSync(b), 's')?.code).toBe((code[0] as string).repeat(10));
  expect(readdirSync(dirname(packOf(last)))).toHaveLength(1);
});

test('what is put while a save is under way is in the next one', async () => {
  const { open, a, b } = app();
  const cache = open();
  cache.put(a, entry(a));
  const saving = cache.save();
  cache.put(b, entry(b));
  await saving;
  await cache.save();
  const next = open();
  expect(next.get(a, statSync(a), 's')).toBeDefined();
  expect(next.get(b, statSync(b), 's')).toBeDefined();
});
