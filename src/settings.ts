/** The settings that are in force, and newer ones that wait for their moment. */
import { statSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import type { Config } from './config/config.ts';
import { UserError } from './errors.ts';

export interface Reading {
  readonly config: Config;
  /** ms since the epoch. */
  readonly readAt: number;
}

/** They cannot be used. */
export interface Broken {
  readonly sentence: string;
  /** A file whose appearance would mend them. */
  readonly missing: string | null;
}

export interface Settings {
  /** In force. */
  readonly now: Reading;
  /**
   * Reads them again. Those in force stay until the others are taken. Unsettled: unless
   * `isFinal`, what is broken, empty or gone may be about to be written.
   */
  reread(isFinal: boolean): 'same' | 'changed' | 'unsettled' | Broken;
  /** Puts newer ones in force; false if there are none. */
  take(): boolean;
}

/** @param read throws a UserError for what the user can mend */
export function openSettings(first: Reading, read: () => Config): Settings {
  let now = first;
  let next: Reading | null = null;
  return {
    get now() {
      return now;
    },
    reread(isFinal) {
      const readAt = Date.now();
      const before = next ?? now;
      try {
        const config = read();
        if (isDeepStrictEqual(config, before.config)) return 'same';
        if (!isFinal && before.config.sources.some((file) => mayBeOnItsWay(file, before.config))) return 'unsettled';
        next = { config, readAt };
        return 'changed';
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        return isFinal ? { sentence: error.message, missing: error.missing } : 'unsettled';
      }
    },
    take() {
      if (!next) return false;
      now = next;
      next = null;
      return true;
    },
  };
}

/** Editors truncate before they write, and rename in two steps. */
function mayBeOnItsWay(file: string, { file: rc }: Config): boolean {
  const size = statSync(file, { throwIfNoEntry: false })?.size;
  return size === 0 || (size === undefined && file === rc);
}
