/**
 * The one table of hotrun's settings. The rc file's check, the flags, --help, the JSON schema and the check of
 * .hotrc.example.json all come from it; a new key is a new row here.
 */
import type { Rung } from '../supervisor/words.ts';
import type { CommandLine } from './config.ts';
import { defaultStop, type StopSignal } from './ladder.ts';

/** Each kind of value is read in kinds.ts. */
export type Kind =
  | 'path'
  | 'paths'
  | 'strings'
  | 'globs'
  | 'command'
  | 'ladder'
  | 'choice'
  | 'choice or names'
  | 'boolean'
  | 'interval'
  | 'text';

export interface Flag {
  readonly long: `--${string}`;
  readonly short?: `-${string}`;
  /** What --help calls its value; without one the flag takes none, in brackets it may do without. */
  readonly value?: string;
  /** What the flag gives its key when it has no value. */
  readonly sets?: unknown;
  /** May be given several times; the values make a list. */
  readonly isRepeatable?: true;
  /** For --help, where the key's own doc does not fit. */
  readonly doc?: string;
}

export interface Key {
  readonly name: string;
  readonly kind: Kind;
  /** One line of at most 54 letters, so that --help fits into 80 columns. */
  readonly doc: string;
  /** What else an editor should show. */
  readonly more?: string;
  /** null: there is none. */
  readonly default: unknown;
  readonly example: unknown;
  readonly choices?: readonly string[];
  readonly flags?: readonly Flag[];
  /** What nodemon, air, tsx or node call it: only to suggest ours. */
  readonly otherNames?: readonly string[];
}

export const keys = [
  {
    name: 'entry',
    kind: 'path',
    doc: 'the file to run, when the command line names none',
    more: 'Relative to the folder of this file.',
    default: null,
    example: 'src/server.ts',
    otherNames: ['main', 'script', 'file'],
  },
  {
    name: 'args',
    kind: 'strings',
    doc: 'arguments for the app, when the command line has none',
    default: [],
    example: ['--port', '3000'],
    otherNames: ['argv', 'args_bin'],
  },
  {
    name: 'nodeArgs',
    kind: 'strings',
    doc: "node's own options; those of the command line follow",
    more: 'Relative paths after --import, --require, --loader and --env-file are relative to the folder of this file.',
    default: [],
    example: ['--enable-source-maps'],
    otherNames: ['execArgv', 'nodeOptions'],
  },
  {
    name: 'envFile',
    kind: 'paths',
    doc: 'variables for the app: a file, or a list of files',
    more: "As node's --env-file: the shell's own values win, then those of later files. Relative to the folder of this file.",
    default: null,
    example: ['.env', '.env.local'],
    otherNames: ['env_files', 'envFiles', 'dotenv'],
  },
  {
    name: 'watch',
    kind: 'globs',
    doc: 'watch these files too, besides those the app loads',
    more: 'Relative to the folder of this file.',
    default: [],
    example: ['src/**/*.sql'],
    flags: [{ long: '--watch', short: '-w', value: 'GLOB', isRepeatable: true }],
    otherNames: ['include', 'include_dir'],
  },
  {
    name: 'ignore',
    kind: 'globs',
    doc: 'never reload because of these files',
    more: 'Relative to the folder of this file.',
    default: [],
    example: ['src/generated/**'],
    flags: [{ long: '--ignore', short: '-i', value: 'GLOB', isRepeatable: true }],
    otherNames: ['exclude', 'exclude_dir'],
  },
  {
    name: 'watchReads',
    kind: 'boolean',
    doc: 'watch what is read at the start, and listed folders',
    more: 'Files of the project such as .sql, .graphql, .proto, .html, .yaml and .env, and new modules in folders that the app lists to load them, until it listens; not what .gitignore lists.',
    default: true,
    example: false,
    flags: [{ long: '--no-watch-reads', sets: false, doc: 'watch no files or folders because the app reads them' }],
  },
  {
    name: 'poll',
    kind: 'interval',
    doc: 'look at files this often, instead of being told',
    more: 'For file systems that tell no events; those that are known are looked at anyway. true means 500 (ms).',
    default: false,
    example: 1000,
    flags: [
      { long: '--poll', value: '[MS]', sets: true, doc: 'look at files this often (500), do not wait for events' },
    ],
    otherNames: ['legacyWatch', 'poll_interval'],
  },
  {
    name: 'run',
    kind: 'command',
    doc: 'run this command instead of a file',
    more: 'A string goes through the shell, a list does not.',
    default: null,
    example: ['go', 'run', './cmd/api'],
    flags: [{ long: '--exec', short: '-x', value: 'CMD' }],
    otherNames: ['exec', 'cmd', 'bin', 'full_bin'],
  },
  {
    name: 'build',
    kind: 'command',
    doc: 'must succeed before each (re)start',
    more: 'The old program runs on meanwhile. A string goes through the shell, a list does not.',
    default: null,
    example: 'npm run build',
    flags: [{ long: '--build', value: 'CMD' }],
    otherNames: ['pre_cmd', 'compile'],
  },
  {
    name: 'stop',
    kind: 'ladder',
    doc: 'signals that stop the app, each with its time',
    more: 'Sent in this order, each once, the next one when the time (ms, "5s" or "500ms") is up. Ends with SIGKILL.',
    default: defaultStop,
    example: { SIGTERM: '10s', SIGKILL: 2000 },
    flags: [{ long: '--stop', value: 'LIST', doc: 'signals that stop it, as in "SIGTERM 10s, SIGKILL"' }],
    otherNames: ['signal', 'killSignal', 'kill_delay', 'send_interrupt'],
  },
  {
    name: 'handover',
    kind: 'choice',
    choices: ['sequential', 'overlap'],
    doc: 'sequential (default), or overlap: new before old stops',
    more: 'sequential: the old program is gone before the new one runs. overlap: the new one is ready before the old one is told to stop.',
    default: 'sequential',
    example: 'overlap',
    flags: [{ long: '--handover', value: 'MODE' }],
  },
  {
    name: 'standby',
    kind: 'boolean',
    doc: 'keep a process booted for the next reload',
    more: 'A reload finds Node.js up already; costs the memory of one more process.',
    default: true,
    example: false,
    flags: [{ long: '--no-standby', sets: false, doc: 'boot at the save; slower, and one process less' }],
  },
  {
    name: 'preload',
    kind: 'choice or names',
    choices: ['auto', 'all', 'none'],
    doc: 'which packages a standby loads before the save',
    more: 'One of auto (those that are loaded before any module of the project that may influence them), all (those behind it as well, in another order then) and none, or a list of names.',
    default: 'auto',
    example: ['express', 'zod'],
    flags: [{ long: '--preload', value: 'WHAT', doc: 'packages loaded before the save: auto, all, none, a,b' }],
  },
  {
    name: 'typecheck',
    kind: 'boolean',
    doc: "look for type errors too, by the project's own tsc",
    more: 'In a process of its own beside the app; a reload never waits for it.',
    default: false,
    example: true,
    flags: [{ long: '--typecheck', sets: true }],
  },
  {
    name: 'log',
    kind: 'choice',
    choices: ['quiet', 'normal', 'verbose'],
    doc: 'how much hotrun says',
    default: 'normal',
    example: 'verbose',
    flags: [
      { long: '--quiet', short: '-q', sets: 'quiet', doc: 'say only what went wrong' },
      { long: '--verbose', short: '-v', sets: 'verbose', doc: 'say why, too' },
    ],
    otherNames: ['quiet', 'verbose', 'silent'],
  },
  {
    name: 'why',
    kind: 'boolean',
    doc: 'say why each save counts, and what the standby loads',
    default: false,
    example: true,
    flags: [{ long: '--why', sets: true }],
  },
  {
    name: 'timings',
    kind: 'choice',
    choices: ['none', 'text', 'json'],
    doc: 'tell of each reload where its milliseconds went',
    more: 'text: a line for people; json: a line for programs. Times count from the save.',
    default: 'none',
    example: 'none',
    flags: [{ long: '--timings', value: '[FORM]', sets: 'text', doc: 'tell where the time of a reload went; or json' }],
  },
  {
    name: 'trace',
    kind: 'boolean',
    doc: "print the supervisor's events and actions",
    default: false,
    example: true,
    flags: [{ long: '--trace', sets: true }],
    otherNames: ['debug'],
  },
  {
    name: '$schema',
    kind: 'text',
    doc: 'lets editors complete and check this file',
    default: null,
    example: './node_modules/hotrun/dist/hotrc.schema.json',
  },
] as const satisfies readonly Key[];

/** Flags that are no keys of the rc file. */
export const otherFlags = [
  { long: '--config', value: 'FILE', doc: 'read this file instead of .hotrc.json' },
  { long: '--list-watched', doc: 'run it, print what is watched and why, and stop' },
  { long: '--help', short: '-h', doc: 'print this help' },
  { long: '--version', short: '-V', doc: 'print the version of hotrun' },
] as const satisfies readonly Flag[];

type Row = (typeof keys)[number];

export type KeyName = Row['name'];

/** What each kind comes to once it is read. */
export interface ValueOfKind {
  readonly path: string;
  readonly paths: string | readonly string[];
  readonly strings: readonly string[];
  readonly globs: readonly string[];
  readonly command: CommandLine;
  readonly ladder: readonly Rung[];
  readonly boolean: boolean;
  readonly interval: number;
  readonly text: string;
  readonly choice: string;
  readonly 'choice or names': readonly string[];
}

type ValueOf<K extends Row> = K extends { kind: 'choice'; choices: readonly (infer Choice)[] }
  ? Choice
  : K extends { choices: readonly (infer Choice)[] }
    ? Choice | readonly string[]
    : ValueOfKind[K['kind']];

/** The settings that one source (the rc file, the flags) gives, read and checked. */
export type Given = { readonly [K in Row as K['name']]?: ValueOf<K> };

/** The shape of .hotrc.json, and of the `hotrun` key in package.json. */
export type RcFile = {
  readonly [K in Row as K['name']]?: K['kind'] extends 'ladder'
    ? Readonly<Partial<Record<StopSignal, number | string>>>
    : K['kind'] extends 'interval'
      ? boolean | number | string
      : ValueOf<K>;
};

/** A flag with the key that it gives a value to, or null. */
export interface KeyFlag {
  readonly key: Key | null;
  readonly flag: Flag;
}

/** Every flag of hotrun, in the order of --help. */
export const allFlags: readonly KeyFlag[] = [
  ...keys.flatMap((key: Key) => (key.flags ?? []).map((flag) => ({ key, flag }))),
  ...otherFlags.map((flag) => ({ key: null, flag })),
];
