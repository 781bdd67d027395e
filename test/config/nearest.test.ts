import { expect, test } from 'vitest';
import { distance, nearest } from '../../src/config/nearest.ts';

test.each([
  ['watch', 'watch', 0],
  ['wach', 'watch', 1],
  ['wtach', 'watch', 1],
  ['watchh', 'watch', 1],
  ['wetch', 'watch', 1],
  ['kitten', 'sitting', 3],
  ['', 'abc', 3],
  ['abc', '', 3],
])('from %s to %s it is %i', (from, to, errors) => {
  expect(distance(from, to)).toBe(errors);
  expect(distance(to, from)).toBe(errors);
});

const known = ['entry', 'args', 'nodeArgs', 'watch', 'ignore', 'run', 'build', 'stop', 'handover'];
test.each([
  ['wach', 'watch'],
  ['nodeargs', 'nodeArgs'],
  ['node-args', 'nodeArgs'],
  ['--buidl', 'build'],
  ['hand', 'handover'],
  ['arg', 'args'],
  ['rnu', 'run'],
  ['xyzzy', undefined],
  ['e', undefined],
  ['', undefined],
])('%s means %s', (word, meant) => {
  expect(nearest(word, known)).toBe(meant);
});

test('what begins two words in the same way means neither', () => {
  expect(nearest('inspect-', ['inspector-one', 'inspector-two'])).toBe(undefined);
});
