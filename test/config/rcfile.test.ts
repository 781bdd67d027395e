import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { RcFile } from '../../src/config/keys.ts';
import { findRc, readRc } from '../../src/config/rcfile.ts';
import { UserError } from '../../src/errors.ts';
import { folder } from './folder.ts';

const parse = (text: string) => readRc(text, '/p/.hotrc.json', '/p');

function fault(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    expect((error as UserError).exitCode).toBe(1);
    return (error as UserError).message;
  }
  throw new Error('nothing was refused');
}

describe('where it is', () => {
  const rc = (name: string): RcFile => ({ entry: name });
  const all = {
    'package.json': { hotrun: rc('manifest') },
    '.hotrc.json': rc('root'),
    'src/.hotrc.json': rc('src'),
    'src/api/x': '',
    'other.json': rc('other'),
  };

  test.each<
    [what: string, files: object, cwd: string, config: string | null, entry: string | null, file: string | null]
  >([
    ['the nearest .hotrc.json', all, 'src/api', null, 'src', 'src/.hotrc.json'],
    ['the one of the root', all, '.', null, 'root', '.hotrc.json'],
    ['--config beats both', all, 'src/api', '../../other.json', 'other', 'other.json'],
    ['--config can be a package.json', all, 'src', '../package.json', 'manifest', 'package.json'],
    [
      'one above beats the manifest',
      { 'package.json': all['package.json'], '.hotrc.json': rc('root'), 'src/x': '' },
      'src',
      null,
      'root',
      '.hotrc.json',
    ],
    [
      'the manifest, from below',
      { 'package.json': { hotrun: rc('manifest') }, 'src/x': '' },
      'src',
      null,
      'manifest',
      'package.json',
    ],
    ['not beyond the package root', { '.hotrc.json': rc('outer'), 'sub/package.json': {} }, 'sub', null, null, null],
    [
      'a manifest that says nothing of it',
      { 'package.json': { name: '"hotrun"', scripts: { hotrun: 'x' } } },
      '.',
      null,
      null,
      null,
    ],
  ])('%s', (_, files, cwd, config, entry, file) => {
    const path = folder({ ...files });
    const found = findRc(join(path, cwd), config);
    expect(found.rc?.given.entry ?? null).toBe(entry);
    expect(found.rc?.file ?? null).toBe(file && join(path, file));
  });

  test('without any package.json only the working directory is looked at', () => {
    const path = folder({ '.hotrc.json': rc('outer'), 'a/b/x': '' });
    expect(findRc(join(path, 'a'), null)).toEqual({ root: join(path, 'a'), rc: null });
    expect(findRc(path, null).rc?.given.entry).toBe('outer');
  });

  test('the root is the nearest folder with a package.json', () => {
    const path = folder({ 'package.json': {}, 'a/package.json': {}, 'a/b/c/x': '' });
    expect(findRc(join(path, 'a/b/c'), null).root).toBe(join(path, 'a'));
  });

  test('a file of --config that is not there', () => {
    const path = folder({ 'sub/': 0 });
    expect(fault(() => findRc(path, 'x.json'))).toBe('--config: x.json is not a file');
    expect(fault(() => findRc(path, 'sub'))).toBe('--config: sub is not a file');
  });

  test('faults name the file as seen from the working directory', () => {
    const path = folder({ 'package.json': '{\n "hotrun": {\n  "wach": [] } }', 'src/x': '' });
    const sentence = 'package.json:3: unknown key "hotrun.wach", did you mean "watch"?';
    expect(fault(() => findRc(path, null))).toBe(sentence);
    expect(fault(() => findRc(join(path, 'src'), null))).toBe(join('..', sentence));
  });

  test.each([
    ['{ "hotrun": true }', 'package.json:1: "hotrun" wants an object with hotrun\'s keys, not true'],
    ['{ "hotrun": {},\n }', 'package.json:2: not valid JSON: a key in double quotes is missing'],
    ['{ // x\n "hotrun": {} }', 'package.json:1: not valid JSON: comments are not allowed here'],
  ])('the manifest is strict: %s', (text, sentence) => {
    expect(fault(() => findRc(folder({ 'package.json': text }), null))).toBe(sentence);
  });
});

describe('what is in it', () => {
  test('every kind of value', () => {
    const { given } = parse(`{
      // a comment
      "$schema": "x", "entry": "src/server.ts", "args": ["a", ""], "nodeArgs": ["--inspect"],
      "run": "go run .", "build": ["make", "-j"], "watch": ["**/*.sql"], /* another */ "ignore": [],
      "stop": { "SIGTERM": "10s", "SIGINT": 300 }, "handover": "overlap", "log": "quiet", "trace": true,
    }`);
    expect(given).toEqual({
      $schema: 'x',
      entry: 'src/server.ts',
      args: ['a', ''],
      nodeArgs: ['--inspect'],
      run: 'go run .',
      build: ['make', '-j'],
      watch: ['**/*.sql'],
      ignore: [],
      stop: [
        { signal: 'SIGTERM', ms: 10000 },
        { signal: 'SIGINT', ms: 300 },
        { signal: 'SIGKILL', ms: 2000 },
      ],
      handover: 'overlap',
      log: 'quiet',
      trace: true,
    });
  });

  test.each(['', '\n', '// nothing yet', '{}', '{ /* */ }', '\uFEFF{}'])('nothing: %j', (text) => {
    const path = folder({ '.hotrc.json': text });
    expect(findRc(path, null).rc?.given).toEqual({});
  });

  test('a place is a line, also of an item', () => {
    const { at } = parse('{\r\n "log": "quiet",\r\n "watch": [\r\n  "a",\r\n  "b"] }');
    expect(at('log')).toBe('.hotrc.json:2: "log"');
    expect(at('watch')).toBe('.hotrc.json:3: "watch"');
    expect(at('watch', 1)).toBe('.hotrc.json:5: "watch"');
  });
});

describe('what is refused', () => {
  test.each([
    // keys
    ['{\n\n "wach": [] }', ':3: unknown key "wach", did you mean "watch"?'],
    ['{ "nodeargs": [] }', ':1: unknown key "nodeargs", did you mean "nodeArgs"?'],
    ['{ "exec": "x" }', ':1: unknown key "exec", did you mean "run"?'],
    ['{ "signal": "x" }', ':1: unknown key "signal", did you mean "stop"?'],
    [
      '{ "__proto__": {} }',
      ':1: unknown key "__proto__", the keys are entry, args, nodeArgs, envFile, watch, ignore, watchReads, poll, run, build, stop, handover, standby, preload, typecheck, log, why, timings, trace, $schema',
    ],
    ['{ "log": "quiet",\n "log": "normal" }', ':2: "log" is there twice'],
    ['{ "stop": { "SIGINT": 1,\n "SIGINT": 2 } }', ':2: "stop.SIGINT" is there twice'],

    // types
    ['[]', ":1: wanted is an object with hotrun's keys, not an empty list"],
    ['{ "entry": 1 }', ':1: "entry" wants a path, as in "src/server.ts", not 1'],
    ['{ "entry": "" }', ':1: "entry" wants a path, as in "src/server.ts", not ""'],
    ['{ "args": "--port" }', ':1: "args" wants a list of strings, as in ["--port","3000"], not "--port"'],
    [
      '{ "args": [\n"--port",\n3000] }',
      ':3: "args" wants a list of strings, as in ["--port","3000"], not one with 3000 in it',
    ],
    ['{ "watch": "src" }', ':1: "watch" wants a list of globs, as in ["src/**/*.sql"], not "src"'],
    ['{ "watch": ["a",\n""] }', ':2: "watch" wants a list of globs, as in ["src/**/*.sql"], not one with "" in it'],
    ['{ "run": [] }', ':1: "run" wants a command: a string for the shell or a list of words, not an empty list'],
    ['{ "build": {} }', ':1: "build" wants a command: a string for the shell or a list of words, not an object'],
    ['{ "run": ["go", 1] }', ':1: "run" wants a list of words, as in ["go","run","./cmd/api"], not one with 1 in it'],
    [
      '{ "stop": "SIGTERM" }',
      ':1: "stop" wants signals with their times, as in {"SIGTERM":"10s","SIGKILL":2000}, not "SIGTERM"',
    ],
    [
      '{ "stop": {\n"SIGTREM": 1 } }',
      ':2: "stop" wants signals that ask a program to stop, not "SIGTREM", did you mean SIGTERM?',
    ],
    [
      '{ "stop": { "SIGINT": 1,\n"SIGTERM": "2 s" } }',
      ':2: "stop" wants a time such as 5000 (ms) or "5s" for SIGTERM, not "2 s"',
    ],
    [
      '{ "handover": "overlapped" }',
      ':1: "handover" wants sequential or overlap, not "overlapped", did you mean overlap?',
    ],
    ['{ "log": "loud" }', ':1: "log" wants quiet, normal or verbose, not "loud"'],
    ['{ "log": null }', ':1: "log" wants quiet, normal or verbose, not null'],
    ['{ "trace": "yes" }', ':1: "trace" wants true or false, not "yes"'],
    ['{ "$schema": 1 }', ':1: "$schema" wants a string, as in "./node_modules/hotrun/dist/hotrc.schema.json", not 1'],
    [`{ "log": "${'x'.repeat(500)}" }`, `:1: "log" wants quiet, normal or verbose, not "${'x'.repeat(39)}…"`],

    // JSON
    ['{', ':1: not valid JSON: a } is missing'],
    ['{ "log": "quiet"\n "trace": true }', ':2: not valid JSON near "trace": a comma is missing'],
    ['{\n "stop": { "SIGINT": } }', ':2: not valid JSON near "stop.SIGINT": a value is missing'],
    ["{ 'log': 1 }", ':1: not valid JSON: an unknown word (strings stand in double quotes)'],
    ['{} {}', ':1: not valid JSON: there is something after its end'],
    ['{ "log": "a }', ':1: not valid JSON near "log": a string has no end'],
  ])('%s', (text, sentence) => {
    expect(fault(() => parse(text))).toBe(`.hotrc.json${sentence}`);
  });
});
