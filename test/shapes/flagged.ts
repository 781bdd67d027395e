/** Programs that node's own options shape: conditions, links, and what the user has loaded before. */
import { LOADER, MEDDLED, TXT } from './loader.ts';
import { type Shape, tsconfig } from './shapes.ts';

const MODULE = '{ "type": "module" }';

const CONDITIONS = {
  'package.json': JSON.stringify({
    name: 'self',
    type: 'module',
    imports: {
      '#env': { custom: './custom.js', default: './default.js' },
      '#deep': { node: { other: './other.js', custom: { import: './custom.js', require: './custom.cjs' } } },
      '#package': { custom: 'packaged/custom', default: 'packaged' },
    },
    exports: { '.': { custom: './custom.js', default: './default.js' } },
  }),
  'tsconfig.json': tsconfig({}),
  'main.ts': `import { createRequire } from 'node:module';
import { name } from '#env'; import { name as self } from 'self'; import { name as deep } from '#deep';
import { name as packaged } from 'packaged'; import { name as inside } from '#package';
import { required } from './required.cjs';
const require = createRequire(import.meta.url);
console.log(name, self, deep, packaged, inside, required, require('#deep').name, require('packaged').name);
console.log(import.meta.resolve('#env'), (await import('#' + 'env')).name, require.resolve('packaged'));`,
  'required.cts': `export const required = [require('packaged').name, require('#deep').name, require.resolve('#package')];`,
  'custom.ts': `export const name: string = 'custom';`,
  'custom.cts': `export const name: string = 'custom, required';`,
  'other.ts': `export const name: string = 'other';`,
  'default.ts': `export const name: string = 'default';`,
  'node_modules/packaged/package.json': JSON.stringify({
    exports: {
      '.': {
        custom: { import: './custom.mjs', require: './custom.cjs' },
        other: './other.cjs',
        default: './default.cjs',
      },
      './custom': './custom.cjs',
    },
  }),
  'node_modules/packaged/custom.mjs': `export const name = 'packaged custom';`,
  'node_modules/packaged/custom.cjs': `exports.name = 'packaged custom, required';`,
  'node_modules/packaged/other.cjs': `exports.name = 'packaged other';`,
  'node_modules/packaged/default.cjs': `exports.name = 'packaged default';`,
};

const LINKED = {
  'package.json': MODULE,
  'tsconfig.json': tsconfig({}),
  'real/main.ts': `import { count } from './sub/count.js'; import { count as again } from './link/count.js'; import { old } from './link/old.cjs';
count.up(); again.up();
console.log(import.meta.url, count.value, again.value, count.where, again.where, old);
console.log((await import('./' + 'link/count.js')).count.value, import.meta.resolve('./link/count.js'));
console.log(process.argv[1]);`,
  'real/sub/count.ts': `export const count = { value: 0, up(): void { this.value++ }, where: import.meta.url };`,
  'real/sub/old.cts': `import { sep } from 'node:path'; import { near } from './near.cjs'; export const old: string[] = [__filename, sep, near];`,
  'real/sub/near.cts': `export const near: string = module.id;`,
  'real/package.json': MODULE,
};
const LINKS = { 'real/link': 'sub', linked: 'real' };

/** As a package manager lays it out: a package of the workspace, and one by pnpm, whose links stay inside node_modules. */
const LAID_OUT = {
  'package.json': MODULE,
  'tsconfig.json': tsconfig({}),
  'main.ts': `import { by, where } from 'lib'; import { dep } from 'dep'; console.log(by, where, dep);`,
  'packages/lib/package.json': JSON.stringify({
    name: 'lib',
    type: 'module',
    exports: { types: './types/index.d.ts', development: './src/index.ts', default: './dist/index.js' },
  }),
  'packages/lib/types/index.d.ts': 'export declare const by: string; export declare const where: string;',
  'packages/lib/src/index.ts': `enum By { Source = 'source' } export const by: string = By.Source; export { where } from './where.js';`,
  'packages/lib/src/where.ts': `export const where: string = import.meta.url;`,
  'packages/lib/dist/index.js': `export const by = 'dist', where = import.meta.url;`,
  'node_modules/.pnpm/dep@1.0.0/node_modules/dep/package.json': '{ "name": "dep", "exports": "./index.js" }',
  'node_modules/.pnpm/dep@1.0.0/node_modules/dep/index.js': `exports.dep = [require('far').far, __filename];`,
  'node_modules/.pnpm/far@1.0.0/node_modules/far/index.js': `exports.far = 'far';`,
};
const LAYOUT = {
  'node_modules/lib': '../packages/lib',
  'node_modules/dep': '.pnpm/dep@1.0.0/node_modules/dep',
  'node_modules/.pnpm/dep@1.0.0/node_modules/far': '../../far@1.0.0/node_modules/far',
};
const DEP = `[\n  'far',\n  '/node_modules/.pnpm/dep@1.0.0/node_modules/dep/index.js'\n]`;

export const flagged: readonly Shape[] = [
  {
    name: 'a package of a workspace by its sources, and one in the layout of pnpm',
    flags: ['--conditions=development'],
    files: LAID_OUT,
    links: LAYOUT,
    prints: `source file:///packages/lib/src/where.js ${DEP}\n`,
  },
  {
    name: 'a package of a workspace as it is built',
    files: LAID_OUT,
    links: LAYOUT,
    prints: `dist file:///packages/lib/dist/index.js ${DEP}\n`,
  },
  ...[['--conditions=custom'], ['-C', 'custom'], ['--conditions', 'custom', '--conditions=other'], []].map((flags) => ({
    name: `imports and exports with ${flags.join(' ') || 'no conditions'}`,
    flags,
    files:
      flags.length > 0
        ? CONDITIONS
        : { ...CONDITIONS, 'package.json': CONDITIONS['package.json'].replace('"other":', '"default":') },
  })),
  ...[
    [],
    ['--preserve-symlinks'],
    ['--preserve-symlinks-main'],
    ['--preserve-symlinks', '--preserve-symlinks-main'],
  ].map((flags) => ({
    name: `links with ${flags.join(' ') || 'no flag'}`,
    flags,
    entry: 'linked/main.ts',
    files: LINKED,
    links: LINKS,
  })),
  {
    name: '--preserve-symlinks and CommonJS',
    flags: ['--preserve-symlinks'],
    files: {
      'package.json': '{}',
      'tsconfig.json': tsconfig({}),
      'main.ts': `import { a } from './sub/a'; import { a as again } from './link/a'; import linked = require('./file');
console.log(a === again, a.name, again.name, a.near, again.near, linked, require.resolve('./link'), Object.keys(require.cache).length);`,
      'sub/a.ts': `import near = require('./near'); export const a = { name: __filename, near };`,
      'sub/near.ts': `export = module.id;`,
      'sub/index.ts': `export {}`,
      'sub/file.json': '{ "linked": true }',
    },
    links: { link: 'sub', 'file.json': 'sub/file.json' },
  },
  {
    name: "a loader of the user's own by --experimental-loader",
    flags: ['--no-warnings', '--experimental-loader', './loader.mjs'],
    files: {
      'package.json': MODULE,
      'tsconfig.json': tsconfig({}),
      'loader.mjs': LOADER,
      'main.ts': TXT,
      'other.ts': `import it from 'virtual:again'; export const other: string = it;`,
      'greeting.txt': 'good day',
    },
  },
  {
    name: "a loader by --import that changes the project's own modules",
    flags: ['--no-warnings', '--import', './register.mjs'],
    files: {
      ...MEDDLED,
      'tsconfig.json': tsconfig({}),
      'register.mjs': `import { register } from 'node:module'; register('./meddler.mjs', import.meta.url);`,
      'main.ts': `${MEDDLED['main.ts']}
import { Worker } from 'node:worker_threads'; import { fork } from 'node:child_process'; import { once } from 'node:events';
console.log(await once(new Worker(new URL('./late.js', import.meta.url)), 'message'));
console.log((await once(fork(new URL('./late.js', import.meta.url)), 'message'))[0]);`,
      'late.ts': `import { parentPort } from 'node:worker_threads'; import { other } from './nothing.js'; import { named } from './old.cjs';
const text: string = 'REPLACED, too'; parentPort?.postMessage([text, other, named]); process.send?.([text, other, named]);`,
    },
  },
  {
    name: 'a compiler of TypeScript by --import, which is asked for all but TypeScript, and a loader after it',
    from: 22.15,
    flags: ['--no-warnings', '--import', 'ts-node/register.mjs'],
    files: {
      'package.json': MODULE,
      'tsconfig.json': tsconfig({}),
      'node_modules/ts-node/package.json': MODULE,
      'node_modules/ts-node/register.mjs': `import { register } from 'node:module'; register('./esm.mjs', import.meta.url);`,
      'node_modules/ts-node/esm.mjs': `${LOADER.replace("if (!url.endsWith('.txt'))", "if (url.endsWith('.ts')) throw new Error('compiles ' + url);\n  if (!url.endsWith('.txt'))")}`,
      'register.mjs': `import { register } from 'node:module'; register('./meddler.mjs', import.meta.url);`,
      'meddler.mjs': MEDDLED['meddler.mjs'],
      'main.ts': `${TXT} await import('./register.mjs'); console.log((await import('./later.js')).later);`,
      'other.ts': `enum Is { Other = 'other' } export const other: string = Is.Other;`,
      'later.ts': `import { other } from './nothing.js'; enum Is { Later = 'later' } export const later: string = Is.Later + other;`,
      'greeting.txt': 'good day',
    },
  },
  {
    name: 'the same, registered by the program itself, and for a program in CommonJS',
    flags: ['--no-warnings'],
    files: {
      ...MEDDLED,
      'tsconfig.json': tsconfig({}),
      'package.json': '{ "type": "commonjs" }',
      'main.ts': `import nodeModule = require('node:module'); import { pathToFileURL } from 'node:url';
nodeModule.register('./meddler.mjs', { parentURL: pathToFileURL(__filename), data: {} });
import('./late.mjs').then(() => console.log(require('./old.cjs').named, require.main === module));`,
      'late.mts': MEDDLED['main.ts'].replaceAll('other.js', 'other.mjs').replaceAll('wrapped.js', 'wrapped.mjs'),
      'other.mts': MEDDLED['other.ts'],
      'wrapped.mts': MEDDLED['wrapped.ts'],
      'meddler.mjs': MEDDLED['meddler.mjs'].replaceAll('.[jt]s', '.m[jt]s').replaceAll('other.js', 'other.mjs'),
    },
  },
  {
    name: 'the same, by --import, of a program in CommonJS',
    flags: ['--no-warnings', '--import', './register.mjs'],
    files: {
      ...MEDDLED,
      'tsconfig.json': tsconfig({}),
      'package.json': '{ "type": "commonjs" }',
      'register.mjs': `import { register } from 'node:module'; register('./meddler.mjs', import.meta.url);`,
      'main.ts': `import old = require('./old.cjs'); console.log(old.named, require.main === module, module.parent, Object.keys(require.cache).length);
import('./old.cjs').then(({ named }) => console.log(named === old.named));`,
      'other.ts': 'export {}',
      'wrapped.ts': 'export {}',
    },
  },
  {
    name: 'module.register in the program itself',
    files: {
      'package.json': MODULE,
      'tsconfig.json': tsconfig({}),
      'loader.mjs': LOADER,
      'main.ts': `import { register } from 'node:module'; register('./loader.mjs', import.meta.url); await import('./late.js');`,
      'late.ts': TXT,
      'other.ts': `import it from 'virtual:again'; export const other: string = it;`,
      'greeting.txt': 'good day',
    },
  },
  {
    name: 'extension handlers by --require',
    flags: ['--require', './hook.cjs'],
    files: {
      'package.json': '{}',
      'tsconfig.json': tsconfig({}),
      'hook.cjs': `const { readFileSync } = require('node:fs');
require.extensions['.txt'] = (module, filename) => { module.exports = readFileSync(filename, 'utf8') };
require.extensions['.late'] = (module, filename) => module._compile('exports.late = __filename.length > 0', filename);`,
      'main.ts': `import text = require('./greeting.txt');
import { other } from './other';
console.log(text, other, require('./greeting'), require('./it.late').late, Object.keys(require.extensions).includes('.txt'));`,
      'other.ts': `export const other: string = require('./folder');`,
      'greeting.txt': 'good day',
      'folder/index.txt': 'an index',
      'it.late': '?',
    },
  },
  {
    name: 'a --require that wraps what is required and compiled',
    flags: ['-r', './wrap.cjs', '-r', './typed.cjs'],
    files: {
      'package.json': '{}',
      'tsconfig.json': tsconfig({}),
      'wrap.cjs': `const Module = require('node:module');
const { require: real, _compile } = Module.prototype;
const seen = globalThis.seen = [];
Module.prototype.require = function (id) { const found = real.call(this, id); if (/other|path/.test(id)) seen.push(id); return found };
const load = Module._load;
Module._load = function (id, ...rest) { const found = load.call(this, id, ...rest); return id === 'node:os' ? { wrapped: true } : found };
Module.prototype._compile = function (source, filename, ...rest) {
  return _compile.call(this, filename.includes('other.') ? source.replace('REPLACED', 'replaced') : source, filename, ...rest);
};`,
      'typed.cts': `export const typed: string = 'typed'; (globalThis as any).typed = typed;`,
      'typed.cjs': `globalThis.typed = 'typed';`,
      'main.ts': `import os = require('node:os'); import path = require('node:path'); import { other } from './other';
console.log(os, path.sep, other, (globalThis as any).seen, (globalThis as any).typed);`,
      'other.ts': `export const other: string = 'REPLACED';`,
    },
  },
  {
    name: 'an --import in TypeScript of its own',
    flags: ['--import', './before.mjs'],
    files: {
      'package.json': MODULE,
      'tsconfig.json': tsconfig({}),
      'before.mjs': `import './setup.js'; globalThis.order = ['before'];`,
      'setup.ts': `export const level: number = 1; console.log('setup', level, typeof (globalThis as any).order);`,
      'main.ts': `import { level } from './setup.js'; console.log('main', level, (globalThis as any).order);`,
    },
  },
  ...(['', `import { register } from 'node:module'; register('./loader.mjs', import.meta.url);`] as const).map(
    (registers) => ({
      name: `TypeScript by --require and --import${registers ? ', and hooks in their thread' : ''}`,
      flags: ['-r', './first.cjs', '--import', './before.mjs'],
      files: {
        'package.json': MODULE,
        'tsconfig.json': tsconfig({}),
        // For what is compiled, and for what is not.
        'first.cjs': `const { isMainThread } = require('node:worker_threads'); const { first } = require('./typed'); if (isMainThread) console.log(first);`,
        'typed/package.json': '{}',
        'typed/index.ts': `enum Kind { First = 'first' } export const first: string = Kind.First;`,
        'before.mjs': `${registers} await import('./setup.js');`,
        'loader.mjs': `export const resolve = (specifier, context, next) => next(specifier, context);`,
        'setup.ts': `enum Kind { Setup = 'setup' } console.log(Kind.Setup, import.meta.url); export {};`,
        'main.ts': `import './setup.js'; console.log('main');`,
      },
    }),
  ),
  {
    name: 'node:vm with modules of its own',
    flags: ['--experimental-vm-modules', '--no-warnings'],
    files: {
      'package.json': MODULE,
      'tsconfig.json': tsconfig({}),
      'main.ts': `import vm, { type Module } from 'node:vm'; import * as other from './other.js';
const made = new vm.SourceTextModule('import { other } from "./other"; export default other + import.meta.note; export const later = await import("./other.js");', {
  identifier: import.meta.url,
  initializeImportMeta: (meta) => { (meta as any).note = '!' },
  importModuleDynamically: (async (name: string) => import(name)) as never,
});
await made.link(async (name: string): Promise<Module> => {
  const stand = new vm.SyntheticModule(Object.keys(other), function () { for (const [key, value] of Object.entries(other)) this.setExport(key, value) }, { context: made.context });
  return stand;
});
await made.evaluate();
console.log((made.namespace as any).default, (made.namespace as any).later.other, vm.runInThisContext('typeof require + typeof process'));
try { vm.runInThisContext('null.x', { filename: 'made-up.js' }) } catch (error) { console.log(/made-up.js:1/.test((error as Error).stack!)) }
const context = vm.createContext({ other: other.other });
console.log(vm.runInContext('other + typeof globalThis.process', context), vm.compileFunction('return a', ['a'])(3));`,
      'other.ts': `export const other: string = 'other';`,
    },
  },
  {
    name: 'node:vm in CommonJS',
    files: {
      'package.json': '{}',
      'tsconfig.json': tsconfig({}),
      'main.ts': `import vm = require('node:vm'); import { readFileSync } from 'node:fs'; import Module = require('node:module');
const wrapped = vm.runInThisContext(Module.wrap('exports.made = require("./other").other + typeof __filename'), { filename: __filename });
const made: { made?: string } = {};
wrapped.call(made, made, require, module, __filename, __dirname);
const own = new Module(__dirname + '/made.js', module) as any;
own.filename = __dirname + '/made.js'; own.paths = (Module as any)._nodeModulePaths(__dirname);
own._compile('module.exports = require("./other").other + module.parent.children.length', own.filename);
console.log(made.made, own.exports, typeof readFileSync, vm.isContext({}));`,
      'other.ts': `export const other: string = 'other';`,
    },
  },
];
