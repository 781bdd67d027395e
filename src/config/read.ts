/** Puts the command line, the rc file and package.json together into the frozen Config. */
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { UserError } from '../errors.ts';
import type { Parsed } from './argv.ts';
import type { Config, EnvFile, Program } from './config.ts';
import { entryOfMain, likelyEntry, realPath, resolveEntry } from './entry.ts';
import { type Given, type Key, type KeyName, keys } from './keys.ts';
import { read } from './kinds.ts';
import { isNodeOption, movePaths, takeEnvFiles, takeNodeOption, whyNot } from './nodeflags.ts';
import { findRc, isFile, type Rc, sourcesOf } from './rcfile.ts';
import { show } from './reading.ts';

type Run = Extract<Parsed, { readonly kind: 'run' }>;

/** What both the program and the rest of the Config are made from. */
interface Sources {
  readonly parsed: Run;
  /** Absolute. */
  readonly cwd: string;
  readonly root: string;
  readonly base: string;
  readonly rc: Rc | null;
}

/**
 * Reads the rc file and checks what is to be run. A flag replaces the value of its key; only node's own options add up.
 * Throws a UserError with one sentence. `cwd` is an absolute path; `nodeOptions` are the shell's NODE_OPTIONS.
 */
export function readConfig(parsed: Run, cwd: string, nodeOptions: string | null): Config {
  const { root, rc } = findRc(cwd, parsed.config);
  const base = rc === null ? cwd : dirname(rc.file);
  const sources: Sources = { parsed, cwd, root, base, rc };
  const given = { ...rc?.given, ...parsed.given };
  const globs = (key: 'watch' | 'ignore'): readonly string[] => {
    const from = parsed.given[key] === undefined ? base : cwd;
    return (given[key] ?? []).map((glob) => rebase(glob, from, base));
  };
  const program = programOf(sources);
  return freeze({
    cwd,
    root,
    file: rc?.file ?? null,
    sources: [...sourcesOf(cwd, root, parsed.config), ...wayOf(program, root)],
    base,
    program,
    envFiles: envFilesOf(sources),
    nodeOptions,
    build: given.build ?? null,
    watch: globs('watch'),
    ignore: globs('ignore'),
    watchReads: given.watchReads ?? defaultOf('watchReads'),
    poll: given.poll ?? defaultOf('poll'),
    ladder: given.stop ?? defaultOf('stop'),
    ladderIsChosen: given.stop !== undefined,
    handover: given.handover ?? defaultOf('handover'),
    standby: given.standby ?? defaultOf('standby'),
    preload: given.preload ?? defaultOf('preload'),
    typecheck: given.typecheck ?? defaultOf('typecheck'),
    log: given.log ?? defaultOf('log'),
    lists: parsed.lists,
    why: given.why ?? defaultOf('why'),
    timings: given.timings ?? defaultOf('timings'),
    trace: given.trace ?? defaultOf('trace'),
  });
}

/** The default of a key that has one, as it reads from a file. */
function defaultOf<Name extends KeyName>(name: Name): NonNullable<Given[Name]> {
  const key = keys.find((each) => each.name === name) as Key;
  return read(key, key.default).value as NonNullable<Given[Name]>;
}

/** The first of: the command line, the rc file, "main" of package.json. */
function programOf(sources: Sources): Program {
  const { parsed, cwd, root, base, rc } = sources;
  const { named } = parsed;
  const shell = parsed.given.run;
  const isMade = (parsed.given.build ?? rc?.given.build) !== undefined;
  if (rc !== null) checkTogether(rc);
  if (shell !== undefined && named !== null) {
    const rest = named.kind === 'entry' ? [named.entry, ...named.args] : named.run;
    throw new UserError(
      `--exec and ${named.kind === 'entry' ? named.entry : '--'} both name a program: write --exec "${shell} ${rest.join(' ')}"`,
      2,
    );
  }
  if (named?.kind === 'command') return { kind: 'command', run: named.run };
  if (named?.kind === 'entry') {
    const args = named.args.length > 0 ? named.args : (rc?.given.args ?? []);
    return node(resolveEntry(named.entry, cwd, cwd, { isMade }), args);
  }
  const run = shell ?? rc?.given.run;
  if (run !== undefined) {
    const where = shell === undefined ? rc?.at('run') : '--exec';
    const [first] = takeEnvFiles(parsed.nodeArgs).rest;
    if (first !== undefined)
      throw new UserError(`${first} is an option of node, and ${where} is a command: put it in there`, 2);
    return { kind: 'command', run };
  }
  if (rc?.given.entry !== undefined)
    return node(resolveEntry(rc.given.entry, base, cwd, { source: rc.at('entry'), isMade }), rc.given.args ?? []);
  const main = entryOfMain(root, cwd, isMade);
  if (main.file === undefined) throw new UserError(nothing(sources, main.named), 2);
  return node(main.file, rc?.given.args ?? []);

  function node(entry: string, args: readonly string[]): Program {
    const { rest } = takeEnvFiles([...(rc === null ? [] : nodeArgsOf(rc, base, cwd)), ...parsed.nodeArgs]);
    const main = rest.includes('--preserve-symlinks-main') ? entry : realPath(entry);
    return { kind: 'node', entry, main, nodeArgs: rest, args };
  }
}

/** A symbolic link of the project's that the entry is, or lies behind: it may be led elsewhere. */
function wayOf(program: Program, root: string): readonly string[] {
  if (program.kind === 'command' || program.entry === program.main) return [];
  const isOwn = program.entry.startsWith(root + sep) && !program.entry.includes(`${sep}node_modules${sep}`);
  return isOwn ? [program.entry] : [];
}

/** Those of the rc file come first, so that the command line's values count. */
function envFilesOf({ parsed, cwd, base, rc }: Sources): readonly EnvFile[] {
  const named = [rc?.given.envFile ?? []]
    .flat()
    .map((path) => ({ path: base === cwd ? path : resolve(base, path), isOptional: false }));
  const nodeArgs = [...(rc === null ? [] : nodeArgsOf(rc, base, cwd)), ...parsed.nodeArgs];
  return [...named, ...takeEnvFiles(nodeArgs).envFiles].map((found) => ({ ...found, file: resolve(cwd, found.path) }));
}

/** Keys that exclude one another. */
function checkTogether({ given, at }: Rc): void {
  if (given.run === undefined) return;
  if (given.entry !== undefined) throw new UserError(`${at('run')} and "entry" both name a program, keep one of them`);
  for (const key of ['args', 'nodeArgs'] as const)
    if (given[key] !== undefined)
      throw new UserError(`${at(key)} goes with "entry", and not with "run": put it into the command`);
}

/** Node resolves relative paths from its working directory; those of a file are relative to the file. */
function nodeArgsOf({ given: { nodeArgs = [] }, at }: Rc, base: string, cwd: string): readonly string[] {
  for (let index = 0; index < nodeArgs.length; ) {
    const word = nodeArgs[index] ?? '';
    const why = whyNot(word);
    if (why !== undefined) throw new UserError(`${at('nodeArgs', index)}: ${why}`);
    if (!word.startsWith('-') || !isNodeOption(word))
      throw new UserError(`${at('nodeArgs', index)} wants options of node, and ${show(word)} is none`);
    const words = takeNodeOption(nodeArgs, index);
    if (words === undefined) throw new UserError(`${at('nodeArgs', index)} has ${word} without a value`);
    index += words.length;
  }
  return base === cwd ? nodeArgs : movePaths(nodeArgs, (path) => resolve(base, path));
}

function nothing({ parsed, cwd, root }: Sources, main: string | undefined): string {
  const swallowed = parsed.given.watch?.find((glob) => isFile(resolve(cwd, glob)));
  if (swallowed !== undefined)
    return `nothing to run: --watch takes a glob, and has taken ${swallowed} (what the app loads is watched without it)`;
  const manifest = relative(cwd, join(root, 'package.json'));
  const why = main === undefined ? '' : `main of ${manifest} is ${main}, which does not exist: `;
  const example = likelyEntry(cwd) ?? 'src/server.ts';
  return `nothing to run: ${why}name a file, as in hotrun ${example}, or set "entry" in .hotrc.json`;
}

/**
 * A glob that is relative to `from`, made relative to `base`; absolute where it leaves `base`, because no matcher knows
 * what `..` means in a pattern. Always with forward slashes; a leading `!` stays in front.
 */
export function rebase(glob: string, from: string, base: string): string {
  const [, not = '', pattern = ''] = /^(!?)(.*)$/s.exec(glob) ?? [];
  if (isAbsolute(pattern)) return glob;
  let folder = from;
  let rest = pattern;
  for (;;) {
    const [step] = /^\.\.?(\/+|$)/.exec(rest) ?? [];
    if (step === undefined) break;
    if (step.startsWith('..')) folder = dirname(folder);
    rest = rest.slice(step.length);
  }
  const way = relative(base, folder);
  const isInside = way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
  const before = literal(isInside ? way : folder);
  const separator = before === '' || rest === '' || before.endsWith('/') ? '' : '/';
  return not + (before + separator + rest || '.');
}

/** A path as a pattern that matches just it: folders may be named [id] or (group). */
const literal = (path: string): string => path.replaceAll(sep, '/').replaceAll(/[[\]{}()*?!+@]/g, '\\$&');

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const member of Object.values(value)) freeze(member);
  }
  return value;
}
