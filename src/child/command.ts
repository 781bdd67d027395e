/** Commands: a generation that is one, and the one-off run of a build command. */
import { type ChildProcess, spawn } from 'node:child_process';
import type { CommandLine, Config } from '../config/config.ts';
import { codeOf } from '../errors.ts';
import type { Ending, Generation } from '../supervisor/words.ts';
import { readEnvironment } from './envfiles.ts';
import { endsOf, type FirstRung, type Host, type Run, tellEnd } from './generation.ts';
import type { Guardian } from './guardian.ts';
import { openTree } from './tree.ts';

/** What a shell runs that is more than one simple command, or begins with an assignment or a word of the shell itself. */
const NOT_SIMPLE =
  /[;&|\n(){}]|^\s*\w+=|^\s*(?:exec|exit|cd|if|for|while|until|case|select|function|set|unset|export|readonly|eval|source|command|builtin|trap|wait|read|umask|ulimit|alias|time|!|\.|:|\[\[)(?:\s|$)/;

/** A string goes through the shell, `exec`ed where it is one command, so that signals reach it and not the shell; an array does not. */
export function argvOf(command: CommandLine): { file: string; args: readonly string[]; shell: boolean } {
  if (typeof command !== 'string') return { file: command[0] ?? '', args: command.slice(1), shell: false };
  if (process.platform === 'win32') return { file: command, args: [], shell: true };
  return { file: '/bin/sh', args: ['-c', NOT_SIMPLE.test(command) ? command : `exec ${command}`], shell: false };
}

function start(
  command: CommandLine,
  cwd: string,
  env: NodeJS.ProcessEnv,
  stdio: ('inherit' | 'ignore' | number)[],
): ChildProcess {
  const { file, args, shell } = argvOf(command);
  return spawn(file, args, { cwd, env, shell, stdio, detached: process.platform !== 'win32' });
}

export function prepareCommand(
  gen: Generation,
  config: Config & { readonly program: { readonly kind: 'command' } },
  guardian: Guardian,
  host: Host,
  firstRung: FirstRung,
): Run {
  let child: ChildProcess | undefined;
  let signal: (signal: NodeJS.Signals) => void = () => {
    // Nothing has been started yet: being discarded is its end.
    host.emit({ type: 'gone', gen, code: null, signal: 'SIGKILL' });
  };
  let drain = (): void => {};
  // There is nothing to load before its turn comes.
  queueMicrotask(() => host.emit({ type: 'prepared', gen }));
  return {
    activate() {
      const { variables } = readEnvironment(config.envFiles);
      const options = config.nodeOptions === null ? {} : { NODE_OPTIONS: config.nodeOptions };
      const env = { ...variables, ...process.env, ...options, HOTRUN: '1', HOTRUN_GENERATION: String(gen) };
      guardian.start();
      child = start(config.program.run, config.cwd, env, ['inherit', 'inherit', 'inherit']);
      const { pid } = child;
      if (pid === undefined) {
        child.once('error', (error) => {
          host.onUnstartable(gen, codeOf(error) ?? '');
          host.emit({ type: 'gone', gen, code: codeOf(error) === 'ENOENT' ? 127 : 126, signal: null });
        });
        return;
      }
      guardian.watch(pid);
      const tree = openTree(pid, guardian);
      tellEnd(child, tree, guardian, null, endsOf(gen, host.emit));
      child.once('spawn', () => host.emit({ type: 'ready', gen }));
      signal = (name) => tree.signal(name);
      drain = () => {
        host.emit({ type: 'draining', gen, first: firstRung(tree.catches) });
        host.emit({ type: 'drained', gen });
      };
    },
    drain: () => drain(),
    signal: (name) => signal(name),
    resized: () => void child?.kill('SIGWINCH'),
  };
}

export interface Job {
  /** How it ended; code 127 or 126 when it could not be started. Resolves when its whole group is gone. */
  readonly ended: Promise<Ending>;
  /** Kills it and all its descendants. */
  kill(): void;
}

/** Runs a command to its end; what it prints goes to stderr, for stdout is the app's own. */
export function runCommand(
  command: CommandLine,
  { cwd, envFiles }: Pick<Config, 'cwd' | 'envFiles'>,
  guardian: Guardian,
): Job {
  guardian.start();
  const env = { ...readEnvironment(envFiles).variables, ...process.env };
  const child = start(command, cwd, env, ['ignore', 2, 2]);
  const { pid } = child;
  if (pid === undefined) {
    const ended = new Promise<Ending>((resolve) => {
      child.once('error', (error) => resolve({ code: codeOf(error) === 'ENOENT' ? 127 : 126, signal: null }));
    });
    return { ended, kill() {} };
  }
  guardian.watch(pid);
  const tree = openTree(pid, guardian);
  let gone = false;
  const ended = new Promise<Ending>((resolve) => {
    tellEnd(child, tree, guardian, null, {
      gone(ending) {
        gone = true;
        resolve(ending);
      },
      // What a build leaves running has no business beside the app.
      exited: () => tree.signal('SIGKILL'),
    });
  });
  return {
    ended,
    kill() {
      // Its number may be another's by now.
      if (!gone) tree.signal('SIGKILL');
    },
  };
}
