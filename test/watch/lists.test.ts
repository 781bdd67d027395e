/** New files in folders that the app lists: which are told, and which are not. */
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Bench, stat, text } from './bench.ts';

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});
afterEach(() => bench.close());

/** The app lists these folders, after it has loaded the files of the folders. */
async function list(...folders: string[]): Promise<void> {
  bench.opened.listed(
    folders.map((name) => ({ path: bench.path(name) })),
    Date.now(),
  );
  await bench.drained();
  bench.changes.length = 0;
}

async function routes(...more: string[]): Promise<void> {
  await bench.open();
  await bench.load(...['routes/a.ts', ...more].map((name) => bench.write(name, text())));
}

const made = async (...names: string[]): Promise<string[]> => {
  const told = await bench.told(() => names.map((name) => bench.write(name, text())));
  return told.map((file) => file.slice(bench.dir.length + 1));
};

describe('a new file', () => {
  it('is told until the app has listed again, and from then on only if it is loaded', async () => {
    await routes();
    bench.write('routes/old.ts', text());
    await list('routes');
    expect(await made('routes/b.ts', 'routes/c.tsx')).toEqual(['routes/b.ts', 'routes/c.tsx']);
    expect(await made('routes/b.ts')).toEqual(['routes/b.ts']);
    bench.opened.add({ file: bench.path('routes/b.ts'), ...stat(bench.path('routes/b.ts')) });
    await list('routes');
    expect(await made('routes/b.ts', 'routes/c.tsx', 'routes/old.ts')).toEqual(['routes/b.ts']);
    rmSync(bench.path('routes/c.tsx'));
    expect(await made('routes/c.tsx')).toEqual([]);
  });

  it('is told with its rule, and so is its folder', async () => {
    await routes();
    await list('routes');
    await made('routes/b.ts');
    expect(bench.changes.map(({ rule }) => rule)).toContain('listed');
    expect(bench.opened.list().filter(({ rule }) => rule === 'listed')).toEqual([
      { file: bench.path('routes'), rule: 'listed' },
      { file: bench.path('routes/b.ts'), rule: 'listed' },
    ]);
  });

  it('is told when it has a content', async () => {
    await routes();
    await list('routes');
    const file = bench.path('routes/b.ts');
    expect(await bench.told(() => writeFileSync(file, ''))).toEqual([]);
    await list('routes');
    expect(await bench.told(() => writeFileSync(file, text()))).toEqual([file]);
  });

  it('is not told if it is gone again, or the app writes it', async () => {
    await routes();
    await list('routes');
    expect(await bench.told(() => rmSync(bench.write('routes/b.ts', text())))).toEqual([]);
    bench.opened.written(bench.path('routes/c.ts'));
    expect(await made('routes/b.ts', 'routes/c.ts')).toEqual(['routes/b.ts']);
  });

  it('counts by the kinds that are taken from there', async () => {
    await routes('plugins/a.js', 'words/a.json');
    const sql = bench.write('sql/a.sql');
    bench.opened.read({ file: sql, ...stat(sql), since: Date.now() });
    await list('routes', 'plugins', 'words', 'sql', 'uploads');
    const names = ['b.ts', 'b.mts', 'b.d.ts', 'b.js', 'b.json', 'b.sql', 'b.txt', 'b', '.b.ts', 'b.ts~'];
    const folders = ['routes', 'plugins', 'words', 'sql', 'uploads'];
    expect(await made(...folders.flatMap((folder) => names.map((name) => `${folder}/${name}`)))).toEqual([
      'plugins/b.js',
      'plugins/b.mts',
      'plugins/b.ts',
      'routes/b.mts',
      'routes/b.ts',
      'sql/b.sql',
      'words/b.json',
    ]);
  });

  it('is not told in the root, in what is left out, nor where only the entry lies', async () => {
    bench.write('.gitignore', 'gen\n');
    await bench.open({ ignore: ['src/x'] });
    await bench.load(...['root.ts', 'gen/a.ts', 'src/x/a.ts', 'src/a.ts'].map((name) => bench.write(name, text())));
    await list('', 'gen', 'src/x', 'src');
    expect(await made('b.ts', 'gen/b.ts', 'src/x/b.ts', 'src/b.ts')).toEqual(['src/b.ts']);
    await bench.opened.close();
    const main = bench.path('app/main.ts');
    await bench.open({ program: { kind: 'node', entry: main, main, nodeArgs: [], args: [] } });
    await bench.load(bench.write('app/main.ts', text()));
    await list('app');
    expect(await made('app/b.ts')).toEqual([]);
  });

  it('is told by looking, where no events come', async () => {
    await bench.open({ poll: 10 });
    await bench.load(bench.write('routes/a.ts', text()));
    await list('routes');
    bench.write('routes/b.ts', text());
    await bench.until(bench.path('routes/b.ts'));
    mkdirSync(bench.path('routes/sub'));
    bench.write('routes/sub/c.ts', text());
    await bench.until(bench.path('routes/sub/c.ts'));
  });
});

describe('a folder', () => {
  it('that is new is looked through, however deep, unless its name is that of build output', async () => {
    await routes();
    bench.write('routes/unseen/x.ts', text());
    await list('routes');
    const names = [
      'routes/s/b.ts',
      'routes/s/t/c.ts',
      'routes/dist/d.ts',
      'routes/.e/e.ts',
      'routes/node_modules/f/f.ts',
    ];
    expect(await made(...names)).toEqual(['routes/s/b.ts', 'routes/s/t/c.ts']);
    expect(await made('routes/s/t/g.ts', 'routes/unseen/y.ts')).toEqual(['routes/s/t/g.ts']);
  });

  it('that is moved there is looked through, and so is one that is made again', async () => {
    await routes();
    await list('routes');
    bench.write('elsewhere/b.ts', text());
    const file = bench.path('routes/s/b.ts');
    expect(await bench.told(() => renameSync(bench.path('elsewhere'), bench.path('routes/s')))).toEqual([file]);
    for (let time = 1; time <= 10; time++) {
      await bench.told(() => rmSync(bench.path('routes/s'), { recursive: true }));
      expect(await made('routes/s/b.ts'), `time ${time}`).toEqual(['routes/s/b.ts']);
    }
  });

  it('that leads to one with modules counts as well', async () => {
    await routes('plugins/s/a.ts');
    await list('routes', 'plugins', 'plugins/s', 'plugins/t');
    const names = ['plugins/b.ts', 'plugins/s/b.ts', 'routes/b.ts'];
    expect(await made(...names)).toEqual(names);
  });

  it('that was found below a listed one counts, unless its name is that of build output', async () => {
    await routes();
    for (const name of ['s', 'dist']) bench.write(`routes/${name}/x.txt`);
    const found = ['s', 'dist'].map((name) => ({ path: bench.path(`routes/${name}`), isFound: true }));
    bench.opened.listed([{ path: bench.path('routes') }, ...found], Date.now());
    await bench.drained();
    expect(await made('routes/dist/b.ts', 'routes/s/b.ts')).toEqual(['routes/s/b.ts']);
  });

  it('had in it what it had when the app was up', async () => {
    await routes();
    const names = ['a.ts', 'gone.ts'];
    bench.write('routes/b.ts', text());
    const told = await bench.told(() => bench.opened.listed([{ path: bench.path('routes'), names }], Date.now()));
    expect(told).toEqual([bench.path('routes/b.ts')]);
  });
});
