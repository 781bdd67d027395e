/**
 * One tiny process that outlives hotrun's sudden death. It waits on a pipe; when the pipe ends, because hotrun is gone
 * however it went, it ends the process groups that it was told of: a blocked app, or a command without our runtime,
 * would not notice by itself. A shell, because a second Node would cost 40 MiB.
 *
 * Descendants that left their group are looked for before the first signal, as in tree.ts: once their parent is gone no
 * one can find them. (`read` takes the whole of such a file, and fails because it has no newline at its end.)
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';

/** Between the polite signal and SIGKILL, in seconds, for `sleep`. */
const GRACE_S = '0.3';

const SCRIPT = `trap '' INT TERM HUP QUIT
g=
d=
while read -r op p; do
  case $op in
    +) g="$g $p" ;;
    d) d=$p ;;
    -) n=; for q in $g; do [ "$q" = "$p" ] || n="$n $q"; done; g=$n ;;
  esac
done
[ -z "$d" ] || rm -rf -- "$d"
[ -n "$g" ] || exit 0
all=
set -- $g
while [ $# -gt 0 ]; do
  next=
  for p; do
    for f in /proc/$p/task/*/children; do
      pids=
      [ -r "$f" ] && read -r pids <"$f"
      next="$next $pids"
    done
  done
  all="$all $next"
  set -- $next
done
for p in $g; do kill -s TERM -- "-$p"; done
sleep ${GRACE_S}
for p in $g; do kill -s KILL -- "-$p"; done
for p in $all; do kill -s KILL "$p"; done`;

export interface Guardian {
  /** Has it up before what it is to watch: a command would not notice by itself. */
  start(): void;
  /** Ends this process group if hotrun dies. */
  watch(group: number): void;
  forget(group: number): void;
  /** Removes this folder when hotrun is gone. One only; no newline may be in its name. */
  sweep(folder: string): void;
  /** Resolves when it is gone too. */
  close(): Promise<void>;
}

export function openGuardian(): Guardian {
  let shell: ChildProcess | undefined;
  const open = (): ChildProcess => {
    const started = spawn('/bin/sh', ['-c', SCRIPT], { detached: true, stdio: ['pipe', 'ignore', 'ignore'], cwd: '/' });
    // Without a shell the runtime still ends by itself when the channel is lost; only commands would stay.
    started.on('error', () => {});
    started.stdin?.on('error', () => {});
    started.unref();
    (started.stdin as Socket | null)?.unref();
    return started;
  };
  const start = (): void => {
    // Windows has no process groups; there the runtime's lost channel is all there is (untested).
    if (process.platform !== 'win32') shell ??= open();
  };
  return {
    start,
    watch(group) {
      // Where a Node.js app is the first, it comes first: its start does not wait.
      start();
      shell?.stdin?.write(`+ ${group}\n`);
    },
    sweep(folder) {
      start();
      shell?.stdin?.write(`d ${folder}\n`);
    },
    forget: (group) => void shell?.stdin?.write(`- ${group}\n`),
    async close() {
      if (!shell) return;
      const { stdin, pid } = shell;
      const over = shell.exitCode !== null || shell.signalCode !== null || pid === undefined;
      if (over) return;
      const gone = once(shell, 'exit');
      shell.ref();
      stdin?.end();
      await gone;
    },
  };
}
