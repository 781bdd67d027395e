/** The requires that handwritten CommonJS begins with. */
import { expect, test } from 'vitest';
import { leadingRequires } from '../../src/build/leading.ts';

const found = (code: string): string[] =>
  leadingRequires(code).imports.map(({ specifier, isBare }) => (isBare ? `bare ${specifier}` : specifier));

test.each([
  [`const a = require('a');\nconst b = require("b")`, ['a', 'b']],
  [`#!/usr/bin/env node\n'use strict';\n// one\n/* two\n*/ var a = require('a')\nlet b = require('b')`, ['a', 'b']],
  [`const { c, d: e } = require('a'), f = require('b').g.h;\nrequire('./x');`, ['a', 'b', 'bare ./x']],
  [`const {\n  c,\n  d,\n} = require('a') // why\nconst b = require('b')`, ['a', 'b']],
  [`const a = require('a')`, ['a']],
  ['', []],
])('%j: all of it', (code, specifiers) => {
  expect(found(code)).toEqual(specifiers);
  expect(leadingRequires(code).rest.trim()).toBe('');
});

test.each([
  [`const a = require('a');\nconst app = a();\nconst b = require('b');`, ['a'], 'const app'],
  [`const a = require('a')('x');\nconst b = require('b');`, ['a'], 'const a'],
  [`const a = require('a').b('x'); const c = require('c')`, ['a'], 'const a'],
  [`const a = require('a')\n(function () {})()`, ['a'], 'const a'],
  [`const a = require('a')\n[1].map(b)`, ['a'], 'const a'],
  [`const a = require('a') || require('b')`, ['a'], 'const a'],
  [`const { b = f() } = require('a')`, [], 'const {'],
  [`require('a').config();\nconst b = require('b')`, ['bare a'], "require('a').config"],
  [`if (x) require('a')`, [], 'if'],
  [`const a = require(name)`, [], 'const a'],
  ['const a = require(`a`)', [], 'const a'],
  [`module.exports = require('a')`, [], 'module.exports'],
  [`const a = require('a'), b = 1; const c = require('c')`, ['a'], 'const a'],
  [`'use strict' + f(); require('a')`, [], '+'],
])('%j: as far as nothing else is done', (code, specifiers, rest) => {
  expect(found(code)).toEqual(specifiers);
  expect(leadingRequires(code).rest.trim().startsWith(rest)).toBe(true);
});
