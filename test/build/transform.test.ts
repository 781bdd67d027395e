import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, onTestFinished, test, vi } from 'vitest';
import { needsTransform, openTransform, type Transformed } from '../../src/build/transform.ts';
import { type Files, nodes, project, run, write } from './project.ts';

// Node.js is started many times, on machines that have other things to do.
vi.setConfig({ testTimeout: 60_000 });

function open(nodeVersion = process.versions.node) {
  const transform = openTransform({ nodeVersion });
  onTestFinished(() => transform.close());
  return transform;
}

const transformed = (root: string, name: string): Promise<Transformed> =>
  open().transform(join(root, name), readFileSync(join(root, name), 'utf8'));

async function moduleOf(root: string, name: string) {
  const result = await transformed(root, name);
  if ('faults' in result) throw new Error(result.faults[0]?.text);
  return result.module;
}

test('without esModuleInterop a namespace is what the module exports, so that it can be called', async () => {
  const source = `import * as express from './express.js';
import fs, * as all from 'node:fs';
import sync from './express.js';
console.log(express(), express.json, typeof fs.readFileSync, typeof all.default, sync());
export {};
`;
  const files = { 'x.ts': source, 'express.js': `module.exports = () => 'app';\nmodule.exports.json = 'json';\n` };
  const run = async (compilerOptions: object) => {
    const root = project({ ...files, 'package.json': '{}', 'tsconfig.json': JSON.stringify({ compilerOptions }) });
    const { code } = await moduleOf(root, 'x.ts');
    writeFileSync(join(root, 'x.cjs'), code);
    const { stdout, stderr } = spawnSync(process.execPath, [join(root, 'x.cjs')], { encoding: 'utf8' });
    return stdout + stderr;
  };
  for (const options of [{ module: 'commonjs' }, { esModuleInterop: false, module: 'nodenext' }])
    expect(await run(options)).toBe('app json function object app\n');
  for (const options of [{ module: 'commonjs', esModuleInterop: true }, { module: 'NodeNext' }])
    expect(await run(options)).toMatch('express is not a function');
});

/** Transforms `name` and runs the outcome somewhere else, so that only the source map can lead back. */
async function runIn(node: string, root: string, names: readonly string[], flags: readonly string[] = []) {
  const out = join(root, 'out');
  mkdirSync(out, { recursive: true });
  const files: string[] = [];
  for (const name of names) {
    const { code, format } = await moduleOf(root, name);
    const file = join(out, `${name.replace(/^.*\//, '').replace(/\.\w+$/, '')}.${format === 'module' ? 'mjs' : 'cjs'}`);
    writeFileSync(file, code);
    files.push(file);
  }
  return run(node, [...flags, files[0] as string], root);
}

const esm = 'package.json';
const typed = { [esm]: '{"type":"module"}' };

test.each<[string, string, Files, 'module' | 'commonjs' | 'json', boolean]>([
  ['x.mts', 'export {}', {}, 'module', true],
  ['x.cts', 'export const a = 1', typed, 'commonjs', true],
  ['x.ts', 'export const a = 1', typed, 'module', true],
  ['x.ts', 'export const a = 1', { [esm]: '{"type":"commonjs"}' }, 'commonjs', true],
  ['x.ts', 'export const a = 1', {}, 'commonjs', true],
  ['x.ts', 'export const a = await 1', {}, 'module', true],
  ['x.ts', 'for await (const a of []) console.log(a)', {}, 'module', true],
  ['x.ts', 'export const a = import.meta.url', {}, 'module', true],
  ['x.ts', 'export const a = "import.meta" // await', {}, 'commonjs', true],
  ['x.ts', '', {}, 'commonjs', true],
  ['x.ts', '', typed, 'module', true],
  ['x.tsx', 'export const a = <b/>', typed, 'module', true],
  ['x.jsx', 'export const a = <b/>', {}, 'commonjs', true],
  ['deep/er/x.ts', '', typed, 'module', true],
  ['deep/er/x.ts', '', { ...typed, 'deep/package.json': '{}' }, 'commonjs', true],
  ['x.mjs', 'export {}', {}, 'module', false],
  ['x.cjs', '', typed, 'commonjs', false],
  ['x.js', 'export {}', typed, 'module', false],
  ['x.js', 'module.exports = 1', {}, 'commonjs', false],
  ['x.js', 'export {}', {}, 'module', false],
  ['x.js', 'await 1', {}, 'module', false],
  ['bin/x', 'export {}', {}, 'module', false],
  ['x.json', '{"a":1}', {}, 'json', false],
  ['x.json', '\ufeff[]', {}, 'json', false],
])('%s with %j and %j is %s, transformed: %s', async (name, source, files, format, isTransformed) => {
  const root = project({ ...files, [name]: source });
  const module = await moduleOf(root, name);
  expect(module).toMatchObject({ format, transformed: isTransformed });
  expect(needsTransform(join(root, name))).toBe(isTransformed);
  if (!isTransformed) expect(module.code).toBe(source.replace(/^\ufeff/, ''));
});

test.each<[string, string, string, RegExp, RegExp | null]>([
  ['classic jsx', '{}', 'export const a = <b/>', /React\.createElement/, null],
  [
    'automatic jsx',
    '{"jsx":"react-jsx","jsxImportSource":"preact"}',
    'export const a = <b/>',
    /preact\/jsx-runtime/,
    null,
  ],
  ['a jsx factory', '{"jsxFactory":"h"}', 'export const a = <b/>', /h\("b"/, null],
  ['preserved jsx is not preserved', '{"jsx":"preserve"}', 'export const a = <b/>', /react\/jsx-runtime/, /<b/],
  [
    'legacy decorators',
    '{"experimentalDecorators":true}',
    'declare const d: any; class A { @d x = 1 }',
    /__decorateClass/,
    /@d/,
  ],
  ['decorators', '{}', 'declare const d: any; class A { @d x = 1 }', /__decorate/, /@d/],
  ['define for es2022', '{"target":"es2022"}', 'class A { x?: number }', /x;/, null],
  ['no define for es2020', '{"target":"es2020"}', 'class A { x?: number }', /class A/, /x;/],
  ['unused imports go', '{}', 'import { a } from "a"; import type { b } from "b"', /^/, /from "[ab]"/],
  [
    'verbatim keeps them',
    '{"verbatimModuleSyntax":true}',
    'import { a } from "a"; import type { b } from "b"',
    /from "a"/,
    /from "b"/,
  ],
])('tsconfig: %s', async (_, options, source, has, hasNot) => {
  const root = project({ ...typed, 'tsconfig.json': `{"compilerOptions":${options}}`, 'x.tsx': source });
  const { code } = await moduleOf(root, 'x.tsx');
  expect(code).toMatch(has);
  if (hasNot) expect(code).not.toMatch(hasNot);
});

test('the source map names the file by its URL, and does not repeat it', async () => {
  const root = project({ 'a #b/x.ts': 'export const a: number = 1;' });
  const { code } = await moduleOf(root, 'a #b/x.ts');
  const [, base64 = ''] = /sourceMappingURL=data:application\/json;base64,(\S+)/.exec(code) ?? [];
  const map = JSON.parse(Buffer.from(base64, 'base64').toString());
  expect(map.sources).toEqual([pathToFileURL(join(root, 'a #b/x.ts')).href]);
  expect(map.sourcesContent).toBeUndefined();
});

test('the target is the Node of the child', async () => {
  const root = project({ ...typed });
  const source = 'export async function f() { await using x = y; }';
  const code = async (version: string) => JSON.stringify(await open(version).transform(join(root, 'x.ts'), source));
  expect(await code('20.20.2')).not.toContain('await using');
  expect(await code('26.0.0')).toContain('await using');
});

test.each<[string, string, Files, object[]]>([
  [
    'x.ts',
    'const ok = 1;\nconst é = "\u{1f600}" + foo bar;\n',
    {},
    [
      {
        text: 'Expected ";" but found "bar".',
        file: 'x.ts',
        line: 2,
        column: 22,
        length: 3,
        source: 'const é = "\u{1f600}" + foo bar;',
      },
    ],
  ],
  [
    'x.ts',
    'let a;\nlet a;',
    {},
    [
      {
        text: 'The symbol "a" has already been declared. The symbol "a" was originally declared here (line 1).',
        line: 2,
        column: 5,
      },
    ],
  ],
  ['x.tsx', 'const a = <b>;\n\n', typed, [{ line: 3 }]],
  ['x.cts', 'await 1;', {}, [{ text: expect.stringContaining('Top-level await'), line: 1, column: 1 }]],
  ['x.ts', 'const a = await 1; const b = ;', {}, [{ line: 1, column: 30 }]],
  [
    'x.json',
    '{\n  "a": 1,\n}',
    {},
    [{ text: 'This is not valid JSON: property name expected.', line: 3, column: 1, source: '}' }],
  ],
  ['x.json', '', {}, [{ text: 'This is not valid JSON: value expected.', line: 1, column: 1 }]],
  ['x.json', '// no comments\n1', {}, [{ line: 1, column: 1 }]],
  ['x.ts', '', { 'tsconfig.json': '{\n"compilerOptions": }' }, [{ file: 'tsconfig.json', line: 2 }]],
  ['x.js', '', { 'package.json': '{"type": }' }, [{ file: 'package.json', line: 1, column: 10 }]],
])('faults of %s: %j', async (name, source, files, wanted) => {
  const root = project({ ...files, [name]: source });
  const result = await transformed(root, name);
  const placed = wanted.map((fault) => ({
    ...fault,
    file: join(root, ('file' in fault && (fault.file as string)) || name),
  }));
  expect(result).toMatchObject({ faults: placed });
});

test('many at once, each with its own outcome', async () => {
  const root = project(typed);
  const { transform } = open();
  const all = Array.from({ length: 200 }, (_, i) =>
    transform(join(root, `x${i}.ts`), i % 10 === 0 ? 'const = 1' : `export const v: number = ${i};`),
  );
  for (const [i, result] of (await Promise.all(all)).entries()) {
    if (i % 10 === 0) expect(result).toHaveProperty('faults');
    else expect(result).toMatchObject({ module: { code: expect.stringContaining(`v = ${i};`) } });
  }
});

test('the shape follows tsconfig, package type and Node version, not the source', () => {
  const root = project({
    'tsconfig.json': '{"extends":"./base.json"}',
    'base.json': '{}',
    'a/x.ts': '',
    'a/y.tsx': '',
  });
  const one = open('20.20.2');
  const shape = one.shapeOf(join(root, 'a/x.ts'));
  expect(one.shapeOf(join(root, 'a/y.tsx'))).toBe(shape);
  expect(open('20.20.2').shapeOf(join(root, 'a/x.ts'))).toBe(shape);
  expect(open('24.0.0').shapeOf(join(root, 'a/x.ts'))).not.toBe(shape);
  expect(one.shapeOf(join(root, 'a/x.js'))).not.toBe(shape);
  write(root, { 'base.json': '{"compilerOptions":{"jsx":"react-jsx"}}' });
  expect(one.shapeOf(join(root, 'a/x.ts')), 'kept until reset').toBe(shape);
  one.reset();
  const withJsx = one.shapeOf(join(root, 'a/x.ts'));
  expect(withJsx).not.toBe(shape);
  const plain = one.shapeOf(join(root, 'a/x.js'));
  write(root, { 'package.json': '{"type":"module"}' });
  one.reset();
  expect(one.shapeOf(join(root, 'a/x.ts'))).not.toBe(withJsx);
  expect(one.shapeOf(join(root, 'a/x.js'))).not.toBe(plain);
  expect([...one.shapedBy(join(root, 'a/x.ts'))].sort()).toEqual(
    ['base.json', 'package.json', 'tsconfig.json'].map((name) => join(root, name)),
  );
  expect(one.shapedBy(join(root, 'a/x.js'))).toEqual([join(root, 'package.json')]);
});

test('a transform that is under way ends when it is closed', async () => {
  const transform = open();
  const underWay = transform.transform('/a.ts', 'let a: 1');
  transform.close();
  await expect(underWay).rejects.toThrow('esbuild was stopped');
});

test('close twice is safe, and a later transform is refused', async () => {
  const one = openTransform({ nodeVersion: '20.20.2' });
  await one.transform('/x.ts', 'let a: number');
  one.close();
  one.close();
  await expect(one.transform('/x.ts', '')).rejects.toThrow('after close');
});

for (const node of nodes) {
  test.each([
    ['module', { ...typed }],
    ['commonjs', {}],
  ])(`%s: stack traces show the TypeScript line and column (${node})`, async (format, files) => {
    const lines = [
      'interface A {',
      '  a: string;',
      '}',
      'export function fail(a: A): never {',
      '  const no: string = a.a;',
    ];
    const source = [...lines, '  throw new Error(no);', '}', 'fail({ a: "boom" });', ''].join('\n');
    const root = project({ ...files, 'odd #% é/x.ts': source });
    const { stderr, code } = await runIn(node, root, ['odd #% é/x.ts'], ['--enable-source-maps']);
    expect(code).toBe(1);
    expect(stderr).toContain('Error: boom');
    expect(stderr).toContain(`${join(root, 'odd #% é/x.ts')}:6:9`);
    expect(stderr).toContain(`${join(root, 'odd #% é/x.ts')}:8:1`);
    expect(stderr, 'the excerpt').toContain('throw new Error(no);');
    expect(stderr).not.toContain(format === 'module' ? 'x.mjs' : 'x.cjs');
  });

  test(`the names that a CommonJS module exports can be imported from a module (${node})`, async () => {
    const root = project({
      'main.mts':
        'import cjs, { a, B, re, fn } from "./lib.cjs"; console.log(JSON.stringify([a, B.name, re, fn(), typeof cjs]));',
      'lib.ts':
        'export const a: number = 1; export class B {} export * from "./re.cjs"; export function fn() { return "fn"; } export default 3;',
      're.ts': 'export const re = "re";',
    });
    const { stdout, stderr } = await runIn(node, root, ['main.mts', 'lib.ts', 're.ts']);
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual([1, 'B', 're', 'fn', 'object']);
  });

  test(`CommonJS ways of TypeScript: import =, export =, import(), __dirname, hashbang (${node})`, async () => {
    const root = project({
      'main.ts': [
        '#!/usr/bin/env node',
        'import lib = require("./lib.cjs");',
        'import path from "node:path";',
        'void (async () => {',
        '  const later: any = await import("./later.mjs");',
        '  console.log(JSON.stringify([lib.two(), later.name, path.basename(__dirname), require.main === module]));',
        '})();',
      ].join('\n'),
      'lib.cts': 'export = { two: (): number => 2 };',
      'later.mts': '#!/usr/bin/env node\nexport const name: string = import.meta.url.slice(0, 5);',
    });
    const { stdout, stderr } = await runIn(node, root, ['main.ts', 'lib.cts', 'later.mts']);
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual([2, 'file:', 'out', true]);
  });
}
