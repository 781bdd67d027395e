import { renameSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { openResolve } from '../../src/build/resolve.ts';
import { type Files, project, write } from './project.ts';

/** `wanted` is relative to the project; null is Node's business; undefined is not found. */
function check(root: string, specifier: string, parent: string, wanted: string | null | undefined) {
  const answer = openResolve().resolve(specifier, join(root, parent));
  if (wanted === null) expect(answer).toBeNull();
  else if (wanted === undefined) expect(answer).toHaveProperty('tried');
  else expect(answer).toEqual({ file: join(root, wanted) });
}

const tree: Files = {
  'a.ts': '',
  'a.js': '',
  'only.ts': '',
  'only.js.map': '',
  'view.tsx': '',
  'm.mts': '',
  'c.cts': '',
  'plain.js': '',
  'plain.mjs': '',
  'data.json': '',
  'dotted.service.ts': '',
  'both.ts': '',
  'both/index.ts': '',
  'folder/index.tsx': '',
  'main/package.json': '{"main":"./lib/start.js"}',
  'main/lib/start.ts': '',
  'main/index.ts': '',
  'mainless/package.json': '{"main":"./gone.js"}',
  'mainless/index.mjs': '',
  'mainfolder/package.json': '{"main":"lib"}',
  'mainfolder/lib/index.js': '',
  'index.ts': '',
  'sub/x.ts': '',
  'sub/x.js': '',
  'sub/index.js': '',
  'with space.ts': '',
  'a#b.js': '',
  'addon.node': '',
  'node_modules/p/index.js': '',
  'node_modules/p/x.js': '',
  'node_modules/typed/x.ts': '',
};

test.each<[string, string, string | null | undefined]>([
  // from TypeScript: the twin first, as tsc has it
  ['./a.js', 'i.ts', 'a.ts'],
  ['./a.ts', 'i.ts', 'a.ts'],
  ['./a', 'i.ts', 'a.ts'],
  ['./only.js', 'i.ts', 'only.ts'],
  ['./view.js', 'i.tsx', 'view.tsx'],
  ['./view.jsx', 'i.ts', 'view.tsx'],
  ['./view', 'i.ts', 'view.tsx'],
  ['./m.mjs', 'i.mts', 'm.mts'],
  ['./m', 'i.ts', 'm.mts'],
  ['./c.cjs', 'i.ts', 'c.cts'],
  ['./c', 'i.cts', 'c.cts'],
  ['./plain.js', 'i.ts', 'plain.js'],
  ['./plain', 'i.ts', 'plain.js'],
  ['./data.json', 'i.ts', 'data.json'],
  ['./data', 'i.ts', 'data.json'],
  ['./dotted.service', 'i.ts', 'dotted.service.ts'],
  ['./dotted.service.js', 'i.ts', 'dotted.service.ts'],
  ['./addon', 'i.ts', 'addon.node'],
  // from JavaScript: what is written first, then Node's own order
  ['./a.js', 'i.js', 'a.js'],
  ['./a', 'i.js', 'a.js'],
  ['./only.js', 'i.mjs', 'only.ts'],
  ['./only', 'i.mjs', 'only.ts'],
  // folders
  ['./both', 'i.ts', 'both.ts'],
  ['./both/', 'i.ts', 'both/index.ts'],
  ['./folder', 'i.ts', 'folder/index.tsx'],
  ['./main', 'i.ts', 'main/lib/start.ts'],
  ['./mainless', 'i.ts', 'mainless/index.mjs'],
  ['./mainfolder', 'i.ts', 'mainfolder/lib/index.js'],
  ['.', 'i.ts', 'index.ts'],
  ['./', 'i.ts', 'index.ts'],
  ['..', 'sub/i.ts', 'index.ts'],
  ['../', 'sub/i.ts', 'index.ts'],
  ['../sub', 'sub/i.ts', 'sub/index.js'],
  ['../sub/x.js', 'sub/i.ts', 'sub/x.ts'],
  // queries, fragments, escapes
  ['./a.js?v=1', 'i.ts', 'a.ts'],
  ['./only.js#x', 'i.js', 'only.ts'],
  ['./with%20space', 'i.ts', 'with space.ts'],
  ['./a%23b.js', 'i.js', 'a#b.js'],
  ['./a#b.js', 'i.cjs', 'a#b.js'],
  ['./folder?x', 'i.ts', 'folder/index.tsx'],
  // nothing there
  ['./gone', 'i.ts', undefined],
  ['./gone.js', 'i.ts', undefined],
  ['./a.ts/', 'i.ts', undefined],
  ['./plain.mts', 'i.ts', undefined],
  ['./100%', 'i.ts', undefined],
  // Node's
  ['fs', 'i.ts', null],
  ['node:fs', 'i.ts', null],
  ['express', 'i.ts', null],
  ['#internal', 'i.ts', null],
  ['data:text/javascript,1', 'i.ts', null],
  ['https://example.com/x.js', 'i.ts', null],
  ['file://host/x.js', 'i.ts', process.platform === 'win32' ? undefined : null],
  ['./x.js', 'node_modules/p/index.js', null],
  ['./x.js', 'node_modules/typed/i.ts', 'node_modules/typed/x.ts'],
])('%s from %s is %s', (specifier, parent, wanted) => {
  check(project(tree), specifier, parent, wanted);
});

test('absolute paths and file URLs', () => {
  const root = project(tree);
  check(root, join(root, 'only.js'), 'i.ts', 'only.ts');
  check(root, join(root, 'only'), 'i.ts', 'only.ts');
  check(root, pathToFileURL(join(root, 'with space')).href, 'i.ts', 'with space.ts');
  check(root, `${pathToFileURL(join(root, 'a#b.js')).href}?1#2`, 'i.js', 'a#b.js');
});

const mapped: Files = {
  'tsconfig.json': JSON.stringify({
    compilerOptions: {
      baseUrl: '.',
      paths: {
        '@/*': ['./src/*', './gen/*'],
        exact: ['./src/exact.ts'],
        '#own/*': ['./src/*'],
        typed: ['./types/typed.d.ts'],
        dep: ['./node_modules/dep/index.js'],
        fs: ['./src/exact.ts'],
      },
    },
  }),
  'src/exact.ts': '',
  'src/a.ts': '',
  'src/folder/index.ts': '',
  'gen/b.ts': '',
  'lib/util.ts': '',
  'types/typed.d.ts': '',
  'node_modules/dep/index.js': '',
};

test.each<[string, string | null]>([
  ['@/a', 'src/a.ts'],
  ['@/a.js', 'src/a.ts'],
  ['@/b', 'gen/b.ts'],
  ['@/folder', 'src/folder/index.ts'],
  ['exact', 'src/exact.ts'],
  ['#own/a', 'src/a.ts'],
  ['lib/util', 'lib/util.ts'],
  ['@/gone', null],
  ['typed', null],
  ['dep', null],
  ['fs', null],
  ['express', null],
])('paths and baseUrl: %s is %s', (specifier, wanted) => {
  check(project(mapped), specifier, 'src/i.ts', wanted);
});

test('missed tells where a mapped file would have been', () => {
  const root = project(mapped);
  const { missed } = openResolve();
  const places = missed('@/gone', join(root, 'src/i.ts'));
  expect(places).toContain(join(root, 'src/gone.ts'));
  expect(places).toContain(join(root, 'gen/gone.ts'));
  expect(missed('node:fs', join(root, 'src/i.ts'))).toEqual([]);
});

test('rootDirs are laid over one another', () => {
  const root = project({
    'tsconfig.json': '{"compilerOptions":{"rootDirs":["src","gen/out"]}}',
    'src/view/i.ts': '',
    'gen/out/view/template.ts': '',
    'gen/out/view/only.ts': '',
    'src/view/template.ts': '',
  });
  check(root, './template.js', 'src/view/i.ts', 'src/view/template.ts');
  check(root, './only.js', 'src/view/i.ts', 'gen/out/view/only.ts');
  check(root, './i', 'gen/out/view/only.ts', 'src/view/i.ts');
  check(root, './gone', 'src/view/i.ts', undefined);
});

test.each<[string, Files, string[]]>([
  ['./x.js', {}, ['x.ts', 'x.tsx', 'x.js']],
  ['./x', {}, ['x', 'x.ts', 'x.tsx', 'x.mts', 'x.cts', 'x.js', 'x.jsx', 'x.mjs', 'x.cjs', 'x.json', 'x.node']],
  ['./d/', { 'd/package.json': '{"main":"m.js"}' }, ['d/package.json', 'd/m.ts', 'd/m.js', 'd/index.ts', 'd/index.js']],
])('tried has every path that would change the answer: %s', (specifier, files, wanted) => {
  const root = project(files);
  const { resolve, reset } = openResolve();
  const parent = join(root, 'i.ts');
  const answer = resolve(specifier, parent);
  const tried = answer && 'tried' in answer ? answer.tried : [];
  expect(tried).toEqual(expect.arrayContaining(wanted.map((name) => join(root, name))));
  for (const path of tried.filter((name) => /\.(ts|js)$/.test(name))) {
    write(root, { 'elsewhere.ts': '' });
    renameSync(join(root, 'elsewhere.ts'), path);
    reset();
    expect(resolve(specifier, parent)).toEqual({ file: path });
    renameSync(path, join(root, 'elsewhere.ts'));
  }
});

test('nothing is appended to an extension that is final', () => {
  const root = project();
  const answer = openResolve().resolve('./x.js', join(root, 'i.ts'));
  expect(answer).toEqual({ tried: ['x.ts', 'x.tsx', 'x.js'].map((name) => join(root, name)) });
});

test('links are resolved, to files and through folders, unless links are to be kept', () => {
  const root = project({ 'real/pkg/x.ts': '', 'real/one.ts': '', 'app/i.ts': '' });
  symlinkSync(join(root, 'real/pkg'), join(root, 'app/pkg'), 'junction');
  symlinkSync(join(root, 'real/one.ts'), join(root, 'app/one.ts'));
  symlinkSync(join(root, 'nowhere'), join(root, 'app/broken.ts'));
  const { resolve } = openResolve();
  for (const [specifier, way, file] of [
    ['./pkg/x.js', 'app/pkg/x.ts', 'real/pkg/x.ts'],
    ['./one.js', 'app/one.ts', 'real/one.ts'],
  ] as const)
    expect(resolve(specifier, join(root, 'app/i.ts'))).toEqual({ file: join(root, file), way: join(root, way) });
  check(root, './broken.js', 'app/i.ts', undefined);
  const kept = openResolve({ preserveSymlinks: true });
  expect(kept.resolve('./pkg/x.js', join(root, 'app/i.ts'))).toEqual({ file: join(root, 'app/pkg/x.ts') });
});

test('an answer holds until reset', () => {
  const root = project({ 'i.ts': '' });
  const { resolve, reset } = openResolve();
  expect(resolve('./x', join(root, 'i.ts'))).toHaveProperty('tried');
  write(root, { 'x.ts': '' });
  expect(resolve('./x', join(root, 'i.ts'))).toHaveProperty('tried');
  reset();
  expect(resolve('./x', join(root, 'i.ts'))).toEqual({ file: join(root, 'x.ts') });
});
