/** Which files storms begin with, by what came after them. */
import { expect, test } from 'vitest';
import { openBeginnings } from '../../src/watch/beginnings.ts';

/** `+` followed by others, `.` alone, `g` said to be generated; what is expected of it before each of these: `?` more, ` ` nothing. */
test.each([
  ['a generator', '++++', ' ???'],
  ['a person', '....', '    '],
  ['a person after a generator', '+...', ' ?  '],
  ['by turns', '+.+.+.+.+', ' ?       '],
  ['a generator again', '+.++++.', ' ?  ???'],
  ['what says that it is generated', 'g+++', ' ???'],
  ['what says so, and is alone', 'g.g.g.', ' ?    '],
  ['what says so, and is believed by what follows only', 'g.g++g+', ' ?   ??'],
  ['in vain for the second time', '+.++.++++++', ' ?  ?    ??'],
])('%s', (_name, happened, expected) => {
  const beginnings = openBeginnings();
  const found = [...happened].map((what) => {
    const isOne = beginnings.isOne('/a');
    if (what === 'g') beginnings.generated('/a');
    else if (what === '+') beginnings.followed('/a');
    else beginnings.alone('/a');
    return isOne ? '?' : ' ';
  });
  expect(found.join('')).toBe(expected);
});

test('the oldest are forgotten', () => {
  const beginnings = openBeginnings();
  for (let at = 0; at < 1000; at++) beginnings.followed(`/${at}`);
  expect([0, 949, 950, 999].map((at) => beginnings.isOne(`/${at}`))).toEqual([false, false, true, true]);
});
