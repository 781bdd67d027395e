/** What V8 has compiled of packages is used at the next start, and nobody can tell. */
import { existsSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { closeAll, launch, makeProject, type Project, start, until } from '../rig.ts';
import { NODES } from './begin.ts';

const projects = new Set<Project>();
afterEach(async () => {
  await closeAll();
  for (const project of projects) project.close();
  projects.clear();
});

const part = (name: string): string => `node_modules/${name}/index.js`;
/** Packages of all kinds that a require meets; each gives what it sees. */
const FILES = {
  [part('first-line')]: `exports.stack = new Error('here').stack.split('\\n')[1]; exports.own = this === exports;
exports.names = [typeof require.resolve, typeof require.cache, require.main === module, __filename, __dirname, arguments.length];`,
  [part('later')]: `exports.later = (name) => import(name).then(({ default: value }) => value);
exports.lazily = () => { function inner() { return new Error('inner').stack.split('\\n')[1]; } return inner(); };`,
  [part('hidden')]: 'exports.later = new Function("name", "return import(name)");',
  [part('script')]: '#!/usr/bin/env node\nmodule.exports = "with a hashbang";\n',
  [part('syntax')]: 'export const syntax = import.meta.url.slice(-15); export default "syntax";\n',
  [part('strict')]:
    `'use strict'; module.exports = (function () { return this === undefined; })();\n// without a line at its end`,
  [part('throws')]: `\n    throw new TypeError('thrown by a package');`,
  [part('cycle')]: `exports.early = true; exports.other = require('./other.js'); exports.late = true;`,
  'node_modules/cycle/other.js': `module.exports = Object.keys(require('./index.js')); exports.parent = module.parent && module.parent.id;`,
  'node_modules/data/index.json': '{"data":1}',
  'node_modules/data/package.json': '{"name":"data","main":"index.json"}',
  'node_modules/letters/index.js': `module.exports = 'žluťoučký kůň 🐎';\n`,
};
const APP = `const say = (value) => console.log(JSON.stringify(value));
const faulty = () => { try { require('throws'); } catch (error) { return String(error.stack).split('\\n').slice(0, 2); } };
const { later, lazily } = require('later');
const seen = [require('first-line'), lazily(), require('script'), require('strict'), faulty(), require('cycle'), require('data'), require('letters')];
try { seen.push({ ...require('syntax') }); } catch (error) { seen.push(error.code); }
const { later: hidden } = require('hidden');
later('later').then(({ later }) => hidden('node:fs').then(({ existsSync }) => { seen.push(typeof later, typeof existsSync); say(seen); }));
setInterval(() => {}, 1000);
`;

describe.each(NODES)('on Node $version', ({ node, version }) => {
  const isOurs = /20\./.test(version);

  const begin = (files: Readonly<Record<string, string>> = {}): Project => {
    const project = makeProject({ 'app.cjs': APP, ...FILES, ...files });
    projects.add(project);
    return project;
  };
  /** What the app says, and what of V8's is on the disk when it is all written. */
  const run = async (project: Project): Promise<{ said: string; kept: string }> => {
    const hotrun = start(project, ['app.cjs'], { node });
    const [said] = await hotrun.seen(/^[["{].*$/m, 'stdout');
    const kept = await until('what V8 has compiled is kept', () => cacheOf(project));
    hotrun.kill('SIGINT');
    await hotrun.ended;
    return { said, kept };
  };
  /** Node's is a folder of many files, ours one. */
  const cacheOf = (project: Project): string | undefined => {
    const folder = project.path('node_modules/.cache/hotrun/v8');
    const name = existsSync(folder) ? readdirSync(folder).find((each) => /^v\d|\.v8$/.test(each)) : undefined;
    return name && join(folder, name);
  };

  test('the same is seen without it, at the first start, and from it', async () => {
    const project = begin();
    const alone = launch(project, [node, 'app.cjs']);
    const [plain] = await alone.seen(/^\[.*$/m, 'stdout');
    alone.kill('SIGKILL');
    const first = await run(project);
    const at = statSync(first.kept).mtimeMs;
    const second = await run(project);
    const third = await run(project);
    expect(first.said).toBe(plain);
    expect(second.said).toBe(plain);
    expect(third.said).toBe(plain);
    // Nothing was compiled anew, so there was nothing to write.
    if (isOurs) expect(statSync(first.kept).mtimeMs).toBe(at);
  });

  test('a package that was changed in place, to the same size and the same time', async () => {
    const app = 'console.log(JSON.stringify(require("letters"))); setInterval(() => {}, 1000);';
    const project = begin({ 'app.cjs': app, [part('letters')]: 'module.exports = "one";' });
    const { atime, mtime } = statSync(project.path(part('letters')));
    expect((await run(project)).said).toBe('"one"');
    project.write(part('letters'), 'module.exports = "two";');
    utimesSync(project.path(part('letters')), atime, mtime);
    expect((await run(project)).said).toBe('"two"');
  });

  test.runIf(isOurs)('a damaged one is as none, and made anew', async () => {
    const project = begin();
    const { said, kept } = await run(project);
    const whole = readFileSync(kept);
    const damage: Record<string, (file: Buffer) => Buffer> = {
      empty: () => Buffer.alloc(0),
      short: (file) => file.subarray(0, file.length >> 1),
      other: () => Buffer.from('{}'.repeat(100)),
      // One bit, over which V8 ends the process in most places.
      ...Object.fromEntries(
        [0.5, 0.6, 0.7, 0.8].map((part) => [
          `turned at ${part}`,
          (file: Buffer) =>
            file.map((byte, at) => (at === Math.floor(file.length * part) ? byte ^ 0x40 : byte)) as Buffer,
        ]),
      ),
    };
    for (const [name, make] of Object.entries(damage)) {
      writeFileSync(kept, make(whole));
      const hotrun = start(project, ['app.cjs'], { node });
      const [again] = await hotrun.seen(/^\[.*$/m, 'stdout');
      expect(again, name).toBe(said);
      await until(
        'it is made anew',
        () => readFileSync(kept).length > whole.length * 0.9 && !readFileSync(kept).equals(make(whole)),
      );
      hotrun.kill('SIGINT');
      await hotrun.ended;
    }
  });

  test('whoever wants to see what is compiled sees it', async () => {
    const watcher = `const Module = require('node:module'); const { _compile } = Module.prototype; let count = 0;
Module.prototype._compile = function (...args) { count++; return _compile.apply(this, args); };
require('letters'); require('strict'); console.log(JSON.stringify({ count })); setInterval(() => {}, 1000);`;
    const project = begin({ 'app.cjs': watcher });
    for (let time = 1; time <= 2; time++) {
      const hotrun = start(project, ['app.cjs'], { node });
      const [said] = await hotrun.seen(/^\{.*$/m, 'stdout');
      expect(said).toBe('{"count":2}');
      hotrun.kill('SIGINT');
      await hotrun.ended;
    }
  });
});
