import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { faultOfImport, faultsOfRequires } from '../../src/build/requires.ts';
import { openResolve } from '../../src/build/resolve.ts';
import { openTransform } from '../../src/build/transform.ts';
import { type Files, project } from './project.ts';

/** The faults in what `main` requires, and the files that were read for them. */
async function faultsOf(files: Files, main: string, isNew = true) {
  const root = project({ 'package.json': '{}', ...files });
  const transform = openTransform({ nodeVersion: process.versions.node });
  const { resolve } = openResolve();
  const read: string[] = [];
  const faults = await faultsOfRequires([join(root, main)], {
    async module(file) {
      read.push(file.slice(root.length + 1));
      const made = await transform.transform(file, readFileSync(file, 'utf8'));
      return 'module' in made ? made.module : made;
    },
    resolve,
    missing() {},
    isNew: () => isNew,
  });
  transform.close();
  return {
    faults: faults.map(
      ({ file = '', line, column, text }) => `${file.slice(root.length + 1)}:${line}:${column} ${text}`,
    ),
    read: read.sort(),
  };
}

test.each([
  [`import { b } from './b';\nconsole.log(b);`],
  [`import * as b from './b';\nconsole.log(b);`],
  [`import './b';`],
  [`export { b } from './b';`],
  [`export * from './b';`],
  [`import b = require('./b');\nconsole.log(b);`],
  [`const { b } = require('./b');`],
  [`const {\n  b,\n} = require('./b');`],
  [`require('./b');`],
  [`module.exports = require('./b');`],
  [`exports.b = require('./b').b;`],
])('%j is followed', async (source) => {
  const { faults, read } = await faultsOf(
    { 'a.ts': source, 'b.ts': `import './c';\n`, 'c.ts': '\nconst x = ;' },
    'a.ts',
  );
  expect(faults).toEqual(['c.ts:2:11 Unexpected ";".']);
  expect(read).toEqual(['a.ts', 'b.ts', 'c.ts']);
});

test.each([
  [`function later() {\n  require('./gone');\n}`],
  [`try {\n  require('./gone');\n} catch {}`],
  [`import('./gone').catch(() => {});`],
  [`import type { Gone } from './gone';\nlet x: Gone | undefined;`],
  [`require('./data.txt');`],
  [`require('node:fs'); const os = require('os');`],
])('%j is nobody else’s business', async (source) => {
  expect((await faultsOf({ 'a.ts': source, 'data.txt': 'not a { module' }, 'a.ts')).faults).toEqual([]);
});

test('what is missing has a place', async () => {
  const { faults } = await faultsOf(
    { 'a.js': `const b = require('./b');\n`, 'b.js': `'use strict';\n\nconst { x } = require("./gone");\n` },
    'a.js',
  );
  expect(faults).toEqual([`b.js:3:23 Cannot find module './gone'`]);
});

test('packages are looked for in what is new', async () => {
  const files = { 'a.ts': `import { x } from 'there';\nimport { y } from 'gone';\nconsole.log(x, y);\n` };
  const there = { 'node_modules/there/index.js': 'not { looked into' };
  expect((await faultsOf({ ...files, ...there }, 'a.ts')).faults).toEqual([`a.ts:2:19 Cannot find module 'gone'`]);
  expect((await faultsOf(files, 'a.ts', false)).faults).toEqual([]);
});

test('a cycle comes to an end, and modules are not followed', async () => {
  const { read } = await faultsOf(
    { 'a.ts': `import './b';\nimport './m.mjs';`, 'b.ts': `import './a';`, 'm.mjs': `import './gone.mjs';` },
    'a.ts',
  );
  expect(read).toEqual(['a.ts', 'b.ts', 'm.mjs']);
});

test.each([
  [`import { x } from './gone.js';`, 'module', 'gone.js', 19],
  [`// './gone.js'\nimport './gone.js';`, 'module', 'gone.js', 8],
  [`import x from 'pkg/sub';`, 'package', 'pkg', 15],
])('the place of what Node misses in %j', async (source, what, target, column) => {
  const root = project({ 'a.mjs': source });
  const file = join(root, 'a.mjs');
  const missing = what === 'module' ? join(root, target) : target;
  const fault = await faultOfImport(`Cannot find ${what} '${missing}' imported from ${file}`);
  expect(fault).toMatchObject({ text: `Cannot find ${what} '${missing}'`, file, column });
});

test('other words of Node are left alone', async () => {
  expect(await faultOfImport('Unexpected token')).toBeNull();
});
