/**
 * PURE. The requires that handwritten CommonJS begins with: up to the first statement that does anything else it loads what it
 * names, in this order, as imports would.
 */
import type { Import } from './imports.ts';

export interface Leading {
  readonly imports: readonly Import[];
  /** What comes behind them. */
  readonly rest: string;
}

const SPACE = /(?:\s|;|\/\/[^\n]*|\/\*[\s\S]*?\*\/)*/y;
const HASHBANG = /^#![^\n]*/y;
const DIRECTIVE = /(['"])use strict\1/y;
const KEYWORD = /(?:const|let|var)\s/y;
/** A name, or names in braces: without a default, which may be a call. */
const BINDING = /\s*(?:[\w$]+|\{[^{}()=]*\})\s*=\s*/y;
const REQUIRE = /require\(\s*(['"])([^'"\\\n]+)\1\s*\)/y;
const MEMBERS = /(?:\s*\.\s*[\w$]+)*/y;
const COMMA = /\s*,\s*/y;
/** The statement is over: not by a line break where the next line goes on with it. */
const END = /[^\S\n]*(?:;|(?:\/\/[^\n]*)?(?:\n\s*(?![\s([`+*/.,?=&|<>-])|$))/y;

export function leadingRequires(code: string): Leading {
  const imports: Import[] = [];
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const found = pattern.exec(code);
    if (found) at = pattern.lastIndex;
    return found;
  };
  /** `require('x')`, of which what follows may call or read what it gives. */
  const required = (isBare: boolean): boolean => {
    const found = take(REQUIRE);
    if (found) imports.push({ specifier: found[2] ?? '', isBare });
    return found !== null;
  };
  const declared = (): boolean => {
    do if (!take(BINDING) || !required(false) || !take(MEMBERS)) return false;
    while (take(COMMA));
    return take(END) !== null;
  };
  take(HASHBANG);
  for (let from = at; ; from = at) {
    take(SPACE);
    if (take(DIRECTIVE)) continue;
    const isWhole = take(KEYWORD) ? declared() : required(true) && take(END) !== null;
    if (!isWhole) return { imports, rest: code.slice(from) };
  }
}
