import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openTsconfigs, type TsconfigInfo } from '../../src/build/tsconfig.ts';
import { age, type Files, freshen, project, write } from './project.ts';

const optionsOf = (info: TsconfigInfo | null) => JSON.parse(info?.raw || 'null')?.compilerOptions;

function infoFor(files: Files, file = 'src/x.ts') {
  const root = project(files);
  const info = openTsconfigs().tsconfigFor(join(root, file));
  return { root, info, options: optionsOf(info) };
}

test('the nearest tsconfig with all it extends, from files, arrays and packages', () => {
  const { root, info, options } = infoFor(
    {
      'tsconfig.json': '{ "compilerOptions": { "jsxFactory": "unused" } }',
      'app/tsconfig.json':
        '{ // comment\n "extends": ["../base/one.json", "pkg/tsconfig.json"], "compilerOptions": { "target": "ES2020", } }',
      'base/one.json': '{ "compilerOptions": { "jsx": "react", "experimentalDecorators": true } }',
      'node_modules/pkg/package.json': '{}',
      'node_modules/pkg/tsconfig.json': '{ "compilerOptions": { "jsx": "react-jsx", "jsxImportSource": "preact" } }',
      'app/src/x.ts': '',
    },
    'app/src/x.ts',
  );
  expect(options).toEqual({
    target: 'es2020',
    jsx: 'react-jsx',
    jsxImportSource: 'preact',
    experimentalDecorators: true,
  });
  expect(info?.path).toBe(join(root, 'app/tsconfig.json'));
  expect(info?.files[0]).toBe(info?.path);
  expect([...(info?.files ?? [])].sort()).toEqual(
    [join(root, 'app/tsconfig.json'), join(root, 'base/one.json'), join(root, 'node_modules/pkg/tsconfig.json')].sort(),
  );
});

test.each<[string, Files, object | undefined]>([
  ['none at all', {}, undefined],
  ['jsconfig.json', { 'jsconfig.json': '{"compilerOptions":{"jsxFactory":"h"}}' }, { jsxFactory: 'h' }],
  [
    'a tsconfig.json further up before a jsconfig.json',
    { 'tsconfig.json': '{}', 'src/jsconfig.json': '{"compilerOptions":{"jsxFactory":"h"}}' },
    {},
  ],
  ['an empty file', { 'tsconfig.json': '' }, {}],
  ['only a comment', { 'tsconfig.json': '// later\n' }, {}],
  [
    'class fields by target',
    { 'tsconfig.json': '{"compilerOptions":{"target":"es2022"}}' },
    { target: 'es2022', useDefineForClassFields: true },
  ],
  [
    'strict',
    { 'tsconfig.json': '{"compilerOptions":{"strict":true}}' },
    { alwaysStrict: true, strictNullChecks: true },
  ],
  ['jsx is never preserved', { 'tsconfig.json': '{"compilerOptions":{"jsx":"preserve"}}' }, { jsx: 'react-jsx' }],
  ['options of no concern', { 'tsconfig.json': '{"compilerOptions":{"noEmit":true,"lib":["es2023"]}}' }, {}],
])('%s', (_, files, wanted) => {
  expect(infoFor(files).options).toEqual(wanted);
});

test('files in node_modules have none', () => {
  const { info } = infoFor(
    { 'node_modules/p/tsconfig.json': '{"extends":"@gone/base"}', 'tsconfig.json': '{}' },
    'node_modules/p/x.ts',
  );
  expect(info).toBeNull();
});

test('paths, baseUrl and rootDirs come out absolute', () => {
  const { root, info } = infoFor({
    'tsconfig.json': '{"extends":"./conf/base.json"}',
    'conf/base.json':
      '{"compilerOptions":{"paths":{"@/*":["../src/*","../gen/*"],"one":["../one.ts"]},"rootDirs":["../src","../gen"]}}',
  });
  expect(info?.match('@/a/b')).toEqual([`${root}/src/a/b`, `${root}/gen/a/b`]);
  expect(info?.match('one')).toEqual([`${root}/one.ts`]);
  expect(info?.match('two')).toEqual([]);
  expect(info?.match('./x')).toEqual([]);
  expect(info?.rootDirs).toEqual([join(root, 'src'), join(root, 'gen')]);
});

test.each<[string, Files, object]>([
  [
    'bad JSON',
    { 'tsconfig.json': '{\n  "compilerOptions": {\n    "strict" true\n  }\n}' },
    { file: 'tsconfig.json', line: 3, column: 14, text: 'This is not valid JSON with comments: colon expected.' },
  ],
  [
    'bad JSON in an extended file',
    { 'tsconfig.json': '{"extends":"./base.json"}', 'base.json': '{\n]' },
    { file: 'base.json', line: 2, column: 1 },
  ],
  [
    'an extended file that is not there',
    { 'tsconfig.json': '{\n  "extends": "./gone.json"\n}' },
    {
      file: 'tsconfig.json',
      line: 2,
      column: 14,
      length: 13,
      text: '"extends" names ./gone.json, which is not there.',
    },
  ],
  [
    'an extended package that is not there, two files on',
    { 'tsconfig.json': '{"extends":"./base.json"}', 'base.json': '{\n"extends": "@gone/tsconfig"}' },
    { file: 'base.json', line: 2, text: '"extends" names @gone/tsconfig, which is not there.' },
  ],
  [
    'a circle',
    { 'tsconfig.json': '{"extends":"./b.json"}', 'b.json': '{"extends":"./tsconfig.json"}' },
    { file: 'tsconfig.json' },
  ],
  [
    'paths that are none',
    { 'tsconfig.json': '{"compilerOptions":{"paths":{"a*b*":["./x"]}}}' },
    { file: 'tsconfig.json' },
  ],
  ['nonsense', { 'tsconfig.json': '{"extends":5,"compilerOptions":{"paths":3}}' }, { file: 'tsconfig.json' }],
])('%s: a fault, no crash', (_, files, wanted) => {
  const { root, info } = infoFor(files);
  expect(info?.faults).toHaveLength(1);
  expect(info?.faults[0]).toMatchObject({ ...wanted, file: join(root, (wanted as { file: string }).file) });
  expect(info?.match('@/x')).toEqual([]);
});

test('reset sees a repaired file', () => {
  const root = project({ 'tsconfig.json': '{' });
  const tsconfigs = openTsconfigs();
  expect(tsconfigs.tsconfigFor(join(root, 'x.ts'))?.faults).toHaveLength(1);
  write(root, { 'tsconfig.json': '{}' });
  expect(tsconfigs.tsconfigFor(join(root, 'x.ts'))?.faults).toHaveLength(1);
  tsconfigs.reset();
  expect(tsconfigs.tsconfigFor(join(root, 'x.ts'))?.faults).toHaveLength(0);
});

test('what is known from an earlier run is used while no file of it has changed', () => {
  const root = project({
    'tsconfig.json': '{"extends":"./base.json"}',
    'base.json': '{"compilerOptions":{"target":"es2020","paths":{"@/*":["./src/*"]}}}',
  });
  for (const name of ['tsconfig.json', 'base.json']) age(join(root, name));
  const file = join(root, 'src/x.ts');
  const first = openTsconfigs();
  const fresh = first.tsconfigFor(file);
  const known = JSON.parse(JSON.stringify(first.known()));
  // A mark, to see where an answer comes from.
  known[join(root, 'tsconfig.json')].raw = '{"compilerOptions":{"target":"known"}}';

  const info = openTsconfigs(known).tsconfigFor(file);
  expect(optionsOf(info)).toEqual({ target: 'known' });
  expect(info?.files).toEqual(fresh?.files);
  expect(info?.match('@/a')).toEqual([`${root}/src/a`]);

  write(root, { 'base.json': '{"compilerOptions":{"target":"es2017"}}' });
  freshen(join(root, 'base.json'));
  const again = openTsconfigs(known);
  expect(optionsOf(again.tsconfigFor(file))).toEqual({ target: 'es2017' });
  expect(again.known(), 'just written, so its stat proves nothing').toEqual({});
});

test('one that only refers to others: the first that includes the file, and all of them count', () => {
  const root = project({
    'tsconfig.json':
      '{"files":[],"references":[{"path":"./tsconfig.tools.json"},{"path":"./none.json"},{"path":"./configs"}],"compilerOptions":{"jsxFactory":"own"}}',
    'tsconfig.tools.json': '{"include":["*.config.ts"],"compilerOptions":{"jsxFactory":"tools"}}',
    'configs/tsconfig.json':
      '{"extends":"../base.json","include":["../**/*"],"exclude":["../**/*.spec.ts"],"compilerOptions":{"jsx":"react"}}',
    'base.json': '{"compilerOptions":{"jsxFactory":"base"}}',
  });
  const tsconfigs = openTsconfigs();
  const factoryOf = (file: string) => optionsOf(tsconfigs.tsconfigFor(join(root, file)))?.jsxFactory;
  expect(['a.config.ts', 'a.ts', 'src/a.ts', 'src/a.spec.ts'].map(factoryOf)).toEqual(['tools', 'base', 'base', 'own']);
  expect(tsconfigs.tsconfigFor(join(root, 'a.ts'))?.files).toEqual(
    ['tsconfig.json', 'tsconfig.tools.json', 'configs/tsconfig.json', 'base.json'].map((file) => join(root, file)),
  );
  expect(tsconfigs.scopeOf(join(root, 'a.ts'))).not.toBe(tsconfigs.scopeOf(join(root, 'a.config.ts')));
  write(root, { 'tsconfig.json': '{"compilerOptions":{"jsxFactory":"own"}}' });
  tsconfigs.reset();
  expect(['a.config.ts', 'a.ts'].map(factoryOf)).toEqual(['own', 'own']);
  expect(tsconfigs.scopeOf(join(root, 'a.ts'))).toBe(tsconfigs.scopeOf(join(root, 'a.config.ts')));
});
