import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { PassThrough } from 'node:stream';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTerminal, wantsColors } from '../../src/terminal/index.ts';

describe('wantsColors', () => {
  const rows: [NodeJS.ProcessEnv, boolean | undefined, boolean][] = [
    [{}, true, true],
    [{}, undefined, false],
    [{ TERM: 'xterm-256color' }, true, true],
    [{ TERM: 'dumb' }, true, false],
    [{ NO_COLOR: '1' }, true, false],
    [{ NO_COLOR: '0' }, true, false],
    [{ NO_COLOR: '' }, true, true],
    [{ NO_COLOR: '' }, undefined, false],
    [{ FORCE_COLOR: '1' }, undefined, true],
    [{ FORCE_COLOR: '3' }, undefined, true],
    [{ FORCE_COLOR: 'true' }, undefined, true],
    [{ FORCE_COLOR: '' }, undefined, true],
    [{ FORCE_COLOR: '0' }, true, false],
    [{ FORCE_COLOR: 'false' }, true, false],
    [{ FORCE_COLOR: '1', TERM: 'dumb' }, true, true],
    [{ FORCE_COLOR: '1', NO_COLOR: '1' }, true, false],
    [{ FORCE_COLOR: '1', NO_COLOR: '' }, undefined, true],
    [{ FORCE_COLOR: '0', NO_COLOR: '' }, true, false],
  ];
  it.each(rows)('%o, isTTY %s: %s', (env, isTTY, expected) => {
    expect(wantsColors(env, isTTY === undefined ? {} : { isTTY })).toBe(expected);
  });
});

describe('openTerminal', () => {
  const page = (more: object = {}) => {
    const stream = Object.assign(new PassThrough({ encoding: 'utf8' }), more) as unknown as NodeJS.WriteStream;
    return { stream, read: (): string | null => (stream as unknown as PassThrough).read() };
  };

  it('says a fact in whole lines', () => {
    const { stream, read } = page();
    const terminal = openTerminal({ stream, level: 'quiet', cwd: '/app', env: {} });
    terminal.say({ type: 'quitting' });
    terminal.say({ type: 'trouble', sentence: 'one' });
    terminal.say({ type: 'trouble', sentence: 'two' });
    expect(read()).toBe('[hotrun] one\n[hotrun] two\n');
  });

  it('says a fact in one write', () => {
    const { stream } = page();
    const writes: string[] = [];
    stream.on('data', (text: string) => writes.push(text));
    const faults = [{ text: 'wrong', file: '/app/a.ts' }];
    const terminal = openTerminal({ stream, level: 'normal', cwd: '/app', env: {} });
    terminal.say({ type: 'failed', reason: { kind: 'restart' }, serving: true, faults });
    expect(writes).toEqual([
      '[hotrun] asked to reload: build failed\na.ts: wrong\n[hotrun] the running version is not touched\n',
    ]);
  });

  it('has colours on a terminal, and follows its width', () => {
    const { stream, read } = page({ isTTY: true, columns: 30 });
    const terminal = openTerminal({ stream, level: 'normal', cwd: '/app', env: {} });
    const faults = [{ text: 'wrong', line: 1, source: 'x'.repeat(50) }];
    const say = () => terminal.say({ type: 'failed', reason: { kind: 'restart' }, serving: true, faults });
    say();
    expect(read()).toContain(`\x1b[2m  1 |\x1b[22m ${'x'.repeat(22)}…\n`);
    stream.columns = 80;
    say();
    expect(read()).toContain(`\x1b[2m  1 |\x1b[22m ${'x'.repeat(50)}\n`);
  });

  it('says nothing after close, which may come twice', () => {
    const { stream, read } = page();
    const terminal = openTerminal({ stream, level: 'normal', cwd: '/app', env: {} });
    terminal.close();
    terminal.close();
    terminal.say({ type: 'trouble', sentence: 'late' });
    expect(read()).toBeNull();
  });
});

describe('when nobody reads stderr any more', { timeout: 30_000 }, () => {
  let folder: string;
  let program: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hotrun-terminal-'));
    program = join(folder, 'program.cjs');
    // Waits for a byte, so that the test can close the reading end first; then says more than a pipe could hold.
    await build({
      stdin: {
        contents: `
          import { errorMonitor } from 'node:events';
          import { openTerminal } from './src/terminal/index.ts';
          const terminal = openTerminal({ stream: process.stderr, level: 'normal', cwd: '/', env: {} });
          let errors = 0;
          process.stderr.on(errorMonitor, () => { errors += 1; });
          process.stdin.once('data', async () => {
            for (let i = 0; i < 100; i++) {
              terminal.say({ type: 'trouble', sentence: 'x'.repeat(1000) });
              await new Promise(setImmediate);
            }
            terminal.say({ type: 'trouble', sentence: 'the last one' });
            terminal.close();
            setImmediate(() => {
              process.stdout.write(errors > 0 ? 'alive' : 'no error came');
              process.stdin.destroy();
            });
          });
          process.stdout.write('open ');
        `,
        resolveDir: resolve(import.meta.dirname, '../..'),
      },
      bundle: true,
      platform: 'node',
      format: 'cjs',
      outfile: program,
      // The bundle lies elsewhere, and what is required at run time is still found from here.
      define: { 'import.meta.url': JSON.stringify(import.meta.url) },
      logLevel: 'error',
    });
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('lives on', async () => {
    const child = spawn(process.execPath, [program], { stdio: 'pipe' });
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    await once(child.stdout, 'data');
    child.stderr.destroy();
    await once(child.stderr, 'close');
    child.stdin.write('go');
    const [code, signal] = await once(child, 'close');
    expect({ said, code, signal }).toEqual({ said: 'open alive', code: 0, signal: null });
  });
});
