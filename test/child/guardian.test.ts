import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openGuardian } from '../../src/child/guardian.ts';
import { makeProject, type Project, until } from '../rig.ts';
import { gone, lead, pidOf, runs } from './processes.ts';

const IGNORES = "trap '' INT TERM HUP QUIT; echo pid $$; while :; do sleep 0.1; done";
const LISTENS = 'trap "echo TERM; exit 0" TERM; trap "echo INT" INT; echo pid $$; while :; do sleep 0.05; done';
const setsid = spawnSync('setsid', ['true']).status === 0;

describe.skipIf(process.platform === 'win32')('the guardian', () => {
  let project: Project;
  beforeAll(async () => {
    project = makeProject({});
    await build({
      stdin: {
        // Watches the groups of its arguments and forgets those that begin with -; says so, and lives on.
        contents: `import { openGuardian } from './src/child/guardian.ts';
const guardian = openGuardian();
for (const word of process.argv.slice(2)) {
  if (word === 'close') guardian.close().then(() => console.log('closed'));
  else if (Number(word) > 0) guardian.watch(Number(word));
  else guardian.forget(-Number(word));
}
console.log('watching');
setInterval(() => {}, 1000);`,
        resolveDir: resolve(import.meta.dirname, '../..'),
      },
      bundle: true,
      platform: 'node',
      format: 'cjs',
      outfile: project.path('host.cjs'),
      logLevel: 'error',
    });
  });
  afterAll(() => project.close());

  /** A process with a guardian; killed, it cannot say goodbye. */
  async function host(...words: (string | number)[]) {
    const led = lead(process.execPath, [project.path('host.cjs'), ...words.map(String)]);
    expect(await led.line()).toBe('watching');
    return led;
  }

  test('ends what it was told of when its process is killed, first by SIGTERM', async () => {
    const polite = lead('sh', ['-c', LISTENS]);
    const stubborn = lead('sh', ['-c', IGNORES]);
    await Promise.all([pidOf(polite), pidOf(stubborn)]);
    const { child } = await host(polite.pid, stubborn.pid);
    child.kill('SIGKILL');
    expect(await polite.line()).toBe('TERM');
    await Promise.all([gone(polite.child), gone(stubborn.child)]);
    expect(polite.child.exitCode).toBe(0);
    expect(stubborn.child.signalCode).toBe('SIGKILL');
  });

  test('leaves alone what it was told to forget', async () => {
    const forgotten = lead('sh', ['-c', LISTENS]);
    const watched = lead('sh', ['-c', IGNORES]);
    await Promise.all([pidOf(forgotten), pidOf(watched)]);
    const { child } = await host(forgotten.pid, watched.pid, -forgotten.pid);
    child.kill('SIGKILL');
    await gone(watched.child);
    expect(runs(forgotten.pid)).toBe(true);
    // It has heard of nothing: the next thing it says is of our signal.
    process.kill(-forgotten.pid, 'SIGINT');
    expect(await forgotten.line()).toBe('INT');
  });

  test.skipIf(!setsid || process.platform !== 'linux')('ends descendants in sessions of their own, too', async () => {
    const led = lead('sh', ['-c', 'setsid sh -c "$1" & wait', 'sh', IGNORES]);
    const pid = await pidOf(led);
    const { child } = await host(led.pid);
    child.kill('SIGKILL');
    await gone(led.child);
    await until('the end of the stray', () => !runs(pid));
  });

  test.skipIf(process.platform !== 'linux')('signals of the terminal do not end it', async () => {
    const led = lead('sh', ['-c', IGNORES]);
    await pidOf(led);
    const { child, pid } = await host(led.pid);
    const guardian = Number(spawnSync('pgrep', ['-P', String(pid), 'sh'], { encoding: 'utf8' }).stdout);
    expect(guardian).toBeGreaterThan(1);
    // SIGHUP, SIGINT, SIGQUIT and SIGTERM: it has begun to ignore them.
    await until('its traps', () => /^SigIgn:\s*0*4007$/m.test(readFileSync(`/proc/${guardian}/status`, 'latin1')));
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const) process.kill(guardian, signal);
    child.kill('SIGKILL');
    await gone(led.child);
    await until('the end of the guardian', () => !runs(guardian));
  });

  test('close() resolves when it is gone, and twice is safe', async () => {
    const guardian = openGuardian();
    await guardian.close();
    const led = lead('sh', ['-c', LISTENS]);
    await pidOf(led);
    guardian.watch(led.pid);
    guardian.forget(led.pid);
    await guardian.close();
    await guardian.close();
    expect(runs(led.pid)).toBe(true);
  });

  test('close() takes along what is left', async () => {
    const guardian = openGuardian();
    const child = spawn('sh', ['-c', IGNORES], { detached: true, stdio: 'ignore' });
    guardian.watch(child.pid ?? 0);
    await Promise.all([guardian.close(), once(child, 'exit')]);
    expect(runs(child.pid ?? 0)).toBe(false);
  });
});
