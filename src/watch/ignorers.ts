/**
 * Listens for .gitignore and .ignore files, and git's list for this repository, where no glob is searched for: in the
 * folders above, up to the top of the repository.
 */
import { existsSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { Places } from './places.ts';

/** @returns to be called when more of them may have been asked */
export function openIgnorers(
  places: Pick<Places, 'open'>,
  asked: () => Iterable<string>,
  isSearched: (folder: string) => boolean,
  changed: () => void,
): () => void {
  const folders = new Map<string, Set<string>>();

  const listen = (folder: string): Set<string> => {
    const names = new Set<string>();
    folders.set(folder, names);
    places.open(folder, {
      settled: (_place, isMoved) => {
        if (isMoved) changed();
      },
      heard: (name) => {
        if (name === null || names.has(name)) changed();
      },
      names: () => names,
    });
    return names;
  };

  return () => {
    for (const file of asked()) {
      const folder = dirname(file);
      // One that is made later may be any folder of the home of the user, who is busy there.
      if (isSearched(folder) || !existsSync(folder)) continue;
      (folders.get(folder) ?? listen(folder)).add(basename(file));
    }
  };
}
