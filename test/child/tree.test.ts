import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openTree } from '../../src/child/tree.ts';
import { until } from '../rig.ts';
import { end, gone, lead, pidOf, runs } from './processes.ts';

const IGNORES = "trap '' INT TERM; echo ready; while :; do sleep 1; done";
const setsid = spawnSync('setsid', ['true']).status === 0;

describe.skipIf(process.platform !== 'linux')('a tree', () => {
  test('a signal reaches every process of the group, the leader and its descendants', async () => {
    const led = lead('sh', ['-c', 'sleep 300 & echo pid $!; (sleep 300 & echo pid $!; wait) & echo pid $!; wait']);
    const pids = [await pidOf(led), await pidOf(led), await pidOf(led)];
    const tree = openTree(led.pid);
    expect(tree.isAlive()).toBe(true);
    tree.signal('SIGTERM');
    await gone(led.child);
    await until('the end of all', () => !pids.some(runs));
    expect(tree.isAlive()).toBe(false);
  });

  test('it is alive as long as one of the group is, whatever has become of the leader', async () => {
    const led = lead('sh', ['-c', `(${IGNORES}) & echo pid $!; read x; exit 3`]);
    const left = [await pidOf(led), await led.line()];
    const tree = openTree(led.pid);
    led.child.stdin?.write('\n');
    await gone(led.child);
    expect(tree.isAlive()).toBe(true);
    tree.signal('SIGINT');
    tree.signal('SIGTERM');
    expect(tree.isAlive()).toBe(true);
    tree.signal('SIGKILL');
    await until('the end of what is left', () => !tree.isAlive());
    expect(runs(left[0] as number)).toBe(false);
  });

  test.skipIf(!setsid)('a zombie is not alive', async () => {
    const parent = lead('sh', ['-c', 'setsid sleep 300 & echo pid $!; wait']);
    const pid = await pidOf(parent);
    const isIn = (state: string, of: number) => readFileSync(`/proc/${of}/stat`, 'latin1').includes(`) ${state} `);
    await until('a group of its own', () => {
      try {
        return process.kill(-pid, 0);
      } catch {
        return false;
      }
    });
    // Stopped, it cannot ask for the end of its child.
    process.kill(parent.pid, 'SIGSTOP');
    await until('the stop', () => isIn('T', parent.pid));
    process.kill(pid, 'SIGKILL');
    await until('a zombie', () => isIn('Z', pid));
    expect(() => process.kill(-pid, 0)).not.toThrow();
    expect(openTree(pid).isAlive()).toBe(false);
  });

  test('a process is ending when none of its threads runs again, and there is nothing that it leaves behind', async () => {
    const large = `const { appendFileSync } = require('node:fs');
      const { Worker } = require('node:worker_threads');
      globalThis.ballast = Buffer.alloc(2 ** 28, 1);
      new Worker("const { appendFileSync } = require('node:fs'); for (;;) appendFileSync(process.argv[2], '.');", { eval: true, argv: [process.argv[1]] });
      setInterval(() => appendFileSync(process.argv[1], '.'));
      console.log('ready');`;
    const folder = mkdtempSync(join(tmpdir(), 'hotrun-tree-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'beats');
    const size = (): number => statSync(file, { throwIfNoEntry: false })?.size ?? 0;
    const led = lead(process.execPath, ['-e', large, file]);
    const tree = openTree(led.pid);
    await led.line();
    await until('beats', () => size() > 100);
    expect(tree.isEnding(false)).toBe(false);
    tree.signal('SIGKILL');
    // Nothing else in this thread: it is reaped after that.
    while (!tree.isEnding(false));
    const last = size();
    await gone(led.child);
    expect(size()).toBe(last);
  });

  test('one that has had a child is not told to be ending, nor one that is no more', async () => {
    const led = lead('sh', ['-c', 'true; /bin/true; echo pid $$; kill -STOP $$']);
    await pidOf(led);
    const tree = openTree(led.pid);
    tree.signal('SIGKILL');
    const end = performance.now() + 100;
    while (performance.now() < end) expect(tree.isEnding(false)).toBe(false);
    await gone(led.child);
    expect(tree.isEnding(false)).toBe(false);
  });

  test('a stopped process is alive', async () => {
    const led = lead('sleep', ['300']);
    const tree = openTree(led.pid);
    tree.signal('SIGSTOP');
    expect(tree.isAlive()).toBe(true);
    tree.signal('SIGKILL');
    await gone(led.child);
    expect(tree.isAlive()).toBe(false);
  });

  test.skipIf(!setsid)('descendants in sessions of their own are found at the first signal, and kept', async () => {
    // The middle one dies of SIGINT; the one in the session of its own ignores it, and is nobody's child then.
    const stray = `trap '' INT TERM; echo pid $$; while :; do sleep 0.1; done`;
    const led = lead('sh', ['-c', `sh -c 'setsid sh -c "$1" & wait' sh "$1" & wait`, 'sh', stray]);
    const pid = await pidOf(led);
    const tree = openTree(led.pid);
    tree.signal('SIGINT');
    tree.signal('SIGTERM');
    await gone(led.child);
    expect(runs(pid)).toBe(true);
    expect(tree.isAlive()).toBe(true);
    tree.signal('SIGKILL');
    await until('the end of the stray', () => !tree.isAlive());
    expect(runs(pid)).toBe(false);
  });

  test.skipIf(!setsid)('a stray is found through others of the group when the leader has ended before', async () => {
    const stray = `trap '' INT TERM; echo pid $$; while :; do sleep 0.1; done`;
    const led = lead('sh', ['-c', `sh -c 'setsid sh -c "$1" & wait' sh "$1" & read x; exit 0`, 'sh', stray]);
    const pid = await pidOf(led);
    const tree = openTree(led.pid);
    led.child.stdin?.write('\n');
    await gone(led.child);
    tree.signal('SIGKILL');
    await until('the end of all', () => !tree.isAlive());
    expect(runs(pid)).toBe(false);
  });

  test.skipIf(!setsid)(
    'the guardian knows of a stray before the first signal, and forgets it when it is gone',
    async () => {
      const led = lead('sh', [
        '-c',
        'setsid sh -c "$1" & wait',
        'sh',
        `trap '' INT; echo pid $$; while :; do sleep 0.1; done`,
      ]);
      const pid = await pidOf(led);
      const told: string[] = [];
      const tree = openTree(led.pid, {
        watch: (group) => told.push(`watch ${group} ${runs(led.pid)}`),
        forget: (group) => told.push(`forget ${group}`),
      });
      tree.signal('SIGINT');
      expect(told).toEqual([`watch ${pid} true`]);
      tree.signal('SIGKILL');
      await until('the end of all', () => !tree.isAlive());
      expect(tree.isAlive()).toBe(false);
      expect(told).toEqual([`watch ${pid} true`, `forget ${pid}`]);
    },
  );

  test('a signal to a tree that is gone is no error', async () => {
    const led = lead('true', []);
    await gone(led.child);
    const tree = openTree(led.pid);
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGKILL'] as const) tree.signal(signal);
    expect(tree.isAlive()).toBe(false);
    expect(tree.catches('SIGINT')).toBe(false);
  });

  describe('catches', () => {
    const CATCHES: [name: string, argv: string[], caught: NodeJS.Signals[]][] = [
      ['a program without handlers', ['sh', '-c', 'echo ready; exec sleep 300'], []],
      ['a shell without a trap', ['sh', '-c', 'echo ready; sleep 300; true'], []],
      ['a shell that traps TERM', ['sh', '-c', 'trap "exit 0" TERM; echo ready; sleep 300; true'], ['SIGTERM']],
      ['a shell that ignores TERM', ['sh', '-c', 'trap "" TERM; echo ready; sleep 300; true'], []],
      [
        'a shell that traps QUIT and HUP',
        ['sh', '-c', 'trap "exit 0" QUIT HUP; echo ready; sleep 300; true'],
        ['SIGHUP', 'SIGQUIT'],
      ],
      ['a child of the leader', ['sh', '-c', 'sh -c "trap : USR2; echo ready; sleep 300; true"; true'], ['SIGUSR2']],
    ];
    test.each(CATCHES)('%s', async (_name, [file = '', ...args], caught) => {
      const led = lead(file, args);
      expect(await led.line()).toBe('ready');
      const tree = openTree(led.pid);
      const all = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2', 'SIGWINCH', 'SIGABRT', 'SIGKILL'] as const;
      // The child may be between fork and exec, where it has its parent's handlers.
      await until(`${caught.join()} and no other`, () => {
        const found = all.filter((signal) => tree.catches(signal));
        return found.length === caught.length && found.every((signal) => caught.includes(signal));
      });
      end(-led.pid);
    });
  });
});
