/** Finds and reads the settings of a project: .hotrc.json, or `hotrun` in package.json. */
import { readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative, resolve } from 'node:path';
import type { Node, ParseError } from 'jsonc-parser';
import { codeOf, messageOf, UserError } from '../errors.ts';
import { type Given, type Key, type KeyName, keys } from './keys.ts';
import { read } from './kinds.ts';
import { nearest } from './nearest.ts';
import { clip, show } from './reading.ts';

export const RC_NAME = '.hotrc.json';

/** Settings with the place they come from. */
export interface Rc {
  /** Absolute path. */
  readonly file: string;
  readonly given: Given;
  /** `.hotrc.json:3: "watch"`: how a message about the key begins. */
  readonly at: (key: KeyName, item?: string | number) => string;
}

export interface Found {
  /** The nearest folder at or above cwd with a package.json, or cwd. */
  readonly root: string;
  readonly rc: Rc | null;
}

/**
 * `config` (of --config, relative to cwd) beats the first .hotrc.json from cwd up to the package root, and that beats
 * `hotrun` in package.json. Throws a UserError that names file, line and key.
 */
export function findRc(cwd: string, config: string | null): Found {
  const root = packageRoot(cwd);
  const manifest = join(root, 'package.json');
  if (config !== null) {
    const file = resolve(cwd, config);
    if (!isFile(file)) throw new UserError(`--config: ${relative(cwd, file) || '.'} is not a file`);
    const rc = basename(file) === 'package.json' ? readManifest(file, cwd) : readRc(textOf(file, cwd), file, cwd);
    return { root, rc };
  }
  for (let folder = cwd; ; folder = dirname(folder)) {
    const file = join(folder, RC_NAME);
    if (isFile(file)) return { root, rc: readRc(textOf(file, cwd), file, cwd) };
    if (folder === root || folder === dirname(folder)) break;
  }
  return { root, rc: isFile(manifest) ? readManifest(manifest, cwd) : null };
}

/** Every file that `findRc` looks at, or would look at if it were there. */
export function sourcesOf(cwd: string, root: string, config: string | null): string[] {
  const manifest = join(root, 'package.json');
  if (config !== null) return [resolve(cwd, config), manifest];
  const files = [manifest];
  for (let folder = cwd; ; folder = dirname(folder)) {
    files.push(join(folder, RC_NAME));
    if (folder === root || folder === dirname(folder)) return files;
  }
}

function packageRoot(cwd: string): string {
  for (let folder = cwd; ; folder = dirname(folder)) {
    if (isFile(join(folder, 'package.json'))) return folder;
    if (folder === dirname(folder)) return cwd;
  }
}

/** Whether it is a file, also through links. */
export function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

function textOf(file: string, cwd: string): string {
  try {
    // Some Windows editors begin a file with a byte order mark.
    return readFileSync(file, 'utf8').replace(/^\uFEFF/, '');
  } catch (error) {
    throw new UserError(`${relative(cwd, file)} cannot be read: ${codeOf(error) ?? messageOf(error)}`);
  }
}

/** Reads the text of an rc file: JSON with comments and trailing commas. */
export function readRc(text: string, file: string, cwd: string): Rc {
  const place = new Place(text, file, cwd);
  return readSettings(parse(place, true), place, []);
}

/** Most manifests have no settings for us, and are read without loading the parser that knows lines. */
function readManifest(file: string, cwd: string): Rc | null {
  const place = new Place(textOf(file, cwd), file, cwd);
  if (!place.text.includes('"hotrun"')) return null;
  const tree = parse(place, false);
  const property = tree?.children?.find((child) => child.children?.[0]?.value === 'hotrun');
  const settings = property?.children?.[1];
  return settings === undefined ? null : readSettings(settings, place, ['hotrun']);
}

/** Says where in a file something is. */
class Place {
  readonly text: string;
  readonly file: string;
  readonly name: string;

  constructor(text: string, file: string, cwd: string) {
    this.text = text;
    this.file = file;
    this.name = relative(cwd, file);
  }

  line(offset: number): number {
    return this.text.slice(0, offset).split(/\r\n|\r|\n/).length;
  }

  fault(offset: number, text: string): UserError {
    return new UserError(`${this.name}:${this.line(offset)}: ${text}`);
  }
}

// The JSON parser takes 6 to 13 ms to load, so only who has an rc file pays for it.
const jsonc = (): typeof import('jsonc-parser') => createRequire(import.meta.url)('jsonc-parser');

function parse(place: Place, isLenient: boolean): Node | undefined {
  const { parseTree } = jsonc();
  const errors: ParseError[] = [];
  const tree = parseTree(place.text, errors, {
    disallowComments: !isLenient,
    allowTrailingComma: isLenient,
    allowEmptyContent: isLenient,
  });
  const first = errors[0];
  if (first !== undefined) throw badJson(place, first);
  return tree;
}

const expected: Readonly<Record<string, string>> = {
  PropertyNameExpected: 'a key in double quotes is missing',
  ValueExpected: 'a value is missing',
  ColonExpected: 'a colon is missing',
  CommaExpected: 'a comma is missing',
  CloseBraceExpected: 'a } is missing',
  CloseBracketExpected: 'a ] is missing',
  EndOfFileExpected: 'there is something after its end',
  InvalidCommentToken: 'comments are not allowed here',
  UnexpectedEndOfComment: 'a comment has no end',
  UnexpectedEndOfString: 'a string has no end',
  UnexpectedEndOfNumber: 'a number has no end',
  InvalidUnicode: 'an invalid \\u escape',
  InvalidEscapeCharacter: 'an invalid escape after \\',
  InvalidCharacter: 'a control character in a string',
  InvalidSymbol: 'an unknown word (strings stand in double quotes)',
  InvalidNumberFormat: 'an invalid number',
};

function badJson(place: Place, error: ParseError): UserError {
  const { getLocation, printParseErrorCode } = jsonc();
  const code = printParseErrorCode(error.error);
  const path = getLocation(place.text, error.offset).path.filter((part) => part !== '');
  const where = path.length > 0 ? ` near "${path.join('.')}"` : '';
  return place.fault(error.offset, `not valid JSON${where}: ${expected[code] ?? code}`);
}

function readSettings(tree: Node | undefined, place: Place, above: readonly string[]): Rc {
  const { getNodeValue } = jsonc();
  const given: Record<string, unknown> = {};
  const nodes = new Map<string, Node>();
  const quoted = (...path: (string | number)[]) => `"${[...above, ...path].join('.')}"`;
  // An empty file, or one with nothing but comments, sets nothing.
  if (tree !== undefined && tree.type !== 'object') {
    const what = above.length > 0 ? `${quoted()} wants` : 'wanted is';
    throw place.fault(tree.offset, `${what} an object with hotrun's keys, not ${show(getNodeValue(tree))}`);
  }
  for (const [name, node, nameNode] of members(tree)) {
    const key: Key | undefined = keys.find((known) => known.name === name);
    if (key === undefined) throw place.fault(nameNode.offset, unknownKey(name, quoted(name)));
    if (nodes.has(name)) throw place.fault(nameNode.offset, `${quoted(name)} is there twice`);
    nodes.set(name, node);
    const twice = key.kind === 'ladder' ? repeated(node) : undefined;
    if (twice !== undefined) throw place.fault(twice.offset, `${quoted(name, twice.value)} is there twice`);
    const { value, problem } = read(key, getNodeValue(node));
    if (problem !== undefined) {
      const { offset } = problem.at === undefined ? node : (inside(node, problem.at) ?? node);
      throw place.fault(offset, `${quoted(name)} ${problem.text}`);
    }
    given[name] = value;
  }
  const at = (key: KeyName, item?: string | number): string => {
    const node = nodes.get(key);
    const offset = node === undefined ? 0 : ((item === undefined ? node : inside(node, item))?.offset ?? node.offset);
    return `${place.name}:${place.line(offset)}: ${quoted(key)}`;
  };
  return { file: place.file, given: given as Given, at };
}

function* members(object: Node | undefined): Generator<[name: string, value: Node, nameNode: Node]> {
  for (const property of object?.children ?? []) {
    const [name, value] = property.children ?? [];
    if (name !== undefined && value !== undefined) yield [String(name.value), value, name];
  }
}

/** JSON lets a member be given twice and forgets the first; in a ladder that would drop a rung silently. */
function repeated(object: Node): Node | undefined {
  const seen = new Set<string>();
  if (object.type !== 'object') return undefined;
  for (const [name, , node] of members(object)) {
    if (seen.has(name)) return node;
    seen.add(name);
  }
  return undefined;
}

/** The item or member of a value. */
function inside(node: Node, at: string | number): Node | undefined {
  if (typeof at === 'number') return node.children?.[at];
  for (const [name, , nameNode] of members(node)) if (name === at) return nameNode;
  return undefined;
}

function unknownKey(name: string, quoted: string): string {
  const known = keys.map((key) => key.name);
  const other = keys.find((key: Key) => key.otherNames?.includes(name));
  const meant = other?.name ?? nearest(name, known);
  const shown = name.length > 40 ? clip(name) : quoted;
  return meant === undefined
    ? `unknown key ${shown}, the keys are ${known.join(', ')}`
    : `unknown key ${shown}, did you mean "${meant}"?`;
}
