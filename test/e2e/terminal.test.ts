/** hotrun at a real terminal: a shell with job control on a pty, and what is typed there. */
import { execFileSync, spawnSync } from 'node:child_process';
import { afterEach, describe, expect, test } from 'vitest';
import { closeAll, HOTRUN, launch, makeProject, type Project, type Started, until } from '../rig.ts';
import { JOURNAL, type Journal, journalOf, runs } from './journal.ts';

/** script(1) of util-linux gives a command a terminal of its own; the one of macOS has other options. */
const has = spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout?.includes('util-linux') ?? false;
const CTRL_C = '\x03';
const CTRL_Z = '\x1a';
const PROMPT = /PROMPT> $/;

const projects = new Set<Project>();
afterEach(async () => {
  await closeAll();
  for (const project of projects) project.close();
  projects.clear();
});

interface Terminal {
  readonly project: Project;
  readonly journal: Journal;
  readonly shell: Started;
  /** /dev/pts/7 */
  readonly device: string;
  type(text: string): void;
  /** Waits for the output, after what was seen last. */
  sees(pattern: RegExp): Promise<RegExpExecArray>;
  /** stty(1), as if it were called on this terminal by someone else: nothing is typed. */
  stty(...args: string[]): string;
  /** Starts hotrun and waits until it says that the app is ready. */
  run(...args: string[]): Promise<void>;
  /** Waits for the prompt; the exit code of what ran. */
  prompt(): Promise<number>;
}

async function terminal(source: string): Promise<Terminal> {
  const project = makeProject({ 'app.js': JOURNAL + source });
  projects.add(project);
  const env = { PS1: 'PROMPT> ', ENV: '', NO_COLOR: '', TERM: 'xterm-256color', SHELL: '/bin/sh', HOTRUN };
  const shell = launch(project, ['script', '-qfec', 'exec sh -i', '/dev/null'], { stdin: 'pipe', env });
  const sees = (pattern: RegExp) => shell.seen(pattern, 'stdout');
  const type = (text: string): void => void shell.child.stdin?.write(text);
  await sees(PROMPT);
  type('unset NO_COLOR; tty\n');
  const [device] = await sees(/\/dev\/pts\/\d+/);
  await sees(PROMPT);
  const stty = (...args: string[]): string => execFileSync('stty', ['-F', device, ...args], { encoding: 'utf8' });
  stty('cols', '90', 'rows', '30');
  return {
    project,
    journal: journalOf(project),
    shell,
    device,
    type,
    sees,
    stty,
    async run(...args) {
      type(`${[process.execPath, '"$HOTRUN"', ...args, 'app.js'].join(' ')}\n`);
      await sees(/ready in/);
    },
    async prompt() {
      await sees(PROMPT);
      type('echo code $?\n');
      const [, code] = await sees(/^code (\d+)/m);
      await sees(PROMPT);
      return Number(code);
    },
  };
}

const SHORT = ['--stop', '"SIGINT 200ms, SIGTERM 200ms"'];
const STAYS = 'setInterval(() => {}, 1000);\n';

describe.skipIf(!has)(`at a terminal${has ? '' : ' (SKIPPED: util-linux has no script here)'}`, () => {
  test('the app has it: size, colours, and lines that are typed', async () => {
    const facts =
      '[process.stdin.isTTY, process.stdout.isTTY, process.stderr.isTTY, process.stdout.columns, process.stdout.rows, process.stdout.hasColors(256)]';
    const { run, type, sees, prompt, shell, journal } = await terminal(
      `log(${facts}.join());\nprocess.stdin.setEncoding('utf8').on('data', (text) => console.log('<' + text.trim() + '>'));\n`,
    );
    await run();
    expect(journal.lines()).toEqual(['1 true,true,true,90,30,true']);
    // Ours has colours, too.
    expect(shell.stdout()).toContain('\x1b[32mready in');
    type('hello\n');
    await sees(/<hello>/);
    type(CTRL_C);
    expect(await prompt()).toBe(130);
  });

  test('raw mode: keys reach the app one by one, Ctrl-C too', async () => {
    const { run, type, sees, prompt, stty, journal } = await terminal(`process.stdin.setRawMode(true);
process.stdin.setEncoding('utf8').on('data', (key) => {
  log('key ' + key.charCodeAt(0));
  if (key === 'q') process.exit(0);
});
process.on('SIGINT', () => log('SIGINT'));
`);
    await run();
    await until('raw mode', () => stty('-a').includes('-icanon'));
    for (const key of ['a', CTRL_C, 'q']) {
      type(key);
      await journal.has(`1 key ${key.charCodeAt(0)}`);
    }
    await sees(/ended with exit code 0, waiting for a change/);
    // Node has put the terminal back, and Ctrl-C is for hotrun again.
    await until('a terminal that is not raw', () => / icanon/.test(stty('-a')));
    type(CTRL_C);
    expect(await prompt()).toBe(130);
    expect(journal.lines()).toEqual(['1 key 97', '1 key 3', '1 key 113']);
  });

  test('Ctrl-C is one SIGINT for the app, and the prompt comes back when it is gone', async () => {
    const { run, type, prompt, sees, project, journal } = await terminal(`log('pid ' + process.pid);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
  process.on(signal, async () => { log(signal); await released('go'); process.exit(); });
${STAYS}`);
    await run('--trace');
    const pid = Number(await journal.value('1 pid'));
    type(CTRL_C);
    await journal.has('1 SIGINT');
    await sees(/action .*"signal"/);
    project.write('go', '');
    await sees(PROMPT);
    expect(runs(pid)).toBe(false);
    type('\n');
    await prompt();
    expect(journal.lines()).toEqual([`1 pid ${pid}`, '1 SIGINT']);
  });

  test('a second Ctrl-C kills at once', async () => {
    const { run, type, prompt, journal } = await terminal(`process.on('SIGINT', () => log('SIGINT'));\n${STAYS}`);
    await run('--stop', '"SIGINT 600s"');
    type(CTRL_C);
    await journal.has('1 SIGINT');
    type(CTRL_C);
    expect(await prompt()).toBe(130);
    expect(journal.lines()).toEqual(['1 SIGINT']);
  });

  test('a new size is told to the app', async () => {
    const { run, type, prompt, stty, journal } = await terminal(
      `process.stdout.on('resize', () => log('size ' + process.stdout.columns + ' ' + process.stdout.rows));\n${STAYS}`,
    );
    await run();
    stty('cols', '101');
    await journal.has('1 size 101 30');
    type(CTRL_C);
    expect(await prompt()).toBe(130);
  });

  const RAW = `process.stdin.setRawMode(true);\nprocess.stdin.on('data', (key) => { if (String(key) === 'k') end(); });\n`;

  test.each([
    ['SIGKILL', "const end = () => process.kill(process.pid, 'SIGKILL');"],
    ['SIGABRT', 'const end = () => process.abort();'],
  ])('an app that %s ends in raw mode leaves the terminal as it was', async (signal, end) => {
    const { run, type, sees, prompt, stty } = await terminal(RAW + end);
    const before = stty('-g');
    await run();
    await until('raw mode', () => stty('-a').includes('-icanon'));
    type('k');
    await sees(new RegExp(`ended by ${signal}.*waiting for a change`));
    await until('the terminal as it was', () => stty('-g') === before);
    type(CTRL_C);
    expect(await prompt()).toBe(130);
  });

  test('an app in raw mode that has to be killed leaves the terminal as it was', async () => {
    const { run, prompt, stty, journal } = await terminal(
      `${RAW}const end = () => {};\nlog('parent ' + process.ppid);\nprocess.on('SIGINT', () => {});\nprocess.on('SIGTERM', () => {});\n`,
    );
    const before = stty('-g');
    await run(...SHORT);
    await until('raw mode', () => stty('-a').includes('-icanon'));
    process.kill(Number(await journal.value('1 parent')), 'SIGINT');
    expect(await prompt()).toBe(130);
    expect(stty('-g')).toBe(before);
  });

  test('a generation that is thrown away does not take raw mode from the one that runs', async () => {
    const { run, type, sees, prompt, stty, project, journal } = await terminal(
      `import './part.js';\n${RAW}const end = () => process.exit(0);\nlog('start');\n`,
    );
    project.write('part.js', '');
    await run('--trace');
    await journal.has('1 start');
    await until('raw mode', () => stty('-a').includes('-icanon'));
    // Cannot be linked: it is prepared, refused and killed.
    project.write('part.js', "import { nothing } from 'node:fs';\n");
    await sees(/event .*"gone","gen":2,.*"SIGKILL"/);
    project.write('part.js', 'syntax error');
    await sees(/event .*"gone","gen":3/);
    expect(stty('-a')).toContain('-icanon');
    type('k');
    await sees(/ended with exit code 0/);
    type(CTRL_C);
    expect(await prompt()).toBe(130);
  });

  test('Ctrl-Z and fg', async () => {
    const { run, type, sees, prompt, device, journal } = await terminal(
      `process.on('SIGINT', () => { log('SIGINT'); process.exit(); });\n${STAYS}`,
    );
    const isShellsTurn = (): boolean =>
      /\bS\w*\+.* sh$/m.test(execFileSync('ps', ['-t', device, '-o', 'stat=,comm='], { encoding: 'utf8' }));
    await run();
    type(CTRL_Z);
    await sees(PROMPT);
    expect(isShellsTurn()).toBe(true);
    type('fg\n');
    await until('hotrun in the foreground', () => !isShellsTurn());
    type(CTRL_C);
    expect(await prompt()).toBe(130);
    expect(journal.lines()).toEqual(['1 SIGINT']);
  });

  test('a terminal that is closed ends everything, by the ladder', async () => {
    const { run, shell, journal } = await terminal(`for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
  process.on(signal, () => { log(signal); setTimeout(() => { log('end'); process.exit(); }, 50); });
${STAYS}`);
    await run();
    shell.kill('SIGKILL');
    await until('the end of everything', () => shell.processes().length === 0);
    expect(journal.lines()).toEqual(['1 SIGINT', '1 end']);
  });
});
