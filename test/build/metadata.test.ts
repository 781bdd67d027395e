/** Decorator metadata, against what the real compiler emits with all types at hand. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { hasDecorators, wantsMetadata } from '../../src/build/metadata.ts';
import { openTransform } from '../../src/build/transform.ts';
import { root as repository } from '../tree.ts';
import { type Files, nodes, project, run, write } from './project.ts';

vi.setConfig({ testTimeout: 60_000 });

const TSC = join(repository, 'node_modules/typescript/bin/tsc');

/** Reflect.metadata, which notes what it is told. */
const RECORD = `declare const console: any;
export const log: string[] = [];
const show = (v: any): string => Array.isArray(v) ? \`[\${v.map(show)}]\` : typeof v === 'function' ? v.name : String(v);
(Reflect as any).metadata = (k: string, v: unknown) => (target: any, key?: string) => {
  log.push(\`\${typeof target === 'function' ? target.name : target.constructor.name}.\${key} \${k} \${show(v)}\`);
};
`;
const OTHER = `export interface Face { a: string }
export enum Color { Red = 'r', Blue = 'b' }
export enum Num { A, B }
export enum Mix { A, B = 'b' }
export class Service { name = 'service' }
export default interface Def { x: 1 }
`;
const MAIN = `import { log } from './record.js';
import { Color, Face, Mix, Num, Service, Service as Renamed } from './other.js';
import Def from './other.js';
import type { Face as Only } from './other.js';
import * as all from './other.js';
declare const console: any;
const P = (..._a: any[]) => (..._b: any[]): any => {};
enum Local { A = 'x' }
class Before {}
abstract class Base { abstract x: string; shared = 'shared' }
@P()
class A extends Base {
  @P() face: Face; @P() color: Color; @P() num: Num; @P() mix: Mix; @P() service: Service; @P() def: Def; @P() only: Only;
  @P() all: all.Service; @P() local: Local; @P() str?: string; @P() nul: string | null; @P() lit: 'a' | 'b';
  @P() arr: string[]; @P() map: Map<string, Service>; @P() promise: Promise<void>; @P() date: Date; @P() big: bigint;
  @P() fn: () => void; @P() any: any; @P() bool: boolean; @P() self: A; @P() init = 1; @P() x: string;
  bare: string; static made = A.name; #secret = 7;
  @P() get got(): number { return this.#secret }
  constructor(readonly first: Service, @P() other: Renamed, n: number, face: Face, before: Before) { super() }
  @P() async method(@P() a: Face, b: Color, c?: number): Promise<Service> { return this.first }
  @P() plain() { return A.made }
  @P() static st(a: unknown): string { return '' }
}
console.log(log.join('\\n'));
const a = new A(new Service(), new Service(), 1, { a: '' }, new Before());
console.log(Object.keys(a).join(), a.first.name, a.got, a.plain(), a.shared, typeof Only0);
namespace N { export const one = 1 }
var Only0: number | undefined = N.one;
export default @P() class Exported { constructor(one: Before) {} }
`;
const CIRCLE = `import { Other } from './circle-other.js';
import { log } from './record.js';
const P = (): any => () => {};
declare const console: any;
@P() export class One { @P() other: Other; constructor(other: Other) {} }
console.log(log.splice(0).join('\\n'));
`;
const CIRCLE_OTHER = `import { One } from './circle.js';
const P = (): any => () => {};
@P() export class Other { @P() one: One; constructor(one: One) {} }
`;

const SHAPES = [
  ['module', { target: 'es2022', strict: true }],
  ['module', { target: 'es2021', strict: false }],
  ['commonjs', { target: 'es2022', strict: true, useDefineForClassFields: false }],
  ['commonjs', { target: 'esnext', strict: false }],
] as const;

test.each(SHAPES)('metadata is that of tsc: %s, %j', async (type, options) => {
  const root = project({
    'package.json': JSON.stringify({ type }),
    'tsconfig.json': JSON.stringify({
      compilerOptions: {
        ...options,
        module: 'nodenext',
        outDir: 'plain',
        experimentalDecorators: true,
        emitDecoratorMetadata: true,
        strictPropertyInitialization: false,
        types: [],
        lib: ['esnext'],
      },
    }),
    'record.ts': RECORD,
    'other.ts': OTHER,
    'main.ts': MAIN,
    // What a class is to another one in a circle of modules is an error of Node's in ECMAScript modules.
    ...(type === 'commonjs' ? { 'circle.ts': CIRCLE, 'circle-other.ts': CIRCLE_OTHER } : {}),
  });
  expect(await run(process.execPath, [TSC, '-p', root], root)).toMatchObject({ stdout: '' });
  const transform = openTransform({ nodeVersion: process.versions.node });
  onTestFinished(() => transform.close());
  const names = ['record', 'other', 'main', ...(type === 'commonjs' ? ['circle', 'circle-other'] : [])];
  for (const name of names) {
    const file = join(root, `${name}.ts`);
    const result = await transform.transform(file, readFileSync(file, 'utf8'));
    if ('faults' in result) throw new Error(result.faults[0]?.text);
    expect(result.module.format).toBe(type);
    write(root, { [`ours/${name}.js`]: result.module.code });
  }
  for (const node of nodes)
    for (const entry of type === 'commonjs' ? ['main.js', 'circle.js'] : ['main.js']) {
      const plain = await run(node, [join('plain', entry)], root);
      expect(plain).toMatchObject({ code: 0, stderr: '' });
      expect(plain.stdout).toContain('design:paramtypes');
      expect(await run(node, [join('ours', entry)], root)).toEqual(plain);
    }
});

const DECORATED = {
  'package.json': '{"type":"module"}',
  'tsconfig.json': '{"compilerOptions":{"experimentalDecorators":true,"emitDecoratorMetadata":true,"jsx":"react-jsx"}}',
};

async function transformed(name: string, source: string, files: Files = {}) {
  const root = project({ ...DECORATED, ...files, [name]: source });
  const transform = openTransform({ nodeVersion: process.versions.node });
  onTestFinished(() => transform.close());
  return { root, result: await transform.transform(join(root, name), source) };
}

test.each<[string, string, object]>([
  ['a.ts', '@D() class A {\n  a: = 1 }', { line: 2, column: 6, text: expect.stringContaining('=') }],
  ['a.tsx', '@D() class A {}\nexport const b = <b>', { line: 2 }],
  ['a.ts', 'class A { @D() m(): void;\n @D() m(a?: 1) {} }', { line: 1, text: 'Decorators are not valid here.' }],
])('a fault is told with its place: %s %j', async (name, source, fault) => {
  const { root, result } = await transformed(name, source);
  expect(result).toMatchObject({ faults: [{ file: join(root, name), ...fault }] });
});

test.each(nodes)('an error in a decorated class points at the TypeScript, in a decorator too (%s)', async (node) => {
  const source = `#!/usr/bin/env node
interface Nothing { a: string }
declare function decorate(...of: unknown[]): any;

(globalThis as any).decorate = () => console.log(new Error('decorating').stack);
@(() => { decorate() })
export class A {
  declare b: Nothing;
  constructor(readonly it: Nothing) {}
  method(): never { const one: number = 1; throw new Error('here' + one) }
}
try { new A({ a: '' }).method() } catch (error) { console.log((error as Error).stack!.split('\\n')[1]) }
`;
  const { root, result } = await transformed('a.ts', source);
  if ('faults' in result) throw new Error(result.faults[0]?.text);
  write(root, { 'out.mjs': result.module.code });
  const { stdout, stderr } = await run(node, ['--enable-source-maps', 'out.mjs'], root);
  expect(stderr).toBe('');
  expect(stdout).toContain('a.ts:6:11');
  expect(stdout).toContain('a.ts:10:50');
});

test.each([
  ['{"jsx":"react-jsx"', 'jsx(A, { a: "", children: "x" })'],
  ['{"jsx":"react"', 'import { React } from "x"'],
  ['{"jsx":"react","jsxFactory":"h"', 'h(A, { a: "" }, "x")'],
])('JSX beside decorators: %s', async (options, expected) => {
  const source = `import { h, React } from 'x';
@D() class A { @D() a: string }
export const b = <A a="">x</A>`;
  const raw = `{"compilerOptions":${options},"experimentalDecorators":true,"emitDecoratorMetadata":true}}`;
  const { result } = await transformed('a.tsx', source, { 'tsconfig.json': raw });
  expect(result).toMatchObject({ module: { code: expect.stringContaining(expected) } });
});

test.each([
  ['@Injectable()', true],
  ['export class A {\n  @Column() a: string }', true],
  ['constructor(@Inject() a: A)', true],
  ['/* why */ @(a) class B {}', true],
  ['/**\n * @param a\n */', false],
  ['/** @type {A} */', false],
  ['// @ts-expect-error', false],
  ["import { A } from '@nestjs/common'", false],
  ['"me@example.org"', false],
])('whether there are decorators in %j: %s', (source, has) => {
  expect(hasDecorators(source)).toBe(has);
});

test.each([
  ['{}', false],
  ['{"compilerOptions":{"emitDecoratorMetadata":true}}', false],
  ['{"compilerOptions":{"emitDecoratorMetadata":true,"experimentalDecorators":true}}', true],
  ['{"compilerOptions":{"emitDecoratorMetadata":false,"experimentalDecorators":true}}', false],
])('whether metadata is wanted by %s: %s', (raw, wanted) => {
  expect(wantsMetadata(raw)).toBe(wanted);
});
