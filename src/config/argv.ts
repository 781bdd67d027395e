/**
 * The command line: `hotrun [options] <entry> [args...]` or `hotrun [options] -- <command> [args...]`.
 *
 * A first pass finds where the entry is and tells hotrun's options from node's. Commander then reads hotrun's own; it
 * is loaded only if there are any (15 ms, against 50 for an empty node).
 */
import { UserError } from '../errors.ts';
import { helpText } from './help.ts';
import { allFlags, type Flag, type Given, type Key, type KeyFlag, keys } from './keys.ts';
import { read, readText } from './kinds.ts';
import { nearest } from './nearest.ts';
import { isNodeOption, knownNodeOptions, takeEnvFiles, takeNodeOption, whyNot } from './nodeflags.ts';

/** What the command line says to run. */
export type Named =
  | { readonly kind: 'entry'; readonly entry: string; readonly args: readonly string[] }
  | { readonly kind: 'command'; readonly run: readonly string[] };

export type Parsed =
  | { readonly kind: 'help'; readonly text: string }
  | { readonly kind: 'version' }
  | {
      readonly kind: 'run';
      /** The keys that flags give. */
      readonly given: Given;
      /** Of --config, as it was written. */
      readonly config: string | null;
      readonly nodeArgs: readonly string[];
      /** null: the command line names nothing to run. */
      readonly named: Named | null;
      /** Of --list-watched. */
      readonly lists: boolean;
    };

/** The exit code for a command line that cannot be understood. */
const USAGE = 2;

/** Reads the words after `node hotrun`. Prints nothing. Throws a UserError (exit code 2). */
export async function parseArgv(argv: readonly string[]): Promise<Parsed> {
  const { own, nodeArgs, named } = split(argv);
  const { given, config, lists, isHelp, isVersion } = await readOwn(own);
  if (isHelp) return { kind: 'help', text: helpText() };
  if (isVersion) return { kind: 'version' };
  return { kind: 'run', given, config, nodeArgs, named, lists };
}

interface Split {
  /** The words of hotrun's own options. */
  readonly own: readonly string[];
  readonly nodeArgs: readonly string[];
  readonly named: Named | null;
}

function split(argv: readonly string[]): Split {
  const own: string[] = [];
  const nodeArgs: string[] = [];
  for (let index = 0; index < argv.length; ) {
    const word = argv[index] ?? '';
    if (word === '--') return { own, nodeArgs, named: command(argv.slice(index + 1), nodeArgs) };
    if (word === '-') throw new UserError('hotrun runs a file, and cannot read the program from its input (-)', USAGE);
    if (!word.startsWith('-')) {
      const before = argv[index - 1] ?? '';
      // A port or size, where node too would see the entry.
      if (/^\d+$/.test(word) && before.startsWith('--') && before === nodeArgs.at(-1))
        throw new UserError(
          `${word} is no file to run, and a value of ${before} follows a =: ${before}=${word}`,
          USAGE,
        );
      return { own, nodeArgs, named: { kind: 'entry', entry: word, args: argv.slice(index + 1) } };
    }
    const found = ownFlag(word);
    const words = found === undefined ? takeNode(argv, index) : takeOwn(argv, index, found);
    (found === undefined ? nodeArgs : own).push(...words);
    index += words.length;
  }
  return { own, nodeArgs, named: null };
}

function command(run: readonly string[], nodeArgs: readonly string[]): Named {
  if (run.length === 0) throw new UserError('-- wants a command after it, as in hotrun -- go run ./cmd/api', USAGE);
  const [first] = takeEnvFiles(nodeArgs).rest;
  if (first !== undefined)
    throw new UserError(
      `${first} is an option of node, and what follows -- is not run by hotrun's node: put it into the command`,
      USAGE,
    );
  return { kind: 'command', run };
}

interface OwnFlag {
  readonly flag: Flag;
  readonly choices: readonly string[];
  /** What follows in the same word is its value. */
  readonly isGlued: boolean;
}

/** It may do without its value. */
const isOptional = (flag: Flag): boolean => flag.value?.startsWith('[') ?? false;

/** The last flag in the word, the only one that can have a value; short ones can stand together, as in -qw. */
function ownFlag(word: string): OwnFlag | undefined {
  if (word.startsWith('--')) {
    const name = word.split('=', 1)[0];
    const found = allFlags.find(({ flag }) => flag.long === name);
    return found && { flag: found.flag, choices: found.key?.choices ?? [], isGlued: name !== word };
  }
  for (let index = 1; index < word.length; index++) {
    const found = allFlags.find(({ flag }) => flag.short === `-${word[index]}`);
    if (found === undefined) return undefined;
    const isLast = index === word.length - 1;
    if (found.flag.value !== undefined || isLast)
      return { flag: found.flag, choices: found.key?.choices ?? [], isGlued: !isLast };
  }
  return undefined;
}

function takeOwn(argv: readonly string[], index: number, { flag, choices, isGlued }: OwnFlag): readonly string[] {
  const word = argv[index] ?? '';
  if (flag.value === undefined && isGlued) throw new UserError(`${flag.long} takes no value`, USAGE);
  if (flag.value === undefined || isGlued) return [word];
  const value = argv[index + 1];
  if (isOptional(flag)) {
    const isValue = value !== undefined && (choices.includes(value) || /^\d+(?:\.\d+)?(?:ms|s)?$/.test(value));
    return isValue ? [word, value] : [word];
  }
  if (value === undefined) throw new UserError(`${flag.long} needs a value: ${flag.long} ${flag.value}`, USAGE);
  if (value.startsWith('-'))
    throw new UserError(
      `${flag.long} needs a value, and ${value} looks like an option (else write ${flag.long}=${value})`,
      USAGE,
    );
  return [word, value];
}

function takeNode(argv: readonly string[], index: number): readonly string[] {
  const word = argv[index] ?? '';
  const sentence = elsewhere[word.split('=', 1)[0] ?? ''] ?? whyNot(word);
  if (sentence !== undefined) throw new UserError(sentence, USAGE);
  if (!isNodeOption(word)) throw new UserError(unknown(word), USAGE);
  const words = takeNodeOption(argv, index);
  if (words === undefined) throw new UserError(`${word} needs a value`, USAGE);
  return words;
}

const noDelay = 'is not needed: a save starts the reload at once, and a burst of saves makes one reload';
const noExt = 'is not needed: hotrun watches whatever the app loads, and --watch "**/*.html" adds other files';

/** Flags that fingers know from nodemon and air, where hotrun has nothing of the kind. */
const elsewhere: Readonly<Record<string, string>> = {
  '--delay': `--delay ${noDelay}`,
  '-d': `-d ${noDelay}`,
  '--ext': `--ext ${noExt}`,
  '-e': `-e ${noExt}`,
  '-s': 'unknown option -s, did you mean --stop (as in --stop "SIGTERM 10s")?',
  '--signal': 'unknown option --signal, did you mean --stop (as in --stop "SIGTERM 10s")?',
};

function unknown(word: string): string {
  const name = word.split('=', 1)[0] ?? word;
  const byOtherName = keys.find(
    (key: Key) => key.otherNames?.some((other) => `--${other}` === name) && key.flags?.[0],
  ) as Key | undefined;
  const own = allFlags.map(({ flag }) => flag.long);
  const meant = byOtherName?.flags?.[0]?.long ?? nearest(name, [...own, ...knownNodeOptions()]);
  return meant === undefined
    ? `unknown option ${name}: neither hotrun nor node has it (hotrun --help lists those of hotrun)`
    : `unknown option ${name}, did you mean ${meant}?`;
}

interface Own {
  readonly given: Given;
  readonly config: string | null;
  readonly lists: boolean;
  readonly isHelp: boolean;
  readonly isVersion: boolean;
}

/** Has commander read hotrun's own options. What several of them give one key: the last wins, lists grow. */
async function readOwn(words: readonly string[]): Promise<Own> {
  const given: Record<string, unknown> = {};
  const others = new Map<string, string>();
  if (words.length > 0) {
    const { Command, CommanderError } = await import('commander');
    const program = new Command('hotrun')
      .exitOverride()
      .helpOption(false)
      .configureOutput({ outputError: () => {} });
    for (const each of allFlags) {
      const { flag } = each;
      program.option(
        [flag.short, flag.long].filter(Boolean).join(', ') +
          (flag.value ? ` ${isOptional(flag) ? flag.value : `<${flag.value}>`}` : ''),
      );
      program.on(`option:${flag.long.slice(2)}`, (text: string | null) => take(each, text ?? ''));
    }
    try {
      program.parse(words, { from: 'user' });
    } catch (error) {
      if (error instanceof CommanderError) throw new UserError(error.message.replace(/^error: /, ''), USAGE);
      throw error;
    }
  }
  return {
    given: given as Given,
    config: others.get('--config') ?? null,
    lists: others.has('--list-watched'),
    isHelp: others.has('--help'),
    isVersion: others.has('--version'),
  };

  function take({ key, flag }: KeyFlag, text: string): void {
    if (key === null) {
      if (flag.value !== undefined && text === '')
        throw new UserError(`${flag.long} wants a ${flag.value}, not ""`, USAGE);
      others.set(flag.long, text);
    } else if (flag.value === undefined || (isOptional(flag) && text === '')) {
      given[key.name] = read(key, flag.sets).value;
    } else {
      const { value, problem } = readText(key, text);
      if (problem !== undefined) throw new UserError(`${flag.long} ${problem.text}`, USAGE);
      const before = flag.isRepeatable ? given[key.name] : undefined;
      given[key.name] = Array.isArray(before) ? [...before, ...(value as readonly string[])] : value;
    }
  }
}
