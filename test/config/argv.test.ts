import { describe, expect, test } from 'vitest';
import { parseArgv } from '../../src/config/argv.ts';
import { UserError } from '../../src/errors.ts';

const nothing = { kind: 'run', given: {}, config: null, nodeArgs: [], named: null, lists: false };
const entry = (entry: string, ...args: string[]) => ({ named: { kind: 'entry', entry, args } });
const command = (...run: string[]) => ({ named: { kind: 'command', run } });
const kill = { signal: 'SIGKILL', ms: 2000 };

describe('what is understood', () => {
  test.each<[argv: string[], parsed: object]>([
    [[], {}],
    [['a.ts'], entry('a.ts')],
    [['a.ts', '--help', '--watch', 'x', '-V', '--', '-'], entry('a.ts', '--help', '--watch', 'x', '-V', '--', '-')],
    [['--', 'go', 'run', '.', '--', '-w'], command('go', 'run', '.', '--', '-w')],
    [['-w', '*.go', '--', 'a.ts'], { ...command('a.ts'), given: { watch: ['*.go'] } }],

    // hotrun's own
    [
      ['-w', 'a', '--watch', 'b', '--watch=c=d', '-we', 'x'],
      { ...entry('x'), given: { watch: ['a', 'b', 'c=d', 'e'] } },
    ],
    [['-ww', 'x'], { ...entry('x'), given: { watch: ['w'] } }],
    [['-w', 'a,b', 'x'], { ...entry('x'), given: { watch: ['a,b'] } }],
    [['--watch=-a', 'x'], { ...entry('x'), given: { watch: ['-a'] } }],
    [['-i', '!a', '--ignore', 'b', 'x'], { ...entry('x'), given: { ignore: ['!a', 'b'] } }],
    [['--exec', 'python app.py'], { given: { run: 'python app.py' } }],
    [['-x', 'a', '-x', 'b'], { given: { run: 'b' } }],
    [['--build', 'make', 'x'], { ...entry('x'), given: { build: 'make' } }],
    [['--handover', 'overlap'], { given: { handover: 'overlap' } }],
    [['-q'], { given: { log: 'quiet' } }],
    [['-v', '-q'], { given: { log: 'quiet' } }],
    [['-qv'], { given: { log: 'verbose' } }],
    [['-qw', 'a', 'x'], { ...entry('x'), given: { log: 'quiet', watch: ['a'] } }],
    [['--trace'], { given: { trace: true } }],
    [['--config', 'x.json', 'a'], { ...entry('a'), config: 'x.json' }],
    [['--stop', 'SIGTERM 10s, SIGKILL'], { given: { stop: [{ signal: 'SIGTERM', ms: 10000 }, kill] } }],
    [['--stop=SIGTERM:10s'], { given: { stop: [{ signal: 'SIGTERM', ms: 10000 }, kill] } }],

    // node's
    [['--inspect', 'a'], { ...entry('a'), nodeArgs: ['--inspect'] }],
    [['--inspect=9230', 'a', 'b'], { ...entry('a', 'b'), nodeArgs: ['--inspect=9230'] }],
    [['--import', 'x', '-r', 'y', 'a'], { ...entry('a'), nodeArgs: ['--import', 'x', '-r', 'y'] }],
    [['--import=x', 'a'], { ...entry('a'), nodeArgs: ['--import=x'] }],
    [['-C', 'dev', '--conditions', 'x', 'a'], { ...entry('a'), nodeArgs: ['-C', 'dev', '--conditions', 'x'] }],
    [['--env-file', '.env', '--title', 't', 'a'], { ...entry('a'), nodeArgs: ['--env-file', '.env', '--title', 't'] }],
    [['--env-file=.env', 'a'], { ...entry('a'), nodeArgs: ['--env-file=.env'] }],
    [['--inspect-port', '0', '--inspect', 'a'], { ...entry('a'), nodeArgs: ['--inspect-port', '0', '--inspect'] }],
    [['--max-old-space-size=400', 'a'], { ...entry('a'), nodeArgs: ['--max-old-space-size=400'] }],
    [['--max_old_space_size=400', 'a'], { ...entry('a'), nodeArgs: ['--max_old_space_size=400'] }],
    [['--no-warnings', '--trace-warnings', 'a'], { ...entry('a'), nodeArgs: ['--no-warnings', '--trace-warnings'] }],
    [
      ['--enable-source-maps', '--expose-gc', 'a'],
      { ...entry('a'), nodeArgs: ['--enable-source-maps', '--expose-gc'] },
    ],
    [['--stack-size=900', '--no-opt', 'a'], { ...entry('a'), nodeArgs: ['--stack-size=900', '--no-opt'] }],
    [
      ['--inspect', '-q', '-r', 'x', '-w', 'y', 'a'],
      { ...entry('a'), given: { log: 'quiet', watch: ['y'] }, nodeArgs: ['--inspect', '-r', 'x'] },
    ],
  ])('%j', async (argv, parsed) => {
    expect(await parseArgv(argv)).toEqual({ ...nothing, ...parsed });
  });

  test.each([[['-h']], [['--help']], [['-qh', 'a.ts']], [['--help', '--version']], [['-w', 'x', '--help']]])(
    '%j is help',
    async (argv) => {
      expect(await parseArgv(argv)).toEqual({ kind: 'help', text: expect.stringMatching(/^Usage: hotrun /) });
    },
  );

  test.each([[['-V']], [['--version', 'a.ts']]])('%j is the version', async (argv) => {
    expect(await parseArgv(argv)).toEqual({ kind: 'version' });
  });
});

describe('what is refused, with one sentence and exit code 2', () => {
  test.each<[argv: string[], sentence: string]>([
    [['--wach', 'x'], 'unknown option --wach, did you mean --watch?'],
    [['--wtach=x'], 'unknown option --wtach, did you mean --watch?'],
    [['--conf', 'x'], 'unknown option --conf, did you mean --config?'],
    [['--inpsect', 'a'], 'unknown option --inpsect, did you mean --inspect?'],
    [['--exclude', 'a'], 'unknown option --exclude, did you mean --ignore?'],
    [
      ['--frobnicate'],
      'unknown option --frobnicate: neither hotrun nor node has it (hotrun --help lists those of hotrun)',
    ],
    [['-z'], 'unknown option -z: neither hotrun nor node has it (hotrun --help lists those of hotrun)'],
    [['-qz'], 'unknown option -qz: neither hotrun nor node has it (hotrun --help lists those of hotrun)'],
    [['--signal', 'SIGTERM', 'a'], 'unknown option --signal, did you mean --stop (as in --stop "SIGTERM 10s")?'],
    [['-s', 'SIGTERM', 'a'], 'unknown option -s, did you mean --stop (as in --stop "SIGTERM 10s")?'],
    [['-d', '2', 'a'], '-d is not needed: a save starts the reload at once, and a burst of saves makes one reload'],
    [
      ['--delay=2', 'a'],
      '--delay is not needed: a save starts the reload at once, and a burst of saves makes one reload',
    ],
    [
      ['-e', 'ts', 'a'],
      '-e is not needed: hotrun watches whatever the app loads, and --watch "**/*.html" adds other files',
    ],
    [
      ['--ext', 'ts'],
      '--ext is not needed: hotrun watches whatever the app loads, and --watch "**/*.html" adds other files',
    ],
    [
      ['--watch-path', 'x'],
      "--watch-path belongs to node's own watch mode and makes no sense under hotrun, which watches by itself",
    ],
    [
      ['--watch_path=x'],
      "--watch-path belongs to node's own watch mode and makes no sense under hotrun, which watches by itself",
    ],
    [
      ['--watch-preserve-output', 'a'],
      "--watch-preserve-output belongs to node's own watch mode and makes no sense under hotrun, which watches by itself",
    ],
    [
      ['--watch-kill-signal', 'a'],
      "--watch-kill-signal belongs to node's own watch mode and makes no sense under hotrun, which watches by itself",
    ],
    [
      ['--eval', '1'],
      '--eval makes no sense under hotrun: with it node runs code from the command line, and hotrun runs a file',
    ],
    [
      ['-p', '1'],
      '-p makes no sense under hotrun: with it node runs code from the command line, and hotrun runs a file',
    ],
    [['-c', 'a'], '-c makes no sense under hotrun: with it node only checks the syntax, and hotrun runs a file'],
    [
      ['--check', 'a'],
      '--check makes no sense under hotrun: with it node only checks the syntax, and hotrun runs a file',
    ],
    [['--test'], '--test makes no sense under hotrun: with it node runs tests or benchmarks, and hotrun runs a file'],
    [
      ['--test-reporter=x'],
      '--test-reporter makes no sense under hotrun: with it node runs tests or benchmarks, and hotrun runs a file',
    ],
    [
      ['--interactive'],
      '--interactive makes no sense under hotrun: with it node opens a prompt, and hotrun runs a file',
    ],
    [['-'], 'hotrun runs a file, and cannot read the program from its input (-)'],
    [['--'], '-- wants a command after it, as in hotrun -- go run ./cmd/api'],
    [
      ['--inspect', '--', 'go'],
      "--inspect is an option of node, and what follows -- is not run by hotrun's node: put it into the command",
    ],
    [['--inspect', '9230', 'a'], '9230 is no file to run, and a value of --inspect follows a =: --inspect=9230'],
    [
      ['--max-old-space-size', '400', 'a'],
      '400 is no file to run, and a value of --max-old-space-size follows a =: --max-old-space-size=400',
    ],
    [['--import'], '--import needs a value'],
    [['-r', '--inspect'], '-r needs a value'],
    [['--watch'], '--watch needs a value: --watch GLOB'],
    [['-w', '-q', 'a'], '--watch needs a value, and -q looks like an option (else write --watch=-q)'],
    [['--watch='], '--watch wants a glob, not ""'],
    [['--config='], '--config wants a FILE, not ""'],
    [['--exec', ' '], '--exec wants a command: a string for the shell or a list of words, not " "'],
    [['--quiet=yes'], '--quiet takes no value'],
    [['--handover', 'overlapp'], '--handover wants sequential or overlap, not "overlapp", did you mean overlap?'],
    [['--handover', 'x'], '--handover wants sequential or overlap, not "x"'],
    [['--stop', 'TERM 5s'], '--stop wants signals that ask a program to stop, not "TERM", did you mean SIGTERM?'],
  ])('%j', async (argv, sentence) => {
    const error = await parseArgv(argv).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(UserError);
    expect(error.message).toBe(sentence);
    expect(error.exitCode).toBe(2);
  });
});
