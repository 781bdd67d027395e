/** Real processes for the tests of this folder. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';

/** One that leads a group of its own, with what it prints. It is killed when the test is over. */
export interface Led {
  readonly child: ChildProcess;
  readonly pid: number;
  /** The next line that it prints. */
  line(): Promise<string>;
}

export function lead(file: string, args: readonly string[]): Led {
  const child = spawn(file, args, { detached: true, stdio: ['pipe', 'pipe', 'inherit'] });
  const pid = child.pid ?? 0;
  onTestFinished(() => {
    for (const target of [-pid, ...strays]) end(target);
  });
  const strays: number[] = [];
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
  return {
    child,
    pid,
    async line() {
      const { value = '' } = await lines.next();
      const [word, number] = value.split(' ');
      // By its name: to be killed with the rest.
      if (word === 'pid') strays.push(Number(number));
      return value;
    },
  };
}

/** The pid in the next line, `pid 4711`. */
export const pidOf = async (led: Led): Promise<number> => Number((await led.line()).split(' ')[1]);

export const gone = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
};

export function runs(pid: number): boolean {
  try {
    return !'ZX'.includes(readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').pop()?.[0] ?? 'X');
  } catch {
    return false;
  }
}

export function end(target: number): void {
  try {
    process.kill(target, 'SIGKILL');
  } catch {
    // It has gone.
  }
}
