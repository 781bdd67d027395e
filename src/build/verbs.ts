/** What the build room does, and what it needs for that. */
import type { CommandLine } from '../config/config.ts';
import type { Fault } from '../errors.ts';
import type { Loaded, Pack, Preload, Resolved } from '../runtime/messages.ts';
import type { Ending, Event, Generation } from '../supervisor/words.ts';
import type { Ahead } from './ahead.ts';
import type { Offshoot } from './offshoots.ts';
import type { Preloads } from './preload.ts';
import type { Known } from './store.ts';

export interface BuildHost {
  /** hotrun's own version: another one's cache is not used. */
  readonly version: string;
  emit(event: Event): void;
  /** A file's content is known and may run: watch it. */
  onKnown(known: Known): void;
  /** Files that do not exist, whose appearance would matter. */
  onMissing(files: readonly string[]): void;
  /** The same, of packages: what imports mean changes with them. */
  onAbsent(files: readonly string[]): void;
  /** It was saved, and its head says that a program writes it. */
  onGenerated(file: string): void;
  /** What a standby has loaded: packages, in so many ms; and so many modules another one will. */
  onForesight(found: Preloads, modules: number, ms: number): void;
  /** It has got this far: what was saved is read, a generation's modules are on their way. */
  mark(name: 'read' | 'sent'): void;
  /** Runs a build command. */
  run(command: CommandLine): { readonly ended: Promise<Ending>; kill(): void };
}

export interface Build {
  /**
   * Files were written; the next build takes them up.
   * @param listed those of them that are new in folders which the app lists, to load what it finds there
   */
  saved(files: readonly string[], listed: readonly string[]): void;
  /** The build command is running and writes this file: it is read when that is over. */
  absorbs(file: string): boolean;
  /** Of this module no save will be told: it is looked at in each build. */
  unwatched(file: string): void;
  /**
   * @param against the newest generation that runs or will: what it was given is what a save is compared with. Null: there
   * is none, and everything differs.
   */
  build(id: number, against: Generation | null): void;
  cancel(id: number): void;
  /** Generation `gen` was made from build `id`; the questions it asks are answered from now on. */
  begin(gen: Generation, id: number): void;
  /** It has loaded these from its pack. */
  loaded(gen: Generation, files: readonly string[]): void;
  /** It runs: what was saved before it was made is taken up. */
  activated(gen: Generation): void;
  /** Opens what the first questions will need, while the first generation boots. */
  warm(): void;
  pack(gen: Generation): Promise<{ head: Pack; body: Buffer }>;
  /** What a standby may load before its turn besides packages. Never rejects. */
  ahead(): Promise<{ head: Pack; body: Buffer; token: Ahead }>;
  /** Whether a standby that holds this can become the next generation. */
  isCurrent(token: Ahead): boolean;
  /** Generation `gen` holds this. */
  tookAhead(gen: Generation, token: Ahead): void;
  load(gen: Generation, file: string): Promise<{ head: Loaded; body: Buffer }>;
  /** The answers to a fork or worker thread of a generation; undefined if that is gone. */
  offshoot(gen: Generation | undefined): Offshoot;
  resolve(specifier: string, parent: string): Resolved;
  /**
   * Whether all that its CommonJS modules require at once is there, and free of faults: Node finds out when it runs them.
   * Never rejects; what is wrong is told by `faults`.
   */
  check(gen: Generation): Promise<boolean>;
  /** Looks for the place of what Node refused to load, where its `stack` does not say it. Never rejects; see `faults`. */
  explain(gen: Generation, text: string, stack: string): Promise<void>;
  /** Where Node found a package that a file of the project wants. */
  found(parent: string, specifier: string, preload: Preload): void;
  /** package.json in this folder of a package has changed: what was found in it is to be found anew. */
  unfound(folder: string): void;
  /** Node has not found it: a package, or a file (absolute path) of one. */
  missing(parent: string, what: string): void;
  /** Files that are watched and are no modules: what they are now is what runs, unless they were saved `since` (ms). */
  note(files: readonly string[], since: number): Promise<void>;
  /** The files that shape modules: tsconfig.json and package.json, with those that would count if they were there. */
  shapes(): readonly string[];
  /** The file is a symbolic link, or behind one, that leads to the same file as before: of that there is an event, too. */
  isWayAsBefore(file: string): boolean;
  /** Other packages may be there, another package.json or tsconfig.json: what they shape is made anew. */
  renew(): void;
  /** The packages that a standby may load before its turn, in this order; and whether there is more. Never rejects. */
  foresight(): Promise<{ readonly packages: readonly Preload[]; readonly ahead: boolean }>;
  /** A standby has loaded them, in so many ms. */
  preloaded(ms: number): void;
  /** Of V8's code cache; null: do without. */
  codeCache(): string | null;
  /** What was wrong with build `id` or found while `gen` asked. */
  faults(about: { id?: number | undefined; gen?: Generation | undefined }): readonly Fault[];
  /** Writes the cache, if anything changed. Never rejects. */
  save(): Promise<void>;
  close(): Promise<void>;
}
