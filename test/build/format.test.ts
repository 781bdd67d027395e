import { expect, test } from 'vitest';
import { detectFormat, faultOfCommonjs, faultOfStack } from '../../src/build/format.ts';

test.each([
  ['', 'commonjs'],
  ['module.exports = 1;', 'commonjs'],
  ['#!/usr/bin/env node\nconst x = require("x"); // import export await\n', 'commonjs'],
  ['import("x");', 'commonjs'],
  ['async function f() { await 1; }', 'commonjs'],
  ['const s = "import x from y";', 'commonjs'],
  ['return 1; // await', 'commonjs'],
  ['import x from "x";', 'module'],
  ['#!/usr/bin/env node\nimport x from "x";', 'module'],
  ['export {};', 'module'],
  ['export default 1;', 'module'],
  ['console.log(import.meta.url);', 'module'],
  ['await 1;', 'module'],
  ['#!/usr/bin/env node\nconst x = await import("x");', 'module'],
  ['for await (const x of y) {}', 'module'],
  ['const require = 1; import "x";', 'module'],
  ['const require = 1; await 1;', 'module'],
  ['const await = 1;', 'commonjs'],
  ['const x = ; // import', 'commonjs'],
])('%j is %s', (source, format) => {
  expect(detectFormat(source)).toBe(format);
});

test('a fault in CommonJS has the place that Node shows', () => {
  expect(faultOfCommonjs('/app/a b.js', '// one\n  const x = 1 +* 2;\n')).toEqual({
    text: "Unexpected token '*'",
    file: '/app/a b.js',
    line: 2,
    column: 16,
    source: '  const x = 1 +* 2;',
    length: 1,
  });
  expect(faultOfCommonjs('/app/a.js', 'function f() {')).toMatchObject({ file: '/app/a.js', line: 1 });
});

test.each(['#!/usr/bin/env node\nreturn 1;', 'import("x");', 'const require2 = require;', ''])(
  'no fault in %j',
  (source) => {
    expect(faultOfCommonjs('/app/a.js', source)).toBeNull();
  },
);

test('the stack of a module that cannot be linked is read', () => {
  const stack = `file:///app/a%20b.mjs:2\n  nope } from './o.mjs'\n  ^^^^\nSyntaxError: The requested module\n    at x`;
  expect(faultOfStack('why', stack)).toEqual({
    text: 'why',
    file: '/app/a b.mjs',
    line: 2,
    column: 3,
    source: "  nope } from './o.mjs'",
    length: 4,
  });
  expect(faultOfStack('why', 'Error: why\n    at file:///app/x.mjs:1:1')).toEqual({ text: 'why' });
});
