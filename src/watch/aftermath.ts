/**
 * Whether a storm still goes on where nobody listens: a formatter is in a folder from which the app loads nothing. Looked
 * for when a storm seems to be over, never for the sake of a single save.
 */
import { type Dirent, readdirSync } from 'node:fs';
import { extname, join } from 'node:path';
import type { Rules } from './rules.ts';
import { statOf } from './trail.ts';

/** No look takes longer than this, in ms: what a large project does behind that goes unseen. */
const LOOK_MAX_MS = 20;

/**
 * Whether a file of one of these `kinds` (`.ts`) was written in the project less than `withinMs` ago, `besides` those.
 */
export type IsWriting = (kinds: ReadonlySet<string>, withinMs: number, besides: ReadonlySet<string>) => boolean;

export function openAftermath(root: string, rules: Pick<Rules, 'follows'>): IsWriting {
  return (kinds, withinMs, besides) => {
    const end = performance.now() + LOOK_MAX_MS;
    const since = Date.now() - withinMs;
    const ahead = [root];
    for (let folder = ahead.pop(); folder !== undefined; folder = ahead.pop()) {
      for (const entry of entriesOf(folder)) {
        const path = join(folder, entry.name);
        if (entry.isDirectory()) {
          if (rules.follows(path)) ahead.push(path);
        } else if (kinds.has(extname(entry.name)) && !besides.has(path) && (statOf(path)?.mtimeMs ?? 0) > since)
          return true;
      }
      if (performance.now() > end) return false;
    }
    return false;
  };
}

/** One that is gone, or out of reach, holds nothing that is being written. */
function entriesOf(folder: string): readonly Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}
