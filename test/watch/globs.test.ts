/** Files that globs match, now and in the future; and everything, for a command. */
import { mkdirSync, realpathSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Bench, text, waysOfSaving } from './bench.ts';

const command = { kind: 'command', run: 'go run .' } as const;

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});
afterEach(() => bench.close());

const listed = () =>
  bench.opened
    .list()
    .filter(({ file }) => file.startsWith(bench.dir))
    .map(({ file, rule }) => `${file.slice(bench.dir.length + 1)} ${rule}`);

describe('globs', () => {
  it('match files of any kind, however they are saved', async () => {
    const view = bench.write('views/a.html', text());
    const env = bench.write('.env', text());
    const other = bench.write('views/a.css', text());
    await bench.open({ watch: ['views/**/*.html', '.env'] });
    expect(listed()).toEqual(['.env watch', 'views/a.html watch']);
    for (const [name, save] of Object.entries(waysOfSaving)) {
      for (let time = 1; time <= 5; time++) {
        expect(await bench.told(() => save(view)), name).toEqual([view]);
        expect(await bench.told(() => save(env)), name).toEqual([env]);
      }
    }
    expect(await bench.told(() => writeFileSync(other, text()))).toEqual([]);
  });

  it('match files that come later, in folders that come later', async () => {
    await bench.open({ watch: ['views/**/*.html', '.env', 'config'] });
    const [view, env, config] = ['views/x/y/z/a.html', '.env', 'config/sub/.hidden/a.yaml'].map((name) =>
      bench.path(name),
    );
    for (let time = 1; time <= 10; time++) {
      expect(await bench.told(() => bench.write('views/x/y/z/a.html', text()))).toEqual([view]);
      expect(await bench.told(() => bench.write('config/sub/.hidden/a.yaml', text()))).toEqual([config]);
      expect(await bench.told(() => bench.write('.env', text()))).toEqual([env]);
      expect(await bench.told(() => bench.write('views/x/y/z/a.html', text()))).toEqual([view]);
      expect(listed()).toHaveLength(3);
      expect(await bench.told(() => rmSync(bench.path('views'), { recursive: true }))).toEqual([view]);
      expect(await bench.told(() => renameSync(bench.path('config'), bench.path(`away${time}`)))).toEqual([config]);
      expect(await bench.told(() => rmSync(bench.path('.env')))).toEqual([env]);
      expect(await bench.told(() => bench.write(`away${time}/sub/.hidden/a.yaml`, text()))).toEqual([]);
      expect(listed()).toEqual([]);
    }
  });

  it('match in a tree that is moved in whole, and out again', async () => {
    await bench.open({ watch: ['views/**'] });
    const files = ['a/1.html', 'a/b/2.html', 'a/b/c/3.html'].map((name) => bench.write(join('stage', name), text()));
    const there = files.map((file) => file.replace('stage', 'views'));
    mkdirSync(bench.path('views'));
    for (let time = 1; time <= 10; time++) {
      expect(await bench.told(() => renameSync(bench.path('stage/a'), bench.path('views/a')))).toEqual(there);
      for (const file of there) expect(await bench.told(() => writeFileSync(file, text()))).toEqual([file]);
      expect(await bench.told(() => renameSync(bench.path('views/a'), bench.path('stage/a')))).toEqual(there);
    }
  });

  it('may lead out of the project, or be absolute', async () => {
    const outside = join(dirname(bench.dir), 'shared');
    mkdirSync(outside);
    const file = join(outside, 'deep/a.sql');
    await bench.open({ watch: ['../shared/**/*.sql', join(outside, '*.json')] });
    const write = () => {
      mkdirSync(join(outside, 'deep'), { recursive: true });
      writeFileSync(file, text());
    };
    expect(await bench.told(write)).toEqual([file]);
    expect(await bench.told(() => writeFileSync(join(outside, 'a.json'), text()))).toEqual([join(outside, 'a.json')]);
    expect(await bench.told(() => writeFileSync(join(outside, 'b.sql.bak'), text()))).toEqual([]);
  });

  it('know negations, ignores and defaults; a named folder beats the defaults', async () => {
    await bench.open({ watch: ['**/*.sql', '!gen', 'dist/*.sql'], ignore: ['*.tmp.sql'] });
    const names = [
      'a.sql',
      'gen/a.sql',
      'dist/a.sql',
      'x/dist/a.sql',
      'x/a.tmp.sql',
      'node_modules/a.sql',
      'x/y/a.sql',
    ];
    const told = await bench.told(() => names.map((name) => bench.write(name, text())));
    expect(told).toEqual(['a.sql', 'dist/a.sql', 'x/y/a.sql'].map((name) => bench.path(name)));
  });

  it('take names with glob characters literally where they exist', async () => {
    const file = bench.write('routes/[id].ts', text());
    await bench.open({ watch: ['routes/[id].ts'] });
    for (const save of Object.values(waysOfSaving)) expect(await bench.told(() => save(file))).toEqual([file]);
  });

  it('follow a linked folder, and do not go round in circles', async () => {
    bench.write('real/a.html', text());
    mkdirSync(bench.path('views'));
    symlinkSync('../real', bench.path('views/linked'));
    symlinkSync('..', bench.path('views/up'));
    symlinkSync('.', bench.path('views/here'));
    await bench.open({ watch: ['views'] });
    expect(listed()).toEqual(['views/linked/a.html watch']);
    expect(await bench.told(() => bench.write('real/b.html', text()))).toEqual([bench.path('views/linked/b.html')]);
  });

  it('match a linked file, and tell when the file it leads to is saved', async () => {
    const target = bench.write('real.html', text());
    mkdirSync(bench.path('views'));
    symlinkSync('../real.html', bench.path('views/a.html'));
    await bench.open({ watch: ['views'] });
    for (const save of Object.values(waysOfSaving)) {
      expect(await bench.told(() => save(target))).toEqual([bench.path('views/a.html')]);
    }
  });

  it('tell a file that is written, or made, while the watch opens', async () => {
    const there = Array.from({ length: 100 }, (_, at) => bench.write(`views/${at}/deep/a.html`, text()));
    const files = [...there, ...there.map((file) => file.replace('deep', 'new'))];
    const opening = bench.open({ watch: ['views/**/*.html'] });
    const seen = new Set<string>();
    const collect = setInterval(() => bench.changes.map(({ file }) => seen.add(file)));
    for (const file of files) {
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text());
    }
    // open() forgets what it saw, so look before it does.
    await Promise.all(files.map((file) => bench.until(file)));
    for (const { file } of bench.changes) seen.add(file);
    clearInterval(collect);
    await opening;
    expect(files.filter((file) => !seen.has(file))).toEqual([]);
  });
});

describe('everything, for a command', () => {
  it('is told but for the defaults and what .gitignore lists', async () => {
    bench.write('.gitignore', '*.db\n/secret/\n');
    bench.write('pkg/.gitignore', '*.gen.go\n!keep.gen.go\n');
    await bench.open({ program: command });
    const names = [
      'main.go',
      '.env',
      'app.db',
      'secret/a.go',
      'pkg/secret/a.go',
      'pkg/a.gen.go',
      'pkg/keep.gen.go',
      'pkg/new/deep/b.go',
      'node_modules/x.js',
      'dist/x.js',
      '.git/HEAD',
      'main.go~',
      '.main.go.swp',
    ];
    const watched = ['.env', 'main.go', 'pkg/keep.gen.go', 'pkg/new/deep/b.go', 'pkg/secret/a.go'];
    for (let time = 1; time <= 5; time++) {
      const told = await bench.told(() => names.map((name) => bench.write(name, text())));
      expect(told).toEqual(watched.map((name) => bench.path(name)));
    }
    expect(listed().sort()).toEqual(['.gitignore', 'pkg/.gitignore', ...watched].map((name) => `${name} watch`).sort());
  });

  it('follows .gitignore when it changes', async () => {
    bench.write('.gitignore', 'gen\n');
    const file = bench.write('gen/a.go', text());
    await bench.open({ program: command });
    expect(await bench.told(() => writeFileSync(file, text()))).toEqual([]);
    expect(await bench.told(() => bench.write('.gitignore', 'other\n'))).toContain(bench.path('.gitignore'));
    expect(await bench.told(() => writeFileSync(file, text()))).toEqual([file]);
    await bench.told(() => bench.write('.gitignore', 'gen\n'));
    expect(await bench.told(() => writeFileSync(file, text()))).toEqual([]);
  });

  it.each(['.gitignore', '.ignore', '../.gitignore', '../.git/info/exclude'])(
    'follows %s when it changes, where no glob is looked for',
    async (list) => {
      bench.write('../.git/info/exclude', '');
      const file = bench.write('db/gen/a.sql', text());
      await bench.open({ watch: ['db/**/*.sql'] });
      for (let time = 1; time <= 3; time++) {
        expect(await bench.told(() => writeFileSync(file, text()))).toEqual([file]);
        await bench.told(() => bench.write(list, 'gen\n'));
        expect(await bench.told(() => writeFileSync(file, text()))).toEqual([]);
        await bench.told(() => bench.write(list, 'other\n'));
      }
    },
  );

  it('is told however a file is saved, without the editor’s own files', async () => {
    const file = bench.write('cmd/api/main.go', text());
    await bench.open({ program: command });
    for (const [name, save] of Object.entries(waysOfSaving)) {
      const told = await bench.told(() => save(file));
      expect(
        told.filter((each) => !/\.(?:tmp|\d)$/.test(each)),
        name,
      ).toEqual([file]);
    }
  });

  it('is told of a folder removed and made again', async () => {
    const file = bench.write('a/b/c.go', text());
    await bench.open({ program: command });
    for (let time = 1; time <= 20; time++) {
      const remake = () => {
        rmSync(bench.path('a'), { recursive: true });
        bench.write('a/b/c.go', text());
      };
      expect(await bench.told(remake), `time ${time}`).toEqual([file]);
      expect(await bench.told(() => writeFileSync(file, text())), `time ${time}`).toEqual([file]);
    }
  });

  it('works where the working directory is reached by a link', async () => {
    const file = bench.write('a.go', text());
    const alias = join(dirname(bench.dir), 'alias');
    symlinkSync(bench.dir, alias);
    await bench.open({ program: command, cwd: alias, root: alias, base: alias });
    expect(await bench.told(() => writeFileSync(file, text()))).toEqual([join(alias, 'a.go')]);
    expect(realpathSync(alias)).toBe(bench.dir);
  });
});
