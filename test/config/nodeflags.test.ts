import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { isNodeOption, movePaths, takeNodeOption, takesValue, whyNot } from '../../src/config/nodeflags.ts';

/** The option table of the node that runs the tests. From type 3 (kInteger) on an option takes a value. */
function nodesOwnTable(): { name: string; type: number }[] {
  const code = `const internal = require('internal/options');
    const { options } = internal.getCLIOptionsInfo?.() ?? internal;
    console.log(JSON.stringify([...options].map(([name, { type }]) => ({ name, type }))));`;
  const { stdout } = spawnSync(process.execPath, ['--no-warnings', '--expose-internals', '--eval', code], {
    encoding: 'utf8',
  });
  return JSON.parse(stdout).filter(({ name }: { name: string }) => name.startsWith('--'));
}

test('the options with a value are those of this node', () => {
  const table = nodesOwnTable();
  expect(table.length).toBeGreaterThan(100);
  for (const { name, type } of table) {
    // Of V8, whatever the table says: `node --stack-trace-limit 5 x.js` is a bad option in all four versions.
    if (whyNot(name) !== undefined || name === '--stack-trace-limit') continue;
    expect(`${name} ${takesValue(name)}`).toBe(`${name} ${type >= 3}`);
  }
});

test('this node’s options are known, and hotrun’s are not among them', () => {
  // --debug and --debug-brk are only there to be refused.
  const known = nodesOwnTable().filter(
    ({ name, type }) => type >= 2 && !name.startsWith('--debug') && whyNot(name) === undefined,
  );
  for (const { name } of known.filter(({ name }) => !['--help', '--version', '--test-udp-no-try-send'].includes(name)))
    expect(`${name} ${isNodeOption(name)}`).toBe(`${name} true`);
  for (const name of ['--exec', '--handover', '--stop', '--quiet', '--frobnicate', '-z', '--noop-frobnicate'])
    expect(`${name} ${isNodeOption(name)}`).toBe(`${name} false`);
});

describe('whyNot', () => {
  test.each([
    '--inspect',
    '--import=x',
    '-r',
    '--no-warnings',
    '--watchdog',
    '--env-file=.env',
    '--experimental-vm-modules',
  ])('%s can be used', (word) => {
    expect(whyNot(word)).toBe(undefined);
  });

  test.each([
    '--watch-path=x',
    '--no-watch',
    '--watch_path',
    '--experimental-test-coverage',
    '--test-only',
    '--print=1',
    '--run',
  ])('%s cannot', (word) => {
    expect(whyNot(word)).toMatch(/ makes no sense under hotrun/);
  });
});

test.each<[words: string[], taken: string[] | undefined]>([
  [
    ['--import', 'x', 'a'],
    ['--import', 'x'],
  ],
  [['--import=x', 'a'], ['--import=x']],
  [
    ['--env_file', 'x', 'a'],
    ['--env_file', 'x'],
  ],
  [['--inspect', 'a'], ['--inspect']],
  [['--import'], undefined],
  [['--import', '-x'], undefined],
])('of %j the option is %j', (words, taken) => {
  expect(takeNodeOption(words, 0)).toEqual(taken);
});

test('paths move, package names and other values stay', () => {
  const words = [
    '--import',
    './a.mjs',
    '-r',
    'pkg',
    '--require=../b.cjs',
    '--env-file=.env',
    '--env-file',
    'sub/.env',
    '--title',
    './x',
    '--conditions=./c',
    '--import=pkg/x',
  ];
  expect(movePaths(words, (path) => `<${path}>`)).toEqual([
    '--import',
    '<./a.mjs>',
    '-r',
    'pkg',
    '--require=<../b.cjs>',
    '--env-file=<.env>',
    '--env-file',
    '<sub/.env>',
    '--title',
    './x',
    '--conditions=./c',
    '--import=pkg/x',
  ]);
});
