/** What comes of reading a value that a user wrote: the value, or what is wrong with it. */

/** `text` continues a sentence that begins with the key or flag; `at` is the item or member that it is about. */
export interface Problem {
  readonly text: string;
  readonly at?: string | number;
}

export type Reading<T> =
  | { readonly value: T; readonly problem?: undefined }
  | { readonly problem: Problem; readonly value?: undefined };

export const no = (text: string, at?: string | number): { problem: Problem } => ({
  problem: at === undefined ? { text } : { text, at },
});

const LONGEST = 40;

/** A word as it stands in a message: in quotes, and not longer than a message can bear. */
export const clip = (word: string): string =>
  JSON.stringify(word.length <= LONGEST ? word : `${word.slice(0, LONGEST - 1)}…`);

/** What stands there instead of what was wanted. */
export function show(value: unknown): string {
  if (typeof value === 'string') return clip(value);
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object' && value !== null) return 'an object';
  return String(value);
}
