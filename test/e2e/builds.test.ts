/** A build command beside an entry of node's: what it writes is part of its save, and what is not watched is never stale. */
import { afterEach, describe, expect, test } from 'vitest';
import { until } from '../rig.ts';
import { begin, endAll, NODES, server } from './begin.ts';

afterEach(endAll);

const source = (text: string): string => `export const marker: string = '${text}';\n`;

/** As `tsc` or `swc` do: file by file, which takes its time. Each run leaves a letter. */
const COMPILER = `const { appendFileSync, mkdirSync, readFileSync, writeFileSync } = require('node:fs');
const { execFileSync } = require('node:child_process');
appendFileSync('runs', 'x');
mkdirSync('dist', { recursive: true });
const compile = (name) => {
  const text = readFileSync('src/' + name + '.ts', 'utf8').replaceAll(': string', '').replaceAll('.ts', '.js');
  writeFileSync('dist/' + name + '.js', text);
};
compile('marker');
execFileSync(process.execPath, ['-e', '']);
compile('server');
execFileSync(process.execPath, ['-e', '']);
`;

describe.each(NODES)('on Node $version', ({ node }) => {
  const build = ['--build', `"${node}" compile.cjs`];

  test.each([
    ['the sources', ['-w', 'src/**']],
    ['everything', []],
  ])('a compiler that writes what the app loads: one run and one reload a save (watching %s)', async (_, watch) => {
    const { project, hotrun, answers, quit } = await begin(
      {
        'src/server.ts': server(`import { marker } from './marker.ts';`, 'marker'),
        'src/marker.ts': source('m0'),
        'compile.cjs': COMPILER,
        '.gitignore': 'dist\nruns\n',
      },
      { node, args: [...build, ...watch, 'dist/server.js'] },
    );
    await answers('m0');
    for (const marker of ['m1', 'm2', 'm3']) {
      project.replace('src/marker.ts', source(marker));
      await answers(marker);
    }
    await until('a reload for each save', () => hotrun.stderr().match(/ready in/g)?.length === 4);
    await quit();
    expect(project.read('runs')).toBe('xxxx');
    expect(hotrun.stderr()).not.toContain('dist/marker.js');
    expect(hotrun.stderr().match(/running/g)).toHaveLength(4);
  });

  test('an entry that the build does not make after all', async () => {
    const { project, hotrun, answers, quit } = await begin(
      { 'src/a.txt': '' },
      { node, args: ['--build', 'true', '-w', 'src/**', 'dist/server.js'] },
    );
    await hotrun.seen(/^dist\/server\.js: was not made by the build command true$[\s\S]*nothing runs/m);
    project.write('dist/server.js', server('', '"made"'));
    await answers('made');
    await quit();
  });

  test('what a build makes of an ignored file is what runs', async () => {
    const { project, answers, quit } = await begin(
      {
        'src/server.ts': server(`import { made } from './made.ts';`, 'made'),
        'src/made.ts': `export const made: string = '';\n`,
        'make.cjs': `const { readFileSync, writeFileSync } = require('node:fs');
writeFileSync('src/made.ts', 'export const made: string = "' + readFileSync('word.txt', 'utf8') + '";');`,
        'word.txt': 'one',
      },
      { node, args: ['--build', `"${node}" make.cjs`, '-w', 'word.txt', '-i', 'src/made.ts', 'src/server.ts'] },
    );
    await answers('one');
    project.write('word.txt', 'two');
    await answers('two');
    await quit();
  });

  test('an ignored module is no reason to reload, and is as it is on disk in the next one', async () => {
    const { project, hotrun, answers, quit } = await begin(
      {
        'src/server.ts': server(
          `import { marker } from './marker.ts';\nimport { made } from './made.ts';`,
          'marker + made',
        ),
        'src/marker.ts': source('m0'),
        'src/made.ts': `export const made: string = 'a';\n`,
      },
      { node, args: ['-i', 'src/made.ts', 'src/server.ts'] },
    );
    await answers('m0a');
    await hotrun.seen(/ready in/);
    project.write('src/made.ts', `export const made: string = 'b';\n`);
    project.write('src/marker.ts', source('m1'));
    await answers('m1b');
    await quit();
    expect(hotrun.stderr().match(/ready in/g)).toHaveLength(2);
  });
});
