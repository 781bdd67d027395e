/** What this process has open besides what is hotrun's: what its end gives free, and the next generation may want at once. */
import { readdirSync, readlinkSync } from 'node:fs';
import type { Holds } from './messages.ts';

const DESCRIPTORS = '/proc/self/fd';
const HARMLESS = /^(?:pipe:|anon_inode:|\/dev\/(?:null|zero|random|urandom|tty|ptmx|pts\/\d+)$)/;

/** @param ours descriptors that are of no use to anybody else */
export function whatIsHeld(ours: ReadonlySet<number>): Holds {
  let holds: Holds = 'nothing';
  try {
    for (const name of readdirSync(DESCRIPTORS)) {
      const fd = Number(name);
      // The first three are hotrun's own as well.
      if (fd <= 2 || ours.has(fd)) continue;
      const what = linkOf(fd);
      if (what === null || HARMLESS.test(what)) continue;
      if (!what.startsWith('/') || what.startsWith('/dev/')) return 'more';
      holds = 'files';
    }
    return holds;
  } catch {
    // Only Linux tells.
    return 'more';
  }
}

/** Null for one that has been closed meanwhile, as that of the list itself. */
function linkOf(fd: number): string | null {
  try {
    return readlinkSync(`${DESCRIPTORS}/${fd}`);
  } catch {
    return null;
  }
}
