/**
 * What an import means to TypeScript where Node alone would not find it, or would find the wrong file: `./x.js` written
 * for x.ts, no extension, folders, rootDirs, paths and baseUrl. All else is left to Node.
 */
import { lstatSync, realpathSync, statSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { basename, dirname, extname, isAbsolute, join, relative, resolve as resolvePath, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { codeOf } from '../errors.ts';
import { openPackages, type Packages } from './packages.ts';
import { openTsconfigs, type TsconfigInfo, type Tsconfigs } from './tsconfig.ts';

/** `file`: real absolute path. `way`: the path that was looked up, where it leads there by a symbolic link. `tried`: absolute paths whose appearance would change the answer. Null: Node's business. */
export type Resolved = { readonly file: string; readonly way?: string } | { readonly tried: readonly string[] } | null;

export interface Resolve {
  /** `parentFile` is absolute. A query or fragment is not part of `file`: whoever asks keeps it. Never throws. */
  resolve(specifier: string, parentFile: string): Resolved;
  /** For a bare specifier that Node does not find either: where `paths` or `baseUrl` would have had it. */
  missed(specifier: string, parentFile: string): readonly string[];
  /** Forgets which files exist. `tsconfigs` and `packages` that were given are reset by whoever gave them. */
  reset(): void;
}

export interface Options {
  /** To share what they have read. */
  readonly tsconfigs?: Tsconfigs;
  readonly packages?: Packages;
  /** As node --preserve-symlinks. */
  readonly preserveSymlinks?: boolean;
}

/** What may stand on disk for a written extension, in tsc's order. */
const TWINS: Readonly<Record<string, readonly string[]>> = {
  '.js': ['.ts', '.tsx'],
  '.jsx': ['.tsx', '.ts'],
  '.mjs': ['.mts'],
  '.cjs': ['.cts'],
};

/** A written extension that is final: nothing is appended to it. */
const FINAL = /\.(?:[cm]?[jt]s|[jt]sx|json|node|wasm)$/;

const FROM_TYPESCRIPT = ['.ts', '.tsx', '.mts', '.cts', '.js', '.jsx', '.mjs', '.cjs', '.json', '.node'];
/** What Node itself finds by require comes first: next to its source, a compiled file imports compiled files. */
const FROM_JAVASCRIPT = ['.js', '.json', '.node', '.mjs', '.cjs', '.jsx', '.ts', '.tsx', '.mts', '.cts'];

const IN_PACKAGE = `${sep}node_modules${sep}`;
const TYPESCRIPT = /\.[cm]?tsx?$/;
const DECLARATION = /\.d\.[cm]?ts$/;
const RELATIVE = /^\.\.?(?:\/|$)/;
const SCHEME = /^[a-z][a-z0-9+.-]+:/i;

type Kind = 'none' | 'file' | 'folder' | 'linked file';

export function openResolve(options: Options = {}): Resolve {
  const { tsconfigs = openTsconfigs(), packages = openPackages(), preserveSymlinks = false } = options;
  const owned = [options.tsconfigs ? null : tsconfigs, options.packages ? null : packages];
  const kinds = new Map<string, Kind>();
  const realFolders = new Map<string, string>();
  const answers = new Map<string, { file: string; way?: string } | { tried: readonly string[] }>();

  function resolve(specifier: string, parentFile: string): Resolved {
    const fromTypescript = TYPESCRIPT.test(parentFile);
    // Inside packages Node's own rules are right, but for those that ship TypeScript.
    if (!fromTypescript && parentFile.includes(IN_PACKAGE)) return null;
    if (RELATIVE.test(specifier) || isAbsolute(specifier) || specifier.startsWith('file:')) {
      let answer: Resolved = null;
      for (const target of targetsOf(specifier, parentFile)) {
        answer = lookup(target, fromTypescript, tsconfigs.tsconfigFor(parentFile));
        if ('file' in answer) return answer;
      }
      return answer;
    }
    for (const target of mapped(specifier, parentFile)) {
      const found = lookup(target, fromTypescript, null);
      if ('file' in found) return DECLARATION.test(found.file) ? null : found;
    }
    return null;
  }

  function missed(specifier: string, parentFile: string): readonly string[] {
    return mapped(specifier, parentFile).flatMap((target) => {
      const found = lookup(target, TYPESCRIPT.test(parentFile), null);
      return 'tried' in found ? found.tried : [];
    });
  }

  function mapped(specifier: string, parentFile: string): readonly string[] {
    if (isBuiltin(specifier) || SCHEME.test(specifier)) return [];
    const targets = tsconfigs.tsconfigFor(parentFile)?.match(specifier) ?? [];
    // A mapping into node_modules is for types, and would bypass the package's exports.
    return targets.map((target) => resolvePath(target)).filter((target) => !target.includes(IN_PACKAGE));
  }

  /** `tsconfig`: whose rootDirs are to be looked at too. */
  function lookup(target: string, fromTypescript: boolean, tsconfig: TsconfigInfo | null) {
    const roots = tsconfig?.rootDirs ?? [];
    const key = `${fromTypescript ? 't' : 'j'}${roots.length > 0 ? tsconfig?.path : ''}\0${target}`;
    let answer = answers.get(key);
    if (answer === undefined) {
      const tried: string[] = [];
      let file = probe(target, fromTypescript, tried);
      if (file === null) for (const other of otherRoots(target, roots)) file ??= probe(other, fromTypescript, tried);
      answer = file === null ? { tried } : foundAt(file);
      answers.set(key, answer);
    }
    return answer;
  }

  function foundAt(way: string): { file: string; way?: string } {
    const file = realPath(way);
    return file === way ? { file } : { file, way };
  }

  function probe(target: string, fromTypescript: boolean, tried: string[]): string | null {
    const written = target.replace(/[/\\]+$/, '') || target;
    const file = written === target ? probeFile(written, fromTypescript, tried) : null;
    return file ?? probeFolder(written, fromTypescript, tried);
  }

  function probeFile(target: string, fromTypescript: boolean, tried: string[]): string | null {
    const extension = extname(target);
    const twins = (TWINS[extension] ?? []).map((twin) => target.slice(0, -extension.length) + twin);
    const exact = fromTypescript ? [...twins, target] : [target, ...twins];
    const found = firstFile(exact, tried);
    if (found !== null || FINAL.test(target)) return found;
    const extensions = fromTypescript ? FROM_TYPESCRIPT : FROM_JAVASCRIPT;
    return firstFile(
      extensions.map((end) => target + end),
      tried,
    );
  }

  function probeFolder(folder: string, fromTypescript: boolean, tried: string[]): string | null {
    if (kindOf(folder) !== 'folder') return null;
    const main = packages.at(folder)?.main ?? null;
    tried.push(join(folder, 'package.json'));
    const index = (base: string) => {
      const extensions = fromTypescript ? FROM_TYPESCRIPT : FROM_JAVASCRIPT;
      return firstFile(
        extensions.map((end) => join(base, `index${end}`)),
        tried,
      );
    };
    if (main !== null) {
      const target = join(folder, main).replace(/[/\\]+$/, '');
      const found = probeFile(target, fromTypescript, tried) ?? (kindOf(target) === 'folder' ? index(target) : null);
      if (found !== null) return found;
    }
    return index(folder);
  }

  function firstFile(candidates: readonly string[], tried: string[]): string | null {
    for (const candidate of candidates) {
      const kind = kindOf(candidate);
      if (kind === 'file' || kind === 'linked file') return candidate;
      tried.push(candidate);
    }
    return null;
  }

  function kindOf(path: string): Kind {
    let kind = kinds.get(path);
    if (kind === undefined) {
      kind = statKind(path);
      kinds.set(path, kind);
    }
    return kind;
  }

  /** Links are resolved once per folder, and for a file only if lstat has said that it is one. */
  function realPath(file: string): string {
    if (preserveSymlinks) return file;
    if (kindOf(file) === 'linked file') return realpathSync(file);
    const folder = dirname(file);
    let real = realFolders.get(folder);
    if (real === undefined) {
      real = realpathSync(folder);
      realFolders.set(folder, real);
    }
    return real === folder ? file : join(real, basename(file));
  }

  function reset(): void {
    kinds.clear();
    realFolders.clear();
    answers.clear();
    for (const own of owned) own?.reset();
  }

  return { resolve, missed, reset };
}

/**
 * The absolute paths that a relative, absolute or file: specifier may mean. To `require` it is a path, to `import` a URL;
 * who asks is not known here, so with a `?`, `#` or `%` in it the path is looked at first and the URL second.
 */
function targetsOf(specifier: string, parentFile: string): string[] {
  const folder = dirname(parentFile);
  const asFolder = /(?:^|\/)\.{0,2}$/.test(specifier) ? sep : '';
  if (specifier.startsWith('file:')) {
    const path = pathOfUrl(specifier);
    return path === null ? [] : [path];
  }
  const plain = resolvePath(folder, specifier) + asFolder;
  if (!/[?#%]/.test(specifier)) return [plain];
  const bare = specifier.replace(/[?#].*$/s, '');
  const slash = /(?:^|\/)\.{0,2}$/.test(bare) ? sep : '';
  const decoded = decode(bare);
  return decoded === null ? [plain] : [plain, resolvePath(folder, decoded) + slash];
}

function pathOfUrl(url: string): string | null {
  try {
    return fileURLToPath(url.replace(/[?#].*$/s, ''));
  } catch {
    // Not a path on this machine: Node says what is wrong with it.
    return null;
  }
}

function decode(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    // A lone % is no URL escape, so it can only have been meant as a path.
    return null;
  }
}

/** Where else a target may be: `rootDirs` are as if laid over one another. */
function otherRoots(target: string, rootDirs: readonly string[]): string[] {
  const inside = rootDirs.filter((root) => target === root || target.startsWith(root + sep));
  const [own] = inside.sort((a, b) => b.length - a.length);
  if (own === undefined) return [];
  return rootDirs.filter((root) => root !== own).map((root) => join(root, relative(own, target)));
}

/** One lstat; a second stat for a symlink only. What may not be looked at counts as absent: Node will say why. */
function statKind(path: string): Kind {
  try {
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat === undefined) return 'none';
    if (stat.isFile()) return 'file';
    if (stat.isDirectory()) return 'folder';
    if (!stat.isSymbolicLink()) return 'none';
    const end = statSync(path, { throwIfNoEntry: false });
    return end?.isFile() ? 'linked file' : end?.isDirectory() ? 'folder' : 'none';
  } catch (error) {
    if (codeOf(error) === undefined) throw error;
    return 'none';
  }
}
