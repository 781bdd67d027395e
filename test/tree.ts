/** The tree of this repository as it is on disk: for the tests that hold the house and its documents to their rules. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, relative, resolve, sep } from 'node:path';

export const root = join(import.meta.dirname, '..');

/** The text of a file of the repository. */
export const text = (file: string): string => readFileSync(join(root, file), 'utf8');

export const manifest: {
  readonly version: string;
  readonly license: string;
  readonly bin: Readonly<Record<string, string>>;
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
} = JSON.parse(text('package.json'));

/** Every file that is or would be committed, relative to the root, with forward slashes. */
export const files: readonly string[] = (() => {
  try {
    const listed = git('ls-files', '-co', '--exclude-standard', '-z');
    const gone = new Set(git('ls-files', '-d', '-z'));
    return listed.filter((file) => file !== '' && !gone.has(file)).sort();
  } catch {
    // Not a git checkout, or no git: all there is but for what .gitignore names.
    return walk(root).sort();
  }
})();

function git(...args: string[]): string[] {
  return execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).split('\0');
}

function walk(folder: string): string[] {
  const ignored = new Set([
    '.git',
    ...text('.gitignore')
      .split('\n')
      .map((line) => line.replace(/\/$/, '')),
  ]);
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (ignored.has(entry.name) || entry.name.endsWith('.log')) return [];
    const path = join(folder, entry.name);
    return entry.isDirectory() ? walk(path) : [relative(root, path).split(sep).join('/')];
  });
}

export const sources = files.filter((file) => /^src\/.*\.ts$/.test(file));

export interface Import {
  readonly from: string;
  /** `src/…` for a file of the repository, else as it was written: `node:fs`, `chokidar`. */
  readonly to: string;
  readonly isType: boolean;
}

/** The text of a source without the lines that are comments. */
export const code = (file: string): string => text(file).replaceAll(/^\s*(?:\/\/|\/?\*).*$/gm, '');

/** What a source imports, in whatever way: statically, dynamically, by require, as a type. */
export function importsOf(from: string): Import[] {
  const source = code(from);
  const found = [
    ...source.matchAll(/^(?:import|export)\b(\s+type\b)?[^'";]*?\bfrom\s+'([^']+)'/gm),
    ...source.matchAll(/^import()\s+'([^']+)'/gm),
    ...source.matchAll(/(\btypeof\s+)?\bimport\('([^']+)'\)/g),
    ...source.matchAll(/\brequire()\w*\('([^']+)'\)/g),
    // `createRequire(…)('x')`
    ...source.matchAll(/\bcreateRequire()\([^()]*\)\('([^']+)'\)/g),
  ];
  return found.map(([, type, specifier = '']) => ({
    from,
    to: specifier.startsWith('.')
      ? relative(root, resolve(root, dirname(from), specifier))
          .split(sep)
          .join('/')
      : specifier,
    isType: Boolean(type?.trim()),
  }));
}

/** A module inside node, which --expose-internals opens. */
export const INTERNAL = /^internal\//;

/** The package that a specifier names, or undefined for a file or one of node's own modules. */
export function packageOf(specifier: string): string | undefined {
  if (specifier.startsWith('src/') || isBuiltin(specifier) || INTERNAL.test(specifier)) return undefined;
  return /^(?:@[^/]+\/)?[^/]+/.exec(specifier)?.[0];
}
