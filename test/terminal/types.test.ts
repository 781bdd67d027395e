import { expect, test } from 'vitest';
import type { Fault } from '../../src/errors.ts';
import { lines, type View } from '../../src/terminal/lines.ts';

const fault: Fault = { text: 'TS1: one.', file: '/home/me/app/a.ts', line: 1, column: 2 };

test.each<[level: View['level'], first: boolean, faults: readonly Fault[], said: readonly string[]]>([
  ['quiet', true, [fault], ['[hotrun] 1 type error', 'a.ts:1:2: TS1: one.']],
  ['quiet', false, [fault, fault], ['[hotrun] 2 type errors', 'a.ts:1:2: TS1: one.', 'a.ts:1:2: TS1: one.']],
  ['normal', true, [], []],
  ['verbose', true, [], ['[hotrun] no type errors']],
  ['quiet', false, [], []],
  ['normal', false, [], ['[hotrun] no type errors any more']],
])('%s, the first check: %s, %j', (level, first, faults, said) => {
  const view = { cwd: '/home/me/app', colors: false, columns: 80, level };
  expect(lines({ type: 'types', first, faults }, view)).toEqual(said);
});
