import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'jsonc-parser';
import { describe, expect, test } from 'vitest';
import { type Key, type KeyName, keys } from '../../src/config/keys.ts';
import { read } from '../../src/config/kinds.ts';
import { readRc } from '../../src/config/rcfile.ts';

const file = join(import.meta.dirname, '../../.hotrc.example.json');
const text = readFileSync(file, 'utf8');

/** Each key with the comment above it. "run" excludes "entry", so it stands in a comment itself. */
const shown = [...text.matchAll(/((?:^ *\/\/ (?!").*\n)+) *(?:\/\/ )?("([$\w]+)": .*?),?\n/gm)].map(
  ([, comment = '', member = '', name = '']) => ({
    name,
    comment: comment.replaceAll(/^ *\/\/ /gm, ''),
    value: parse(`{${member}}`)[name] as unknown,
  }),
);

const readAs = (name: string, value: unknown) => read(keys.find((key) => key.name === name) as Key, value).value;

const inOrder = ['$schema', ...keys.map(({ name }) => name).filter((name) => name !== '$schema')];

test('is accepted as it stands', () => {
  expect(Object.keys(readRc(text, file, '/').given)).toEqual(inOrder.filter((name) => name !== 'run'));
});

test('shows every key, in the order of the table but for $schema, which editors put first', () => {
  expect(shown.map(({ name }) => name)).toEqual(inOrder);
});

describe.each(shown)('$name', ({ name, comment, value }) => {
  const key = keys.find((known) => known.name === name) as Key & { name: KeyName };
  const said = /^Default: (.*)$/m.exec(comment)?.[1];

  test('begins with its doc', () => {
    expect(comment.startsWith(key.doc)).toBe(true);
  });

  test('has a value of its kind', () => {
    expect(read(key, value).problem).toBe(undefined);
  });

  test('tells its default, and that is the default', () => {
    expect(said === undefined ? null : JSON.parse(said)).toEqual(key.default);
  });

  test('offers the choices that there are', () => {
    for (const choice of key.choices ?? []) expect(comment).toContain(choice);
  });

  test('is the default where it looks like it: scalars and the ladder', () => {
    if (key.default !== null && !Array.isArray(key.default))
      expect(readAs(name, value)).toEqual(readAs(name, key.default));
    else expect(value).not.toEqual(key.default);
  });
});
