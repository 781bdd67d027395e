import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openPackages } from '../../src/build/packages.ts';
import { project, write } from './project.ts';

test('the nearest package.json counts, even one without a type, and node_modules is a boundary', () => {
  const root = project({
    'package.json': '{"type":"module"}',
    'src/deep/x.ts': '',
    'inner/package.json': '{"name":"inner"}',
    'inner/lib/x.ts': '',
    'bom/package.json': '\ufeff{"type":"commonjs","main":"./m.js"}',
    'node_modules/dep/x.js': '',
    'node_modules/package.json': '{"type":"module"}',
    'odd/package.json': '{"type":"esm","main":3}',
  });
  const { around } = openPackages();
  const type = (folder: string) => around(join(root, folder))?.type;
  expect(type('.')).toBe('module');
  expect(type('src/deep')).toBe('module');
  expect(type('inner/lib')).toBeNull();
  expect(type('bom')).toBe('commonjs');
  expect(around(join(root, 'bom'))?.main).toBe('./m.js');
  expect(around(join(root, 'node_modules/dep'))).toBeNull();
  expect(around(join(root, 'odd'))).toMatchObject({ type: null, main: null, fault: null });
});

test('a broken package.json is a fault with its place', () => {
  const root = project({ 'package.json': '{\n  "type" "module"\n}' });
  expect(openPackages().at(root)).toEqual({
    file: join(root, 'package.json'),
    type: null,
    main: null,
    fault: {
      text: 'This is not valid JSON: colon expected.',
      file: join(root, 'package.json'),
      line: 2,
      column: 10,
      length: 8,
      source: '  "type" "module"',
    },
  });
});

test('what was read is kept until reset', () => {
  const root = project();
  const packages = openPackages();
  expect(packages.at(root)).toBeNull();
  write(root, { 'package.json': '{}' });
  expect(packages.at(root)).toBeNull();
  packages.reset();
  expect(packages.at(root)).not.toBeNull();
});
