/** The rc file, tsconfig.json and package.json count as soon as they are saved, and no request is lost by it. */
import { afterEach, describe, expect, test } from 'vitest';
import { until } from '../rig.ts';
import { begin, ENTITLE, endAll, NODES, server } from './begin.ts';

afterEach(endAll);

const rc = (value: object): string => JSON.stringify(value);
const FILES = {
  'src/server.ts': server(
    `import { marker } from './marker.ts';`,
    `marker + process.argv.slice(2).join() + process.title`,
  ),
  'src/marker.ts': `export const marker: string = 'm0';\n`,
};
const TITLE = 'a generation';

/** Asks without a pause, each time over a connection of its own, until it is stopped; then says what failed. */
function asking(ask: () => Promise<string>): () => Promise<readonly string[]> {
  let isOver = false;
  const failures: string[] = [];
  const done = (async () => {
    while (!isOver) await ask().catch((error: Error) => failures.push(error.message));
  })();
  return async () => {
    isOver = true;
    await done;
    return failures;
  };
}

describe.each(NODES)('node $version', ({ node }) => {
  test('each setting counts at once, the port stays open, and there are never two', async () => {
    const { project, hotrun, ask, answers, apps, quit } = await begin(
      { ...FILES, '.hotrc.json': rc({ entry: 'src/server.ts' }), 'note.txt': '' },
      { node, args: [] },
    );
    await answers(`m0${TITLE}`);
    const stop = asking(ask);
    let most = 0;
    const counting = setInterval(() => {
      most = Math.max(most, apps().length);
    }, 1);
    const saved = async (settings: object, body: string): Promise<void> => {
      project.write('.hotrc.json', rc({ entry: 'src/server.ts', ...settings }));
      await hotrun.seen(/\.hotrc\.json changed: ready in/);
      await answers(body);
    };
    await saved({ args: ['a', 'b'] }, `m0a,b${TITLE}`);
    await saved({ args: ['a'], nodeArgs: ['--title=x'] }, `m0a${TITLE}`);
    await saved({ stop: { SIGTERM: 1000 } }, `m0${TITLE}`);
    await saved({ watch: ['*.txt'], standby: false }, `m0${TITLE}`);
    project.write('note.txt', 'x');
    await hotrun.seen(/note\.txt changed: ready in/);
    await saved({ ignore: ['marker.ts'] }, `m0${TITLE}`);
    project.write('src/marker.ts', `export const marker: string = 'm1';\n`);
    await saved({ log: 'verbose' }, `m1${TITLE}`);
    project.write('src/marker.ts', `export const marker: string = 'm2';\n`);
    await answers(`m2${TITLE}`);
    clearInterval(counting);
    expect(await stop()).toEqual([]);
    expect(most).toBe(1);
    // The new entry, and back again without the file.
    project.write('src/other.ts', server('', `'other'`));
    await saved({ entry: 'src/other.ts' }, 'other');
    await quit();
  });

  test('broken settings are told in one sentence, and the last good ones stay', async () => {
    const { project, hotrun, answers, quit } = await begin(
      { ...FILES, '.hotrc.json': rc({ entry: 'src/server.ts', args: ['a'] }) },
      { node, args: [] },
    );
    await answers(`m0a${TITLE}`);
    project.write('.hotrc.json', '{ "entry": "src/server.ts", "args": ["b" }');
    await hotrun.seen(/^\[hotrun\] \.hotrc\.json:1: not valid JSON near "args\.0": .*; the last good settings stay$/m);
    project.write('src/marker.ts', `export const marker: string = 'm1';\n`);
    await answers(`m1a${TITLE}`);
    project.write('.hotrc.json', rc({ entry: 'src/server.ts', args: ['b'] }));
    await answers(`m1b${TITLE}`);
    // What they name may appear later.
    project.write('.hotrc.json', rc({ entry: 'src/later.ts' }));
    await hotrun.seen(
      /\.hotrc\.json:1: "entry" names src\/later\.ts, which does not exist.*; the last good settings stay$/m,
    );
    project.write('src/later.ts', server('', `'later'`));
    await answers('later');
    project.remove('.hotrc.json');
    await hotrun.seen(/nothing to run: .*; the last good settings stay$/m);
    project.write('package.json', '{ "type": "module", "hotrun": { "entry": "src/server.ts", "args": ["c"] } }');
    await answers(`m1c${TITLE}`);
    await quit();
  });

  test('a handover changes while the app reloads', async () => {
    const { project, hotrun, answers, quit } = await begin(FILES, { node });
    await answers(`m0${TITLE}`);
    for (const [round, handover] of ['overlap', 'sequential', 'overlap', 'sequential'].entries()) {
      project.write('src/marker.ts', `export const marker: string = 'm${round + 1}';\n`);
      project.write('.hotrc.json', rc({ handover }));
      await answers(`m${round + 1}${TITLE}`);
    }
    await hotrun.seen(/ready in/);
    await quit();
  });

  test('a file becomes a command and a file again', async () => {
    const { project, hotrun, answers, quit } = await begin(
      {
        ...FILES,
        'plain.cjs': `${ENTITLE}require('node:http').createServer((_, response) => response.end('plain')).listen(Number(process.env.PORT), '127.0.0.1');`,
        '.hotrc.json': rc({ entry: 'src/server.ts' }),
      },
      { node, args: [] },
    );
    await answers(`m0${TITLE}`);
    project.write('.hotrc.json', rc({ run: ['node', 'plain.cjs'], watch: ['*.cjs'] }));
    await answers('plain');
    project.write('.hotrc.json', rc({ entry: 'src/server.ts' }));
    await answers(`m0${TITLE}`);
    await until('one start of each', () => hotrun.stderr().match(/ready in/g)?.length === 3);
    await quit();
  });

  test('tsconfig.json: what it shapes is made anew, also on disk; a broken one is told with its place', async () => {
    const tsconfig = (jsxFactory: string): string => rc({ compilerOptions: { jsx: 'react', jsxFactory } });
    const files = {
      'src/server.ts': server(`import { view } from './view.tsx';`, 'view'),
      'src/view.tsx': `const one = (tag: string) => 'one ' + tag;\nconst two = (tag: string) => 'two ' + tag;\nvoid one, two;\nexport const view = <b />;\n`,
      'tsconfig.json': rc({ extends: './base.json' }),
      'base.json': tsconfig('one'),
      'node_modules/.keep': '',
    };
    const { project, hotrun, ask, answers, quit } = await begin(files, { node });
    await answers('one b');
    project.write('base.json', tsconfig('two'));
    await answers('two b');
    await hotrun.seen(/base\.json changed: ready in/);
    project.write('base.json', '{ "compilerOptions": }');
    await hotrun.seen(/base\.json changed: build failed\nbase\.json:1:\d+: /);
    await hotrun.seen(/the running version is not touched/);
    expect(await ask()).toBe('two b');
    project.write('base.json', tsconfig('one'));
    await answers('one b');
    // One that is nearer than the one that counted.
    project.write('src/tsconfig.json', tsconfig('two'));
    await answers('two b');
    project.remove('src/tsconfig.json');
    await answers('one b');
    await quit();
  });

  test('tsconfig.json: paths', async () => {
    const tsconfig = (folder: string): string => rc({ compilerOptions: { paths: { '@it': [`./${folder}/it.ts`] } } });
    const { project, hotrun, answers, quit } = await begin(
      {
        'src/server.ts': server(`import { it } from '@it';`, 'it'),
        'a/it.ts': `export const it: string = 'a';`,
        'b/it.ts': `export const it: string = 'b';`,
        'tsconfig.json': '{ "extends": "./conf/base.json" }',
      },
      { node },
    );
    // The one that it extends is missing, and appears.
    await hotrun.seen(/tsconfig\.json:1:14: "extends" names[\s\S]*waiting for a change/);
    project.write('conf/base.json', '{ "extends": "../paths.json" }');
    await hotrun.seen(/base\.json:1:14: "extends" names[\s\S]*waiting for a change/);
    project.write('paths.json', tsconfig('a'));
    await answers('a');
    project.write('paths.json', tsconfig('b'));
    await answers('b');
    await quit();
  });

  test('tsconfig.json and jsconfig.json: jsx and paths, where all is JavaScript', async () => {
    const jsx = (jsxFactory: string, folder: string): string =>
      rc({ compilerOptions: { jsx: 'react', jsxFactory, paths: { '@it': [`./${folder}/it.js`] } } });
    const { project, hotrun, answers, quit } = await begin(
      {
        'src/server.js': server(`import { it } from '@it'; import { view } from './view.js';`, 'view + it'),
        'src/view.js': `const one = () => 'one ';\nconst two = () => 'two ';\nvoid [one, two];\nexport const view = <b />;\n`,
        'a/it.js': `export const it = 'a';`,
        'b/it.js': `export const it = 'b';`,
        'jsconfig.json': rc({ compilerOptions: { paths: { '@it': ['./a/it.js'] } } }),
      },
      { node, args: ['src/server.js'] },
    );
    await hotrun.seen(/view\.js:4:21: JSX in a \.js file needs "jsx" among[\s\S]*waiting for a change/);
    project.write('jsconfig.json', jsx('one', 'a'));
    await answers('one a');
    project.write('jsconfig.json', jsx('two', 'b'));
    await answers('two b');
    project.write('tsconfig.json', jsx('one', 'b'));
    await answers('one b');
    await quit();
  });

  test('package.json: its type and its imports count, its scripts do not; one of a part of the repo does too', async () => {
    const { project, hotrun, answers, quit } = await begin(
      {
        'package.json': rc({ imports: { '#it': './a.mjs' } }),
        'src/server.mts': server(`import { it } from '#it'; import part from '../part/index.js';`, 'it + part.type'),
        'a.mjs': `export const it = 'a';`,
        'b.mjs': `export const it = 'b';`,
        'part/package.json': rc({ type: 'commonjs' }),
        'part/index.js': `export default { type: 'x' };`,
      },
      { node, args: ['--verbose', 'src/server.mts'] },
    );
    await hotrun.seen(/cannot be loaded/);
    project.write('part/package.json', rc({ type: 'module' }));
    await answers('ax');
    project.write('package.json', rc({ imports: { '#it': './b.mjs' } }));
    await answers('bx');
    project.write('package.json', rc({ imports: { '#it': './b.mjs' }, scripts: { x: 'y' } }));
    await hotrun.seen(/package\.json saved: nothing differs from what runs/);
    project.write('a.mjs', `export const it = 'c';`);
    project.write('package.json', rc({ imports: { '#it': './a.mjs' }, scripts: { x: 'y' } }));
    await answers('cx');
    await quit();
  });
});
