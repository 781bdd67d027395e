/** The terminal: the only writer beside the child. hotrun's lines go to stderr, the app's stdout stays its own. */
import type { Config } from '../config/config.ts';
import type { Fact } from './facts.ts';
import { lines } from './lines.ts';

export type { Fact, Mark, Phase, Reason } from './facts.ts';
export { saveTty } from './tty.ts';

export interface Terminal {
  say(fact: Fact): void;
  /** From now on it says so much. */
  level(level: Config['log']): void;
  close(): void;
}

export interface Options {
  /** process.stderr. */
  readonly stream: NodeJS.WriteStream;
  readonly level: Config['log'];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
}

/** Where there is no terminal to ask: a log, which does not wrap. */
const LOG_COLUMNS = 160;

/** Nothing that goes wrong with the stream ends hotrun: the app is to be stopped properly, whoever reads along. */
export function openTerminal({ stream, level: first, cwd, env }: Options): Terminal {
  let level = first;
  const colors = wantsColors(env, stream);
  let isOpen = true;

  // The reader has gone (EPIPE, EIO) or the disk is full: there is nobody left to tell. The listener stays after
  // close(), because the error of the last write may come later.
  stream.on('error', () => {});

  return {
    say(fact) {
      if (!isOpen) return;
      const text = lines(fact, { cwd, colors, columns: stream.columns || LOG_COLUMNS, level });
      // One write, so that the app's output does not come in between.
      if (text.length > 0) stream.write(`${text.join('\n')}\n`);
    },
    level(next) {
      level = next;
    },
    close() {
      isOpen = false;
    },
  };
}

/** https://no-color.org, then FORCE_COLOR as Node reads it (an empty string is yes), then what the stream is. */
export function wantsColors(env: NodeJS.ProcessEnv, stream: { readonly isTTY?: boolean }): boolean {
  if (env.NO_COLOR) return false;
  if (env.FORCE_COLOR !== undefined) return env.FORCE_COLOR !== '0' && env.FORCE_COLOR !== 'false';
  return stream.isTTY === true && env.TERM !== 'dumb';
}
