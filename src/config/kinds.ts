/** Reads and checks one value by the kind of its key: from JSON, or from the text after a flag. */
import type { Rung } from '../supervisor/words.ts';
import type { CommandLine } from './config.ts';
import type { Key } from './keys.ts';
import { ladderFromText, ladderOf, milliseconds } from './ladder.ts';
import { nearest } from './nearest.ts';
import { no, type Reading, show } from './reading.ts';

/** Of `true`, in ms. */
const INTERVAL_MS = 500;

type AnyValue = string | number | boolean | readonly string[] | CommandLine | readonly Rung[];

/** Reads a value as JSON gives it. Members of an object must be in the order of the file. */
export function read(key: Key, value: unknown): Reading<AnyValue> {
  switch (key.kind) {
    case 'path':
      return isFilled(value) ? { value } : no(`wants a path${as(key)}, not ${show(value)}`);
    case 'paths':
      if (isFilled(value)) return { value };
      if (!Array.isArray(value)) return no(`wants a path or a list of paths${as(key)}, not ${show(value)}`);
      return list(key, value, 'a path or a list of paths', isFilled);
    case 'text':
      return typeof value === 'string' ? { value } : no(`wants a string${as(key)}, not ${show(value)}`);
    case 'boolean':
      return typeof value === 'boolean' ? { value } : no(`wants true or false, not ${show(value)}`);
    case 'interval': {
      const ms = value === false ? 0 : milliseconds(value === true ? INTERVAL_MS : value);
      return ms === undefined
        ? no(`wants true, false or a time such as 1000 (ms) or "1s", not ${show(value)}`)
        : { value: ms };
    }
    case 'choice':
      return choice(key, value);
    case 'choice or names':
      if (Array.isArray(value)) return list(key, value, 'a list of names', isFilled);
      return typeof value === 'string'
        ? choice(key, value)
        : no(`wants ${key.choices?.join(', ')} or a list of names${as(key)}, not ${show(value)}`);
    case 'strings':
      return list(key, value, 'a list of strings', (item) => typeof item === 'string');
    case 'globs':
      return list(key, value, 'a list of globs', isFilled);
    case 'command':
      if (isFilled(value)) return { value };
      if (!Array.isArray(value) || !isFilled(value[0]))
        return no(`wants a command: a string for the shell or a list of words, not ${show(value)}`);
      return list(key, value, 'a list of words', (item) => typeof item === 'string');
    case 'ladder':
      return typeof value === 'object' && value !== null && !Array.isArray(value)
        ? ladderOf(Object.entries(value))
        : no(`wants signals with their times${as(key)}, not ${show(value)}`);
  }
}

/** Reads the text after a flag; a flag that may be repeated gives one item of the list. */
export function readText(key: Key, text: string): Reading<AnyValue> {
  if (key.kind === 'ladder') return ladderFromText(text);
  if (key.kind === 'interval') return read(key, /^\d+$/.test(text) ? Number(text) : text);
  if (key.kind === 'globs' || key.kind === 'strings')
    return isFilled(text) ? { value: [text] } : no('wants a glob, not ""');
  if (key.kind === 'choice or names' && !key.choices?.includes(text) && nearest(text, key.choices ?? []) === undefined)
    return { value: text.split(',').map((name) => name.trim()) };
  return read(key, text);
}

const as = (key: Key): string => `, as in ${JSON.stringify(key.example)}`;

const isFilled = (value: unknown): value is string => typeof value === 'string' && value.trim() !== '';

function list(key: Key, value: unknown, what: string, isItem: (item: unknown) => boolean): Reading<readonly string[]> {
  if (!Array.isArray(value)) return no(`wants ${what}${as(key)}, not ${show(value)}`);
  const wrong = value.findIndex((item) => !isItem(item));
  if (wrong !== -1) return no(`wants ${what}${as(key)}, not one with ${show(value[wrong])} in it`, wrong);
  return { value };
}

function choice(key: Key, value: unknown): Reading<string> {
  const choices = key.choices ?? [];
  if (typeof value === 'string' && choices.includes(value)) return { value };
  const meant = typeof value === 'string' ? nearest(value, choices) : undefined;
  const wanted = `${choices.slice(0, -1).join(', ')} or ${choices.at(-1)}`;
  return no(`wants ${wanted}, not ${show(value)}${meant === undefined ? '' : `, did you mean ${meant}?`}`);
}
