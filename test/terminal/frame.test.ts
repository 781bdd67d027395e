import picocolors from 'picocolors';
import { describe, expect, it } from 'vitest';
import { frame } from '../../src/terminal/frame.ts';

const off = picocolors.createColors(false);
const at = (source: string, column?: number, length?: number, columns = 80) =>
  frame(
    {
      text: '',
      line: 7,
      source,
      ...(column === undefined ? {} : { column }),
      ...(length === undefined ? {} : { length }),
    },
    off,
    columns,
  );

describe('frame', () => {
  const rows: [string, Parameters<typeof at>, string[]][] = [
    ['a span', ['let a = b c;', 9, 3], ['  7 | let a = b c;', '    |         ^^^']],
    ['no length', ['let a = b c;', 5], ['  7 | let a = b c;', '    |     ^']],
    ['length 0', ['let a', 5, 0], ['  7 | let a', '    |     ^']],
    ['no column', ['let a = b c;'], ['  7 | let a = b c;']],
    ['the first column', ['x', 1], ['  7 | x', '    | ^']],
    ['a tab before', ['\t\ta b', 5, 1], ['  7 |     a b', '    |       ^']],
    ['a tab within', ['a\tb c', 1, 3], ['  7 | a  b c', '    | ^^^^']],
    ['just behind the end', ['let a =', 8], ['  7 | let a =', '    |        ^']],
    ['far behind the end', ['let a =', 99, 5], ['  7 | let a =', '    |        ^']],
    ['a span over the end', ['let a =', 5, 99], ['  7 | let a =', '    |     ^^^']],
    ['column 0', ['let a', 0], ['  7 | let a', '    | ^']],
    ['a carriage return', ['let a =\r', 8], ['  7 | let a =', '    |        ^']],
    ['wide characters', ["f('日本', x y)", 12, 1], ["  7 | f('日本', x y)", '    |              ^']],
    ['an emoji, two UTF-16 units', ["f('🚀', x y)", 11, 1], ["  7 | f('🚀', x y)", '    |           ^']],
    ['a combining accent', ['e\u0301 = x y', 8, 1], ['  7 | e\u0301 = x y', '    |       ^']],
    ['an escape sequence', ['a\x1b[31m b', 8], ['  7 | a [31m b', '    |        ^']],
    ['a blank line', ['  \t', 2], []],
    ['an empty line', ['', 1], []],
  ];
  it.each(rows)('%s', (_, args, expected) => {
    expect(at(...args)).toEqual(expected);
  });

  it('needs a source and a line', () => {
    expect(frame({ text: '', line: 7, column: 1 }, off, 80)).toEqual([]);
    expect(frame({ text: '', source: 'x', column: 1 }, off, 80)).toEqual([]);
  });

  it('makes room for the line number', () => {
    expect(frame({ text: '', line: 1234, column: 1, source: 'x' }, off, 80)).toEqual(['  1234 | x', '       | ^']);
  });
});

describe('a line of 500 characters', () => {
  const source = Array.from({ length: 100 }, (_, i) => String(i * 5).padStart(5, '.')).join('');
  const rows: [string, Parameters<typeof at>, string[]][] = [
    ['at its start', [source, 3, 3, 40], [`  7 | ${source.slice(0, 32)}…`, '    |   ^^^']],
    ['in its middle', [source, 251, 5, 40], [`  7 | …${source.slice(234, 266)}…`, `    | ${' '.repeat(17)}^^^^^`]],
    ['at its end', [source, 501, 1, 40], [`  7 | …${source.slice(468)}`, `    | ${' '.repeat(33)}^`]],
    ['without a column', [source, undefined, undefined, 40], [`  7 | ${source.slice(0, 32)}…`]],
    ['all of it', [source, 1, 500, 40], [`  7 | ${source.slice(0, 32)}…`, `    | ${'^'.repeat(32)}`]],
    ['in a narrow terminal', [source, 251, 1, 3], [`  7 | …${source.slice(241, 259)}…`, `    | ${' '.repeat(10)}^`]],
    ['in a wide terminal', [source, 251, 1, 506], [`  7 | ${source}`, `    | ${' '.repeat(250)}^`]],
  ];
  it.each(rows)('%s', (_, args, expected) => {
    expect(at(...args)).toEqual(expected);
  });

  it('is cut so that the caret is below its character and nothing wraps, wherever it is and however wide', () => {
    // Every character of it is another one, so that the caret can only be below the right one.
    const unique = String.fromCharCode(...Array.from({ length: 500 }, (_, i) => 0xe000 + i));
    for (const columns of [26, 27, 40, 81, 500]) {
      for (let column = 1; column <= unique.length; column += 7) {
        const [shown = '', caret = ''] = at(unique, column, 1 + (column % 40), columns);
        expect(shown[caret.indexOf('^')]).toBe(unique[column - 1]);
        expect(shown.length).toBeLessThanOrEqual(columns);
        expect(caret.length).toBeLessThanOrEqual(columns);
        for (const part of shown.slice(6).split('…')) expect(unique).toContain(part);
      }
    }
  });

  it('is not read to its end when it is a whole bundle', () => {
    const bundle = 'x'.repeat(20_000_000);
    expect(at(bundle, 10_000_001, 1, 40)).toEqual([`  7 | …${'x'.repeat(32)}…`, `    | ${' '.repeat(17)}^`]);
  });
});
