/**
 * The way from the root of the file system to a folder, as the kernel walks it: each name that is looked up, and the real
 * folder that it is looked up in. If an entry on the way is renamed, removed, made again or linked elsewhere, the path
 * means another folder, and no watch on the old one tells.
 */
import { lstatSync, readlinkSync, type Stats, statSync } from 'node:fs';
import { dirname, join, parse, sep } from 'node:path';
import { below } from './rules.ts';

export interface Step {
  /** Real path of the folder. */
  readonly folder: string;
  readonly name: string;
  readonly isLink: boolean;
}

export interface Trail {
  readonly steps: readonly Step[];
  /** Where it leads: the real path of an existing folder, or null. */
  readonly real: string | null;
}

/** As many as Linux follows. */
const MAX_LINKS = 40;

/** Follows `path` (absolute) as far as it exists. */
export function trailOf(path: string): Trail {
  const root = parse(path).root;
  const ahead = namesOf(path.slice(root.length)).reverse();
  const steps: Step[] = [];
  let real = root;
  let links = 0;
  for (let name = ahead.pop(); name !== undefined; name = ahead.pop()) {
    if (name === '..') {
      real = dirname(real);
      continue;
    }
    const here = join(real, name);
    const target = linkOf(here);
    steps.push({ folder: real, name, isLink: target !== null });
    if (target === null) {
      if (!statOf(here)?.isDirectory()) return { steps, real: null };
      real = here;
    } else {
      if (++links > MAX_LINKS) return { steps, real: null };
      const top = parse(target).root;
      if (top !== '') real = top;
      ahead.push(...namesOf(target.slice(top.length)).reverse());
    }
  }
  return { steps, real };
}

export const isSameTrail = (a: Trail, b: Trail): boolean =>
  a.real === b.real &&
  a.steps.length === b.steps.length &&
  a.steps.every((step, at) => step.folder === b.steps[at]?.folder && step.name === b.steps[at]?.name);

/**
 * The steps worth a watch: those in the project, symbolic links, and where the trail ends early. Above the project
 * nothing is watched (a home folder or /tmp is busy), but for the place where a path outside of it branches off.
 */
export function watchedSteps(trail: Trail, root: string): readonly Step[] {
  return trail.steps.filter((step, at) => {
    if (step.isLink || below(root, step.folder) !== null) return true;
    if (trail.real === null && at === trail.steps.length - 1) return true;
    const isAboveProject = below(step.folder, root) !== null;
    if (!isAboveProject) return true;
    const isBranch = below(join(step.folder, step.name), root) === null;
    return isBranch && parse(step.folder).root !== step.folder;
  });
}

/** Where a symbolic link points, as it is written; null for anything else. */
export function linkOf(path: string): string | null {
  return (
    orAbsent(() => (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ? readlinkSync(path) : null)) ?? null
  );
}

/** When a link on the way was made, in ms since the epoch. */
export const madeAt = ({ folder, name }: Step): number =>
  orAbsent(() => lstatSync(join(folder, name), { throwIfNoEntry: false })?.ctimeMs) ?? 0;

/** Of what the path leads to; undefined if it does not exist or is out of reach. */
export const statOf = (path: string): Stats | undefined => orAbsent(() => statSync(path, { throwIfNoEntry: false }));

/**
 * What cannot be looked at (EACCES, ELOOP, a network folder gone stale) is as good as absent for a watch. Nothing is
 * swallowed by that: whoever reads the file meets the error and names it.
 */
function orAbsent<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}

const namesOf = (path: string): string[] =>
  path.split(sep === '/' ? '/' : /[\\/]/).filter((name) => name !== '' && name !== '.');
