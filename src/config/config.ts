/** What the command line and the rc file come to: checked once, then frozen and trusted. Times in ms, paths absolute. */
import type { Rung } from '../supervisor/words.ts';

/** A string goes through the shell, an array does not. */
export type CommandLine = string | readonly string[];

export type Program =
  /** A module for this Node.js. */
  | {
      readonly kind: 'node';
      /** Absolute path of an existing file, as it is named. */
      readonly entry: string;
      /** The file that Node makes of it: symbolic links are followed, as those in node_modules/.bin. */
      readonly main: string;
      /** For node, before the entry: `--inspect`, `--import x`, … */
      readonly nodeArgs: readonly string[];
      /** For the app, after the entry. */
      readonly args: readonly string[];
    }
  /** Anything that can be started. */
  | { readonly kind: 'command'; readonly run: CommandLine };

export interface Config {
  /** Where the app runs: hotrun's own working directory. */
  readonly cwd: string;
  /** The nearest folder at or above cwd with a package.json, or cwd. Globs are relative to `base`. */
  readonly root: string;
  /** The rc file or package.json that was read, or null. */
  readonly file: string | null;
  /** The folder that `watch` and `ignore` globs are relative to: the rc file's, or cwd. */
  readonly base: string;
  readonly program: Program;
  /** A command that must succeed before a generation is prepared. */
  readonly build: CommandLine | null;
  /** Globs watched in addition to what the app loads. */
  readonly watch: readonly string[];
  readonly ignore: readonly string[];
  /** Signals and their times; the last is SIGKILL. */
  readonly ladder: readonly Rung[];
  /** Whether the user chose the ladder: then it begins at its first rung, whatever the app listens to. */
  readonly ladderIsChosen: boolean;
  readonly handover: 'sequential' | 'overlap';
  /** Keep a process booted for the next generation. */
  readonly standby: boolean;
  /** Which packages it loads while it waits; names are those of packages. */
  readonly preload: 'auto' | 'all' | 'none' | readonly string[];
  readonly log: 'quiet' | 'normal' | 'verbose';
  /** Say by which rule a save counts, and what a standby loads. */
  readonly why: boolean;
  /** Print the machine's events and actions. */
  readonly trace: boolean;
}
