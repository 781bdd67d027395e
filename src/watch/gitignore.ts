/**
 * What a project leaves out by .ignore and .gitignore files (the deeper one has the last word, and any .ignore has it before
 * any .gitignore, as ripgrep and watchexec do it), by .git/info/exclude and by the user's own list for all repositories.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import ignore, { type Ignore } from 'ignore';
import { codeOf } from '../errors.ts';
import { repositoryOf } from './repository.ts';
import { below, type GitSays } from './rules.ts';

export interface Gitignore {
  readonly ignores: GitSays;
  /** Whether a file of this name says what is left out. */
  isOne(name: string): boolean;
  /** The files of the project that were asked, whether they exist or not; the user's own list is none. */
  asked(): Iterable<string>;
  /** Reads the files again when next asked. */
  forget(): void;
}

const NAMES = ['.ignore', '.gitignore'] as const;
/** For git to say where the user's own list is, in ms: it takes 3. */
const GIT_MS = 2000;

/**
 * Reads them as they are needed, from the top of the repository (`root`, the project, where there is none) down. A file
 * that cannot be read has no say, and `onTrouble` hears of it.
 */
export function openGitignore(root: string, onTrouble: (sentence: string) => void): Gitignore {
  const read = new Map<string, Ignore | null>();
  const folders = new Map<string, boolean>();
  let where: { readonly top: string; readonly lists: readonly string[] } | undefined;

  const at = (file: string): Ignore | null => {
    const known = read.get(file);
    if (known !== undefined) return known;
    let rules: Ignore | null = null;
    try {
      rules = ignore().add(readFileSync(file, 'utf8'));
    } catch (error) {
      const code = codeOf(error);
      if (code !== 'ENOENT' && code !== 'ENOTDIR') {
        onTrouble(`Cannot read ${file} (${code}), so what it lists is watched too: make it a readable file.`);
      }
    }
    read.set(file, rules);
    return rules;
  };

  const says = (path: string, isFolder: boolean): boolean => {
    where ??= placesOf(root);
    const { top, lists } = where;
    if (!below(top, path)) return false;
    const verdict = (file: string, folder: string): boolean | undefined => {
      const rules = at(file);
      if (rules === null) return undefined;
      const { ignored, unignored } = rules.test(`${below(folder, path)}${isFolder ? '/' : ''}`);
      if (unignored) return false;
      if (!ignored) return undefined;
      // Of what is only in a folder that is left out, that folder's own verdict tells.
      const parent = dirname(path);
      return parent === folder || !rules.test(`${below(folder, parent)}/`).ignored ? true : undefined;
    };
    for (const name of NAMES) {
      for (let folder = dirname(path); ; folder = dirname(folder)) {
        const found = verdict(join(folder, name), folder);
        if (found !== undefined) return found;
        if (folder === top || dirname(folder) === folder) break;
      }
    }
    for (const list of lists) {
      const found = verdict(list, top);
      if (found !== undefined) return found;
    }
    return false;
  };

  return {
    ignores: (path, isFolder) => {
      if (!isFolder) return says(path, false);
      const known = folders.get(path) ?? says(path, true);
      folders.set(path, known);
      return known;
    },
    asked: () => [...read.keys()].filter((file) => file !== where?.lists[1]),
    isOne: (name) => (NAMES as readonly string[]).includes(name),
    forget: () => {
      read.clear();
      folders.clear();
    },
  };
}

/** The top of the repository, and the lists that hold for all of it, the one with the last word first. */
function placesOf(root: string): { top: string; lists: string[] } {
  const repository = repositoryOf(root);
  if (repository === null) return { top: root, lists: [] };
  const { top, common } = repository;
  return { top, lists: [join(common, 'info/exclude'), usersList(top)] };
}

/** Git's configuration has includes and conditions, so git itself is asked. */
function usersList(top: string): string {
  const home = process.env.XDG_CONFIG_HOME || join(homedir(), '.config');
  try {
    const named = execFileSync('git', ['config', '--type=path', '--get', 'core.excludesFile'], {
      cwd: top,
      encoding: 'utf8',
      timeout: GIT_MS,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return resolve(top, named.trim());
  } catch {
    // Not set (exit code 1), or there is no git: then this is where it is.
    return join(home, 'git/ignore');
  }
}
