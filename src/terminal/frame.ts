/** PURE: the source line of a fault with its span underlined, as wide as the terminal allows. */
import type { Colors } from 'picocolors/types.js';
import type { Fault } from '../errors.ts';

/** One character as it is shown. */
interface Cell {
  readonly text: string;
  /** In terminal columns. */
  readonly width: number;
}

const TAB = '  ';
/** Below this a line is not cut any shorter: better wrapped than unreadable. */
const NARROWEST = 20;

const wide =
  /\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Hangul}|\p{Emoji_Presentation}|[\uff01-\uff60]/u;
const unseen = /[\p{Mark}\u200d]/u;

/** No lines at all where the fault has no source line, or a blank one. Columns count UTF-16 units, as in JavaScript. */
export function frame(fault: Fault, colors: Colors, columns: number): string[] {
  if (fault.line === undefined || !fault.source?.trim()) return [];
  const number = String(fault.line);
  const gutter = (label: string) => colors.dim(`  ${label.padStart(number.length)} |`);
  const room = Math.max(columns - number.length - 5, NARROWEST);

  const source = fault.source.replace(/[\r\n]+$/, '');
  const at = Math.min(Math.max((fault.column ?? 1) - 1, 0), source.length);
  const end = Math.min(at + Math.max(fault.length ?? 1, 1), source.length);
  // A minified line may be megabytes long: look one character further than could be shown, and no more.
  const reach = room + 1;
  const before = cells(source.slice(Math.max(at - reach, 0), at));
  const span = cells(source.slice(at, Math.min(end, at + reach)));
  const after = cells(source.slice(end, end + reach));

  const line = [...before, ...span, ...after];
  const { from, to } = cut(line, before.length, room);
  const open = from > 0 || at > reach ? '…' : '';
  const close = to < line.length || source.length > end + reach ? '…' : '';
  const shown = `${gutter(number)} ${open}${textOf(line.slice(from, to))}${close}`;
  if (fault.column === undefined) return [shown];

  const indent = ' '.repeat(open.length + widthOf(line.slice(from, before.length)));
  const carets = '^'.repeat(widthOf(line.slice(before.length, Math.min(to, before.length + span.length))) || 1);
  return [shown, `${gutter('')} ${indent}${colors.red(carets)}`];
}

/** The stretch around cell `at` that fits `room`, as even to both sides as the ends of the line permit. */
function cut(line: readonly Cell[], at: number, room: number): { from: number; to: number } {
  if (widthOf(line) <= room) return { from: 0, to: line.length };
  // An ellipsis at each end.
  let left = room - 2;
  let from = at;
  let to = at;
  for (;;) {
    const previous = line[from - 1];
    const next = line[to];
    const forward = next !== undefined && (previous === undefined || to - at <= at - from);
    const cell = forward ? next : previous;
    if (cell === undefined || cell.width > left) return { from, to };
    left -= cell.width;
    if (forward) to += 1;
    else from -= 1;
  }
}

const cells = (text: string): Cell[] => Array.from(text, cellOf);

function cellOf(char: string): Cell {
  if (char === '\t') return { text: TAB, width: TAB.length };
  // A stray escape sequence in the source must not reach the terminal.
  if (/\p{Control}/u.test(char)) return { text: ' ', width: 1 };
  if (unseen.test(char)) return { text: char, width: 0 };
  return { text: char, width: wide.test(char) ? 2 : 1 };
}

const textOf = (line: readonly Cell[]): string => line.map((cell) => cell.text).join('');
const widthOf = (line: readonly Cell[]): number => line.reduce((sum, cell) => sum + cell.width, 0);
