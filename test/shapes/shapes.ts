/** The programs of the table: each prints what it finds, and ends. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../tree.ts';
import { LOADER, TXT } from './loader.ts';

export interface Shape {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  /** Symbolic links: what each leads to. */
  readonly links?: Readonly<Record<string, string>>;
  /** `main.ts` without it. */
  readonly entry?: string;
  /** Of node. */
  readonly flags?: readonly string[];
  /** The first Node.js that can run it: 22.12. */
  readonly from?: number;
  /** Of what tsc cannot make runnable. */
  readonly prints?: string;
}

export const tsconfig = (options: object, rest: object = {}): string =>
  JSON.stringify({
    compilerOptions: {
      target: 'es2022',
      module: 'nodenext',
      noCheck: true,
      types: [],
      resolveJsonModule: true,
      ...options,
    },
    ...rest,
  });

const ADDON = join(root, 'node_modules/@oxc-transform');
const addon = readdirSync(ADDON).flatMap((folder) =>
  readdirSync(join(ADDON, folder))
    .filter((name) => name.endsWith('.node'))
    .map((name) => join(ADDON, folder, name)),
)[0];

/** (module (func (export "add") (param i32 i32) (result i32) local.get 0 local.get 1 i32.add)) */
const WASM = [
  0, 97, 115, 109, 1, 0, 0, 0, 1, 7, 1, 96, 2, 127, 127, 1, 127, 3, 2, 1, 0, 7, 7, 1, 3, 97, 100, 100, 0, 0, 10, 9, 1,
  7, 0, 32, 0, 32, 1, 106, 11,
];

export const shapes: readonly Shape[] = [
  {
    name: '.ts in a package of type module',
    files: {
      'package.json': JSON.stringify({
        name: 'self',
        type: 'module',
        imports: { '#inside': './inside.js', '#data': './data.json', '#sub/*': './sub/*.js' },
        exports: {
          '.': './inside.js',
          './by': { import: './by-import.js', require: './by-require.cjs' },
          './custom': { custom: './by-import.js', default: './inside.js' },
        },
      }),
      'tsconfig.json': tsconfig({}),
      'main.ts': `import { createRequire } from 'node:module';
import process, { argv } from 'node:process';
import cjs, { named } from './old.cjs';
import * as all from './old.cjs';
import plain from './plain.cjs';
import data from './data.json' with { type: 'json' };
import { inside } from '#inside';
import { sub } from '#sub/one';
import { inside as self } from 'self';
import { by } from 'self/by';
import type { Gone } from './never.js';
import { a } from './a.js';
export const here = 'here';
const { by: required } = createRequire(import.meta.url)('self/by');
const name = ['sub', 'one'].join('/');
const keys = (of: object) => Object.keys(of).filter((key) => key !== '__esModule').sort();
console.log(keys(cjs), named, keys(all), plain, data, inside, sub, self === inside, by, required, a());
console.log((await import(\`./\${name}.js\`)).sub, (await import('./sub/one.js?x=1')).sub, (await import('#data', { with: { type: 'json' } })).default);
console.log(await import('./not-there.js' as string).catch((error) => error.code));
console.log(import.meta.url, import.meta.dirname, import.meta.filename, import.meta.resolve('./a.js'), import.meta.resolve('self'));
console.log(typeof require, typeof __dirname, typeof module, this === undefined, process.argv.length, argv[1]);
console.log((await import('self/custom')).inside);
`,
      'a.ts': `import { b } from './b.js';
export const a = () => 'a' + b();
`,
      'b.ts': `import { a } from './a.js';
import { here } from './main.js';
export const b = () => 'b' + typeof a + here;
const early = (() => { try { return typeof here } catch (error) { return (error as Error).message } })();
console.log('b is evaluated', early, await Promise.resolve(1));
`,
      'old.cts': `const secret = 1;
export const named = 'named';
export default 'default';
export { secret as renamed };
console.log(module.id === __filename, require.main === undefined, __dirname.length > 1);
`,
      'plain.cjs': `module.exports = { plain: true, cached: Object.keys(require.cache).length > 0 };`,
      'data.json': '{ "data": [1, 2] }',
      'inside.ts': `export const inside = 'inside';`,
      'sub/one.ts': `export const sub = 'one' + new URL(import.meta.url).search;`,
      'by-import.ts': `export const by = 'import', inside = 'custom';`,
      'by-require.cts': `export const by = 'require';`,
    },
  },
  {
    name: 'import.meta.main',
    from: 24.02,
    files: {
      'tsconfig.json': tsconfig({}),
      'main.ts': `import { isMain } from './other.js'; console.log(import.meta.main, isMain);`,
      'other.ts': `export const isMain = import.meta.main;`,
    },
  },
  ...['{ "type": "commonjs" }', '{}'].map((manifest) => ({
    name: `.ts in a package of ${manifest}`,
    files: {
      'package.json': manifest,
      'tsconfig.json': tsconfig({ esModuleInterop: true }),
      'main.ts': `import path = require('node:path');
import { readFileSync } from 'node:fs';
import * as everything from './lib';
import thing, { other } from './lib/index';
import klass = require('./klass');
import { a } from './a';
import data from './data.json';
import fallback from './plain';
import { constant } from './constant.js';
export const mine = 'mine';
console.log(path.basename(__filename).replace(/\\..*/, ''), path.basename(__dirname) !== '', typeof readFileSync);
console.log(Object.keys(everything).sort(), thing, other, new klass().name, a(), data, fallback, constant);
console.log(require.main === module, module.children.length, module.parent, require('./lib') === require('./lib/index'));
const found = require.resolve('./lib');
console.log(found === require.resolve('./lib/index'), found in require.cache, require.cache[found]!.exports === require('./lib'));
delete require.cache[found];
console.log(require('./lib') === everything, require('./data').data);
try { require('./not-there') } catch (error) { console.log((error as any).code, (error as Error).message.split('\\n')[0]) }
try { require('./broken.json') } catch (error) { console.log((error as Error).name) }
void (async () => {
  const name = './modern.mjs';
  console.log((await import(name)).modern, (await import('./modern.mjs')).default, Object.keys(await import('./lib/index.js')).filter((key) => key !== '__esModule').sort());
  console.log((await import('./computed/' + ['a', 'b'][1] + '.js')).default.default);
})();
`,
      'lib/index.ts': `export default 'thing';
export const other = 'other';
export * from './more';
export { late as renamed } from './more';
console.log('lib is evaluated');
`,
      'lib/more.ts': `export let late = 'early'; late = 'late';`,
      'klass.ts': `class Klass { name = 'klass' } namespace Klass { export const x = 1 } export = Klass;`,
      'a.ts': `import { b } from './b'; export function a() { return 'a' + b() }`,
      'b.ts': `import * as circle from './a'; import * as main from './main';
console.log('b is evaluated', Object.keys(circle), typeof circle.a, (main as any).mine);
export const b = () => 'b' + typeof circle.a;`,
      'constant.ts': `export const enum Level { Low = 1, High } export enum Color { Red = 'r' } export const constant = [Level.High, Color.Red];`,
      'plain.js': `module.exports = function plain() {}; module.exports.isFunction = true;`,
      'modern.mts': `export const modern = typeof require; export default import.meta.url.startsWith('file:');`,
      'computed/b.ts': `export default 'computed b';`,
      'data.json': '{ "data": true }',
      'broken.json': '{',
    },
  })),
  {
    name: '.mts and .cts, whatever the package says',
    entry: 'main.mts',
    files: {
      'package.json': '{ "type": "commonjs" }',
      'tsconfig.json': tsconfig({}),
      'main.mts': `import one, { two } from './one.cjs';
import { three } from './three.mjs';
import four = require('./four.cjs');
console.log(Object.keys(one).sort(), two, three, four.value, typeof require, (await import('./five.js')).five);`,
      'one.cts': `export const two = 2; export default 'one';`,
      'three.mts': `export const three = await Promise.resolve(3);`,
      'four.cts': `export = { value: 4 };`,
      'five.ts': `export const five = __filename.length > 0;`,
    },
  },
  {
    name: 'a .cts entry',
    entry: 'main.cts',
    files: {
      'tsconfig.json': tsconfig({}),
      'main.cts': `import { sep } from 'node:path';
console.log(typeof require, sep.length, require.main === module, module.paths.length > 0);
import('./other.js').then(({ other }) => console.log(other));`,
      'other.ts': `export const other = typeof module;`,
    },
  },
  {
    name: 'require of an ECMAScript module',
    from: 22.12,
    files: {
      'package.json': '{ "type": "commonjs" }',
      'tsconfig.json': tsconfig({}),
      'main.ts': `import fixed = require('./esm.mjs');
const esm = require('./esm.mjs');
console.log(esm.named, esm.default, esm.__esModule, Object.keys(esm), fixed === esm, require('./special.mjs'));
try { require('./waits.mjs') } catch (error) { console.log((error as any).code) }
`,
      'esm.mts': `export const named = 1; export default class Default {}`,
      'special.mts': `const special = 'special'; export { special as 'module.exports' };`,
      'waits.mts': `export const waited = await 1;`,
    },
  },
  {
    name: 'paths, baseUrl, rootDirs, extends of a list and of a package, several tsconfigs and references',
    files: {
      'tsconfig.json': tsconfig(
        {
          rootDirs: ['.', 'generated'],
          paths: { '@lib/*': ['./lib/*'], exact: ['./lib/exact'], '~/*': ['./lib/*', './generated/*'] },
        },
        { extends: ['./one.json', './two.json'], references: [{ path: './packages/a' }, { path: './packages/b' }] },
      ),
      'one.json': '{ "compilerOptions": { "jsx": "react", "jsxFactory": "one" } }',
      'two.json': '{ "compilerOptions": { "jsxFactory": "two" } }',
      'main.tsx': `import { value } from '@lib/value';
import exact from 'exact';
import { made } from './made';
import { made as again } from '~/made.js';
import a from './packages/a/main';
import b from './packages/b/main.js';
const two = (name: string) => 'two ' + name;
console.log(value, exact, made, again, a, b, <here />);
console.log((await import(['@lib', 'value'].join('/'))).value);
`,
      'lib/value.ts': `export const value = 'value';`,
      'lib/exact/index.ts': `export default 'exact';`,
      'generated/made.ts': `export const made = 'made';`,
      'packages/a/tsconfig.json':
        '{ "extends": "shared/tsconfig.json", "compilerOptions": { "composite": true, "baseUrl": "./src" } }',
      'packages/a/main.tsx': `import deep from 'deep/down'; const shared = (name: string) => 'shared ' + name; export default [<a />, deep];`,
      'packages/a/src/deep/down.ts': `export default 'down';`,
      'packages/b/tsconfig.json': '{ "compilerOptions": { "jsx": "react-jsx", "jsxImportSource": "lib" } }',
      'packages/b/main.tsx': `export default <b>x</b>;`,
      'node_modules/shared/tsconfig.json': '{ "compilerOptions": { "jsx": "react", "jsxFactory": "shared" } }',
      'node_modules/lib/package.json': '{ "exports": { "./jsx-runtime": "./jsx.js" } }',
      'node_modules/lib/jsx.js': `exports.jsx = (name, props) => name + JSON.stringify(props);`,
    },
    entry: 'main.tsx',
    prints: `value exact made made [ 'shared a', 'down' ] b{"children":"x"} two here\nvalue\n`,
  },
  {
    name: 'JSX, automatic and classic',
    files: {
      'package.json': '{ "type": "module" }',
      'tsconfig.json': tsconfig({ jsx: 'react-jsx' }),
      'main.tsx': `import { classic } from './classic.js';
const Name = (props: object) => null;
console.log(<a b="1" key="k" {...{ c: 2 }}>x{1}</a>, <><Name /></>, classic);`,
      'classic.tsx': `/** @jsxRuntime classic */
/** @jsx h */
/** @jsxFrag F */
const h = (...all: unknown[]) => all, F = 'F';
export const classic = <><p q>text</p></>;`,
      'node_modules/react/package.json': '{ "exports": { "./jsx-runtime": "./jsx.js", ".": "./jsx.js" } }',
      'node_modules/react/jsx.js': `const e = (...all) => all.map((one) => typeof one === 'function' ? one.name : one);
exports.jsx = e; exports.jsxs = e; exports.Fragment = 'Fragment'; exports.createElement = e;`,
    },
    entry: 'main.tsx',
  },
  ...[true, false].map((isLegacy) => ({
    name: `${isLegacy ? 'experimental' : 'standard'} decorators`,
    files: {
      'package.json': '{ "type": "module" }',
      'tsconfig.json': tsconfig({ experimentalDecorators: isLegacy, target: isLegacy ? 'es2021' : 'es2022' }),
      'main.ts': isLegacy
        ? `const log = (name: string) => (target: any, key?: any, third?: any) => console.log(name, typeof target, key, typeof third);
@log('class') @log('second') class A {
  @log('field') field = 1; @log('static') static s = 2; bare: string;
  @log('get') get got() { return 1 }
  constructor(@log('parameter') private readonly it: string, public other = A.s) {}
  @log('method') method(@log('argument') a?: string) { return this.it + A.name }
}
console.log(new A('it').method(), Object.keys(new A('it')));`
        : `const log = (name: string) => (value: any, context: any) => { console.log(name, typeof value, context.kind, context.name, context.static);
  context.addInitializer(function (this: any) { console.log('initialised', name, typeof this) }); };
const double = (_: undefined, context: any) => (value: number) => value * 2;
@log('class') class A {
  @double field = 1; @log('static') static s = 2; bare: string; @log('accessor') accessor held = 3;
  @log('get') get got() { return 1 } @log('private') #secret() { return 1 }
  @log('method') method() { return this.held + this.#secret() + A.name }
}
console.log(new A().method(), new A().field, Object.keys(new A()));`,
    },
  })),
  {
    name: 'what TypeScript has beside types',
    files: {
      'package.json': '{ "type": "module" }',
      'tsconfig.json': tsconfig({}),
      'main.ts': `enum E { A = 1, B, C = 'c' } enum E { D = 9 } const enum F { X = 'x' }
namespace N { export const one = 1; export namespace Deep { export const two = one + 1 } }
namespace N { export const three = one + 2 }
import Deep = N.Deep;
abstract class Base { constructor(protected readonly a: number, public b = a + 1) {} abstract c(): number; declare ghost: string; static { console.log('static') } }
class Derived extends Base { override c() { return this.a satisfies number } accessor d = 4; e?: string }
function over(a: string): void; function over(a: unknown) { console.log(typeof <unknown>a) }
over('x'); label: for (const x of [1]) { using; break label }
var using: any;
console.log(E, F.X, N, Deep.two, new Derived(1).c(), Object.keys(new Derived(1)), (1 as any)!);
export {};`,
    },
  },
  {
    name: "loaders of the user's own by --import, with module.register",
    flags: ['--import', './register.mjs'],
    files: {
      'package.json': '{ "type": "module" }',
      'tsconfig.json': tsconfig({}),
      'register.mjs': `import { register } from 'node:module'; register('./loader.mjs', import.meta.url);`,
      'loader.mjs': LOADER,
      'main.ts': TXT,
      'other.ts': `import it from 'virtual:again'; export const other: string = it;`,
      'greeting.txt': 'good day',
    },
  },
  {
    name: "loaders of the user's own by --import, with module.registerHooks",
    from: 22.15,
    flags: ['--import', './register.mjs'],
    files: {
      'package.json': '{ "type": "module" }',
      'tsconfig.json': tsconfig({}),
      'register.mjs': `import { registerHooks } from 'node:module';
import { readFileSync } from 'node:fs';
registerHooks({
  resolve: (specifier, context, next) =>
    specifier.startsWith('virtual:') ? { url: specifier, shortCircuit: true } : next(specifier, context),
  load(url, context, next) {
    if (url.startsWith('virtual:')) return { format: 'module', source: 'export default "virtual"', shortCircuit: true };
    if (!url.endsWith('.txt')) {
      const loaded = next(url, context);
      if (!/\\/main\\.[jt]s$/.test(url)) return loaded;
      return { ...loaded, source: String(loaded.source).replace('REPLACED', 'replaced') };
    }
    return { format: 'module', source: 'export default ' + JSON.stringify(readFileSync(new URL(url), 'utf8')), shortCircuit: true };
  },
});`,
      'main.ts': `import text from './greeting.txt'; import it from 'virtual:it'; import { other } from './other.js';
console.log(text, it, other, 'REPLACED');`,
      'other.ts': `import it from 'virtual:again'; export const other: string = it;`,
      'greeting.txt': 'good day',
    },
  },
  {
    name: 'native addons and WebAssembly',
    files: {
      'package.json': '{ "type": "module" }',
      'tsconfig.json': tsconfig({}),
      'main.ts': `import { createRequire } from 'node:module'; import { use } from './use.cjs';
const require = createRequire(import.meta.url);
console.log(typeof require('./addon.node').transformSync, typeof use(), require('./addon') === require('./addon.node'));
const { instance } = await WebAssembly.instantiate(new Uint8Array(${JSON.stringify(WASM)}));
console.log((instance.exports as any).add(1, 2));`,
      'use.cts': `const addon = require('./addon.node'); export const use = () => addon.transformSync;`,
    },
    links: addon ? { 'addon.node': addon } : {},
  },
  {
    name: 'WebAssembly as a module',
    from: 24.05,
    files: {
      'package.json': '{ "type": "module" }',
      'tsconfig.json': tsconfig({}),
      'make.mjs': `import { writeFileSync } from 'node:fs'; writeFileSync(new URL('./add.wasm', import.meta.url), new Uint8Array(${JSON.stringify(WASM)}));`,
      'main.ts': `import './make.mjs'; const { add } = await import('./add.wasm' as string); console.log(add(1, 2));`,
    },
  },
  {
    name: 'node:test and node:vm in the program',
    files: {
      'package.json': '{ "type": "module" }',
      'tsconfig.json': tsconfig({}),
      'main.ts': `import { test } from 'node:test'; import vm, { type Script } from 'node:vm'; import assert from 'node:assert';
let ran: string[] = [];
await test('a test', async (t) => { await t.test('inside', () => { ran.push('inside') }); assert.ok(true); ran.push('ran') });
process.on('exit', () => process.stdout.write('# ' + ran.join() + '\\n'));
const script: Script = new vm.Script('import("./other.js")', { filename: import.meta.filename, importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER });
ran.push((await script.runInThisContext()).other, vm.runInNewContext('a + 1', { a: 1 }), vm.runInThisContext('typeof require'));
ran.push(typeof new Function('return import("./other.js")'));`,
      'other.ts': `export const other: string = 'other';`,
    },
  },
];
