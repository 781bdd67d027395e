/**
 * What hotrun and the runtime in a generation say to each other: types and constants, nothing that runs.
 *
 * Two ways lead to a generation, and one to its forks and worker threads, its *offshoots*. The *question* descriptor is
 * a socket on which the generation writes and reads synchronously: it asks for modules, tells what it did, and waits at
 * the gate for "go". The IPC channel carries what comes unasked, and handles. An offshoot opens a connection to a
 * socket of hotrun's, and asks as on the question descriptor.
 *
 * A frame on the question descriptor: the byte length of the head and of the body as two 32 bit little-endian numbers,
 * the head as JSON, the body as it is.
 */

/** The environment variable with the Boot value; removed before any code of the app runs. */
export const BOOT_VARIABLE = 'HOTRUN_BOOT';

/** Begins with NODE_, so that Node delivers it as 'internalMessage', which no app listens to (lib/internal/child_process.js). */
export const CHANNEL_COMMAND = 'NODE_HOTRUN';

/** Opens Node 20's loader to the runtime, in a generation and in what it forks. */
export const INTERNALS_FLAG = '--expose-internals';

/**
 * Where offshoots ask: the path of a socket, and the number of the process whose offshoots they are. `execArgv` is all that they
 * inherit for certain, so this stands in the path that --require names, as if it were a folder, followed by `..`: Node takes
 * both out without looking for it. The first part is URI encoded; the last says that a debugger may be attached.
 */
export const DESK = /[\\/]hotrun@([^@\\/]+)@(\d+)(@inspected)?[\\/]\.\.[\\/]/;

/**
 * A file of the project that the runtime asks for; it leaves all others to Node. A script without an extension is JavaScript:
 * bin/www.
 */
export const MODULE_NAME = /(?:\.(?:[cm]?[jt]s|[jt]sx|json)|[\\/][^\\/.]+)$/;

/** What the runtime is told when it starts. */
export interface Boot {
  /** Absolute path of the entry, as Node loads it: without symbolic links. */
  readonly entry: string;
  /** The question descriptor. */
  readonly question: number;
  /** Inherited listening sockets: listen key -> descriptor. */
  readonly sockets: Readonly<Record<string, number>>;
  /** The user's own --import or --require code is there: it is the app's, so the gate comes before it. */
  readonly early: boolean;
  /** Node's own modules that the app will want, to be loaded while there is time. */
  readonly warm: readonly string[];
  /** The inspector that the user has asked for. */
  readonly inspect: Inspect | null;
  /** NODE_OPTIONS as the app is to see it, where the process was started with another; else null. */
  readonly nodeOptions: string | null;
  /** Packages to be loaded before the entry, in this order. */
  readonly preload: readonly Preload[];
  /** Modules of the project are to be loaded before it is their turn, and not run. */
  readonly ahead: boolean;
  /** What the app reads and lists of this folder at its start is to be told; null: it is not. */
  readonly reads: string | null;
  /** Folder of V8's code cache, or null to do without. */
  readonly codeCache: string | null;
}

export interface Inspect {
  readonly host: string;
  readonly port: number;
  /** For a debugger, before the app runs. */
  readonly wait: boolean;
  /** As at a breakpoint. */
  readonly pause: boolean;
}

/** A package's module, as the project reaches it. */
export interface Preload {
  readonly url: string;
  readonly by: 'import' | 'require';
}

export type Format = 'module' | 'commonjs' | 'json';

/** Head of a frame from the generation. Those with `ask` get exactly one frame back, in order. */
export type Question =
  /** Modules to be loaded by a standby: answered by a Pack, at once. */
  | { readonly ask: 'ahead' }
  /** All modules that the previous generation loaded, or offshoots whose `first` file was the same: answered by a Pack. */
  | { readonly ask: 'pack'; readonly first?: string }
  /** A module of the project. */
  | { readonly ask: 'load'; readonly file: string }
  | { readonly ask: 'resolve'; readonly specifier: string; readonly parent: string }
  /** Loaded and linked: waits until it may run. */
  | { readonly ask: 'gate' }
  /** Sockets that it does not use stand in the way of one that it wants to bind: waits until nobody holds them. */
  | { readonly ask: 'release'; readonly keys: readonly string[] }
  /** Loading failed before the gate: waits for its end. */
  | { readonly ask: 'refuse'; readonly text: string; readonly stack: string };

export type Told =
  /** Begins an offshoot's connection. */
  | { readonly tell: 'offshoot'; readonly process: number }
  /** Files that came from the pack or were read by Node itself. */
  | { readonly tell: 'loaded'; readonly files: readonly string[] }
  /** The app is about to read this file of the project, or to write it; `since` is now, in ms since the epoch. */
  | { readonly tell: 'read'; readonly file: string; readonly isWritten: boolean; readonly since: number }
  /** The app is up; these folders of the project it has listed before, `since` (ms since the epoch) it began to run. */
  | { readonly tell: 'listed'; readonly folders: readonly ListedFolder[]; readonly since: number }
  /** Where Node found a package that a file of the project wants. */
  | ({ readonly tell: 'package'; readonly parent: string; readonly specifier: string } & Preload)
  /** A file of the project wants this package, or this file (absolute path) of a package, and Node has not found it. */
  | { readonly tell: 'missing'; readonly parent: string; readonly what: string }
  /** A standby has loaded the packages that it was to load, in so many ms. */
  | { readonly tell: 'preloaded'; readonly ms: number }
  /** Files of packages that a standby has read: names by folder (absolute path). */
  | { readonly tell: 'holds'; readonly files: Readonly<Record<string, readonly string[]>> }
  /** It listens; `key` is empty for a socket that is not hotrun's, `where` as a person would type it: `http://localhost:3000`. */
  | { readonly tell: 'listening'; readonly key: string; readonly where: string }
  /** Somebody else listens there. */
  | { readonly tell: 'taken'; readonly port: number }
  /** The app has closed a socket that it listened on. */
  | { readonly tell: 'closed'; readonly key: string }
  /** The first listen, or the entry has been evaluated. */
  | { readonly tell: 'ready' }
  /** Has begun to drain; the signals that the app listens to. */
  | { readonly tell: 'draining'; readonly signals: readonly string[]; readonly busy: number }
  /** Nothing is in flight; `holds` is what it has open all the same. */
  | { readonly tell: 'drained'; readonly holds: Holds };

/**
 * What a process has open that its end would give free: nothing; files, which it may have locked; or more, as a connection.
 * 'more' too if the app listens to a signal: it has not said its last word.
 */
export type Holds = 'nothing' | 'files' | 'more';

export interface ListedFolder {
  /** Absolute. */
  readonly path: string;
  /** With all that is below it, in one call. */
  readonly isDeep: boolean;
}

/** Heads of the answers. */
export interface Go {
  /** Which generation this is: a process may have been booted before that was known. */
  readonly generation: number;
  /** The one before serves until this one is ready. */
  readonly overlaps: boolean;
}
export interface Pack {
  readonly modules: readonly PackedModule[];
  /** parent + '\n' + specifier -> absolute file. */
  readonly resolved: Readonly<Record<string, string>>;
  /** Of packages that were told already: by + ' ' + URL -> each parent + '\n' + specifier. */
  readonly packages: Readonly<Record<string, readonly string[]>>;
  /** Whether some tsconfig has `paths` or `baseUrl`: then bare specifiers are asked too. */
  readonly bare: boolean;
}
export interface PackedModule {
  readonly file: string;
  readonly format: Format;
  /** Where its source lies in the body, and where in it the comment begins that is its source map, in bytes. */
  readonly start: number;
  readonly map: number;
  readonly end: number;
}
/** The source is the body. `null`: leave it to Node. */
export type Loaded =
  | { readonly format: Format }
  | { readonly format: null }
  /** `at`: the place as Node shows it, in three lines, or ''. */
  | { readonly error: string; readonly at: string };
export interface Resolved {
  readonly file: string | null;
}

/** Over the IPC channel, to the generation; and from it to its cluster workers, but for `drop`. */
export type ToGeneration = { readonly cmd: typeof CHANNEL_COMMAND } & (
  | { readonly do: 'drain' }
  /** hotrun has closed its copy of the socket. */
  | { readonly do: 'drop'; readonly key: string }
  /** A live connection, whose handle comes beside it, for the server that listens by this key. */
  | { readonly do: 'adopt'; readonly key: string; readonly spoke: boolean }
);

/** Over the IPC channel, to hotrun. */
export type FromGeneration = {
  readonly cmd: typeof CHANNEL_COMMAND;
} /** The listening socket that the generation has bound comes beside it. */ & (
  | { readonly is: 'socket'; readonly key: string }
  /** A live connection comes beside it, unread. `spoke`: it has carried a request before. */
  | { readonly is: 'connection'; readonly key: string; readonly spoke: boolean }
);

/** Over a cluster worker's IPC channel, to the generation that is its primary. */
export type FromWorker =
  | Extract<FromGeneration, { is: 'connection' }>
  /** All that it had is finished or has been handed over before. */
  | { readonly cmd: typeof CHANNEL_COMMAND; readonly is: 'drained' };

/** What the stand-in that answers 503 is told, as the argument of its process. */
export interface StandIn {
  /** What to say, in a sentence or two. */
  readonly text: string;
  /** Where to listen, each as the app did. */
  readonly listens: readonly { readonly host?: string; readonly port?: number; readonly path?: string }[];
}
