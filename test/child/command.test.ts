import { spawnSync } from 'node:child_process';
import { afterEach, describe, expect, test } from 'vitest';
import { argvOf, runCommand } from '../../src/child/command.ts';
import { openGuardian } from '../../src/child/guardian.ts';
import { makeProject, type Project, until } from '../rig.ts';
import { runs } from './processes.ts';

const guardian = openGuardian();
let project: Project;
afterEach(async () => {
  project?.close();
  await guardian.close();
});

describe('argvOf', () => {
  test('a list is taken as it is', () => {
    expect(argvOf(['go', 'run', './a b', '$HOME'])).toEqual({
      file: 'go',
      args: ['run', './a b', '$HOME'],
      shell: false,
    });
  });

  const SHELL: [command: string, script: string][] = [
    ['python app.py', 'exec python app.py'],
    ['  node   server.js --port=3000', 'exec   node   server.js --port=3000'],
    ['node "a b.js" \'c\'', 'exec node "a b.js" \'c\''],
    ['node a.js > log 2>err', 'exec node a.js > log 2>err'],
    ['./run.sh $HOME `pwd`', 'exec ./run.sh $HOME `pwd`'],
    ['env PORT=3000 node a.js', 'exec env PORT=3000 node a.js'],
    // More than one command, or a word of the shell itself: `exec` would be wrong.
    ['a && b', 'a && b'],
    ['a || b', 'a || b'],
    ['a; b', 'a; b'],
    ['a | b', 'a | b'],
    ['a &', 'a &'],
    ['a\nb', 'a\nb'],
    ['(cd x; a)', '(cd x; a)'],
    ['{ a; }', '{ a; }'],
    ['PORT=3000 node a.js', 'PORT=3000 node a.js'],
    ['_A1=x node a.js', '_A1=x node a.js'],
    ['exec node a.js', 'exec node a.js'],
    ['cd x', 'cd x'],
    ['. ./env', '. ./env'],
    ['! a', '! a'],
    ['if a', 'if a'],
    ['set -e', 'set -e'],
    ['export A=b', 'export A=b'],
  ];
  test.skipIf(process.platform === 'win32').each(SHELL)('%j', (command, script) => {
    const { file, args, shell } = argvOf(command);
    expect([file, args[0], args[1]?.replace(/^exec\s+/, 'exec '), shell]).toEqual([
      '/bin/sh',
      '-c',
      script.replace(/^exec\s+/, 'exec '),
      false,
    ]);
  });

  test.skipIf(process.platform === 'win32').each([
    ['echo "a b"  c', 'a b c\n'],
    ['A=1 sh -c "echo $$A-$A"', /-\n$/],
    ['echo "a; b"', 'a; b\n'],
    ['echo one && echo two', 'one\ntwo\n'],
    ["printf '%s' '&'", '&'],
    ['printf "%s" $((1+1))', '2'],
    ['[ -d / ] && echo yes', 'yes\n'],
    ['test -d / && echo yes', 'yes\n'],
  ])('runs as in a shell: %j', (command, output) => {
    const { file, args } = argvOf(command);
    const { stdout } = spawnSync(file, args, { encoding: 'utf8' });
    if (typeof output === 'string') expect(stdout).toBe(output);
    else expect(stdout).toMatch(output);
  });
});

describe.skipIf(process.platform === 'win32')('runCommand', () => {
  const run = (command: string | string[]) => runCommand(command, { cwd: project.dir, envFiles: [] }, guardian);

  test.each([
    ['true', { code: 0, signal: null }],
    ['exit 7', { code: 7, signal: null }],
    ['kill -9 $$', { code: null, signal: 'SIGKILL' }],
    [['no-such-command'], { code: 127, signal: null }],
    [['/'], { code: 126, signal: null }],
    ['no-such-command', { code: 127, signal: null }],
  ] as const)('%j', async (command, ending) => {
    project = makeProject({});
    expect(await run(typeof command === 'string' ? command : [...command]).ended).toEqual(ending);
  });

  test('kill() ends all of it; after that it signals nobody', async () => {
    project = makeProject({});
    const job = run('sleep 300 & sleep 300 & wait');
    job.kill();
    expect(await job.ended).toEqual({ code: null, signal: 'SIGKILL' });
    const before = process.kill;
    let signalled = 0;
    process.kill = (...args) => {
      signalled++;
      return before.apply(process, args);
    };
    try {
      job.kill();
    } finally {
      process.kill = before;
    }
    expect(signalled).toBe(0);
  });

  test('what it leaves running is ended before it is over', async () => {
    project = makeProject({});
    const file = project.path('pid');
    const job = run(`(trap '' TERM INT; sleep 300; true) & echo $! > ${file}; exit 3`);
    expect(await job.ended).toEqual({ code: 3, signal: null });
    const pid = Number(spawnSync('cat', [file], { encoding: 'utf8' }).stdout);
    expect(pid).toBeGreaterThan(1);
    await until('its end', () => !runs(pid));
  });
});
