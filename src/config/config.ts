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
      /** For node, before the entry: `--inspect`, `--import x`, …; --env-file is in `envFiles`. */
      readonly nodeArgs: readonly string[];
      /** For the app, after the entry. */
      readonly args: readonly string[];
    }
  /** Anything that can be started. */
  | { readonly kind: 'command'; readonly run: CommandLine };

/** A file with variables for the app, which node reads by --env-file. */
export interface EnvFile {
  /** As node is to be given it. */
  readonly path: string;
  /** Absolute. */
  readonly file: string;
  /** It may be missing (--env-file-if-exists). */
  readonly isOptional: boolean;
}

export interface Config {
  /** Where the app runs: hotrun's own working directory. */
  readonly cwd: string;
  /** The nearest folder at or above cwd with a package.json, or cwd. Globs are relative to `base`. */
  readonly root: string;
  /** The rc file or package.json that was read, or null. */
  readonly file: string | null;
  /**
   * The files that these settings are read from, and those that would count if they were there; the symbolic link by which
   * the entry was found; absolute.
   */
  readonly sources: readonly string[];
  /** The folder that `watch` and `ignore` globs are relative to: the rc file's, or cwd. */
  readonly base: string;
  readonly program: Program;
  /** In the order in which they are read: of two values for one variable the later counts, and the shell's before both. */
  readonly envFiles: readonly EnvFile[];
  /** The shell's NODE_OPTIONS, for the app: hotrun's own are without the inspector (child/own.ts). Null: there are none. */
  readonly nodeOptions: string | null;
  /** A command that must succeed before a generation is prepared. */
  readonly build: CommandLine | null;
  /** Globs watched in addition to what the app loads. */
  readonly watch: readonly string[];
  readonly ignore: readonly string[];
  /** Watch what the app reads while it starts, if it looks like something that people write. */
  readonly watchReads: boolean;
  /** How often watched files are looked at, in ms, instead of listening to the system's events; 0: only where there are none. */
  readonly poll: number;
  /** Signals and their times; the last is SIGKILL. */
  readonly ladder: readonly Rung[];
  /** Whether the user chose the ladder: then it begins at its first rung, whatever the app listens to. */
  readonly ladderIsChosen: boolean;
  readonly handover: 'sequential' | 'overlap';
  /** Keep a process booted for the next generation. */
  readonly standby: boolean;
  /** Which packages it loads while it waits; names are those of packages. */
  readonly preload: 'auto' | 'all' | 'none' | readonly string[];
  /** Run the project's tsc beside the app. */
  readonly typecheck: boolean;
  readonly log: 'quiet' | 'normal' | 'verbose';
  /** Say by which rule a save counts, and what a standby loads. */
  readonly why: boolean;
  /** Say what is watched when the app has got somewhere, and end. */
  readonly lists: boolean;
  /** Tell, of each reload, when what was done; as text or as a line of JSON. */
  readonly timings: 'none' | 'text' | 'json';
  /** Print the machine's events and actions. */
  readonly trace: boolean;
}
