/** What the .gitignore files of a project say, the deeper one having the last word, as git reads them. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import ignore, { type Ignore } from 'ignore';
import { codeOf } from '../errors.ts';
import { below, type GitSays } from './rules.ts';

export interface Gitignore {
  readonly ignores: GitSays;
  /** Reads the files again when next asked. */
  forget(): void;
}

/** Reads them as they are needed, from `root` down. A file that cannot be read has no say, and `onTrouble` hears of it. */
export function openGitignore(root: string, onTrouble: (sentence: string) => void): Gitignore {
  const read = new Map<string, Ignore | null>();

  const of = (folder: string): Ignore | null => {
    const known = read.get(folder);
    if (known !== undefined) return known;
    const file = join(folder, '.gitignore');
    let rules: Ignore | null = null;
    try {
      rules = ignore().add(readFileSync(file, 'utf8'));
    } catch (error) {
      const code = codeOf(error);
      if (code !== 'ENOENT' && code !== 'ENOTDIR') {
        onTrouble(`Cannot read ${file} (${code}), so what it lists is watched too: make it a readable file.`);
      }
    }
    read.set(folder, rules);
    return rules;
  };

  const ignores: GitSays = (path, isFolder) => {
    if (!below(root, path)) return false;
    for (let folder = dirname(path); ; folder = dirname(folder)) {
      const rules = of(folder);
      if (rules !== null) {
        const verdict = rules.test(`${below(folder, path)}${isFolder ? '/' : ''}`);
        if (verdict.ignored) return true;
        if (verdict.unignored) return false;
      }
      if (folder === root || dirname(folder) === folder) return false;
    }
  };

  return { ignores, forget: () => read.clear() };
}
