/** Which packages a standby may load before its turn: those that nothing of the project comes before. */
import { describe, expect, test } from 'vitest';
import { type Graph, preloadsOf } from '../../src/build/preload.ts';
import type { Module } from '../../src/build/transform.ts';

/** What is not in the project is a package. */
const graphOf = (project: Readonly<Record<string, Module | string>>): Graph => ({
  module(file) {
    const found = project[file];
    return typeof found === 'string' ? { format: 'module', code: found, transformed: true } : found;
  },
  resolve: (specifier) =>
    specifier in project
      ? { file: specifier }
      : specifier === 'unknown'
        ? undefined
        : { preload: { url: `file:///node_modules/${specifier}`, by: 'import' } },
});

const preloaded = async (
  project: Readonly<Record<string, Module | string>>,
  wanted: Parameters<typeof preloadsOf>[2] = 'auto',
): Promise<string[]> =>
  (await preloadsOf('entry', graphOf(project), wanted)).packages.map(({ url }) =>
    url.replace('file:///node_modules/', ''),
  );

const influences: readonly (readonly [string, string])[] = [
  ['sets an environment variable', `process.env.TZ = 'UTC'`],
  ['sets one by another way', `process.env['TZ'] ??= 'UTC'`],
  ['sets many', 'Object.assign(process.env, {})'],
  ['takes one away', 'delete process.env.TZ'],
  ['sets a global', 'globalThis.fetch = null'],
  ['changes the working directory', `process.chdir('/')`],
  ['reads an env file', 'process.loadEnvFile()'],
  ['listens to the process', `process.on('warning', () => {})`],
];

test('how many packages there are, with those behind what is in the way', async () => {
  const project = {
    entry: `import a from 'a'; import './b'; import c, { d } from 'c/part'; import 'node:fs'`,
    './b': `import 'e'; import 'a'`,
  };
  const { packages, of } = await preloadsOf('entry', graphOf(project), 'auto');
  expect([packages.length, of]).toEqual([1, 3]);
});

describe('auto', () => {
  test('packages in the order of their evaluation, through the modules of the project', async () => {
    const project = {
      entry: `import { a } from 'a'; import b from './b'; import * as c from 'c'; import 'node:fs'; import 'http';`,
      './b': `import d from 'd'; export * from 'e'; export default d;`,
    };
    expect(await preloaded(project)).toEqual(['a', 'd', 'e', 'c']);
  });

  test('what is imported when it is needed is left until then', async () => {
    expect(
      await preloaded({ entry: `import a from 'a'; await import('b'); export const c = () => import('c');` }),
    ).toEqual(['a']);
  });

  test('a cycle, and what is not known', async () => {
    expect(await preloaded({ entry: `import './b2'; import 'a'`, './b2': '' })).toEqual([]);
    expect(
      await preloaded({ entry: `import b from './b'; import 'a'`, './b': `import e from 'entry'; import 'c'` }),
    ).toEqual(['c', 'a']);
    expect(await preloaded({ entry: `import 'a'; import x from 'unknown'; import 'b'` })).toEqual(['a']);
  });

  test('a module that is imported for its effects: nothing behind it', async () => {
    expect(await preloaded({ entry: `import 'a'; import './instrument'; import 'b'`, './instrument': '' })).toEqual([
      'a',
    ]);
  });

  test.each(influences)('a module of the project that %s: nothing behind it', async (_what, code) => {
    const project = { entry: `import 'a'; import { x } from './x'; import 'b'`, './x': `import 'c'; ${code}` };
    expect(await preloaded(project)).toEqual(['a', 'c']);
  });

  test('one that only reads the environment, or compares with it, does not count', async () => {
    const project = {
      entry: `import { x } from './x'; import 'b'`,
      './x': `export const x = process.env.PORT === '1' || process.env.TZ == 'UTC' ? process.env : 0;`,
    };
    expect(await preloaded(project)).toEqual(['b']);
  });

  test.each([
    'dotenv',
    'dotenv/config',
    '@sentry/node',
    '@opentelemetry/api',
    'dd-trace',
    'newrelic',
    'module-alias',
    'tsconfig-paths/register',
  ])('%s: neither it nor anything behind it', async (name) => {
    expect(await preloaded({ entry: `import 'a'; import '${name}'; import 'b'` })).toEqual(['a']);
  });

  test('CommonJS that was written as imports', async () => {
    const code = `var import_a = require("a");\nvar import_b = require("b");\n`;
    expect(await preloaded({ entry: { format: 'commonjs', code, transformed: true } })).toEqual(['a', 'b']);
  });

  const handwritten = (code: string): Module => ({ format: 'commonjs', code, transformed: false });

  test('handwritten CommonJS, as far as it begins with requires', async () => {
    const project = {
      entry: handwritten(`const x = require('./x');\nconst b = require('b');\nb(require('http'));`),
      './x': handwritten(`'use strict';\nconst c = require('c'), { d } = require('d');\nmodule.exports = c(d);`),
    };
    expect(await preloaded(project)).toEqual(['c', 'd', 'b']);
  });

  test.each([
    [`const c = require('c'); c(); const d = require('d');`, ['c']],
    [`const c = require('c'); exports.d = () => require('d');`, ['c']],
    [`const c = require('c'); exports.d = () => import('d');`, ['c']],
    [`const c = require('c')(); module.exports = c;`, ['c']],
    [`const c = require('c'); process.env.A = '1';`, ['c']],
    [`require('./y'); const c = require('c');`, []],
    [`require('dotenv').config(); const c = require('c');`, []],
  ])('handwritten CommonJS, and nothing behind it: %s', async (code, packages) => {
    const entry = handwritten(`const x = require('./x');\nconst b = require('b');`);
    expect(await preloaded({ entry, './x': handwritten(code), './y': handwritten('') })).toEqual(packages);
  });
});

test.each([
  [{ entry: `import 'a'` }, null],
  [{ entry: `import x from './x'`, './x': `process.env.A = '1'` }, './x changes the environment, or what is global'],
  [{ entry: `import './x'`, './x': '' }, 'entry imports ./x for its effects'],
  [{ entry: `import 'dotenv/config'` }, 'entry imports dotenv/config, which influences other packages'],
  [{ entry: `import x from 'unknown'` }, 'entry imports unknown, which is not known'],
])('%j: where it ends, and why', async (project, why) => {
  const { stop } = await preloadsOf('entry', graphOf(project as Record<string, string>), 'auto');
  expect(stop && `${stop.file} ${stop.because}`).toBe(why);
});

const ALL = {
  entry: `import 'a'; import './instrument'; import b from 'b/part'; import c from '@scope/c';`,
  './instrument': `process.env.X = '1'; import 'dotenv/config';`,
};

test('all: those behind what may influence them, too', async () => {
  expect(await preloaded(ALL, 'all')).toEqual(['a', 'dotenv/config', 'b/part', '@scope/c']);
});

test('none', async () => {
  expect(await preloaded(ALL, 'none')).toEqual([]);
});

test('names: those packages alone, wherever they are', async () => {
  expect(await preloaded(ALL, ['@scope/c', 'b'])).toEqual(['b/part', '@scope/c']);
});
