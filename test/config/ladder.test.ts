import { describe, expect, test } from 'vitest';
import { ladderFromText, ladderOf, milliseconds } from '../../src/config/ladder.ts';
import type { Reading } from '../../src/config/reading.ts';
import type { Rung } from '../../src/supervisor/words.ts';

const shown = ({ value, problem }: Reading<readonly Rung[]>) =>
  problem?.text ?? value?.map(({ signal, ms }) => `${signal} ${ms}`).join(', ');

test.each<[time: unknown, ms: number | undefined]>([
  [5000, 5000],
  ['5s', 5000],
  ['500ms', 500],
  ['1.5s', 1500],
  [1, 1],
  [2 ** 31 - 1, 2 ** 31 - 1],
  [2 ** 31, undefined],
  [0, undefined],
  ['0s', undefined],
  [-1, undefined],
  [1.5, undefined],
  [Number.NaN, undefined],
  ['5', undefined],
  ['5 s', undefined],
  ['5m', undefined],
  ['', undefined],
  [null, undefined],
  [[5], undefined],
])('%j is %s ms', (time, ms) => {
  expect(milliseconds(time)).toBe(ms);
});

describe('as an object', () => {
  test.each<[stop: Record<string, unknown>, ladder: string]>([
    [{ SIGINT: 5000, SIGTERM: '2s' }, 'SIGINT 5000, SIGTERM 2000, SIGKILL 2000'],
    [{ SIGTERM: '10s', SIGINT: 1, SIGKILL: '500ms' }, 'SIGTERM 10000, SIGINT 1, SIGKILL 500'],
    [{ SIGKILL: 100 }, 'SIGKILL 100'],
    [{}, 'wants at least one signal'],
    [{ TERM: 1 }, 'wants signals that ask a program to stop, not "TERM", did you mean SIGTERM?'],
    [{ SIGTREM: 1 }, 'wants signals that ask a program to stop, not "SIGTREM", did you mean SIGTERM?'],
    [{ sigint: 1 }, 'wants signals that ask a program to stop, not "sigint", did you mean SIGINT?'],
    [{ SIGSTOP: 1, 'x\ny': 2 }, 'wants signals that ask a program to stop, not "SIGSTOP"'],
    [{ SIGINT: '5 minutes' }, 'wants a time such as 5000 (ms) or "5s" for SIGINT, not "5 minutes"'],
    [{ SIGKILL: 100, SIGINT: 100 }, 'has SIGINT after SIGKILL, which nothing survives'],
  ])('%j: %s', (stop, ladder) => {
    expect(shown(ladderOf(Object.entries(stop)))).toBe(ladder);
  });
});

describe('as text', () => {
  test.each([
    ['SIGTERM 10s, SIGKILL', 'SIGTERM 10000, SIGKILL 2000'],
    ['SIGTERM:10s', 'SIGTERM 10000, SIGKILL 2000'],
    ['SIGTERM=500ms,SIGKILL : 1s', 'SIGTERM 500, SIGKILL 1000'],
    ['SIGTERM 300', 'SIGTERM 300, SIGKILL 2000'],
    ['SIGINT, SIGTERM', 'SIGINT 5000, SIGTERM 2000, SIGKILL 2000'],
    ['SIGTERM', 'SIGTERM 5000, SIGKILL 2000'],
    ['SIGTERM 5s SIGKILL', 'wants a time such as 5000 (ms) or "5s" for SIGTERM, not "5s SIGKILL"'],
    ['SIGTERM 5, SIGTERM 6', 'names SIGTERM twice, and each is sent once'],
    ['SIGKILL, SIGTERM', 'has SIGTERM after SIGKILL, which nothing survives'],
    ['', 'wants signals that ask a program to stop, not ""'],
    ['SIGTERM,', 'wants signals that ask a program to stop, not ""'],
  ])('%s: %s', (text, ladder) => {
    expect(shown(ladderFromText(text))).toBe(ladder);
  });
});
