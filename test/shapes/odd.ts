/** What is rarer: odd options of tsconfig, odd syntax, odd ways to a module, a thread or a process. */
import { type Shape, tsconfig } from './shapes.ts';

const MODULE = '{ "type": "module" }';

/** What each setting makes of the same JSX: with preserve the step that tsc leaves to others is done as it mostly is. */
const AUTOMATIC = `[["Name",{"a":"x","b":1}],["Fragment",{}],["p",{"children":["text"," ","more"]}],[["b",{"k":"k","children":"inside"}],"<b>html</b>"],1,["a:b",{"c-d":"<é"}]]`;
const JSX = {
  preserve: AUTOMATIC,
  'react-native': AUTOMATIC,
  react: `[["Name",{"a":"x","b":1}],["Fragment",null],["p",null,"text"," ","more"],[["b",{"k":"k"},"inside"],"<b>html</b>"],1,["a:b",{"c-d":"<é"}]]`,
  'react-jsxdev': `[["dev","Name",{"a":"x","b":1}],["dev","Fragment",{}],["dev","p",{"children":["text"," ","more"]}],[["dev","b",{"k":"k","children":"inside"}],"<b>html</b>"],1,["dev","a:b",{"c-d":"<é"}]]`,
};

export const odd: readonly Shape[] = [
  ...['es2022', 'esnext', 'es2017'].map((target) => ({
    name: `using and await using, target ${target}`,
    files: {
      'package.json': MODULE,
      'tsconfig.json': tsconfig({ target }),
      'main.ts': `(Symbol as any).dispose ??= Symbol.for('dispose'); (Symbol as any).asyncDispose ??= Symbol.for('asyncDispose');
const { run } = await import('./run.js'); await run();`,
      'run.ts': `const held = (name: string) => ({ name, [Symbol.dispose]() { console.log('dispose', name) }, async [Symbol.asyncDispose]() { await 0; console.log('later', name) } });
using top = held('top');
export async function run(): Promise<void> {
  using a = held('a'), b = held('b'); await using c = held('c'); using none = null;
  for (using each of [held('one'), held('two')]) console.log('each', each.name);
  try { using thrown = held('thrown'); throw new Error('inner') } catch (error) { console.log((error as Error).message) }
  console.log(a.name, b.name, c.name, none, typeof top);
}`,
    },
    // As it is in the source, for a Node.js that may not know it.
    ...(target === 'esnext' && {
      prints:
        'dispose top\neach one\ndispose one\neach two\ndispose two\ndispose thrown\ninner\na b c null object\nlater c\ndispose b\ndispose a\n',
    }),
  })),
  ...['es5', 'es2015', 'es2020'].map((target) => ({
    name: `target ${target}`,
    files: {
      'package.json': '{}',
      'tsconfig.json': tsconfig({
        target,
        module: 'commonjs',
        moduleResolution: 'node10',
        ignoreDeprecations: '6.0',
        downlevelIteration: true,
      }),
      'main.ts': `import { Base } from './base'; import * as all from './base';
class Derived extends Base { own = [...'ab'].map((x) => x + (this.size ?? 0)); override get size() { return super.size + 1 } static s = 1n > 0; #p = 2; has(o: object) { return #p in o } }
async function* numbers() { yield 1; yield await Promise.resolve(2) }
const tagged = (parts: TemplateStringsArray, ...rest: unknown[]) => parts.raw.join('|') + rest;
(async () => {
  const list: number[] = []; for await (const n of numbers()) list.push(n);
  const { a, ...rest } = { a: 1, b: 2, c: 3 }; let x: number | null = null; x ??= 2 ** 3;
  console.log(list, rest, a, x, tagged\`\\n\${1}é\`, new Derived().own, new Derived().has(new Derived()), all.Base === Base, /(?<y>\\d+)/u.exec('12')?.groups?.y);
  try { throw 1 } catch { console.log(Object.keys(new Derived()), Derived.s) }
})();`,
      'base.ts': `export class Base { get size(): number { return 1 } }`,
    },
    prints: `[ 1, 2 ] { b: 2, c: 3 } 1 8 \\n|é1 [ 'a2', 'b2' ] true true 12\n[ 'own' ] true\n`,
  })),
  {
    name: 'enums: computed, of strings, across files and merged; namespaces over functions, classes and files',
    files: {
      'package.json': MODULE,
      'tsconfig.json': tsconfig({}),
      'main.ts': `import { Level, Flag, Name, type Kind } from './enums.js'; import * as enums from './enums.js'; import Alias = enums.Level;
enum Computed { A = 'abc'.length, B = A << 2, C = Level.High, D = Flag.Both | 8, E = \`e\${1 + 1}\`, F = -1, G, 'with space' = 5 }
function fn() { return fn.note } namespace fn { export const note = 'note'; export let count = 0; count++ }
class Klass { static of() { return new Klass.Inner() } } namespace Klass { export class Inner { deep = true } export namespace A.B { export const c = Computed.G } }
namespace Only { export type T = string } namespace Sets { export const one = 1, { two, three: [four] } = { two: 2, three: [4] } }
declare namespace Ghost { const x: number } declare enum GhostEnum { A }
const kind: Kind = 'k'; export import Two = Sets.two;
console.log(Computed, Level.High, Flag, Name.Long, Alias.Low, fn(), fn.count, Klass.of(), Klass.A.B.c, Sets, kind, Two, typeof Only);`,
      'enums.ts': `export const enum Level { Low = 1, High } export enum Flag { None, One = 1 << 0, Two = 1 << 1, Both = One | Two } export enum Name { Short = 's', Long = Short + 'l' } export type Kind = 'k';`,
    },
  },
  {
    name: 'decorators of accessors, parameters and constructors, by both kinds, with names and initialisers',
    files: {
      'package.json': MODULE,
      'tsconfig.json': tsconfig({ experimentalDecorators: true, useDefineForClassFields: false }),
      'main.ts': `const seen: unknown[] = []; const d = (name: string) => (target: any, key?: any, third?: any): any => { seen.push([name, typeof target, key, typeof third]) };
const wrap = (target: any, key: string, { get, set, ...rest }: PropertyDescriptor) => ({ ...rest, get() { return get!.call(this) + '!' }, set(v: unknown) { set!.call(this, v + '?') } });
class A { #held = 'x'; @wrap get held() { return this.#held } set held(v) { this.#held = v }
  @d('computed') ['com' + 'puted']() {} @d('static method') static make(@d('static parameter') x?: unknown) { return this.name }
  constructor(@d('0') readonly a = 1, @d('1') @d('1 again') b?: string) {} }
const B = (() => { @d('inner class') class B<T> { @d('field') x?: T; @d('private') private y = 1 } return B })();
const replace = (k: any) => class extends k { replaced = true } as any; @replace class C { static self = () => C; me = C.name }
const a = new A(); a.held = 'y'; console.log(seen, a.held, A.make(), Object.keys(new B()), (C as any).self() === C, new C());
export default @d('default') class {}`,
    },
  },
  {
    name: 'import.meta, require.resolve.paths, and others that ask for the place of modules',
    files: {
      'package.json': '{ "type": "module", "imports": { "#x": "./lib/x.js" } }',
      'tsconfig.json': tsconfig({}),
      'main.ts': `import { createRequire, isBuiltin } from 'node:module'; import { fileURLToPath } from 'node:url';
const require = createRequire(import.meta.url);
console.log(require.resolve.paths('express')![0], require.resolve.paths('./x'), require.resolve('#x'), require.resolve('./lib/x.js'), require.resolve('./lib/x.js', { paths: [import.meta.dirname] }));
console.log(import.meta.resolve('#x'), import.meta.resolve('node:fs'), fileURLToPath(import.meta.resolve('./lib/x.js')), import.meta.resolve('./absent.js'), import.meta.resolve('https://x.y/z'));
try { import.meta.resolve('absent') } catch (error) { console.log((error as any).code) }
console.log(require.resolve('node:fs'), isBuiltin('fs'), require.extensions['.js'] !== undefined, require.main === undefined, require.cache[require.resolve('./lib/x.js')] === undefined, Object.keys(import.meta).filter((key) => key !== 'main'));
try { require.resolve('./absent.js') } catch (error) { console.log((error as any).code, (error as any).requireStack) }
try { require('absent') } catch (error) { console.log((error as any).code) }
await import('absent' as string).catch((error) => console.log(error.code)); await import('./lib' as string).catch((error) => console.log(error.code));`,
      'lib/x.ts': `export const x: string = 'x';`,
    },
  },
  {
    name: 'paths: a wildcard in the middle, several targets, without baseUrl; import.meta.resolve and require.resolve of one',
    files: {
      'package.json': MODULE,
      'tsconfig.json': tsconfig({
        paths: {
          'lib/*/main': ['./packages/absent/*/index', './packages/*/src/main'],
          '@/*': ['./absent/*', './src/*'],
          '@exact': ['./src/exact.ts'],
          '*.txt': ['./src/*.txt.ts'],
          '~': ['./src'],
        },
      }),
      'main.ts': `import { createRequire } from 'node:module'; import { one } from 'lib/one/main'; import { two } from '@/two'; import { exact } from '@exact'; import { text } from 'some.txt'; import { index } from '~';
const require = createRequire(import.meta.url);
console.log(one, two, exact, text, index, import.meta.resolve('@/two'), require.resolve('@/two'), (await import('@/' + 'two')).two === two);
const typed: typeof import('@/two') = await import('@/two?q' as string); console.log(typed === undefined);`,
      'packages/one/src/main.ts': `export const one: string = 'one';`,
      'src/two.ts': `export const two: string = 'two';`,
      'src/exact.ts': `export const exact: string = 'exact';`,
      'src/some.txt.ts': `export const text: string = 'text';`,
      'src/index.ts': `export const index: string = 'index';`,
    },
    prints: `one two exact text index file:///src/two.js /src/two.js true\nfalse\n`,
  },
  {
    name: 'moduleSuffixes, customConditions, allowImportingTsExtensions and rewriteRelativeImportExtensions',
    files: {
      'package.json':
        '{ "type": "module", "imports": { "#env": { "special": "./special.ts", "default": "./default.ts" } } }',
      'tsconfig.json': tsconfig({
        moduleSuffixes: ['.node', ''],
        allowImportingTsExtensions: true,
        rewriteRelativeImportExtensions: true,
        customConditions: ['special'],
      }),
      'main.ts': `import { platform } from './platform.ts'; import { other } from './other.js'; import { env } from '#env'; console.log(platform, other, env, (await import('./platform.ts')).platform);`,
      'platform.ts': `export const platform: string = 'any';`,
      'platform.node.ts': `export const platform: string = 'node';`,
      'other.ts': `export const other: string = 'other';`,
      'special.ts': `export const env: string = 'special';`,
      'default.ts': `export const env: string = 'default';`,
    },
    prints: `any other default any\n`,
  },
  ...(['preserve', 'react-native', 'react', 'react-jsxdev'] as const).map((jsx) => ({
    name: `.tsx in CommonJS, .jsx and JSX in .js, with jsx ${jsx}`,
    entry: 'main.tsx',
    files: {
      'package.json': '{}',
      'tsconfig.json': tsconfig({
        jsx,
        allowJs: true,
        module: 'commonjs',
        moduleResolution: 'bundler',
        jsxImportSource: jsx === 'react-jsxdev' ? 'own' : undefined,
      }),
      'main.tsx': `import * as React from 'react'; import { Plain } from './plain'; import { Inside } from './inside'; const html = require('./html');
const Name = ({ a }: { a: string }) => <i>{a}</i>; const generic = <T,>(x: T) => x; const cast = (1 as unknown) as string;
console.log(JSON.stringify([<Name a="x" {...{ b: 1 }} />, <></>, Plain(), Inside(html), generic(cast), <a:b c-d="&lt;é" />], (key, value) => typeof value === 'function' ? value.name : key === 'fileName' ? undefined : value), typeof React);`,
      'plain.jsx': `import React from 'react'; export const Plain = () => <p>text{' '}more</p>;`,
      'inside.js': `const React = require('react'); exports.Inside = (html) => [<b k="k">inside</b>, html];`,
      'html.js': `module.exports = '<b>html</b>';`,
      'node_modules/react/index.js': `exports.createElement = (...all) => all; exports.Fragment = 'Fragment'; exports.__esModule = true; exports.default = exports;`,
      'node_modules/react/jsx-runtime.js': `exports.jsx = exports.jsxs = (...all) => all; exports.Fragment = 'Fragment';`,
      'node_modules/own/jsx-dev-runtime.js': `exports.jsxDEV = (type, props) => ['dev', type, props]; exports.Fragment = 'Fragment';`,
    },
    prints: `${JSX[jsx]} object\n`,
  })),
  {
    name: 'JSX in .js and .cjs that a module imports',
    files: {
      'package.json': MODULE,
      'tsconfig.json': tsconfig({ jsx: 'react', jsxFactory: 'h', allowJs: true }),
      'main.ts': `import { view } from './view.js'; import cjs from './old.cjs'; console.log(view, cjs.old);`,
      'view.js': `const h = (...all) => all.join(); export const view = <p>view</p>;`,
      'old.cjs': `const h = (...all) => all.join(); exports.old = <i>old</i>;`,
    },
    prints: 'p,,view i,,old\n',
  },
  {
    name: 'importHelpers, isolatedModules, strict, noEmit, declaration and others that are not for us',
    files: {
      'package.json': MODULE,
      'tsconfig.json': tsconfig({
        importHelpers: true,
        isolatedModules: true,
        alwaysStrict: true,
        target: 'es2015',
        experimentalDecorators: true,
        removeComments: true,
        newLine: 'crlf',
        preserveConstEnums: true,
        stripInternal: true,
        inlineSourceMap: true,
        importsNotUsedAsValues: undefined,
      }),
      'main.ts': `const d = (...all: unknown[]) => {}; @d class A { @d async *x() { yield 1 } } const { a, ...rest } = { a: 1, b: 2 };
/** @internal */ export const inner = 1; console.log([...(function* () { yield* [1, 2] })()], rest, (await new A().x().next()).value);`,
      'node_modules/tslib/package.json': '{ "type": "module", "exports": "./tslib.js" }',
      'node_modules/tslib/tslib.js': `console.log('tslib is loaded')`,
    },
    prints: `[ 1, 2 ] { b: 2 } 1\n`,
  },
  {
    name: 'threads: by URL, by path, of text, of data, in CommonJS, nested, and with what they are given',
    files: {
      'package.json': MODULE,
      'tsconfig.json': tsconfig({}),
      'main.ts': `import { Worker } from 'node:worker_threads'; import { once } from 'node:events'; import { fileURLToPath } from 'node:url';
const said = async (worker: Worker) => (await once(worker, 'message'))[0];
console.log(await said(new Worker(new URL('./job.js', import.meta.url), { workerData: { a: 1 }, argv: ['x'], env: { OWN: '1' } })));
console.log(await said(new Worker(fileURLToPath(new URL('./job.js', import.meta.url)), { workerData: 2, resourceLimits: { maxOldGenerationSizeMb: 64 } })));
console.log(await said(new Worker('const { parentPort, workerData } = require("node:worker_threads"); import(workerData).then(({ other }) => parentPort.postMessage([other, typeof module, __filename]))', { eval: true, workerData: new URL('./other.js', import.meta.url).href })));
console.log(await said(new Worker(new URL('data:text/javascript,' + encodeURIComponent('import { parentPort, workerData } from "node:worker_threads"; const { other } = await import(workerData); parentPort.postMessage([other, import.meta.url.slice(0, 5)])')), { workerData: new URL('./other.js', import.meta.url).href })));
console.log(await said(new Worker('./old.cjs')), await said(new Worker(new URL('./nested.js', import.meta.url))));
const failed = new Worker(new URL('./fails.js', import.meta.url)); console.log((await once(failed, 'error'))[0].message);`,
      'job.ts': `import { parentPort, workerData, isMainThread } from 'node:worker_threads'; import { other } from './other.js'; enum E { A = 'enum' }
parentPort!.postMessage([other, workerData, isMainThread, process.argv.slice(2), process.env.OWN, E.A, import.meta.url.slice(-3)]);`,
      'other.ts': `export const other: string = 'other';`,
      'old.cts': `import { parentPort } from 'node:worker_threads'; parentPort!.postMessage([require.main === module, typeof require, __filename.length > 0]);`,
      'nested.ts': `import { Worker, parentPort } from 'node:worker_threads'; new Worker(new URL('./job.js', import.meta.url)).once('message', (said: unknown) => parentPort!.postMessage(said));`,
      'fails.ts': `enum Why { A = 'because' } throw new Error(Why.A);`,
    },
  },
  {
    name: 'processes: forks by every name of a file, with arguments, advanced serialisation, and a cluster',
    files: {
      'package.json': '{}',
      'tsconfig.json': tsconfig({}),
      'main.ts': `import { fork } from 'node:child_process'; import cluster = require('node:cluster'); import { once } from 'node:events'; import path = require('node:path');
const said = async (child: any) => { const [message] = await once(child, 'message'); child.disconnect?.(); return message };
const cluster_ = cluster as unknown as import('node:cluster').Cluster;
(async () => {
  console.log(await said(fork('./job.js', ['a', '-b'], { env: { ...process.env, OWN: '1' } })), await said(fork(path.join(__dirname, 'job'))), await said(fork(__dirname + '/job.js', { serialization: 'advanced', cwd: path.dirname(__dirname) })));
  console.log(await said(fork('./folder')), await said(fork('./esm.mjs')));
  cluster_.setupPrimary({ exec: path.join(__dirname, 'clustered.js'), args: ['x'] });
  console.log(await said(cluster_.fork({ OWN: 'cluster' })));
})();`,
      'job.ts': `enum E { A = 'enum' } process.send!([E.A, process.argv.slice(2), process.env.OWN, require.main === module, path()]); function path() { return require('./other').other }`,
      'other.ts': `export const other: string = 'other';`,
      'folder/index.ts': `const x: string = 'index'; process.send!([x, require.main!.filename === __filename]);`,
      'esm.mts': `enum E { A = 'esm' } process.send!([E.A, process.argv.length]);`,
      'clustered.ts': `import cluster from 'node:cluster'; enum E { A = 'clustered' } process.send!([E.A, process.argv.slice(2), process.env.OWN, require('node:cluster').isWorker, typeof cluster]);`,
    },
  },
  {
    name: 'WebAssembly read from a file, addons by process.dlopen, text by readFile, and vm with an importer',
    files: {
      'package.json': MODULE,
      'tsconfig.json': tsconfig({}),
      'main.ts': `import { readFileSync, existsSync } from 'node:fs'; import vm from 'node:vm'; import { constants } from 'node:os';
const made: any = { exports: {} };
console.log(readFileSync(new URL('./note.txt', import.meta.url), 'utf8'), existsSync(new URL('./other.js', import.meta.url)) || existsSync(new URL('./other.ts', import.meta.url)));
try { process.dlopen(made, './absent.node', constants.dlopen.RTLD_NOW) } catch (error) { console.log((error as any).code) }
(globalThis as any).name = './other.js';
const again = new vm.Script('import(name)', { importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER, filename: import.meta.filename });
console.log((await again.runInThisContext()).other, new vm.Script('1 + 1').runInNewContext(), await eval('import("./other.js")').then((found: any) => found.other), await (0, eval)('import("node:path")').then((found: any) => typeof found.sep));`,
      'note.txt': 'a note',
      'other.ts': `export const other: string = 'other';`,
    },
  },
];
