/**
 * What a session has to say: what happened, not the words for it. The session makes facts out of the machine's `tell`
 * actions and what it knows beside them; lines.ts chooses the words. Times are in ms, paths absolute or relative to cwd.
 */
import type { Fault } from '../errors.ts';
import type { Action, Ending, Event, Generation } from '../supervisor/words.ts';

/** Why a build and the generation after it were made. */
export type Reason =
  /** `program`: as a person would write it, 'src/server.ts' or 'go run ./cmd/api'. */
  | { readonly kind: 'start'; readonly program: string }
  /** Every file of the burst, the one to name first in front. */
  | { readonly kind: 'saved'; readonly files: readonly string[] }
  /** Asked for by hand. */
  | { readonly kind: 'restart' };

/** A part of the way from the save to the new answer. */
export interface Phase {
  readonly name: 'build' | 'link' | 'stop' | 'start';
  readonly ms: number;
}

/** A point on the way from the save to the new answer. */
export type Mark =
  | 'heard'
  | 'read'
  | 'transformed'
  | 'sent'
  | 'linked'
  | 'drained'
  | 'gone'
  | 'started'
  | 'listening'
  | 'ready';

/** Why a file is watched. */
type Rule = 'loaded' | 'read' | 'listed' | 'watch' | 'config';

export type Fact =
  | { readonly type: 'started'; readonly program: string /** process.version */; readonly node: string }
  /** `command`: the build command as it is run, or null where hotrun transforms the modules itself. */
  | { readonly type: 'building'; readonly reason: Reason; readonly command: string | null }
  | { readonly type: 'same'; readonly files: readonly string[] }
  | {
      readonly type: 'ready';
      readonly gen: Generation;
      /** Some of `ports` was not told before. */
      readonly first: boolean;
      readonly reason: Reason;
      readonly totalMs: number;
      readonly phases: readonly Phase[];
      /** Where it listens: 'http://localhost:3000' or '0.0.0.0:3000'. */
      readonly ports: readonly string[];
    }
  /** The build found faults. `serving`: a generation runs and was not touched. */
  | { readonly type: 'failed'; readonly reason: Reason; readonly serving: boolean; readonly faults: readonly Fault[] }
  /** It builds but cannot be loaded: for `faults`, or because the process ended meanwhile. */
  | {
      readonly type: 'refused';
      readonly reason: Reason;
      readonly serving: boolean;
      readonly faults: readonly Fault[];
      readonly ending?: Ending;
    }
  /** The app has ended by itself: before it was ready, with an error, with exit code 0. `serving`: another one runs. */
  | {
      readonly type: 'broken' | 'crashed' | 'ended';
      readonly gen: Generation;
      readonly ending: Ending;
      /** Since it began to run. */
      readonly afterMs: number;
      readonly serving: boolean;
    }
  /** The stop takes long enough to be wondered at. `connections`: in flight, 0 when it waits for something else. */
  | {
      readonly type: 'stopping-slow';
      readonly afterMs: number;
      readonly connections: number;
      /** Ctrl-C was pressed, and once more would kill. */
      readonly quitting: boolean;
    }
  /** It listens where nothing was told of yet, after it was ready. `afterMs`: since its start. */
  | { readonly type: 'listening'; readonly port: string; readonly afterMs: number }
  /** A rung's time was up and the next signal was sent. `afterMs`: since the stop began. */
  | { readonly type: 'escalated'; readonly signal: NodeJS.Signals; readonly afterMs: number }
  /** Even SIGKILL has not ended it. `afterMs`: since the stop began. */
  | { readonly type: 'stuck'; readonly afterMs: number }
  | { readonly type: 'quitting' }
  /** What the type check found. `first`: there was none before. */
  | { readonly type: 'types'; readonly faults: readonly Fault[]; readonly first: boolean }
  /** Something that hotrun can live with and the user should know, in one sentence. */
  | { readonly type: 'trouble'; readonly sentence: string }
  | {
      readonly type: 'trace';
      readonly of: 'event';
      readonly what: Event /** It meant nothing then. */;
      readonly ignored: boolean;
    }
  | { readonly type: 'trace'; readonly of: 'action'; readonly what: Action }
  /** `marks`: in ms since the files were written, as far as that is known, in the order of time. */
  | {
      readonly type: 'timings';
      readonly form: 'text' | 'json';
      readonly gen: Generation;
      readonly files: readonly string[];
      readonly marks: readonly (readonly [name: Mark, ms: number])[];
    }
  /** By which rule a save counts. */
  | {
      readonly type: 'why saved';
      readonly changes: readonly { readonly file: string; readonly rule: Rule }[];
    }
  /** All that is watched: globs as they were written, files by which rule. */
  | {
      readonly type: 'watched';
      readonly globs: readonly string[];
      readonly files: readonly { readonly file: string; readonly rule: Rule }[];
    }
  /**
   * What a standby loads before the save, of so many packages, in so many ms. `stop`: where it ends, and why. `modules`: of
   * the project, in a second one.
   */
  | {
      readonly type: 'why loaded';
      readonly packages: readonly string[];
      readonly of: number;
      readonly ms: number;
      readonly stop: { readonly file: string; readonly because: string } | null;
      readonly modules: number;
    }
  /** A UserError: its one sentence. */
  | { readonly type: 'usage'; readonly sentence: string }
  /** Anything else that was thrown. */
  | { readonly type: 'bug'; readonly error: unknown };
