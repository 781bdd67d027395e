/** What symbolic links lead to, and where they lead to something else while the app runs. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import type { Project } from '../rig.ts';
import { begin, endAll, NODES, SERVER, server } from './begin.ts';

afterEach(endAll);

/** A package of the user's own beside the project. */
function packageBeside(project: Project, name: string, files: Readonly<Record<string, string>>): string {
  const folder = join(dirname(project.dir), name);
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), text);
  }
  return folder;
}

const lib = (text: string): Record<string, string> => ({
  'package.json': '{ "name": "lib", "type": "module", "exports": "./src/index.ts" }',
  'src/index.ts': `export const text: string = '${text}';\n`,
});

const commonLib = (text: string): Record<string, string> => ({
  'package.json': '{ "name": "lib", "main": "index.js" }',
  'index.js': `exports.text = '${text}';\n`,
});

/** As `ln -sfn` and package managers do it. */
function lead(link: string, target: string): void {
  symlinkSync(target, `${link}.new`);
  renameSync(`${link}.new`, link);
}

const APP = { 'src/server.ts': server(`import { text } from 'lib';`, 'text') };

const word = (text: string): string => `export const text: string = '${text}';\n`;

describe.each(NODES)('on $version', ({ node }) => {
  test('an entry behind a link, in a folder behind another', async () => {
    const app = await begin(SERVER, {
      node,
      args: ['linked/main.ts'],
      before(project) {
        symlinkSync('src', project.path('linked'));
        symlinkSync('server.ts', project.path('src/main.ts'));
      },
    });
    await app.answers('m0');
    app.project.write('src/marker.ts', "export const marker: string = 'm1';\n");
    await app.answers('m1');
    app.project.write('linked/server.ts', app.project.read('src/server.ts').replace('marker))', "marker + '!'))"));
    await app.answers('m1!');
    await app.quit();
  });

  test('a folder of the project that is a link, to another one from then on', async () => {
    const app = await begin(
      {
        'src/server.ts': server(`import { text } from './current/text.ts';`, 'text'),
        'src/one/text.ts': word('one'),
        'src/two/text.ts': word('two'),
      },
      { node, before: (project) => symlinkSync('one', project.path('src/current')) },
    );
    const link = app.project.path('src/current');
    await app.answers('one');
    lead(link, 'two');
    await app.answers('two');
    app.project.write('src/two/text.ts', word('two, again'));
    await app.answers('two, again');
    rmSync(link);
    symlinkSync('one', link);
    await app.answers('one');
    app.project.write('src/current/text.ts', word('one, again'));
    await app.answers('one, again');
    await app.quit();
  });

  test.each([
    ['the entry itself', 'main.ts', 'src/one/main.ts', 'src/two/main.ts'],
    ['a folder on the way to the entry', 'current', 'src/one', 'src/two'],
  ])('%s, led elsewhere', async (_, link, one, two) => {
    const main = server(`import { text } from './text.ts';`, 'text');
    const app = await begin(
      {
        'src/one/main.ts': main,
        'src/two/main.ts': main,
        'src/one/text.ts': word('one'),
        'src/two/text.ts': word('two'),
      },
      {
        node,
        args: [link === 'main.ts' ? link : `${link}/main.ts`],
        before: (project) => symlinkSync(one, project.path(link)),
      },
    );
    await app.answers('one');
    app.project.write('src/one/main.ts', main.replace('String(text)', "text + '!'"));
    await app.answers('one!');
    lead(app.project.path(link), two);
    await app.answers('two');
    app.project.write('src/two/text.ts', word('two, again'));
    await app.answers('two, again');
    await app.hotrun.seen(/two\/text\.ts changed: ready in/);
    await app.quit();
    // One each: what a link leads to is told once.
    expect(app.hotrun.stderr().match(/changed: /g)).toHaveLength(3);
  });

  test('a linked package that is another one from then on, and an installed one in the end', async () => {
    let one = '';
    let two = '';
    const app = await begin(APP, {
      node,
      before(project) {
        one = packageBeside(project, 'one', lib('one'));
        two = packageBeside(project, 'two', lib('two'));
        mkdirSync(project.path('node_modules'));
        symlinkSync('../../one', project.path('node_modules/lib'));
      },
    });
    const link = app.project.path('node_modules/lib');
    await app.answers('one');
    writeFileSync(join(one, 'src/index.ts'), lib('one, again')['src/index.ts'] ?? '');
    await app.answers('one, again');
    lead(link, two);
    await app.answers('two');
    writeFileSync(join(two, 'src/index.ts'), lib('two, again')['src/index.ts'] ?? '');
    await app.answers('two, again');
    rmSync(link);
    app.project.write('node_modules/lib/index.js', "export const text = 'installed';\n");
    app.project.write('node_modules/lib/package.json', '{ "name": "lib", "type": "module", "exports": "./index.js" }');
    await app.answers('installed');
    await app.quit();
  });

  test('a package that is installed, and then linked by npm, which writes no other lockfile', async () => {
    const app = await begin(
      {
        ...APP,
        'package.json': '{ "name": "app", "type": "module", "dependencies": { "lib": "1.0.0" } }',
        'node_modules/lib/package.json':
          '{ "name": "lib", "version": "1.0.0", "type": "module", "exports": "./index.js" }',
        'node_modules/lib/index.js': "export const text = 'installed';\n",
        'node_modules/.package-lock.json':
          '{ "lockfileVersion": 3, "packages": { "node_modules/lib": { "version": "1.0.0" } } }',
      },
      { node, before: (project) => void packageBeside(project, 'one', lib('one')) },
    );
    await app.answers('installed');
    const { status, stderr } = spawnSync(
      'npm',
      ['install', '../one', '--no-save', '--offline', '--no-audit', '--no-fund'],
      {
        cwd: app.project.dir,
        encoding: 'utf8',
      },
    );
    expect(status, stderr).toBe(0);
    await app.answers('one');
    await app.quit();
  });

  test.each([
    ['imported', ''],
    ['required', '{ "type": "commonjs" }'],
  ])('a package that is missing, %s, and is then linked without any lockfile', async (_, manifest) => {
    const app = await begin(manifest === '' ? APP : { ...APP, 'package.json': manifest }, {
      node,
      before: (project) => void packageBeside(project, 'one', manifest === '' ? lib('one') : commonLib('one')),
    });
    await app.hotrun.seen(/waiting for a change/);
    mkdirSync(app.project.path('node_modules'));
    symlinkSync('../../one', app.project.path('node_modules/lib'));
    await app.answers('one');
    await app.quit();
  });

  test('of a linked package outside the root, its package.json and tsconfig.json', async () => {
    let outside = '';
    const app = await begin(APP, {
      node,
      before(project) {
        outside = packageBeside(project, 'outside', {
          ...lib('exported'),
          'src/other.tsx': `const one = (): string => 'one', two = (): string => 'two'; export const text = <a />;\n`,
          'tsconfig.json': '{ "compilerOptions": { "jsx": "react", "jsxFactory": "one" } }',
        });
        mkdirSync(project.path('node_modules'));
        symlinkSync('../../outside', project.path('node_modules/lib'));
      },
    });
    await app.answers('exported');
    writeFileSync(join(outside, 'package.json'), '{ "name": "lib", "type": "module", "exports": "./src/other.tsx" }');
    await app.answers('one');
    writeFileSync(join(outside, 'tsconfig.json'), '{ "compilerOptions": { "jsx": "react", "jsxFactory": "two" } }');
    await app.answers('two');
    await app.quit();
  });
});
