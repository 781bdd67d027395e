/**
 * Which paths are watched, and by which rule. Pure: no file is touched here; what .gitignore says is asked of a function.
 *
 * - A `watch` entry that names a file beats every ignore. Else `ignore` beats everything. An entry without a slash (`*.log`, `tmp`) means that name at any depth, as in .gitignore.
 * - Of `watch`, the last entry that matches decides, so `!x` takes out and a later entry brings back.
 * - The part of an entry without wildcards is believed: `dist`, `.env` and `node_modules/x/y.js` are watched when named.
 *   What a wildcard has to find is held to the default ignores and to .gitignore and .ignore files, but for the names that
 *   the pattern spells out, and finds dotfiles only where it says so (`.env*`).
 *   A plain folder means everything under it, dotfiles and build output included, but not the node_modules in it.
 */
import { basename, isAbsolute, join, resolve, sep } from 'node:path';
import picomatch from 'picomatch';
import type { Config } from '../config/config.ts';

/** Why a file is watched: the app loads it, or reads it at its start, or lists the folder then in which it is new, a `watch` glob (or the whole folder, for a command), or the rc file. */
export type Rule = 'loaded' | 'read' | 'listed' | 'watch' | 'config';

export interface Rules {
  /** Where to begin to look for files that globs match: absolute, files or folders, existing or not. */
  readonly bases: readonly string[];
  /** Whether everything under cwd is watched, because nothing better is known. */
  readonly isEverything: boolean;
  /** Whether a file that the app loads (or misses) is watched. */
  loaded(file: string): boolean;
  /** The same for a missing file that the app asks for, which may well be a package not yet installed. */
  missed(file: string): boolean;
  /** Whether a file that the app reads at its start is watched. */
  read(file: string): boolean;
  /** Whether new files count in this folder, which the app lists at its start. */
  lists(folder: string): boolean;
  /** The same for a folder in such a one, which the app may not have seen. */
  follows(folder: string): boolean;
  /** Whether a glob watches this file. */
  globbed(file: string): boolean;
  /** Whether this folder may hold files that a glob watches. */
  entered(folder: string): boolean;
}

/** Whether .gitignore files leave out this very name, whatever they say of the folders above it; absolute path. */
export type GitSays = (path: string, isFolder: boolean) => boolean;

/** Folders of packages and of version control: never entered unless named. */
const FOREIGN = new Set(['node_modules', '.git', '.hg', '.svn']);
/**
 * Build output and caches, in addition to every dot-folder. `vendor` holds other people's code for Go, PHP and Ruby, as
 * node_modules does; `venv` and `__pycache__` are Python's, which writes into the latter at every start.
 */
const OUTPUT = new Set(['dist', 'build', 'out', 'tmp', 'coverage', 'target', 'vendor', 'venv', '__pycache__']);
/** Editors' swap, backup and probe files (4913 is vim's), and what programs write while they run. */
const JUNK = /^(?:.*\.sw[a-z]|.*~|\.#.*|#.*#|4913|.*___jb_(?:tmp|old)___|\.DS_Store|.*\.(?:log|pyc))$/;

/** What is in them may be secret, so git leaves them out: that does not say that they do not matter. */
const ENV = /^\.env(?:\..+)?$/;

interface Entry {
  readonly isNegated: boolean;
  /** Absolute, no wildcard in it. */
  readonly base: string;
  /** The entry taken literally: `routes/[id].ts` is a name as well as a pattern. */
  readonly literal: string;
  /** Of the part after `base`; null if there is none. */
  readonly matches: ((rest: string) => boolean) | null;
  /** Names that the part after `base` spells out. */
  readonly named: ReadonlySet<string>;
  /** How many folders below `base` it reaches. */
  readonly depth: number;
}

/** The rules that follow from the configuration. */
export function rulesOf(
  config: Pick<Config, 'cwd' | 'root' | 'base' | 'watch' | 'ignore' | 'program' | 'build'>,
  gitIgnores: GitSays = () => false,
): Rules {
  const watch = config.watch.map((text) => entryOf(config.base, text, false));
  const ignore = config.ignore.map((text) => entryOf(config.base, text, true));
  const wanted = watch.filter((entry) => !entry.isNegated);
  const isEverything = wanted.length === 0 && (config.program.kind === 'command' || config.build !== null);

  const ignored = (path: string): boolean => last(ignore, (entry) => hits(entry, path, true)) ?? false;
  const notRefused = (path: string): boolean => last(watch, (entry) => hits(entry, path, entry.isNegated)) ?? true;

  const inEverything = (path: string, isFolder: boolean): boolean => {
    const rest = below(config.cwd, path);
    if (rest === null) return false;
    const names = rest === '' ? [] : rest.split('/');
    const file = isFolder ? undefined : names.pop();
    if (names.some(isDefaultIgnored)) return false;
    if (file !== undefined && JUNK.test(file)) return false;
    return rest === '' || (!isLeftOut(gitIgnores, config.cwd, path, isFolder) && notRefused(path));
  };

  const inRoot = (file: string): boolean => below(config.root, file) !== null && !isForeign(config.root, file);

  // Many list the root of the project, for the sake of a single name.
  const lists = (folder: string): boolean =>
    folder !== config.root &&
    folder !== config.cwd &&
    inRoot(folder) &&
    !ignored(folder) &&
    !isLeftOut(gitIgnores, config.root, folder, true);

  return {
    bases: isEverything ? [config.cwd] : [...new Set(wanted.map(({ base }) => base))],
    isEverything,
    loaded: (file) => !isForeign(config.root, file) && !ignored(file),
    missed: (file) => !ignored(file),
    read: (file) =>
      !ignored(file) && inRoot(file) && !JUNK.test(basename(file)) && !isLeftOut(gitIgnores, config.root, file, false),
    lists,
    follows: (folder) => !isDefaultIgnored(basename(folder)) && lists(folder),
    globbed: (file) => {
      const entry = watch.findLast((each) =>
        each.isNegated ? hits(each, file, true) : watches(each, file, gitIgnores),
      );
      if (entry?.literal === file) return !entry.isNegated;
      if (ignored(file)) return false;
      return isEverything ? inEverything(file, false) : entry !== undefined && !entry.isNegated;
    },
    entered: (folder) => {
      if (ignored(folder)) return false;
      if (isEverything) return inEverything(folder, true);
      return wanted.some((entry) => reaches(entry, folder, gitIgnores));
    },
  };
}

/** What the last entry that has an opinion says: wanted, or not. */
function last(entries: readonly Entry[], hit: (entry: Entry) => boolean): boolean | undefined {
  const entry = entries.findLast(hit);
  return entry && !entry.isNegated;
}

function entryOf(base: string, text: string, isAnyDepth: boolean): Entry {
  const isNegated = text.startsWith('!');
  let pattern = (isNegated ? text.slice(1) : text).split(sep).join('/');
  if (isAnyDepth && !pattern.replace(/\/$/, '').includes('/')) pattern = `**/${pattern}`;
  pattern = pattern.replace(/(?<=.)\/$/, '');
  const scan = picomatch.scan(pattern);
  const literal = resolve(base, pattern);
  if (!scan.isGlob) {
    const name = resolve(base, unescaped(pattern));
    return { isNegated, base: name, literal: name, matches: null, named: new Set(), depth: Number.POSITIVE_INFINITY };
  }
  const names = scan.glob.split('/');
  const isDeep = scan.glob.includes('**') || /[{(][^})]*\//.test(scan.glob);
  return {
    isNegated,
    base: resolve(base, unescaped(scan.base)),
    literal,
    // Taking out needs no care about dotfiles: `!**` and `ignore: ["**/*.sql"]` mean all of them.
    matches: picomatch(scan.glob, { dot: isNegated || isAnyDepth }),
    named: new Set(names),
    depth: isDeep ? Number.POSITIVE_INFINITY : names.length - 1,
  };
}

/** `\[id\].ts` is how a pattern says `[id].ts`. */
const unescaped = (pattern: string): string => pattern.replace(/\\(.)/g, '$1');

/** Whether the entry matches the path, or (`isDeep`) a folder that it is in. */
function hits(entry: Entry, path: string, isDeep: boolean): boolean {
  if (path === entry.literal || below(entry.literal, path) !== null) return true;
  if (entry.matches === null) return false;
  const rest = below(entry.base, path);
  if (rest === null || rest === '') return false;
  if (entry.matches(rest)) return true;
  if (!isDeep) return false;
  for (let end = rest.lastIndexOf('/'); end > 0; end = rest.lastIndexOf('/', end - 1)) {
    if (entry.matches(rest.slice(0, end))) return true;
  }
  return false;
}

function watches(entry: Entry, file: string, gitIgnores: GitSays): boolean {
  if (file === entry.literal) return true;
  const rest = below(entry.base, file);
  if (rest === null || (entry.matches !== null && !entry.matches(rest))) return false;
  const names = rest.split('/');
  const name = names.pop() ?? '';
  if ((JUNK.test(name) && !entry.named.has(name)) || !names.every((folder) => mayPass(entry, folder))) return false;
  return entry.matches === null || !isLeftOut(gitIgnores, entry.base, file, false, entry);
}

function reaches(entry: Entry, folder: string, gitIgnores: GitSays): boolean {
  const rest = below(entry.base, folder);
  if (rest === null) return false;
  const names = rest === '' ? [] : rest.split('/');
  if (names.length > entry.depth || !names.every((name) => mayPass(entry, name))) return false;
  return entry.matches === null || !isLeftOut(gitIgnores, entry.base, folder, true, entry);
}

/** By .gitignore files, below `base`. The names that the pattern spells out, or begins with a dot for, are wanted. */
function isLeftOut(gitIgnores: GitSays, base: string, path: string, isFolder: boolean, entry?: Entry): boolean {
  const names =
    below(base, path)
      ?.split('/')
      .filter((name) => name !== '') ?? [];
  let here = base;
  return names.some((name, at) => {
    here = join(here, name);
    const isNamed = entry && (entry.named.has(name) || (name.startsWith('.') && hasDotPattern(entry, name)));
    return !isNamed && !ENV.test(name) && gitIgnores(here, isFolder || at < names.length - 1);
  });
}

function mayPass(entry: Entry, folder: string): boolean {
  if (entry.named.has(folder)) return true;
  if (entry.matches === null) return !FOREIGN.has(folder);
  // `.storybook` is found by `.s*/**`, and by no wildcard that does not begin with a dot.
  return !isDefaultIgnored(folder) || (folder.startsWith('.') && !FOREIGN.has(folder) && hasDotPattern(entry, folder));
}

const hasDotPattern = (entry: Entry, folder: string): boolean =>
  [...entry.named].some((name) => name.startsWith('.') && picomatch.isMatch(folder, name));

const isDefaultIgnored = (folder: string): boolean =>
  FOREIGN.has(folder) || OUTPUT.has(folder) || folder.startsWith('.');

/** A package's file, unless the whole project lies in a node_modules. */
function isForeign(root: string, file: string): boolean {
  return (below(root, file) ?? file.split(sep).join('/')).split('/').includes('node_modules');
}

/** The path relative to a folder, with slashes; '' for the folder itself, null if it is elsewhere. */
export function below(folder: string, path: string): string | null {
  if (path === folder) return '';
  const start = folder.endsWith(sep) ? folder : folder + sep;
  if (!isAbsolute(path) || !path.startsWith(start)) return null;
  const rest = path.slice(start.length);
  return sep === '/' ? rest : rest.split(sep).join('/');
}
