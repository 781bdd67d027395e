import { join } from 'node:path';
import { expect, test } from 'vitest';
import { meaningOf, openPackages } from '../../src/build/packages.ts';
import { shapesOf } from '../../src/build/shapes.ts';
import { openTsconfigs } from '../../src/build/tsconfig.ts';
import { project } from './project.ts';

test('what governs each module, what that extends, and what would come before it', () => {
  const root = project({
    'package.json': '{}',
    'tsconfig.json': '{ "extends": "./base.json" }',
    'base.json': '{}',
    'src/a.ts': '',
    'src/deep/b.ts': '',
    'part/package.json': '{}',
    'part/tsconfig.json': '{}',
    'part/src/c.ts': '',
    'plain/d.js': '',
  });
  const tools = { packages: openPackages(), tsconfigs: openTsconfigs() };
  const shapes = (...files: string[]): string[] =>
    shapesOf(
      files.map((file) => join(root, file)),
      root,
      tools,
    ).map((file) => file.slice(root.length + 1));
  expect(shapes('src/a.ts')).toEqual([
    'base.json',
    'package.json',
    'src/package.json',
    'src/tsconfig.json',
    'tsconfig.json',
  ]);
  expect(shapes('src/deep/b.ts')).toContain('src/deep/tsconfig.json');
  expect(shapes('part/src/c.ts')).toEqual([
    'part/package.json',
    'part/src/package.json',
    'part/src/tsconfig.json',
    'part/tsconfig.json',
  ]);
  expect(shapes('plain/d.js')).toEqual([
    'base.json',
    'package.json',
    'plain/package.json',
    'plain/tsconfig.json',
    'tsconfig.json',
  ]);
  expect(shapes('plain/e.json')).toEqual(['package.json', 'plain/package.json']);
  expect(shapes('node_modules/f/f.ts').filter((file) => file.includes('config'))).toEqual([]);
});

test('a jsconfig.json, and what would come before it', () => {
  const root = project({ 'package.json': '{}', 'src/jsconfig.json': '{}', 'src/deep/a.js': '', 'b.js': '' });
  const tools = { packages: openPackages(), tsconfigs: openTsconfigs() };
  const configs = (file: string): string[] =>
    shapesOf([join(root, file)], root, tools)
      .map((path) => path.slice(root.length + 1))
      .filter((path) => path.includes('config'));
  expect(configs('src/deep/a.js')).toEqual([
    'src/deep/jsconfig.json',
    'src/deep/tsconfig.json',
    'src/jsconfig.json',
    'src/tsconfig.json',
    'tsconfig.json',
  ]);
  expect(configs('b.js')).toEqual(['jsconfig.json', 'tsconfig.json']);
});

test('a package.json means the same with other scripts, and something else with another type', () => {
  const one = meaningOf('{ "type": "module", "scripts": { "a": "b" }, "version": "1.0.0" }');
  expect(meaningOf('{ "version": "2.0.0", "type": "module" }')).toBe(one);
  expect(meaningOf('{ "type": "commonjs" }')).not.toBe(one);
  expect(meaningOf('{ "type": "module"')).not.toBe(one);
});
