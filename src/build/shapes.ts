/** The files that shape the project's modules without being any: each tsconfig.json and package.json that governs one. */
import { basename, dirname, join, sep } from 'node:path';
import type { Packages } from './packages.ts';
import { needsTransform } from './transform.ts';
import type { Tsconfigs } from './tsconfig.ts';

/**
 * With those that are not there and would come before the ones that are; outside of `root` only what is there.
 * @param files modules
 */
export function shapesOf(
  files: Iterable<string>,
  root: string,
  { packages, tsconfigs }: { packages: Packages; tsconfigs: Tsconfigs },
): string[] {
  const found = new Set<string>();
  const done = new Set<string>();
  /** What would govern a folder, from there up to where something does. */
  const nearer = (name: string, folder: string, governing: string | undefined): void => {
    const end = governing === undefined ? root : dirname(governing);
    const isInside = (at: string): boolean => at === root || at.startsWith(root + sep);
    for (let at = folder; isInside(at); at = dirname(at)) {
      found.add(join(at, name));
      if (at === end) break;
    }
  };
  for (const file of files) {
    const folder = dirname(file);
    const isTransformed = needsTransform(file);
    const key = `${isTransformed ? tsconfigs.scopeOf(file) : folder}\n${isTransformed}`;
    if (done.has(key)) continue;
    done.add(key);
    const scope = packages.around(folder);
    if (scope) found.add(scope.file);
    if (basename(folder) !== 'node_modules') nearer('package.json', folder, scope?.file);
    if (!isTransformed) continue;
    const tsconfig = tsconfigs.tsconfigFor(file);
    for (const config of tsconfig?.files ?? []) found.add(config);
    nearer('tsconfig.json', folder, tsconfig?.path);
  }
  return [...found].sort();
}
