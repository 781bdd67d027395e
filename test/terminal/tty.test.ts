import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/** script(1) of util-linux gives a command a terminal of its own; the one of macOS has other options. */
const hasScript = spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout?.includes('util-linux') ?? false;
const quote = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;

describe('saveTty', { timeout: 30_000 }, () => {
  let folder: string;
  let program: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hotrun-tty-'));
    program = join(folder, 'program.cjs');
    await build({
      stdin: {
        contents: `
          import { spawnSync } from 'node:child_process';
          import { saveTty } from './src/terminal/tty.ts';
          const stty = (arg) => spawnSync('/bin/stty', [arg], { stdio: ['inherit', 'pipe', 'ignore'], encoding: 'utf8' }).stdout?.trim();
          (async () => {
            const before = stty('-g');
            const restore = await saveTty();
            // Without the trap a background process would be stopped here already.
            spawnSync('/bin/sh', ['-c', 'trap "" TTOU; exec /bin/stty raw -echo'], { stdio: ['inherit', 'ignore', 'ignore'] });
            const raw = stty('-g');
            restore();
            const after = stty('-g');
            restore();
            const words = [before === raw ? 'never raw' : 'raw', after === before ? 'restored' : after === raw ? 'left raw' : 'odd'];
            console.log(' ' + words.join(', ') + ' ');
          })();
        `,
        resolveDir: resolve(import.meta.dirname, '../..'),
      },
      bundle: true,
      platform: 'node',
      format: 'cjs',
      outfile: program,
      logLevel: 'error',
    });
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function run(command: string, args: string[], env: NodeJS.ProcessEnv = process.env): Promise<string> {
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'], env });
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    await once(child, 'close');
    // A shell with job control has words of its own.
    return /(never )?raw, (restored|left raw|odd)/.exec(said)?.[0] ?? said;
  }
  /** stdin stays open: script ends when it does. */
  const onTerminal = (line: string) => run('script', ['-qec', line, '/dev/null']);
  const node = `${quote(process.execPath)} `;

  it.skipIf(!hasScript)('sets a terminal that was left raw as it was', async () => {
    expect(await onTerminal(node + quote(program))).toBe('raw, restored');
  });

  it.skipIf(!hasScript)('does nothing without stty', async () => {
    expect(await onTerminal(`PATH=${quote(folder)} ${node}${quote(program)}`)).toBe('raw, left raw');
  });

  it.skipIf(!hasScript)('leaves the terminal alone from the background', async () => {
    expect(await onTerminal(`set -m; ${node}${quote(program)} & wait`)).toBe('raw, left raw');
  });

  it.skipIf(!hasScript)('asks stty where stdin is a terminal, and only there', async () => {
    const bin = join(folder, 'bin');
    const asked = join(folder, 'asked');
    await mkdir(bin);
    await writeFile(join(bin, 'stty'), `#!/bin/sh\n: > ${quote(asked)}\nexit 1\n`, { mode: 0o755 });
    await run(process.execPath, [program], { ...process.env, PATH: bin });
    expect(existsSync(asked)).toBe(false);
    expect(await onTerminal(`PATH=${quote(bin)} ${node}${quote(program)}`)).toBe('raw, left raw');
    expect(existsSync(asked)).toBe(true);
  });
});
