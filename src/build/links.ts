/** What the imports of the project were found to lead to: its own files, or packages. */
import { existsSync } from 'node:fs';
import { dirname, isAbsolute, join, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { MODULE_NAME, type Preload } from '../runtime/messages.ts';
import type { Graph } from './preload.ts';
import type { Resolved } from './resolve.ts';
import { type Entry, type Imports, type Known, statOf, type Tools } from './store.ts';

export interface LinksHost {
  /** Files that do not exist, whose appearance would matter. */
  onMissing(files: readonly string[]): void;
  /** The same, of packages. */
  onAbsent(files: readonly string[]): void;
  /** What an import means may have changed. */
  onForget(): void;
  /** A file of the project that is loaded by means of the app's own: text, an addon. */
  onKnown(known: Known): void;
}

export interface Links {
  /** Asks the resolver, remembers what it found and has the rest watched. */
  resolve(specifier: string, parent: string): Resolved;
  /** Where Node found a package. */
  found(parent: string, specifier: string, preload: Preload): void;
  /** Node has not found it: has the places watched where this package, or file (absolute path) of one, may appear. */
  missing(parent: string, what: string): void;
  /** Another file may be meant by now. */
  forget(): void;
  /** The same, and of packages too. */
  renew(): void;
  /** What Node found in this folder (absolute path) it may not find there again. */
  unfound(folder: string): void;
  /** Asks the resolver again for what an earlier session found. */
  takeUp(imports: Imports): void;
  /** What was resolved, in fewer words. */
  imports(): Imports;
  /** File by parent + '\n' + specifier. */
  resolved(): Readonly<Record<string, string>>;
  /** The packages found: by + ' ' + URL -> the same keys. */
  packages(): Record<string, string[]>;
  /** Where the project's own files were found by a symbolic link: the real path, by the one that was looked up. */
  ways(): ReadonlyMap<string, string>;
  /** Of packages that are linked into a node_modules, package.json by that way: the link may lead elsewhere one day. */
  linked(): string[];
  readonly graph: Graph;
}

const IN_PACKAGE = '/node_modules/';
/** Of a package, in an import; `#inside` is none. */
const NAME = /^(?:@[^/]+\/)?[^@#/][^/]*/;

/** @param root of the project */
export function openLinks(
  root: string,
  entries: ReadonlyMap<string, Entry>,
  tools: () => Tools,
  host: LinksHost,
): Links {
  let files: Record<string, string> = {};
  const ways = new Map<string, string>();
  /** By the same keys. */
  const packages = new Map<string, Preload>();
  /** What `packages` last answered. */
  let grouped: Record<string, string[]> | null = null;

  function resolve(specifier: string, parent: string): Resolved {
    const key = `${parent}\n${specifier}`;
    const known = files[key];
    if (known !== undefined) return { file: known };
    const found = tools().resolver.resolve(specifier, parent);
    if (found && 'tried' in found) host.onMissing(found.tried);
    if (found && 'file' in found) {
      files[key] = found.file;
      if (found.way !== undefined) ways.set(found.way, found.file);
      if (!MODULE_NAME.test(found.file)) know(found.file);
    }
    return found;
  }

  function know(file: string): void {
    const stats = statOf(file);
    if (stats) host.onKnown({ file, mtimeMs: stats.mtimeMs, size: stats.size });
  }

  function forget(): void {
    files = {};
    ways.clear();
    host.onForget();
  }

  return {
    resolve,
    found(parent, specifier, preload) {
      grouped = null;
      packages.set(`${parent}\n${specifier}`, preload);
    },
    missing(parent, what) {
      if (isAbsolute(what)) return host.onAbsent([what]);
      const name = NAME.exec(what)?.[0];
      if (name === undefined || what.startsWith('.')) return;
      host.onMissing(tools().resolver.missed(what, parent));
      host.onAbsent(placesOf(name, dirname(parent), root));
    },
    forget,
    renew() {
      grouped = null;
      packages.clear();
      forget();
    },
    unfound(folder) {
      grouped = null;
      const inside = pathToFileURL(folder + sep).href;
      for (const [key, { url }] of packages) if (url.startsWith(inside)) packages.delete(key);
    },
    takeUp(imports) {
      for (const [parent, specifiers] of Object.entries(imports))
        if (entries.has(parent)) for (const specifier of specifiers) resolve(specifier, parent);
    },
    imports() {
      const found: Record<string, string[]> = {};
      for (const key of Object.keys(files)) {
        const [parent = '', specifier = ''] = key.split('\n');
        found[parent] = [...(found[parent] ?? []), specifier];
      }
      return found;
    },
    resolved: () => files,
    packages() {
      grouped ??= groupOf(packages);
      return grouped;
    },
    ways: () => ways,
    linked() {
      const wanted = new Set<string>();
      for (const [key, { url }] of packages) {
        if (url.includes(IN_PACKAGE)) continue;
        const [parent = '', specifier = ''] = key.split('\n');
        const name = NAME.exec(specifier)?.[0];
        if (name !== undefined) wanted.add(`${dirname(parent)}\n${name}`);
      }
      return [...wanted].flatMap((way) => {
        const [folder = '', name = ''] = way.split('\n');
        return linkAbove(folder, name) ?? [];
      });
    },
    graph: {
      module: (file) => entries.get(file)?.module,
      resolve(specifier, parent) {
        const file = files[`${parent}\n${specifier}`];
        if (file !== undefined) return { file };
        const preload = packages.get(`${parent}\n${specifier}`);
        // A package that is linked, as those of a workspace are, is the project's own code.
        if (preload && !preload.url.includes(IN_PACKAGE)) return { file: fileURLToPath(preload.url) };
        return preload && { preload };
      },
    },
  };
}

function groupOf(packages: ReadonlyMap<string, Preload>): Record<string, string[]> {
  const found: Record<string, string[]> = {};
  for (const [key, { by, url }] of packages) {
    const target = `${by} ${url}`;
    const keys = found[target] ?? [];
    keys.push(key);
    found[target] = keys;
  }
  return found;
}

/** As Node looks for a package. A package that imports itself has none. */
function linkAbove(folder: string, name: string): string | undefined {
  for (let at = folder, last = ''; at !== last; last = at, at = dirname(at)) {
    const file = join(at, 'node_modules', name, 'package.json');
    if (existsSync(file)) return file;
  }
  return undefined;
}

/**
 * Where Node would find a package. Above `root` only where there is a project, as that of a workspace: to wait for a
 * node_modules in a home folder would be to listen to all that happens there.
 */
function placesOf(name: string, folder: string, root: string): string[] {
  const places: string[] = [];
  for (let at = folder, last = ''; at !== last; last = at, at = dirname(at)) {
    const isInside = at === root || at.startsWith(root + sep);
    if (isInside || existsSync(join(at, 'package.json'))) places.push(join(at, 'node_modules', name, 'package.json'));
  }
  return places;
}
