/**
 * The link step that CommonJS does not have: what a module requires at its top level is looked for, and read, before
 * anything runs, so that a missing file or a syntax error is found while the old generation still serves.
 */
import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, resolve } from 'node:path';
import { codeOf, type Fault, messageOf } from '../errors.ts';
import { placeAt } from './json.ts';
import type { Resolved } from './resolve.ts';
import type { Module } from './transform.ts';

/** The project as the build room knows it. */
export interface Project {
  /** A module by its file, read if it is not known; null if it is not there. */
  module(file: string): Promise<Module | { faults: readonly Fault[] } | null>;
  resolve(specifier: string, parent: string): Resolved;
  /** This is not there. */
  missing(parent: string, specifier: string): void;
  /** Whether packages that it requires are to be looked for too. */
  isNew(file: string): boolean;
}

/**
 * Requires at the top level: as esbuild writes an import or an `export … from`, or as people write them. Group 1 or 2 is
 * the specifier.
 */
const STATIC_REQUIRE =
  /^(?:var [\w$]+ = (?:__(?:toESM|plain)\()?|__reExport\(\w+, )require\("([^"]+)"\)|^(?:(?:(?:const|let|var) [^=\n]+|\}|(?:module\.)?exports(?:\.\w+)?) = )?require\(['"](\.[^'"]*)['"]\)/gm;

/** What the runtime asks hotrun for; all else is Node's business. */
const ASKED = /^(?!.*[\\/]node_modules[\\/]).*\.(?:[cm]?[jt]s|[jt]sx|json)$/s;

const specifiers = new WeakMap<Module, readonly string[]>();

/** The faults in all that the CommonJS modules among `roots` require, directly or not. */
export async function faultsOfRequires(roots: Iterable<string>, project: Project): Promise<Fault[]> {
  const faults: Fault[] = [];
  const seen = new Set<string>();

  const visit = async (file: string): Promise<void> => {
    if (seen.has(file) || !ASKED.test(file)) return;
    seen.add(file);
    const module = await project.module(file);
    if (module === null) return;
    if ('faults' in module) {
      faults.push(...module.faults);
      return;
    }
    if (module.format !== 'commonjs') return;
    const next: string[] = [];
    for (const specifier of requiredBy(module)) {
      const found = project.resolve(specifier, file);
      if (found && 'file' in found) next.push(found.file);
      else if (
        (found || project.isNew(file)) &&
        !isThere(specifier, file, project) &&
        !(await isOther(specifier, file))
      ) {
        project.missing(file, specifier);
        faults.push(await missing(specifier, file));
      }
    }
    await Promise.all(next.map(visit));
  };

  await Promise.all([...roots].map(visit));
  return faults;
}

export function requiredBy(module: Module): readonly string[] {
  let found = specifiers.get(module);
  if (found === undefined) {
    found = [...module.code.matchAll(STATIC_REQUIRE)].map((match) => match[1] ?? match[2] ?? '');
    specifiers.set(module, found);
  }
  return found;
}

/** By Node's own rules, which know of packages and of what is no module of the project. */
function isThere(specifier: string, parent: string, project: Project): boolean {
  try {
    createRequire(parent).resolve(specifier);
    return true;
  } catch (error) {
    if (codeOf(error) !== 'MODULE_NOT_FOUND') return true;
    // Where package.json leads to: TypeScript may stand there.
    const target = /^Cannot find module '(\/[^'\n]*)'/.exec(messageOf(error))?.[1];
    const found = target === undefined ? null : project.resolve(target, parent);
    return found !== null && 'file' in found;
  }
}

/** A file of that name with an ending that code of the user's may know (`require.extensions`). */
async function isOther(specifier: string, parent: string): Promise<boolean> {
  if (!specifier.startsWith('.')) return false;
  const target = resolve(dirname(parent), specifier);
  const beside = await readdir(dirname(target)).catch(() => []);
  const inside = await readdir(target).catch(() => []);
  return (
    beside.some((name) => name.startsWith(`${basename(target)}.`)) || inside.some((name) => name.startsWith('index.'))
  );
}

async function missing(specifier: string, file: string): Promise<Fault> {
  return locate(`Cannot find module '${specifier}'`, file, (each) => each === specifier);
}

/** The same for what Node says of an `import`: it names the file that is missing, or a package, and who imports it. */
export async function faultOfImport(text: string): Promise<Fault | null> {
  const [, what, target = '', file = ''] =
    /^Cannot find (module|package) '(.+)' imported from (\/.+)$/.exec(text) ?? [];
  if (what === undefined) return null;
  const isIt = (specifier: string): boolean =>
    what === 'package'
      ? specifier === target || specifier.startsWith(`${target}/`)
      : resolve(dirname(file), specifier) === target;
  return locate(text.replace(/ imported from .*/, ''), file, isIt);
}

/** With the place of the last quoted specifier that is meant: one in a comment is rather above than below its import. */
async function locate(text: string, file: string, isIt: (specifier: string) => boolean): Promise<Fault> {
  const source = await readFile(file, 'utf8').catch(() => '');
  const found = [...source.matchAll(/(['"])([^'"\n]+)\1/g)].findLast(([, , specifier = '']) => isIt(specifier));
  return found ? { text, file, ...placeAt(source, found.index, found[0].length) } : { text, file };
}
