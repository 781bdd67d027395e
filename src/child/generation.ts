/** What every generation is, whether a Node.js process with our runtime or a command. */
import type { ChildProcess } from 'node:child_process';
import type { ListedFolder, Loaded, Pack, Preload, Resolved } from '../runtime/messages.ts';
import type { Ending, Event, Generation } from '../supervisor/words.ts';
import type { Guardian } from './guardian.ts';
import type { Tree } from './tree.ts';

/** Modules that a standby holds: another room's secret. */
export interface Ahead {
  readonly era: number;
  readonly hashes: ReadonlyMap<string, string>;
}

/** The answers to a generation's questions, which another room knows. */
export interface Answers {
  pack(gen: Generation): Promise<{ head: Pack; body: Buffer }>;
  load(gen: Generation, file: string): Promise<{ head: Loaded; body: Buffer }>;
  resolve(specifier: string, parent: string): Resolved;
  /** Those to one offshoot of a generation, or of one that is gone. */
  offshoot(gen: Generation | undefined): {
    pack(first: string, files: Iterable<string>): { head: Pack; body: Buffer };
    load(file: string): Promise<{ head: Loaded; body: Buffer }>;
    loaded(files: readonly string[]): void;
  };
  /** Whether what it has loaded so far can run. Never rejects. */
  check(gen: Generation): Promise<boolean>;
  /** Where Node found a package that a file of the project wants. */
  found(parent: string, specifier: string, preload: Preload): void;
  /** Node has not found what a file of the project wants: a package, or a file (absolute path) of one. */
  missing(parent: string, what: string): void;
  /** What a standby may do before its turn: load packages, and then modules of the project, by `ahead`. Never rejects. */
  foresight(): Promise<{ readonly packages: readonly Preload[]; readonly ahead: boolean }>;
  /** A standby has loaded its packages, in so many ms. */
  preloaded(ms: number): void;
  /** Modules that a standby may load, and a token by which they are known later. Never rejects. */
  ahead(): Promise<{ head: Pack; body: Buffer; token: Ahead }>;
  /** Whether a standby that holds these can become the next generation. */
  isCurrent(token: Ahead): boolean;
  tookAhead(gen: Generation, token: Ahead): void;
  /** The folder of V8's code cache, or null to do without. */
  codeCache(): string | null;
  /** Looks for the place of what Node refused to load, where its `stack` does not say it. Never rejects. */
  explain(gen: Generation, text: string, stack: string): Promise<void>;
}

/** What the child room tells: events for the machine, and facts for the notebook. */
export interface Host {
  emit(event: Event): void;
  /** Of the room that is open at the moment. */
  readonly answers: Answers;
  /** Files of the project that the generation has taken from its pack. */
  onLoaded(gen: Generation, files: readonly string[]): void;
  /** The app reads this file of the project, or writes it, while it starts; `since`: ms since the epoch. */
  onRead(file: string, isWritten: boolean, since: number): void;
  /** The app has listed these folders of the project `since` (ms since the epoch) it began to run, and is up. */
  onListed(folders: readonly ListedFolder[], since: number): void;
  /** A standby holds these files of packages (names by folder), none read before `since` (ms since the epoch). */
  onPackages(held: Readonly<Record<string, readonly string[]>>, since: number): void;
  /** Why it cannot be loaded: a message, and a stack that may name the place. */
  onRefused(gen: Generation, text: string, stack: string): void;
  /** `where` as a person would type it: http://localhost:3000. */
  onListening(gen: Generation, where: string): void;
  /** How many requests were in flight when the drain began. */
  onDraining(gen: Generation, busy: number): void;
  /** The command cannot be started: the system's error code. */
  onUnstartable(gen: Generation, code: string): void;
  /** What hotrun has to do without, in one sentence with the remedy. */
  onTrouble(sentence: string): void;
}

/** The rung that a stop begins with, of those whose signal somebody listens to; the ladder is that of the moment. */
export type FirstRung = (listens: (signal: NodeJS.Signals) => boolean) => number;

export interface Run {
  activate(): void;
  drain(): void;
  signal(signal: NodeJS.Signals): void;
  /** The terminal has another size. */
  resized(): void;
}

/** One of which no process was made: it cannot be loaded, for this reason. */
export function unprepared(gen: Generation, text: string, host: Host): Run {
  queueMicrotask(() => {
    host.onRefused(gen, text, '');
    host.emit({ type: 'refused', gen });
  });
  return {
    activate() {},
    drain() {},
    signal: () => host.emit({ type: 'gone', gen, code: null, signal: 'SIGKILL' }),
    resized() {},
  };
}

/** How often a group is looked at whose leader has ended, in ms: no system tells of the end of a process that is not ours. */
const LOOK_MS = 10;
/** How long the last words of a process that ended by itself are waited for, in ms: they are in the pipe already. */
const LAST_WORDS_MS = 250;

export interface Ends {
  /** It has ended, and others of its group live on. */
  exited(ending: Ending): void;
  /** Nothing of its group is left. */
  gone(ending: Ending): void;
}

export interface Departure {
  /**
   * It has got this signal, listens to none, and holds nothing that another process may want: it is gone when none of its
   * threads will run again. The kernel then clears its memory away, which takes 2 ms for a small app and 10 for a large one.
   * @param mayLock it has files open
   */
  hasten(signal: NodeJS.Signals, mayLock: boolean): void;
  /** The process is no more. */
  readonly over: Promise<void>;
}

/**
 * How often a process that is about to end is looked at, and how long hotrun sleeps between two looks, in ms. It sleeps, since
 * the threads of that process need its CPU to end.
 */
const LOOKS = 8;
const ASLEEP_MS = 0.2;
const alarm = new Int32Array(new SharedArrayBuffer(4));

/**
 * Tells the end of a process and of its group. @param words the stream of what it has to say, read to its end before
 * an unexpected exit is told
 */
export function tellEnd(
  child: ChildProcess,
  tree: Tree,
  guardian: Guardian,
  words: NodeJS.ReadableStream | null,
  ends: Ends,
): Departure {
  let isGone = false;
  let tellOver = (): void => {};
  const over = new Promise<void>((resolve) => {
    tellOver = resolve;
  });
  child.once('exit', (code, signal) => {
    const ending: Ending = { code, signal };
    tellOver();
    if (isGone) return;
    afterLastWords(child, words, () => {
      if (!tree.isAlive()) return gone(ending);
      ends.exited(ending);
      const timer = setInterval(() => {
        if (tree.isAlive()) return;
        clearInterval(timer);
        gone(ending);
      }, LOOK_MS);
    });
  });
  const gone = (ending: Ending): void => {
    isGone = true;
    if (child.pid) guardian.forget(child.pid);
    ends.gone(ending);
  };
  return {
    over,
    hasten(signal, mayLock) {
      let looks = 0;
      const look = (): void => {
        if (isGone || child.exitCode !== null || child.signalCode !== null) return;
        if (tree.isEnding(mayLock)) return gone({ code: null, signal });
        if (++looks === LOOKS) return;
        Atomics.wait(alarm, 0, 0, ASLEEP_MS);
        setImmediate(look);
      };
      setImmediate(look);
    },
  };
}

/** Tells the machine. */
export const endsOf = (gen: Generation, emit: (event: Event) => void): Ends => ({
  exited: (ending) => emit({ type: 'exited', gen, ...ending }),
  gone: (ending) => emit({ type: 'gone', gen, ...ending }),
});

/** What it wrote to `words`, and the sockets that it sent over the channel, come before its end. */
function afterLastWords(child: ChildProcess, words: NodeJS.ReadableStream | null, then: () => void): void {
  let due = 0;
  const end = (): void => {
    clearTimeout(timer);
    due = Number.POSITIVE_INFINITY;
    then();
  };
  const timer = setTimeout(end, LAST_WORDS_MS);
  const done = (): void => {
    if (--due <= 0) end();
  };
  const waitFor = (source: NodeJS.EventEmitter, event: string): void => {
    due++;
    source.once(event, done);
  };
  if (words?.readable) waitFor(words, 'close');
  if (child.connected) waitFor(child, 'disconnect');
  if (due === 0) done();
}
