/**
 * The two kinds of trouble: what the user can mend (UserError, Fault), and everything else, which is our bug and
 * prints a stack.
 */

/** A mistake in what we were given. Shown as one sentence without a stack; ends hotrun with `exitCode`. */
export class UserError extends Error {
  override name = 'UserError';
  /** As a shell expects it: 1 in general, 2 for wrong usage, 126 not executable, 127 not found. */
  readonly exitCode: number;
  /** The file that it would take, absolute. */
  readonly missing: string | null;

  constructor(message: string, exitCode = 1, missing: string | null = null) {
    super(message);
    this.exitCode = exitCode;
    this.missing = missing;
  }
}

/** Something wrong in the user's project, found before the running generation was touched. */
export interface Fault {
  /** One or more sentences, no colour, no trailing newline. */
  readonly text: string;
  /** Absolute path. */
  readonly file?: string;
  /** From 1. */
  readonly line?: number;
  /** From 1. */
  readonly column?: number;
  /** The source line at `line`, without its newline. */
  readonly source?: string;
  /** How many columns of `source` the fault spans. */
  readonly length?: number;
  /** Output of a build command, printed as it is. */
  readonly output?: string;
}

/** The message of anything that was thrown. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** The `code` of a Node system error ('ENOENT', …), or undefined. */
export const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error ? String(error.code) : undefined;

/** What is used up, and the remedy, as one clause, if a system error of this code comes of a limit of open files. */
export function limitOf(code: string | undefined): string | null {
  switch (code) {
    case 'EMFILE':
      return 'the limit of open files is used up: raise it in this shell with "ulimit -n 4096"';
    case 'ENFILE':
      return 'the limit of open files of the whole system is used up: raise it with "sysctl fs.file-max"';
    default:
      return null;
  }
}

/** For an exhaustive switch: the compiler refuses a case that was forgotten. */
export function never(value: never): never {
  throw new Error(`unexpected ${JSON.stringify(value)}`);
}
