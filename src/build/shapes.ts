/** The files that shape the project's modules without being any: each tsconfig.json and package.json that governs one. */
import { basename, dirname, extname, join, sep } from 'node:path';
import type { Packages } from './packages.ts';
import type { Tsconfigs } from './tsconfig.ts';

const IN_PACKAGE = `${sep}node_modules${sep}`;

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
    // JavaScript too: JSX in it is compiled, and `paths` count.
    const isCode = extname(file) !== '.json' && !file.includes(IN_PACKAGE);
    const key = `${isCode ? tsconfigs.scopeOf(file) : folder}\n${isCode}`;
    if (done.has(key)) continue;
    done.add(key);
    const scope = packages.around(folder);
    if (scope) found.add(scope.file);
    if (basename(folder) !== 'node_modules') nearer('package.json', folder, scope?.file);
    if (!isCode) continue;
    const tsconfig = tsconfigs.tsconfigFor(file);
    for (const config of tsconfig?.files ?? []) found.add(config);
    const isJsconfig = tsconfig !== null && basename(tsconfig.path) === 'jsconfig.json';
    nearer('tsconfig.json', folder, isJsconfig ? undefined : tsconfig?.path);
    // Any tsconfig.json beats it.
    if (isJsconfig || tsconfig === null) nearer('jsconfig.json', folder, tsconfig?.path);
  }
  return [...found].sort();
}
