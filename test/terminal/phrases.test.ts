import { describe, expect, it } from 'vitest';
import { lines, type View } from '../../src/terminal/lines.ts';

const plain: View = { cwd: '/home/me/app', colors: false, columns: 80, level: 'normal' };

describe('durations', () => {
  const rows: [number, string][] = [
    [0, '0 ms'],
    [0.4, '0 ms'],
    [70.6, '71 ms'],
    [999.4, '999 ms'],
    [999.6, '1 s'],
    [1049, '1 s'],
    [1250, '1.3 s'],
    [12_345, '12.3 s'],
    [59_940, '59.9 s'],
    [59_960, '1 min'],
    [119 * 60_000, '119 min'],
    [120 * 60_000, '2 h'],
  ];
  it.each(rows)('%d is %s', (afterMs, text) => {
    expect(lines({ type: 'escalated', signal: 'SIGTERM', afterMs }, plain)).toEqual([
      `[hotrun] still there after ${text}: SIGTERM sent`,
    ]);
  });
});

describe('file names', () => {
  const names = (files: string[], view: Partial<View> = {}) =>
    lines({ type: 'building', reason: { kind: 'saved', files }, command: 'x' }, { ...plain, ...view })[0]?.slice(
      9,
      -11,
    );

  const rows: [string, string[], string][] = [
    ['relative to cwd', ['/home/me/app/src/a.ts'], 'src/a.ts changed'],
    ['already relative', ['./src/a.ts'], 'src/a.ts changed'],
    ['beside cwd', ['/home/me/lib/a.ts'], '../lib/a.ts changed'],
    ['far away: the absolute path is shorter', ['/etc/a.ts'], '/etc/a.ts changed'],
    ['two', ['a.ts', 'b.ts'], 'a.ts and b.ts changed'],
    ['three', ['a.ts', 'b.ts', 'c.ts'], 'a.ts and 2 more changed'],
    ['none', [], 'something changed'],
  ];
  it.each(rows)('%s', (_, files, text) => {
    expect(names(files)).toBe(text);
  });

  it('names more of them when verbose, but not all of a git checkout', () => {
    const many = Array.from({ length: 200 }, (_, i) => `${i}.ts`);
    expect(names(many.slice(0, 3), { level: 'verbose' })).toBe('0.ts, 1.ts and 2.ts changed');
    expect(names(many, { level: 'verbose' })).toBe(`${many.slice(0, 20).join(', ')} and 180 more changed`);
  });
});

describe('where the time of a reload went', () => {
  const told = (form: 'text' | 'json') =>
    lines({ type: 'timings', form, gen: 2, files: ['/home/me/app/a.ts'], marks: [['heard', 1.23]] }, plain);

  it('for people', () => expect(told('text')).toEqual(['[hotrun] ms after the save: heard 1.2']));
  it('for programs', () => expect(told('json')).toEqual(['{"generation":2,"files":["a.ts"],"ms":{"heard":1.2}}']));
});
