/** Programs that tsconfig shapes, and JSON. */
import { type Shape, tsconfig } from './shapes.ts';

const MODULE = '{ "type": "module" }';

/** What is told of fields that are defined, and of those that are assigned. */
const FIELDS = {
  'package.json': MODULE,
  'main.ts': `import { Base } from './base.js';
class Derived extends Base { set = 'derived'; declare told: string; bare?: string; static one = 1; static two = Derived.one + 1; own = this.given; ['com' + 'puted'] = 3;
  #hidden = this.own; constructor(private readonly given = 'given', public last = given + '!') { super(); console.log(this.#hidden) } }
const made = new Derived();
console.log(Object.keys(made), Object.hasOwn(made, 'set'), Object.hasOwn(made, 'bare'), made.set, made.log, made.own, Derived.two);
class Over extends Base { log = []; bare: unknown; }
console.log(Object.keys(new Over()), new Over().log);
const Anonymous = class { static self = this.name; x = () => this };
console.log(Anonymous.self, new Anonymous().x() instanceof Anonymous);`,
  'base.ts': `export class Base { log: string[] = []; get set(): string { return 'get' } set set(value) { this.log?.push('set ' + value) } }`,
};

const SIDES = {
  'package.json': MODULE,
  'types.ts': `console.log('types is evaluated'); export interface Shape { a: 1 } export type Name = string; export const value = 'value'; export class Klass {}`,
  'only.ts': `console.log('only is evaluated'); export type Only = string;`,
  'unused.ts': `console.log('unused is evaluated'); export const unused = 1;`,
  'bare.ts': `console.log('bare is evaluated'); export {};`,
  'again.ts': `console.log('again is evaluated'); export type { Shape } from './types.js'; export { type Name, value } from './types.js'; export type * from './only.js'; export type * as all from './only.js'; export * as types from './types.js';`,
};

export const governed: readonly Shape[] = [
  {
    name: 'extends over several levels, of a list, of packages, with paths of their own and configDir',
    files: {
      'package.json': '{}',
      'app/tsconfig.json': JSON.stringify({
        extends: '../configs/app/tsconfig',
        compilerOptions: { jsxFactory: 'own' },
      }),
      'configs/app/tsconfig.json': JSON.stringify({ extends: ['../base.json', '@scope/configs/strict', 'plain'] }),
      'configs/base.json': JSON.stringify({
        extends: './deep/deepest.json',
        compilerOptions: { jsx: 'react', jsxFactory: 'base', jsxFragmentFactory: 'fragment' },
      }),
      'configs/deep/deepest.json': JSON.stringify({
        compilerOptions: {
          paths: { '@shared/*': ['../../shared/*'], '@own/*': ['\u0024{configDir}/lib/*'] },
          jsx: 'react-jsx',
        },
      }),
      'node_modules/@scope/configs/package.json': '{ "exports": { "./strict": "./configs/strict.json" } }',
      'node_modules/@scope/configs/configs/strict.json':
        '{ "extends": "./stricter", "compilerOptions": { "target": "es2022" } }',
      'node_modules/@scope/configs/configs/stricter.json':
        '{ "compilerOptions": { "useDefineForClassFields": false } }',
      'node_modules/plain/package.json': '{ "tsconfig": "./config.json" }',
      'node_modules/plain/config.json': '{ "compilerOptions": { "experimentalDecorators": true } }',
      'app/main.tsx': `import { shared } from '@shared/one'; import { own as mine } from '@own/mine';
const own = (name: string | string[], ...rest: unknown[]) => [name, rest], fragment = 'from base';
const decorated = (target: any, key: string) => console.log('decorated', key);
class Base { set it(value: string) { console.log('set', value) } }
class A extends Base { @decorated it = 'assigned' }
new A();
console.log(shared, mine, <a />, <></>);`,
      'app/lib/mine.ts': `export const own = 'own';`,
      'shared/one.ts': `export const shared = 'shared';`,
    },
    entry: 'app/main.tsx',
    prints: `decorated it\nset assigned\nshared own [ 'a', [ null ] ] [ 'from base', [ null ] ]\n`,
  },
  {
    name: 'baseUrl of a tsconfig that is extended, and paths of another',
    files: {
      'package.json': MODULE,
      'tsconfig.json': JSON.stringify({ extends: ['./configs/base.json', './configs/paths.json'] }),
      'configs/base.json': '{ "compilerOptions": { "baseUrl": "../src" } }',
      'configs/paths.json':
        '{ /* comment */ "compilerOptions": { "paths": { "~*": ["inside/*", "other/*"], "#own": ["other/own.ts"], }, } }',
      'main.ts': `import { a } from 'deep/a'; import { b } from '~b'; import { c } from '~c.js'; import { own } from '#own';
console.log(a, b, c, own, (await import('deep/' + 'a')).a);`,
      'src/deep/a.ts': `export const a: string = 'a';`,
      'src/inside/b.ts': `export const b: string = 'b';`,
      'src/other/c.tsx': `export const c: string = 'c';`,
      'src/other/own.ts': `export const own: string = 'own';`,
    },
    prints: 'a b c own a\n',
  },
  {
    name: 'rootDirs, one of them generated, inherited',
    files: {
      'package.json': MODULE,
      'tsconfig.json': '{ "extends": "./configs/roots.json" }',
      'configs/roots.json': '{ "compilerOptions": { "rootDirs": ["../src", "../out/generated", "../out/more"] } }',
      'src/main.ts': `import { made } from './views/made.js'; import { more } from './views/more'; console.log(made, more);`,
      'out/generated/views/made.ts': `import { near } from './near.js'; export const made: string = 'made ' + near;`,
      'out/more/views/more.ts': `export const more: string = 'more';`,
      'src/views/near.ts': `export const near: string = 'near';`,
    },
    entry: 'src/main.ts',
    prints: 'made near more\n',
  },
  {
    name: 'a tsconfig that only refers to others',
    files: {
      'package.json': MODULE,
      'tsconfig.json':
        '{ "files": [], "references": [{ "path": "./tsconfig.node.json" }, { "path": "./tsconfig.app.json" }, { "path": "./packages/lib" }] }',
      'tsconfig.node.json': '{ "compilerOptions": { "jsx": "react", "jsxFactory": "node" }, "include": ["tools"] }',
      'tsconfig.app.json':
        '{ "extends": "./tsconfig.base.json", "compilerOptions": { "jsxFactory": "app", "paths": { "@/*": ["./src/*"] } }, "include": ["src"], "exclude": ["src/**/*.spec.tsx"] }',
      'tsconfig.base.json':
        '{ "compilerOptions": { "composite": true, "jsx": "react", "jsxFactory": "base", "experimentalDecorators": true } }',
      'packages/lib/tsconfig.json': '{ "extends": "../../tsconfig.base.json" }',
      'src/main.tsx': `import { here } from '@/here'; import { tool } from '../tools/tool.js'; import { lib } from '../packages/lib/index.js';
const app = (name: string) => 'app ' + name;
const log = (target: unknown, key: string, more: unknown) => console.log(typeof target, key, typeof more);
class A { @log method() {} }
console.log(here, tool, lib, <a />, typeof A);`,
      'src/here.ts': `export const here: string = 'here';`,
      'tools/tool.tsx': `const node = (name: string) => 'node ' + name; export const tool = <t />;`,
      'packages/lib/index.tsx': `const base = (name: string) => 'base ' + name; export const lib = <l />;`,
    },
    entry: 'src/main.tsx',
    prints: 'object method object\nhere node t base l app a function\n',
  },
  ...[
    { useDefineForClassFields: false },
    { useDefineForClassFields: true },
    { target: 'es2021' },
    { target: 'es2020', useDefineForClassFields: true },
    { target: 'esnext', useDefineForClassFields: false },
  ].map((options) => ({
    name: `class fields with ${JSON.stringify(options)}`,
    files: { ...FIELDS, 'tsconfig.json': tsconfig(options) },
  })),
  ...[true, false].map((verbatimModuleSyntax) => ({
    name: `imports of types, verbatimModuleSyntax ${verbatimModuleSyntax}`,
    files: {
      ...SIDES,
      'tsconfig.json': tsconfig({ verbatimModuleSyntax }),
      'main.ts': `import type { Shape } from './types.js'; import type Types = require('./types.js');
import { type Only } from './only.js'; import { unused } from './unused.js'; import './bare.js';
import { type Name, value, types } from './again.js';
import type * as everything from './only.js';
import { Klass } from './types.js';
type Late = typeof import('./only.js');
let typed: Klass | Shape | Only | Name | Late | undefined; const name = 'unused';
console.log(value, Object.keys(types), typed, typeof name);
export type { Shape }; export { type Name };`,
    },
  })),
  {
    name: 'imports that are left out, in CommonJS',
    files: {
      ...SIDES,
      'package.json': '{}',
      'tsconfig.json': tsconfig({}),
      'main.ts': `import types = require('./types'); import only = require('./only'); import { unused } from './unused'; import './bare'; import { type Only } from './only';
import { value, type Name } from './again'; import type { Shape } from './types';
let typed: only.Only | Only | Name | Shape | undefined;
export import again = require('./again'); export { types };
exports.more = 'more'; console.log(value, typed, Object.keys(exports).sort(), module.exports === exports, again.value);`,
    },
  },
  {
    name: 'const enums of other files',
    files: {
      'package.json': MODULE,
      'tsconfig.json': tsconfig({ isolatedModules: true }),
      'main.ts': `import { Level, Named, name } from './levels.js'; import * as all from './levels.js'; import { Far } from './index.js'; import type { Level as L } from './levels.js';
const enum Own { A = Level.High, B = \`\${Named.One}!\`, C = A | 4 }
const level: L = Level.High;
console.log(level, Named.One, Level['Low'], all.Level.Both, Far.Away, Own.A, Own.B, Own.C, name(Level.Low));
enum Merged { A = 1 } enum Merged { B = A << 3, C = 'x'.length }
console.log(Merged, Merged[1]);`,
      'levels.ts': `export const enum Level { Low = 1, High = Low << 1, Both = Low | High } export const enum Named { One = 'one' }
export const name = (level: Level) => level === Level.Low ? 'low' : 'high';`,
      'far.ts': `const enum Far { Away = -1 } export { Far };`,
      'index.ts': `export * from './far.js';`,
    },
  },
  {
    name: 'export = and import = require',
    files: {
      'package.json': '{}',
      'tsconfig.json': tsconfig({}),
      'main.ts': `import fn = require('./fn'); import data = require('./data.json'); import * as star from './fn'; import { extra } from './fn'; import Klass = require('./klass');
import nothing = require('./nothing'); import EventEmitter = require('node:events');
import Inner = Klass.Inner;
export = { fn: fn('x'), data };
console.log(fn('a'), fn.extra, extra, (star as any).extra, data.list, new Klass(2).twice(), Inner.deep, nothing, typeof new EventEmitter().on, module.exports.fn);`,
      'fn.ts': `function fn(a: string): string { return a + fn.extra } namespace fn { export const extra = '!' } export = fn;`,
      'klass.ts': `class Klass<T extends number> { constructor(private readonly n: T) {} twice() { return this.n * 2 } } namespace Klass { export namespace Inner { export const deep = 'deep' } } export = Klass;`,
      'nothing.ts': `const nothing: null = null; export = nothing;`,
      'data.json': '{ "list": [1] }',
    },
  },
  {
    name: 'export = that an ECMAScript module imports',
    files: {
      'package.json': MODULE,
      'tsconfig.json': tsconfig({}),
      'main.ts': `import fn from './fn.cjs'; import object, * as all from './object.cjs'; import { a } from './object.cjs'; import required = require('./fn.cjs');
console.log(fn(), object, Object.keys(all).includes('default'), a, required === fn);`,
      'fn.cts': `function fn() { return 'fn' } export = fn;`,
      'object.cts': `const a = 1, b = () => 2; export = { a, b };`,
    },
  },
  {
    name: 'JSON, required and imported',
    files: {
      'package.json': MODULE,
      'tsconfig.json': tsconfig({}),
      'main.ts': `import { createRequire } from 'node:module'; import data from './data.json' with { type: 'json' }; import { old } from './old.cjs';
const require = createRequire(import.meta.url);
const dynamic = await import('./data.json', { with: { type: 'json' } });
console.log(data, require('./data.json'), require('./data'), old === require('./data.json'), dynamic.default === data, data === old);
require('./data.json').changed = true;
console.log((data as any).changed, Object.keys(dynamic), require('./list.json'), require('./text.json'), require('./marked.json'));
console.log(await import('./broken.json' as string, { with: { type: 'json' } }).catch((error) => error.name));
try { require('./broken.json') } catch (error) { console.log((error as Error).name) }
console.log((await import('./data.json?x=1', { with: { type: 'json' } })).default === data);
delete require.cache[require.resolve('./data.json')];
console.log(require('./data.json').changed, require('./extensionless'));`,
      'old.cts': `import data = require('./data.json'); export const old: unknown = data;`,
      'data.json': '{ "data": { "deep": [1, null, "ü"] }, "default": 1 }',
      'list.json': '[1, 2]',
      'text.json': '"text"',
      'marked.json': '\ufeff{ "marked": true }',
      'broken.json': '{ "a": }',
      'extensionless.json': 'null',
    },
  },
];
