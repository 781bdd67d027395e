/**
 * Which modules a standby may load before the save: those that are not being edited, and import none that is. For 800
 * modules loading and compiling is nearly all that a reload takes.
 */
import nodeModule from 'node:module';
import { type ImportsOf, openImports } from './imports.ts';
import { openRecently } from './recently.ts';
import type { Entry } from './store.ts';
import type { Module } from './transform.ts';

/** Modules that a standby was given. */
export interface Ahead {
  readonly era: number;
  /** File -> hash. */
  readonly hashes: ReadonlyMap<string, string>;
}

export interface Choice {
  saved(files: readonly string[]): void;
  /** What an import means may have changed: no standby that holds modules can be used. */
  forget(): void;
  /** Modules for a standby, and what to know them by later. */
  choose(): Promise<{ readonly wanted: readonly Entry[]; readonly token: Ahead }>;
  isCurrent(token: Ahead): boolean;
  /** Those of these files that are still loaded with the entry. */
  linked(hashes: ReadonlyMap<string, string> | undefined): ReadonlyMap<string, string>;
}

/** A file -> what it imports of the project as soon as it is loaded. */
export type Links = ReadonlyMap<string, readonly string[]>;

export interface Graph {
  /** A module of the project, or undefined if it is not known. */
  module(file: string): Module | undefined;
  /** What it imports or requires at its top level. */
  specifiers(module: Module): readonly string[];
  /** The file of the project that a specifier stands for. */
  resolve(specifier: string, parent: string): string | undefined;
}

/** Where the hooks of `import` are in the app's own thread: not on Node 22 before 22.15. */
const IS_POSSIBLE = 'registerHooks' in nodeModule || process.versions.node.startsWith('20.');
/** Below this many modules there is nothing to gain. */
const ENOUGH = 60;

/** All that is loaded with the entry. */
export function linksFrom(entry: string, graph: Graph): Links {
  const links = new Map<string, readonly string[]>();
  const open = [entry];
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    const module = graph.module(file);
    if (!module || links.has(file)) continue;
    const parent = file;
    const files = graph.specifiers(module).flatMap((specifier) => graph.resolve(specifier, parent) ?? []);
    links.set(file, files);
    open.push(...files);
  }
  return links;
}

/** @param edited what is likely to be saved next; the entry is never among the answer */
export function loadableAhead(entry: string, links: Links, edited: Iterable<string>): Set<string> {
  const importers = new Map<string, string[]>();
  for (const [file, files] of links)
    for (const imported of files) {
      const known = importers.get(imported);
      if (known) known.push(file);
      else importers.set(imported, [file]);
    }
  const cold = new Set(links.keys());
  const open = [entry, ...edited];
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    if (cold.delete(file) || !links.has(file)) open.push(...(importers.get(file) ?? []));
    importers.delete(file);
  }
  return cold.size >= ENOUGH ? cold : new Set();
}

/** @param resolve finds the file of the project that a specifier stands for */
export function openAhead(entry: string, entries: ReadonlyMap<string, Entry>, resolve: Graph['resolve']): Choice {
  const recently = openRecently();
  let era = 0;
  /** Loaded when it is first needed. */
  let importsOf: ImportsOf | undefined;
  const links = (imports: ImportsOf): Links =>
    linksFrom(entry, {
      module: (file) => entries.get(file)?.module,
      specifiers: (module) => imports(module).map(({ specifier }) => specifier),
      resolve,
    });
  return {
    saved: recently.saved,
    forget: () => void era++,
    async choose() {
      if (!IS_POSSIBLE) return { wanted: [], token: { era, hashes: new Map() } };
      importsOf ??= await openImports();
      const files = loadableAhead(entry, links(importsOf), recently.files(entries.values()));
      const wanted = [...entries.values()].filter(({ file }) => files.has(file));
      return { wanted, token: { era, hashes: new Map(wanted.map(({ file, hash }) => [file, hash])) } };
    },
    isCurrent: (token) =>
      token.era === era && [...token.hashes].every(([file, hash]) => entries.get(file)?.hash === hash),
    linked(hashes) {
      if (!hashes || !importsOf) return new Map();
      const now = links(importsOf);
      return new Map([...hashes].filter(([file]) => now.has(file)));
    },
  };
}
