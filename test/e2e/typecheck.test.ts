/** The project's own tsc beside the app; here the one that this repository has. */
import { mkdirSync, symlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { commandOf, type Project, type Started, until } from '../rig.ts';
import { begin, endAll, SERVER } from './begin.ts';

afterEach(endAll);

const TYPESCRIPT = fileURLToPath(new URL('../../node_modules/typescript', import.meta.url));
const node = process.execPath;
const args = ['--typecheck', 'src/server.ts'];
const compilerOptions = {
  strict: true,
  module: 'nodenext',
  target: 'esnext',
  allowImportingTsExtensions: true,
  types: [],
};
const FILES = {
  ...SERVER,
  'src/marker.ts': `export const marker: string = 'm0';\nexport const count: number = marker;\n`,
  'tsconfig.json': JSON.stringify({ compilerOptions, files: ['src/marker.ts'] }),
};
const before = ({ path }: Project): void => {
  mkdirSync(path('node_modules'));
  symlinkSync(TYPESCRIPT, path('node_modules/typescript'));
};
const checkers = ({ processes }: Started): number[] => processes().filter((pid) => /\btsc\b/.test(commandOf(pid)));

test('errors are told with their places, and when they are gone', async () => {
  const { project, hotrun, answers, quit } = await begin(FILES, { node, args, before });
  await answers('m0');
  await hotrun.seen(
    /^\[hotrun\] 1 type error\nsrc\/marker\.ts:2:14: TS2322: Type 'string' is not assignable to type 'number'\.$/m,
  );
  // What is wrong for tsc runs all the same.
  project.write('src/marker.ts', `export const marker: string = 'm1';\nexport const count: string = 1;\n`);
  await answers('m1');
  await hotrun.seen(/^src\/marker\.ts:2:14: TS2322: Type 'number' is not assignable to type 'string'\.$/m);
  project.write('src/marker.ts', `export const marker: string = 'm2';\n`);
  await answers('m2');
  await hotrun.seen(/^\[hotrun\] no type errors any more$/m);
  expect(checkers(hotrun)).not.toEqual([]);
  await quit();
});

test('it ends with hotrun, also when hotrun is killed', async () => {
  const { hotrun } = await begin(FILES, { node, args, before });
  await hotrun.seen(/1 type error/);
  expect(checkers(hotrun)).not.toEqual([]);
  hotrun.kill('SIGKILL');
  await until('the end of tsc', () => checkers(hotrun).length === 0);
});

test('the key comes and goes with the rc file', async () => {
  const { project, hotrun, quit } = await begin(FILES, { node, before });
  await hotrun.seen(/ready in/);
  project.write('.hotrc.json', '{ "typecheck": true }');
  await hotrun.seen(/1 type error/);
  project.write('.hotrc.json', '{ "typecheck": false }');
  await until('the end of tsc', () => checkers(hotrun).length === 0);
  await quit();
});

test('a project without TypeScript, and one without tsconfig.json, are told so', async () => {
  const without = await begin(FILES, { node, args });
  await without.hotrun.seen(
    /types are not checked: no typescript is installed at or above src \(npm install --save-dev/,
  );
  await without.answers('m0');
  await without.quit();
  const { 'tsconfig.json': _, ...files } = FILES;
  const bare = await begin(files, { node, args, before });
  await bare.hotrun.seen(/types are not checked: there is no tsconfig\.json at or above src/);
  await bare.quit();
});
