import { expect, test } from 'vitest';
import type { Fault } from '../../src/errors.ts';
import { openReport } from '../../src/typecheck/output.ts';

const cwd = '/home/me/app';

function checks(text: string): { checks: (readonly Fault[])[]; rest: readonly Fault[] } {
  const checks: (readonly Fault[])[] = [];
  const report = openReport(cwd, (faults) => checks.push(faults));
  for (const line of text.split('\n')) report.line(line);
  return { checks, rest: report.rest() };
}

/** As 5.9 and 6.0 print it; 7.0 has other empty lines. */
const PRINTED = `
5:47:49 AM - Starting compilation in watch mode...

src/a.ts(2,7): error TS2322: Type 'string' is not assignable to type 'number'.
../lib/b (1).ts(30,49): error TS2345: Argument of type '{ a: number; }' is not assignable to parameter of type 'A'.
  Types of property 'a' are incompatible.
    Type 'number' is not assignable to type 'string'.

5:47:51 AM - Found 2 errors. Watching for file changes.

5:47:52 AM - File change detected. Starting incremental compilation...

src/a.ts(2,7): error TS2322: Type 'string' is not assignable to type 'number'.

5:47:52 AM - Found 1 error. Watching for file changes.

5:47:53 AM - File change detected. Starting incremental compilation...


5:47:53 AM - Found 0 errors. Watching for file changes.
`;

test('each check, with its faults', () => {
  const first = {
    text: "TS2322: Type 'string' is not assignable to type 'number'.",
    file: '/home/me/app/src/a.ts',
    line: 2,
    column: 7,
  };
  const second = {
    text: `TS2345: Argument of type '{ a: number; }' is not assignable to parameter of type 'A'.
  Types of property 'a' are incompatible.
    Type 'number' is not assignable to type 'string'.`,
    file: '/home/me/lib/b (1).ts',
    line: 30,
    column: 49,
  };
  expect(checks(PRINTED)).toEqual({ checks: [[first, second], [first], []], rest: [] });
});

test('a check that a save makes void is not told', () => {
  const [fault = '', begin = '', end = ''] = [3, 10, 14].map((line) => PRINTED.split('\n')[line]);
  expect(checks([fault, fault, begin, fault, end].join('\n')).checks).toEqual([[expect.anything()]]);
});

test('what it says before it ends, without a place', () => {
  expect(checks("error TS5083: Cannot read file '/x/tsconfig.json'.")).toEqual({
    checks: [],
    rest: [{ text: "TS5083: Cannot read file '/x/tsconfig.json'." }],
  });
});
