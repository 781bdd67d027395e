import { expect, test } from 'vitest';
import { helpText } from '../../src/config/help.ts';
import { allFlags, type Key, keys } from '../../src/config/keys.ts';

test('fits a terminal of 80 columns and about 30 lines', () => {
  const lines = helpText().split('\n');
  for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(80);
  expect(lines.length).toBeLessThanOrEqual(36);
  expect(helpText()).not.toContain('\u001b');
  expect(helpText()).toBe(helpText().trim());
});

test('has every flag with its doc on one line, in the order of the table', () => {
  const shown = helpText()
    .split('\n')
    .filter((line) => /^ {2}(-\w, | {4})--/.test(line));
  expect(shown).toHaveLength(allFlags.length);
  for (const [index, { key, flag }] of allFlags.entries()) {
    expect(shown[index]).toContain(
      `${flag.short ? `${flag.short}, ` : ''}${flag.long}${flag.value ? ` ${flag.value} ` : ' '}`,
    );
    expect(shown[index]?.endsWith(`  ${flag.doc ?? key?.doc}`)).toBe(true);
  }
});

test('names every key', () => {
  const list = /Keys of \.hotrc\.json: ([^.]+)\./.exec(helpText())?.[1]?.split(/,\s+/);
  expect([...(list ?? []), '$schema']).toEqual(keys.map(({ name }) => name));
});

test('the table: each flag and name once, each doc on one line', () => {
  const flags = allFlags.flatMap(({ flag }) => [flag.long, flag.short].filter((name) => name !== undefined));
  expect(new Set(flags).size).toBe(flags.length);
  expect(new Set(keys.map(({ name }) => name)).size).toBe(keys.length);
  for (const { doc } of keys satisfies readonly Key[]) expect(doc).toMatch(/^[^\n]{1,54}$/);
});
