/** Faults in JSON files, with their place. The parser that knows places (4 ms to load) is loaded for broken files only. */
import { createRequire } from 'node:module';
import { type Fault, messageOf } from '../errors.ts';

const require = createRequire(import.meta.url);

/** `jsonc`: comments, trailing commas and an empty file are fine, as TypeScript has it for its tsconfig. */
export type Dialect = 'json' | 'jsonc';

/** The first fault in `text`, or null. Never throws. */
export function faultOfJson(file: string, text: string, dialect: Dialect): Fault | null {
  let reason: string;
  try {
    JSON.parse(withoutBom(text));
    return null;
  } catch (error) {
    reason = messageOf(error);
  }
  const { parse, printParseErrorCode } = require('jsonc-parser') as typeof import('jsonc-parser');
  const errors: import('jsonc-parser').ParseError[] = [];
  const lenient = dialect === 'jsonc';
  parse(withoutBom(text), errors, {
    disallowComments: !lenient,
    allowTrailingComma: lenient,
    allowEmptyContent: lenient,
  });
  const [first] = errors;
  if (first === undefined) return lenient ? null : { text: `This is not valid JSON: ${reason}.`, file };
  // CommaExpected -> comma expected
  const words = printParseErrorCode(first.error)
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase();
  const what = lenient ? 'JSON with comments' : 'JSON';
  return {
    text: `This is not valid ${what}: ${words}.`,
    file,
    ...placeAt(withoutBom(text), first.offset, first.length),
  };
}

/** Line, column (both from 1), source line and length of what stands at `offset`. */
export function placeAt(text: string, offset: number, length: number) {
  const before = text.slice(0, offset).split(/\r\n?|\n/);
  const line = before.length;
  const column = (before.at(-1) ?? '').length + 1;
  const source = text.split(/\r\n?|\n/, line)[line - 1] ?? '';
  return {
    line,
    column,
    source,
    length: Math.max(1, Math.min(length, source.length - column + 1)),
  };
}

/** Node ignores a byte order mark in front of JSON, JSON.parse does not. */
export const withoutBom = (text: string): string => (text.charCodeAt(0) === 0xfeff ? text.slice(1) : text);
