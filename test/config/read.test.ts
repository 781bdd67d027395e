import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import picomatch from 'picomatch';
import { describe, expect, test } from 'vitest';
import { parseArgv } from '../../src/config/argv.ts';
import type { Config } from '../../src/config/config.ts';
import { readConfig, rebase } from '../../src/config/read.ts';
import { UserError } from '../../src/errors.ts';
import { folder } from './folder.ts';

async function config(cwd: string, ...argv: string[]): Promise<Config> {
  const parsed = await parseArgv(argv);
  if (parsed.kind !== 'run') throw new Error('no run');
  return readConfig(parsed, cwd, null);
}

const ladder = [
  { signal: 'SIGINT', ms: 5000 },
  { signal: 'SIGTERM', ms: 2000 },
  { signal: 'SIGKILL', ms: 2000 },
];

test('the defaults', async () => {
  const cwd = folder({ 'package.json': {}, 'a.ts': '' });
  expect(await config(cwd, 'a.ts', '--x')).toEqual({
    cwd,
    root: cwd,
    file: null,
    sources: [join(cwd, 'package.json'), join(cwd, '.hotrc.json')],
    base: cwd,
    program: { kind: 'node', entry: join(cwd, 'a.ts'), main: join(cwd, 'a.ts'), nodeArgs: [], args: ['--x'] },
    envFiles: [],
    nodeOptions: null,
    build: null,
    watch: [],
    ignore: [],
    watchReads: true,
    poll: 0,
    ladder,
    ladderIsChosen: false,
    handover: 'sequential',
    standby: true,
    preload: 'auto',
    typecheck: false,
    log: 'normal',
    why: false,
    timings: 'none',
    lists: false,
    trace: false,
  });
});

const rc = {
  entry: 'src/a.ts',
  args: ['--of', 'rc'],
  nodeArgs: ['--no-warnings'],
  envFile: '.env',
  watch: ['rc/**'],
  ignore: ['rc/no'],
  watchReads: false,
  poll: 250,
  build: 'rc build',
  stop: { SIGTERM: 1000 },
  handover: 'overlap',
  standby: false,
  preload: ['express'],
  typecheck: true,
  log: 'verbose',
  why: true,
  timings: 'json',
  trace: true,
};
const project = { 'package.json': {}, '.hotrc.json': rc, 'src/a.ts': '', 'src/b.ts': '' };

test('the rc file', async () => {
  const cwd = folder(project);
  const { args, nodeArgs, envFile, entry, stop, ...same } = rc;
  expect(await config(cwd)).toEqual({
    ...same,
    lists: false,
    cwd,
    root: cwd,
    base: cwd,
    file: join(cwd, '.hotrc.json'),
    sources: [join(cwd, 'package.json'), join(cwd, '.hotrc.json')],
    program: { kind: 'node', entry: join(cwd, entry), main: join(cwd, entry), nodeArgs, args },
    envFiles: [{ path: '.env', file: join(cwd, '.env'), isOptional: false }],
    nodeOptions: null,
    ladder: [{ signal: 'SIGTERM', ms: 1000 }, ladder[2]],
    ladderIsChosen: true,
  });
});

test('main is the file behind a symbolic link, unless node is told otherwise', async () => {
  const cwd = folder({ 'package.json': {}, 'cli.js': '' });
  symlinkSync('cli.js', join(cwd, 'link'));
  const [entry, main] = [join(cwd, 'link'), join(cwd, 'cli.js')];
  expect((await config(cwd, 'link')).program).toMatchObject({ entry, main });
  expect((await config(cwd, '--preserve-symlinks-main', 'link')).program).toMatchObject({ entry, main: entry });
});

describe('the command line beats the rc file', () => {
  test.each<[argv: string[], expected: object]>([
    [['-w', 'x', '-w', 'y'], { watch: ['x', 'y'], ignore: ['rc/no'] }],
    [['-i', 'x'], { watch: ['rc/**'], ignore: ['x'] }],
    [['--build', 'x'], { build: 'x' }],
    [['--poll'], { poll: 500 }],
    [['--poll', '1s'], { poll: 1000 }],
    [['--poll', '70', 'src/b.ts'], { poll: 70 }],
    [['--poll=70ms'], { poll: 70 }],
    [['--stop', 'SIGINT 1s'], { ladder: [{ signal: 'SIGINT', ms: 1000 }, ladder[2]], ladderIsChosen: true }],
    [['--handover', 'sequential'], { handover: 'sequential' }],
    [['-q'], { log: 'quiet' }],
    [['--exec', 'x y'], { program: { kind: 'command', run: 'x y' } }],
    [['--', 'x', 'y'], { program: { kind: 'command', run: ['x', 'y'] } }],
    [['src/b.ts', 'z'], { program: { kind: 'node', entry: 'src/b.ts', nodeArgs: ['--no-warnings'], args: ['z'] } }],
    [['src/b.ts'], { program: { kind: 'node', entry: 'src/b.ts', nodeArgs: ['--no-warnings'], args: ['--of', 'rc'] } }],
    [
      ['--inspect'],
      { program: { kind: 'node', entry: 'src/a.ts', nodeArgs: ['--no-warnings', '--inspect'], args: ['--of', 'rc'] } },
    ],
  ])('%j', async (argv, expected) => {
    const cwd = folder(project);
    const read = await config(cwd, ...argv);
    const program =
      read.program.kind === 'node'
        ? { ...read.program, entry: read.program.entry.slice(cwd.length + 1) }
        : read.program;
    expect({ ...read, program }).toMatchObject(expected);
  });
});

describe('what is run', () => {
  test.each<[what: string, files: object, argv: string[], program: object]>([
    ['entry without its extension', { 'a.ts': '' }, ['a'], { kind: 'node', entry: 'a.ts' }],
    ['run of the rc file', { '.hotrc.json': { run: ['x', 'y'] } }, [], { kind: 'command', run: ['x', 'y'] }],
    ['run in package.json', { 'package.json': { hotrun: { run: 'x y' } } }, [], { kind: 'command', run: 'x y' }],
    [
      'an entry beats run of the rc file',
      { '.hotrc.json': { run: 'x' }, 'a.js': '' },
      ['a.js'],
      { kind: 'node', entry: 'a.js' },
    ],
    ['main', { 'package.json': { main: 'lib/a.js' }, 'lib/a.js': '' }, [], { kind: 'node', entry: 'lib/a.js' }],
    [
      'main with args of the rc file',
      { 'package.json': { main: 'a', hotrun: { args: ['x'] } }, 'a.mjs': '' },
      [],
      { kind: 'node', entry: 'a.mjs', args: ['x'] },
    ],
    [
      'entry beats main',
      { 'package.json': { main: 'a.js', hotrun: { entry: 'b.js' } }, 'a.js': '', 'b.js': '' },
      [],
      { kind: 'node', entry: 'b.js' },
    ],
  ])('%s', async (_, files, argv, expected) => {
    const cwd = folder({ 'package.json': {}, ...files });
    const { program } = await config(cwd, ...argv);
    expect(
      program.kind === 'node' ? { ...program, entry: program.entry.slice(cwd.length + 1) } : program,
    ).toMatchObject(expected);
  });

  test('from a folder below: main and entry are found from above', async () => {
    const main = folder({ 'package.json': { main: 'a.js' }, 'a.js': '', 'sub/x': '' });
    expect(await config(join(main, 'sub'))).toMatchObject({
      cwd: join(main, 'sub'),
      root: main,
      base: join(main, 'sub'),
      program: { entry: join(main, 'a.js') },
    });
    const rc = folder({ 'package.json': {}, '.hotrc.json': { entry: './a.js' }, 'a.js': '', 'sub/x': '' });
    expect(await config(join(rc, 'sub'))).toMatchObject({
      cwd: join(rc, 'sub'),
      root: rc,
      base: rc,
      program: { entry: join(rc, 'a.js') },
    });
  });

  test('paths in nodeArgs are relative to the rc file, those of the command line are node’s', async () => {
    const path = folder({
      'package.json': {},
      '.hotrc.json': { nodeArgs: ['--import', './otel.mjs', '--env-file=.env', '-r', 'dotenv/config'] },
      'sub/a.js': '',
    });
    const { program, envFiles } = await config(join(path, 'sub'), '--import', './x.mjs', 'a.js');
    expect(program).toMatchObject({
      nodeArgs: ['--import', join(path, 'otel.mjs'), '-r', 'dotenv/config', '--import', './x.mjs'],
    });
    expect(envFiles).toEqual([{ path: join(path, '.env'), file: join(path, '.env'), isOptional: false }]);
  });

  test('env files: those of the rc file first, then those of the command line', async () => {
    const path = folder({
      'package.json': {},
      '.hotrc.json': { envFile: ['.env', 'more.env'], nodeArgs: ['--env-file', 'x.env', '--title', 't'] },
      'a.js': '',
    });
    const found = await config(path, '--env-file-if-exists=./y.env', '--env_file', 'z', 'a.js');
    expect(found.envFiles.map(({ path, isOptional }) => [path, isOptional])).toEqual([
      ['.env', false],
      ['more.env', false],
      ['x.env', false],
      ['./y.env', true],
      ['z', false],
    ]);
    expect(found.envFiles[3]?.file).toBe(join(path, 'y.env'));
    expect(found.program).toMatchObject({ nodeArgs: ['--title', 't'] });
    expect((await config(path, '--env-file=x', '--', 'go')).envFiles.map(({ path }) => path)).toContain('x');
  });

  test('the settings are those of every file that may have them', async () => {
    const path = folder({
      'package.json': { main: 'a.js' },
      'a.js': '',
      'sub/deep/.hotrc.json': {},
      'sub/rc.json': {},
    });
    expect((await config(join(path, 'sub/deep'))).sources).toEqual(
      ['package.json', 'sub/deep/.hotrc.json', 'sub/.hotrc.json', '.hotrc.json'].map((file) => join(path, file)),
    );
    expect((await config(path, '--config', 'sub/rc.json')).sources).toEqual(
      ['sub/rc.json', 'package.json'].map((file) => join(path, file)),
    );
  });
});

describe('refused, with one sentence', () => {
  const nothing = 'name a file, as in hotrun src/server.ts, or set "entry" in .hotrc.json';
  test.each<[argv: string[], files: object, sentence: string, exitCode: number]>([
    [[], {}, `nothing to run: ${nothing}`, 2],
    [
      [],
      { 'package.json': { main: 'x.js' } },
      `nothing to run: main of package.json is x.js, which does not exist: ${nothing}`,
      2,
    ],
    [[], { 'src/main.ts': '', 'src/app.ts': '' }, `nothing to run: ${nothing.replace('server', 'main')}`, 2],
    [[], { 'bin/www': '', 'src/x.ts': '' }, `nothing to run: ${nothing.replace('src/server.ts', 'bin/www')}`, 2],
    [
      ['--watch', 'a.js'],
      { 'a.js': '' },
      'nothing to run: --watch takes a glob, and has taken a.js (what the app loads is watched without it)',
      2,
    ],
    [['b.js'], { 'a.js': '' }, 'b.js does not exist', 1],
    [
      ['--exec', 'tsx', 'a.ts', '-p'],
      { 'a.ts': '' },
      '--exec and a.ts both name a program: write --exec "tsx a.ts -p"',
      2,
    ],
    [['--exec', 'x', '--', 'y', 'z'], {}, '--exec and -- both name a program: write --exec "x y z"', 2],
    [['--inspect', '--exec', 'x'], {}, '--inspect is an option of node, and --exec is a command: put it in there', 2],
    [
      ['--inspect'],
      { '.hotrc.json': { run: 'x' } },
      '--inspect is an option of node, and .hotrc.json:1: "run" is a command: put it in there',
      2,
    ],
    [
      [],
      { '.hotrc.json': '{ "entry": "a.js",\n "run": "x" }' },
      '.hotrc.json:2: "run" and "entry" both name a program, keep one of them',
      1,
    ],
    [
      ['a.js'],
      { '.hotrc.json': '{ "entry": "a.js",\n "run": "x" }', 'a.js': '' },
      '.hotrc.json:2: "run" and "entry" both name a program, keep one of them',
      1,
    ],
    [
      [],
      { '.hotrc.json': '{ "run": "x",\n "args": ["y"] }' },
      '.hotrc.json:2: "args" goes with "entry", and not with "run": put it into the command',
      1,
    ],
    [[], { '.hotrc.json': { entry: 'b.js' } }, '.hotrc.json:1: "entry" names b.js, which does not exist', 1],
    [
      ['a.js'],
      { '.hotrc.json': '{ "nodeArgs": ["--inspect",\n"--wach"] }', 'a.js': '' },
      '.hotrc.json:2: "nodeArgs" wants options of node, and "--wach" is none',
      1,
    ],
    [
      ['a.js'],
      { '.hotrc.json': { nodeArgs: ['a.js'] }, 'a.js': '' },
      '.hotrc.json:1: "nodeArgs" wants options of node, and "a.js" is none',
      1,
    ],
    [
      ['a.js'],
      { '.hotrc.json': { nodeArgs: ['--import'] }, 'a.js': '' },
      '.hotrc.json:1: "nodeArgs" has --import without a value',
      1,
    ],
    [
      ['a.js'],
      { '.hotrc.json': { nodeArgs: ['--test'] }, 'a.js': '' },
      '.hotrc.json:1: "nodeArgs": --test makes no sense under hotrun: with it node runs tests or benchmarks, and hotrun runs a file',
      1,
    ],
    [['--config', 'x.json', 'a.js'], { 'a.js': '' }, '--config: x.json is not a file', 1],
    [[], { 'package.json': '{' }, 'package.json is not valid JSON', 1],
  ])('%j %j', async (argv, files, sentence, exitCode) => {
    const cwd = folder({ 'package.json': {}, ...files });
    const error = await config(cwd, ...argv).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(UserError);
    expect({ sentence: error.message, exitCode: error.exitCode }).toEqual({ sentence, exitCode });
  });
});

test('frozen, all of it', async () => {
  const cwd = folder({ ...project });
  for (const argv of [[], ['-w', 'x', 'src/b.ts', 'y'], ['--stop', 'SIGTERM', '--', 'x']]) {
    const read = await config(cwd, ...argv);
    const isFrozen = (value: unknown): boolean =>
      typeof value !== 'object' || value === null || (Object.isFrozen(value) && Object.values(value).every(isFrozen));
    expect(isFrozen(read)).toBe(true);
    expect(() => (read.watch as string[]).push('x')).toThrow(TypeError);
  }
});

describe('globs', () => {
  test.each([
    // glob, from, base, becomes
    ['src/**', '/p', '/p', 'src/**'],
    ['./src/**', '/p', '/p', 'src/**'],
    ['!./src/**', '/p', '/p', '!src/**'],
    ['*.sql', '/p/sub', '/p', 'sub/*.sql'],
    ['!*.sql', '/p/sub', '/p', '!sub/*.sql'],
    ['../*.sql', '/p/sub', '/p', '*.sql'],
    ['../../shared/**', '/p/sub', '/p', '/shared/**'],
    ['../shared/**', '/p', '/p', '/shared/**'],
    ['../.././x', '/p/a/b', '/p', 'x'],
    ['..', '/p/sub', '/p', '.'],
    ['.', '/p/sub', '/p', 'sub'],
    ['x', '/other', '/p', '/other/x'],
    ['/abs/**', '/p/sub', '/p', '/abs/**'],
    ['..x/**', '/p', '/p', '..x/**'],
    ['*.ts', '/p/[id]/(g)', '/p', '\\[id\\]/\\(g\\)/*.ts'],
  ])('%s of %s, for %s, is %s', (glob, from, base, becomes) => {
    expect(rebase(glob, from, base)).toBe(becomes);
  });

  test('of flags and of the rc file meet in the same base', async () => {
    const path = folder({ 'package.json': {}, '.hotrc.json': { ignore: ['gen/**'] }, 'pages/[id]/a.js': '' });
    const { base, watch, ignore } = await config(
      join(path, 'pages/[id]'),
      '-w',
      '*.sql',
      '-w',
      '../../../up/*.sql',
      'a.js',
    );
    expect({ base, ignore }).toEqual({ base: path, ignore: ['gen/**'] });
    expect(picomatch(watch[0] ?? '')('pages/[id]/x.sql')).toBe(true);
    expect(picomatch(watch[0] ?? '')('pages/i/x.sql')).toBe(false);
    expect(picomatch(watch[1] ?? '')(join(path, '../up/x.sql'))).toBe(true);
  });
});
