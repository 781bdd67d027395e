/**
 * The vocabulary of the machine: what can happen (Event), what is done about it (Action), and what is known (State).
 * Nothing here or in step.ts does I/O, reads a clock or knows a process: time is an action and an event too.
 *
 * A *generation* is one run of the app, numbered from 1. It is *prepared* (booted, its code loaded and checked, not a
 * line of it run), *activated* (runs), and *stopped* (drained, then signalled by the rungs of the ladder) until it is
 * *gone* (no live member of its process group).
 */

export type Generation = number;

/** How a process ended: an exit code, or the signal that killed it. */
export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export type Event =
  /** The command line was understood: run. */
  | { readonly type: 'start' }
  /** Files that matter were written, removed or added. `calmMs`: they are of a storm; build when it has been quiet for this long. */
  | { readonly type: 'saved'; readonly calmMs?: number }
  /** Asked for by hand (SIGUSR2): reload even though nothing changed. */
  | { readonly type: 'restart' }
  /** Ctrl-C, SIGTERM or SIGHUP; `code` is what hotrun exits with. */
  | { readonly type: 'quit'; readonly code: number }
  /** The quiet time that build `id` waits for is over: nothing was saved meanwhile, or it has been waited long enough. */
  | { readonly type: 'quiet'; readonly id: number }
  /** Build `id` has ended. `same`: nothing differs from what runs. */
  | { readonly type: 'built'; readonly id: number; readonly result: 'ok' | 'same' | 'failed' }
  /** The generation is loaded and linked, and waits for its turn. */
  | { readonly type: 'prepared'; readonly gen: Generation }
  /** The generation cannot be loaded (missing export, missing file); it has run nothing. */
  | { readonly type: 'refused'; readonly gen: Generation }
  /** The app listens, or its entry has been evaluated. */
  | { readonly type: 'ready'; readonly gen: Generation }
  /** It has begun to drain; `first` is the rung whose signal the app listens to. */
  | { readonly type: 'draining'; readonly gen: Generation; readonly first: number }
  /** Nothing is in flight any more. */
  | { readonly type: 'drained'; readonly gen: Generation }
  /** The time of the drain (`rung` -1) or of a rung is up. */
  | { readonly type: 'overdue'; readonly gen: Generation; readonly rung: number }
  /** The process itself has ended, but others of its group live on. */
  | ({ readonly type: 'exited'; readonly gen: Generation } & Ending)
  /** No live member of its group is left. */
  | ({ readonly type: 'gone'; readonly gen: Generation } & Ending);

export type Action =
  /** Transform what changed, or run the build command. */
  | { readonly type: 'build'; readonly id: number }
  | { readonly type: 'cancel'; readonly id: number }
  /** Boot, load and link; not a line of the app runs. */
  | { readonly type: 'prepare'; readonly gen: Generation; readonly id: number }
  /** Kill a generation that has run nothing. */
  | { readonly type: 'discard'; readonly gen: Generation }
  /** Run the app. */
  | { readonly type: 'activate'; readonly gen: Generation }
  /** Accept no more, finish what is in flight. */
  | { readonly type: 'drain'; readonly gen: Generation }
  /** Send the signal of this rung to the whole group. */
  | { readonly type: 'signal'; readonly gen: Generation; readonly rung: number }
  /** After `ms` say `event`. */
  | { readonly type: 'timer'; readonly ms: number; readonly event: Event }
  | {
      readonly type: 'tell';
      readonly what: What;
      readonly gen?: Generation;
      readonly id?: number;
      readonly rung?: number;
      readonly ending?: Ending;
    }
  | { readonly type: 'exit'; readonly code: number };

/** What the terminal has to say, and later the browser. The session adds names, times and texts. */
export type What =
  /** A build was asked for, because of a save or by hand. */
  | 'building'
  /** Nothing differs from what runs. */
  | 'same'
  /** The build failed; what runs is not touched. */
  | 'failed'
  /** The new code cannot be loaded; what runs is not touched. */
  | 'refused'
  /** The generation serves. */
  | 'ready'
  /** It ended before it was ready. */
  | 'broken'
  /** It ended with an error while it ran. */
  | 'crashed'
  /** It ended by itself, with exit code 0. */
  | 'ended'
  /** A rung's time was up; the next signal is sent. */
  | 'escalated'
  /** Even SIGKILL has not ended it in time. */
  | 'stuck'
  /** The first Ctrl-C. */
  | 'quitting';

/** The life of one generation. */
export type Life =
  /** Loading. `firm`: further saves do not throw it away, so that a storm cannot starve it. */
  | { readonly is: 'preparing'; readonly id: number; readonly firm: boolean }
  /** Prepared; its predecessor is leaving. */
  | { readonly is: 'waiting'; readonly id: number }
  /** Runs, and is not ready. */
  | { readonly is: 'starting'; readonly id: number }
  | { readonly is: 'running'; readonly id: number }
  /**
   * Leaving. `rung`: whose time runs now. `sent`: the highest rung whose signal was sent, -1 for none yet, so that no
   * signal is ever sent twice. `first`: the rung to begin with.
   */
  | { readonly is: 'stopping'; readonly rung: number; readonly sent: number; readonly first: number }
  /** Killed before it ran anything. */
  | { readonly is: 'discarded' };

export type Build =
  | { readonly is: 'idle' }
  /** A burst of saves is going on: wait until it is quiet, then make build `id`. */
  | { readonly is: 'quiet'; readonly id: number; readonly force: boolean }
  /** `force`: reload even if nothing differs. `firm`: as in Life. */
  | { readonly is: 'building'; readonly id: number; readonly force: boolean; readonly firm: boolean };

export interface State {
  readonly build: Build;
  /** Each generation that may have a live process, in the order they were made. */
  readonly lives: ReadonlyMap<Generation, Life>;
  /** The burst of saves that is going on, by the id of the timer that ends it at the latest. A storm may last longer. */
  readonly burst: { readonly id: number; readonly isStorm: boolean } | null;
  /** Something was saved while a firm build or preparation went on: build again after it. */
  readonly dirty: boolean;
  /** The exit code, once asked to quit. */
  readonly quitting: number | null;
  /** The newest build (or burst) id and generation given out. */
  readonly ids: { readonly build: number; readonly gen: Generation };
}

/** One step of the stop ladder: a signal, and how long it may take before the next, in ms. The last one's time only bounds when we say that it is stuck. */
export interface Rung {
  readonly signal: NodeJS.Signals;
  readonly ms: number;
}

/** What the machine has to know of the configuration. */
export interface Rules {
  readonly handover: 'sequential' | 'overlap';
  /** Ends with SIGKILL. */
  readonly ladder: readonly Rung[];
  /** Quiet time after a burst, and the most it is waited for, in ms; and the most in a storm. */
  readonly quietMs: number;
  readonly quietMaxMs: number;
  readonly stormMaxMs: number;
}
