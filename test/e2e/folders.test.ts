/** A new file in a folder that the app lists at its start, to load what it finds there, is a reload. */
import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { until } from '../rig.ts';
import { type Begun, begin, ENTITLE, endAll, NODES } from './begin.ts';

afterEach(endAll);

const TAIL = `createServer((_, response) => response.end([...found].sort().join(' '))).listen(Number(process.env.PORT), '127.0.0.1');
`;
const importing = (head: string, list: string): Record<string, string> => ({
  'src/server.ts': `import { createServer } from 'node:http';
import fs from 'node:fs';
${head}
${ENTITLE}
const found: string[] = [];
const take = async (file: string) => void found.push((await import(new URL(file, import.meta.url).href)).default);
${list}
${TAIL}`,
});

const WALK = `const walk = async (folder: string): Promise<void> => {
  for (const entry of await readdir(new URL(folder, import.meta.url), { withFileTypes: true })) {
    if (entry.isDirectory()) await walk(folder + entry.name + '/');
    else if (/(?<!\\.d)\\.ts$/.test(entry.name)) await take(folder + entry.name);
  }
};
await walk('./routes/');`;

/** Loaders of all files below routes, each with another function of node:fs. */
const LOADERS: Readonly<Record<string, Record<string, string>>> = {
  'readdir, import': importing(`import { readdir } from 'node:fs/promises';`, WALK),
  'readdirSync, recursive, import': importing(
    '',
    `for (const name of fs.readdirSync('src/routes', { recursive: true }) as string[])
  if (name.endsWith('.ts')) await take('./routes/' + name);`,
  ),
  'opendir, import': importing(
    '',
    `for await (const entry of await fs.promises.opendir('src/routes', { recursive: true }))
  if (entry.name.endsWith('.ts')) await take(entry.parentPath.replace(/.*src/, '.') + '/' + entry.name);`,
  ),
  'readdirSync, require': {
    'package.json': '{}',
    'src/server.ts': `const { createServer } = require('node:http');
const { readdirSync, statSync } = require('node:fs');
const { join } = require('node:path');
${ENTITLE}
const found: string[] = [];
const walk = (folder: string): void => {
  for (const name of readdirSync(folder)) {
    if (statSync(join(folder, name)).isDirectory()) walk(join(folder, name));
    else if (name.endsWith('.ts')) found.push(require(join(folder, name)).default);
  }
};
walk(join(__dirname, 'routes'));
${TAIL}`,
  },
};

/** The same, with the number of the generation, for each way that a file is loaded. */
const BY_ENDING = [
  { ending: '.ts', type: 'module' },
  { ending: '.js', type: 'module' },
  { ending: '.ts', type: 'commonjs' },
  { ending: '.js', type: 'commonjs' },
].map(({ ending, type }) => {
  const isModule = type === 'module';
  return {
    name: `${isModule ? 'imports' : 'requires'} as ${ending}`,
    ending,
    give: (name: string) => (isModule ? `export default '${name}';\n` : `exports.default = '${name}';\n`),
    files: {
      'package.json': JSON.stringify({ type }),
      [`src/server${isModule ? '.mts' : '.cts'}`]: `import { readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
${ENTITLE}
const found: string[] = [];
const folder = join(process.cwd(), 'src/routes');
for (const name of readdirSync(folder)) found.push((${isModule ? 'await import' : 'require'}(join(folder, name))).default);
found.push(String(process.env.HOTRUN_GENERATION));
createServer((_, response) => response.end(found.join(' '))).listen(Number(process.env.PORT), '127.0.0.1');
`,
    },
    entry: `src/server${isModule ? '.mts' : '.cts'}`,
  };
});

const route = (name: string): string => `export default '${name}';\n`;

/** All reloads so far, by what they were for. */
const reloads = ({ hotrun }: Begun): string[] =>
  [...hotrun.stderr().matchAll(/\[hotrun\] (.*) changed: ready in/g)].map(([, what]) => what ?? '');

/** Saves a loaded file: what was told before would be a reload of its own, or named with this one. */
const fence = async (begun: Begun, text: string): Promise<void> => {
  begun.project.write('src/routes/a.ts', route(text));
  await until(text, async () => (await begun.ask()).includes(text));
  await begun.hotrun.seen(/src\/routes\/a\.ts changed: ready in/);
};

describe.each(NODES)('on Node $version', ({ node }) => {
  test.each(Object.entries(LOADERS))('of a loader with %s', async (_name, app) => {
    const files = { ...app, 'src/routes/a.ts': route('a'), 'src/routes/users/b.ts': route('b') };
    const begun = await begin(files, { node, args: ['--why', 'src/server.ts'] });
    const { project, answers, hotrun } = begun;
    await answers('a b');
    await hotrun.seen(/ready in/);
    project.write('src/routes/users/c.ts', route('c'));
    await answers('a b c');
    await hotrun.seen(/src\/routes\/users\/c\.ts counts: the app lists the folder when it starts/);
    await hotrun.seen(/src\/routes\/users\/c\.ts changed: ready in/);
    project.write('src/routes/new/d.ts', route('d'));
    await answers('a b c d');
  });

  describe.each(BY_ENDING)('a syntax error in what a loader $name', ({ files, entry, ending, give }) => {
    const file = (name: string) => `src/routes/${name}${ending}`;
    const BROKEN = `${give('x')}let let = ;\n`;

    test('of a new file is told, and the old version serves on', async () => {
      const begun = await begin({ ...files, [file('a')]: give('a') }, { node, args: ['--verbose', entry] });
      const { project, answers, ask, hotrun } = begun;
      await answers('a 1');
      await hotrun.seen(/ready in/);
      project.write(file('b'), BROKEN);
      await hotrun.seen(new RegExp(`${file('b')} changed: (build failed|cannot be loaded)\n${file('b')}:\\d+`));
      await hotrun.seen(/the running version is not touched/);
      expect(await ask()).toBe('a 1');
      project.write(file('b'), give('b'));
      await answers('a b 2');
      await hotrun.seen(/ready in/);

      project.write(file('c'), BROKEN);
      await hotrun.seen(/the running version is not touched/);
      // It is in the way of no other save once it is gone.
      project.remove(file('c'));
      await hotrun.seen(new RegExp(`${file('c')} saved: nothing differs`));
      project.write(file('a'), give('a1'));
      await answers('a1 b 3');
    });

    test('of one that it has loaded is, too', async () => {
      const begun = await begin({ ...files, [file('a')]: give('a') }, { node, args: [entry] });
      const { project, answers, ask, hotrun } = begun;
      await answers('a 1');
      await hotrun.seen(/ready in/);
      project.write(file('a'), BROKEN);
      await hotrun.seen(new RegExp(`${file('a')} changed: (build failed|cannot be loaded)\n${file('a')}:\\d+`));
      await hotrun.seen(/the running version is not touched/);
      expect(await ask()).toBe('a 1');
      project.write(file('a'), give('a1'));
      await hotrun.seen(/ready in/);
      expect(await ask()).toMatch(/^a1 \d$/);
    });
  });

  test('it is a file like others then, and folders come and go', async () => {
    const files = { ...LOADERS['readdir, import'], 'src/routes/a.ts': route('a'), 'src/routes/b.ts': route('b') };
    const begun = await begin(files, { node, args: ['--why', 'src/server.ts'] });
    const { project, answers, hotrun } = begun;
    await answers('a b');
    await hotrun.seen(/ready in/);
    project.write('src/routes/items/new/c.ts', route('c'));
    await answers('a b c');
    await hotrun.seen(/ready in/);
    project.write('src/routes/items/new/c.ts', route('c1'));
    await answers('a b c1');
    await hotrun.seen(/c\.ts counts: the app loads it[\s\S]*ready in/);
    rmSync(project.path('src/routes/items'), { recursive: true });
    await answers('a b');
    await hotrun.seen(/ready in/);
    project.write('src/routes/items/d.ts', route('d'));
    await answers('a b d');
    await hotrun.seen(/ready in/);

    const before = reloads(begun).length;
    renameSync(project.path('src/routes/b.ts'), project.path('src/routes/e.ts'));
    await hotrun.seen(/e\.ts changed: ready in/);
    await answers('a b d');
    expect(reloads(begun).slice(before)).toEqual(['src/routes/b.ts and src/routes/e.ts']);
  });

  test('one that is empty at first is one reload, with its content', async () => {
    const files = { ...LOADERS['readdir, import'], 'src/routes/a.ts': route('a') };
    const begun = await begin(files, { node });
    await begun.answers('a');
    await begun.hotrun.seen(/ready in/);
    const { project } = begun;
    project.write('src/routes/b.ts', '');
    // A reload that is not for its sake: it is loaded all the same, and has no default.
    project.write('src/routes/a.ts', route('a1'));
    await begun.answers('a1 ');
    project.write('src/routes/b.ts', route('b'));
    await begun.answers('a1 b');
    await begun.hotrun.seen(/b\.ts changed: ready in/);
    expect(reloads(begun)).toEqual(['src/routes/a.ts', 'src/routes/b.ts']);
  });

  test('what is no module, is left out, is written by the app or lies where it loads nothing is none', async () => {
    const files = {
      ...importing(
        `import { execFileSync } from 'node:child_process';
import { readdir } from 'node:fs/promises';`,
        `${WALK}
fs.readdirSync('src/uploads');
fs.readdirSync('.');
fs.writeFileSync('src/routes/own' + process.pid + '.d.ts', '');
fs.writeFileSync('src/routes/own' + process.pid + '.mts', String(process.pid));
execFileSync('sh', ['-c', 'rm -f src/routes/made.tsx; echo "// $$" > src/routes/made.tsx']);`,
      ),
      '.gitignore': 'gen\n',
      'src/routes/a.ts': route('a'),
      'src/uploads/a.txt': '',
    };
    const begun = await begin(files, { node });
    const { project, answers, hotrun } = begun;
    await answers('a');
    await hotrun.seen(/ready in/);
    // What a process of the app makes has been there when it was up.
    for (const time of [1, 2, 3]) await fence(begun, `a${time}`);
    for (const name of [
      'b.json',
      'b.js',
      'b.test.ts',
      'b.d.ts',
      'b.log',
      'b.ts~',
      '.b.ts',
      'dist/b.ts',
      '.c/b.ts',
      'gen/b.ts',
    ])
      project.write(`src/routes/${name}`, route('b'));
    project.write('src/uploads/b.ts', route('b'));
    project.write('src/b.ts', route('b'));
    project.write('b.ts', route('b'));
    mkdirSync(project.path('src/routes/empty'));
    await fence(begun, 'a4');
    expect(reloads(begun)).toEqual(Array(4).fill('src/routes/a.ts'));
  });

  test('--list-watched names the folders, and --no-watch-reads watches none', async () => {
    const files = { ...LOADERS['readdir, import'], 'src/routes/a.ts': route('a'), 'src/routes/users/b.ts': route('b') };
    const listed = await begin(files, { node, args: ['--list-watched', 'src/server.ts'] });
    await listed.hotrun.ended;
    expect(listed.hotrun.stderr()).toContain('src/routes: the app lists the folder when it starts\n');
    expect(listed.hotrun.stderr()).toContain('src/routes/users: the app lists the folder when it starts\n');

    const begun = await begin(files, { node, args: ['--no-watch-reads', 'src/server.ts'] });
    await begun.answers('a b');
    await begun.hotrun.seen(/ready in/);
    begun.project.write('src/routes/c.ts', route('c'));
    await fence(begun, 'a1');
    expect(reloads(begun)).toEqual(['src/routes/a.ts']);
  });
});
