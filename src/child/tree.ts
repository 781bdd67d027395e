/**
 * All the processes of one generation: its process group, and the descendants that made a session of their own. The one
 * file that knows how processes are found and signalled on each system.
 *
 * tree-kill 1.2.2, measured: it throws uncaught without `ps` on the PATH, calls back before the processes are gone, and
 * misses grandchildren whose parent has died. So: the group first, /proc for those that left it, and tree-kill where
 * there are no groups (Windows) or no /proc (macOS), never taking its callback for an end.
 */
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { codeOf } from '../errors.ts';
import type { Guardian } from './guardian.ts';

/** Loaded where it is needed: never on Linux. */
const treeKill = (pid: number, signal: NodeJS.Signals): void => {
  const kill: typeof import('tree-kill') = createRequire(import.meta.url)('tree-kill');
  kill(pid, signal, () => {});
};

const hasGroups = process.platform !== 'win32';
const hasProc = process.platform === 'linux';

export interface Tree {
  /** Sends a signal to every process of the tree, once. One that has just gone is no error. */
  signal(signal: NodeJS.Signals): void;
  /** Whether any live process is left; zombies do not count. */
  isAlive(): boolean;
  /**
   * After a signal: whether it is a single process, always was, and has come to its end but for what the kernel clears away
   * behind it: no thread of it will run again. @param mayLock it has files open: then it must not have locked any
   */
  isEnding(mayLock: boolean): boolean;
  /** Whether some process of the group has a handler for this signal. False where that cannot be seen. */
  catches(signal: NodeJS.Signals): boolean;
}

/** @param leader a process that leads a group of its own @param guardian told of the groups of those that left it */
export function openTree(leader: number, guardian?: Pick<Guardian, 'watch' | 'forget'>): Tree {
  /** Descendants outside the group, kept from the first signal on: once their parent is gone no one can find them. */
  const strays = new Set<number>();
  const groups = new Set<number>();
  /** It had no children at the last signal. Later is too late: its first thread gives them away when it ends. */
  let isAlone = false;
  const keep = (pid: number): void => {
    const group = groupOf(pid);
    if (group === leader || Number.isNaN(group)) return;
    strays.add(pid);
    if (groups.has(group)) return;
    groups.add(group);
    guardian?.watch(group);
  };

  return {
    signal(signal) {
      if (!hasGroups) {
        treeKill(leader, signal);
        return;
      }
      if (hasProc) {
        // Where the leader has ended already, those it left in its group still know their own.
        const known = isRunning(leader) ? [leader] : members(leader);
        const found = descendants([...known, ...strays]);
        isAlone = found.length === 0;
        for (const pid of found) keep(pid);
      }
      kill(-leader, signal);
      for (const pid of strays) kill(pid, signal);
      if (!hasProc && signal === 'SIGKILL' && hasPs()) treeKill(leader, signal);
    },
    isAlive() {
      for (const pid of strays) if (!isRunning(pid)) strays.delete(pid);
      if (strays.size > 0) return true;
      for (const group of groups) guardian?.forget(group);
      groups.clear();
      if (!hasGroups) return exists(leader);
      if (!exists(-leader)) return false;
      // A dead orphan stays in its group as a zombie until process 1 reaps it.
      return !hasProc || members(leader).some(isRunning);
    },
    isEnding(mayLock) {
      if (!hasProc || !isAlone || hasWaited(leader)) return false;
      const threads = threadsOf(leader);
      return threads.length > 0 && threads.every(isLeaving) && !(mayLock && hasLocks(leader));
    },
    catches(signal) {
      if (!hasProc) return false;
      const bit = 1n << BigInt(constants.signals[signal] - 1);
      return members(leader).some(
        (pid) => (caughtBy(pid) & bit) !== 0n && !(signal === 'SIGINT' && CATCH_SIGINT_ANYWAY.test(programOf(pid))),
      );
    },
  };
}

function kill(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch (error) {
    if (codeOf(error) === 'ESRCH') return false;
    if (codeOf(error) === 'EPERM') return true;
    throw error;
  }
}
const exists = (pid: number): boolean => kill(pid, 0);

let ps: boolean | undefined;
/** tree-kill needs `ps`; slim images have none. */
function hasPs(): boolean {
  ps ??= (process.env.PATH ?? '').split(':').some((folder) => {
    try {
      return readdirSync(folder).includes('ps');
    } catch {
      return false;
    }
  });
  return ps;
}

/** They do so by themselves (measured: dash, bash while it waits, python3), whether their script has a handler or not. */
const CATCH_SIGINT_ANYWAY = /\/(?:(?:ba|da|a|z|k|mk)?sh|busybox|python[\d.]*)$/;

// Linux: /proc, as in proc(5). A process may vanish between two looks; then there is nothing to see.

function look(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

/** The fields of a process' or thread's stat from the state on; the name before them may hold anything. */
const fieldsOf = (path: string): string[] => look(`${path}/stat`).split(') ').pop()?.split(' ') ?? [];
const statOf = (pid: number): string[] => fieldsOf(`/proc/${pid}`);
const isRunning = (pid: number): boolean => !['', 'Z', 'X', 'x', undefined].includes(statOf(pid)[0]);
/** Page faults of children that it has waited for: every process has some before its first line. */
const hasWaited = (pid: number): boolean => {
  const stat = statOf(pid);
  return stat[8] !== '0' || stat[10] !== '0';
};
const groupOf = (pid: number): number => Number(statOf(pid)[2]);
const members = (group: number): number[] =>
  readdirSync('/proc').flatMap((name) => {
    const pid = Number(name);
    return Number.isInteger(pid) && groupOf(pid) === group ? [pid] : [];
  });
function programOf(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/exe`);
  } catch {
    return '';
  }
}
const caughtBy = (pid: number): bigint =>
  BigInt(`0x${/^SigCgt:\s*([0-9a-f]+)/m.exec(look(`/proc/${pid}/status`))?.[1] ?? '0'}`);

/** The folders of its threads in /proc. */
const threadsOf = (pid: number): string[] => {
  try {
    return readdirSync(`/proc/${pid}/task`).map((thread) => `/proc/${pid}/task/${thread}`);
  } catch {
    return [];
  }
};

/** Of a thread's flags: it runs nothing but its own end (include/linux/sched.h). */
const PF_EXITING = 4;
/** A thread that has begun to end, or has ended. One with children has started them since the signal. */
function isLeaving(thread: string): boolean {
  const flags = fieldsOf(thread)[6];
  if (flags === undefined) return true;
  return (Number(flags) & PF_EXITING) !== 0 && hasChildLists() && childrenOf(thread).length === 0;
}

/** Most kernels have the list; without it children are not found. */
const childrenOf = (thread: string): number[] =>
  look(`${thread}/children`)
    .split(' ')
    .map(Number)
    .filter((pid) => pid > 0);

let childLists: boolean | undefined;
const hasChildLists = (): boolean => {
  childLists ??= existsSync(`/proc/${process.pid}/task/${process.pid}/children`);
  return childLists;
};

/** Or may have: the owner of an open file description's lock is not told (-1). */
const hasLocks = (pid: number): boolean =>
  look('/proc/locks')
    .split('\n')
    .some((lock) => [String(pid), '-1'].includes(lock.replace('-> ', '').split(/ +/)[4] ?? ''));

/** Those that left the group are found by it, too. */
function descendants(pids: readonly number[]): number[] {
  const found: number[] = [];
  const queue = [...pids];
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    const children = threadsOf(next).flatMap(childrenOf);
    found.push(...children);
    queue.push(...children);
  }
  return found;
}
