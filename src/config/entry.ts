/** Finds the file that an entry names. */
import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, extname, join, relative, resolve } from 'node:path';
import { UserError } from '../errors.ts';
import { nearest } from './nearest.ts';
import { isFile } from './rcfile.ts';

/** What hotrun runs, in the order in which it is looked for. */
const extensions = ['.ts', '.tsx', '.mts', '.cts', '.js', '.mjs', '.cjs', '.jsx'] as const;

/** Programs that node cannot run, by what does. */
const otherPrograms: Readonly<Record<string, string>> = {
  '.py': 'python',
  '.rb': 'ruby',
  '.php': 'php',
  '.sh': 'sh',
  '.go': 'go run',
};

/**
 * The absolute path of an existing file: the path as given, else with one of the extensions, else the folder's "main"
 * (of its package.json) or index file. Throws a UserError; `source` is how its sentence begins (`.hotrc.json:3: "entry"`),
 * empty for an entry of the command line. With `isMade` a build command may make it later, if it is named in full.
 */
export function resolveEntry(
  entry: string,
  folder: string,
  cwd: string,
  { source = '', isMade = false }: { source?: string; isMade?: boolean } = {},
): string {
  const path = resolve(folder, entry);
  const later = isMade && isProgram(path) && !isFolder(path) ? path : undefined;
  const found = fileOf(path) ?? (isFolder(path) ? fileOfFolder(path) : undefined) ?? later;
  const shown = relative(cwd, path) || '.';
  const begin = source === '' ? shown : `${source} names ${shown}, which`;
  if (found === undefined) throw new UserError(isFolder(path) ? noIndex(begin) : missing(begin, path, cwd), 1, path);
  const extension = extname(found);
  const program = otherPrograms[extension];
  if (program !== undefined)
    throw new UserError(`${begin} is not for node, run it as a command: hotrun --exec "${program} ${shown}"`);
  if (extension === '.json')
    throw new UserError(`${begin} is JSON and no program: hotrun runs JavaScript and TypeScript files`);
  return found;
}

/** Without symbolic links, as node loads it; of what does not exist yet, as far as it does. */
export function realPath(path: string): string {
  return existsSync(path) ? realpathSync(path) : join(realPath(dirname(path)), basename(path));
}

/** The file of a path that may lack its extension. */
const fileOf = (path: string): string | undefined =>
  isFile(path) ? path : extensions.map((extension) => path + extension).find(isFile);

const isProgram = (path: string): boolean => extensions.some((extension) => path.endsWith(extension));

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;

function fileOfFolder(folder: string): string | undefined {
  return entryOfMain(folder, folder).file ?? indexOf(folder);
}

/** Where an app most often begins, relative to its folder; the first of these that is there. */
export function likelyEntry(folder: string): string | undefined {
  const names = ['src/main', 'src/server', 'src/index', 'main', 'server', 'index', 'app', 'bin/www', 'src/app'];
  const paths = names.map((name) => fileOf(join(folder, name)));
  const found = paths.find((path) => path !== undefined);
  return found && relative(folder, found);
}

/** "main" of a folder's package.json as it is `named` there, and the file that it means, if it exists; `isMade` as above. */
export function entryOfMain(
  folder: string,
  cwd: string,
  isMade = false,
): { readonly named?: string; readonly file?: string } {
  const named = mainOf(join(folder, 'package.json'), cwd);
  if (named === undefined) return {};
  const path = resolve(folder, named);
  const file = fileOf(path) ?? indexOf(path) ?? (isMade && isProgram(path) ? path : undefined);
  return file === undefined ? { named } : { named, file };
}

const indexOf = (folder: string): string | undefined =>
  extensions.map((extension) => join(folder, `index${extension}`)).find(isFile);

/** "main" of a package.json, or undefined where there is none. Throws a UserError for one that is no JSON. */
function mainOf(manifest: string, cwd: string): string | undefined {
  if (!isFile(manifest)) return undefined;
  try {
    const { main } = JSON.parse(readFileSync(manifest, 'utf8').replace(/^\uFEFF/, ''));
    return typeof main === 'string' && main !== '' ? main : undefined;
  } catch {
    throw new UserError(`${relative(cwd, manifest)} is not valid JSON`);
  }
}

const noIndex = (begin: string): string => `${begin} is a folder without an index file, name the file to run`;

function missing(begin: string, path: string, cwd: string): string {
  const folder = dirname(path);
  if (!isFolder(folder)) return `${begin} does not exist, nor does the folder ${relative(cwd, folder)}`;
  const meant = similar(basename(path), folder);
  return `${begin} does not exist${meant === undefined ? '' : `, did you mean ${relative(cwd, join(folder, meant))}?`}`;
}

/** A file of the folder with the same name but for its extension, else one with nearly the same. */
function similar(name: string, folder: string): string | undefined {
  const files = readdirSync(folder).filter(isProgram);
  const stem = (file: string) => file.slice(0, file.length - extname(file).length);
  const twin = files.find((file) => stem(file) === stem(name));
  if (twin !== undefined) return twin;
  const meant = nearest(stem(name), files.map(stem));
  return (
    files.find((file) => stem(file) === meant && extname(file) === extname(name)) ??
    files.find((file) => stem(file) === meant)
  );
}
