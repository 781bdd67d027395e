/**
 * PURE: a fact -> the lines that tell it. All of hotrun's words and colours are here. A line of ours begins with the
 * mark; a fault's does not, so that terminals and editors find `file:line:column` where compilers put it.
 */
import { createRequire } from 'node:module';
import { relative, resolve, sep } from 'node:path';
import { inspect } from 'node:util';
import type { Colors } from 'picocolors/types.js';
import type { Config } from '../config/config.ts';
import { type Fault, never } from '../errors.ts';
import type { Ending } from '../supervisor/words.ts';
import type { Fact, Reason } from './facts.ts';
import { frame } from './frame.ts';

// By require: an import of CommonJS costs Node 20 another 5 ms of the start.
const { createColors } = createRequire(import.meta.url)('picocolors') as typeof import('picocolors');

type Level = Config['log'];

export interface View {
  readonly cwd: string;
  readonly colors: boolean;
  /** Width of the terminal, in characters. */
  readonly columns: number;
  readonly level: Level;
}

/** A view, with the means to write on it. */
interface Page extends View {
  readonly paint: Colors;
  readonly verbose: boolean;
}

const MARK = '[hotrun]';
/** More faults, and more file names, than these are only counted. */
const FAULTS = 5;
const FILES = 2;
const FILES_VERBOSE = 20;

const WAITING = 'waiting for a change';
const UNTOUCHED = 'the running version is not touched';

const LEVELS: readonly Level[] = ['quiet', 'normal', 'verbose'];

const RULES = {
  loaded: 'the app loads it',
  read: 'the app reads it when it starts',
  listed: 'the app lists the folder when it starts',
  watch: 'a glob of "watch" matches it',
  config: 'it says how to run the app',
};

/** Without newlines at their ends; none at all where the level has nothing to say. */
export function lines(fact: Fact, view: View): string[] {
  if (LEVELS.indexOf(lowestLevel(fact)) > LEVELS.indexOf(view.level)) return [];
  return words(fact, { ...view, paint: createColors(view.colors), verbose: view.level === 'verbose' });
}

/** Quiet is for what went wrong, normal for what came of a save, verbose for the rest. */
function lowestLevel(fact: Fact): Level {
  switch (fact.type) {
    case 'failed':
    case 'refused':
    case 'crashed':
    case 'escalated':
    case 'stuck':
    case 'trouble':
    case 'timings':
    case 'why saved':
    case 'why loaded':
    case 'watched':
    case 'trace':
    case 'usage':
    case 'bug':
      return 'quiet';
    case 'broken':
      // A script that calls process.exit(0) is done before it was ever ready, and nothing is wrong.
      return fact.ending.code === 0 ? 'normal' : 'quiet';
    case 'ready':
    case 'listening':
    case 'ended':
    case 'stopping-slow':
      return 'normal';
    case 'types':
      return fact.faults.length > 0 ? 'quiet' : fact.first ? 'verbose' : 'normal';
    case 'building':
      return fact.command === null ? 'verbose' : 'normal';
    case 'started':
    case 'same':
    case 'quitting':
      return 'verbose';
    default:
      return never(fact);
  }
}

function words(fact: Fact, page: Page): string[] {
  const { paint } = page;
  const ours = (text: string): string => `${paint.dim(MARK)} ${text}`;
  switch (fact.type) {
    case 'started':
      return [ours(`${fact.program} on node ${fact.node}`)];
    case 'building': {
      const what = fact.command === null ? 'building' : `running ${onOneLine(fact.command)}`;
      return [ours(`${because(fact.reason, page)} ${what}`)];
    }
    case 'same':
      return [ours(`${list(fact.files, page)} saved: nothing differs from what runs`)];
    case 'ready':
      return [ours(ready(fact, page))];
    case 'listening':
      return [ours(`listening on ${paint.cyan(fact.port)} after ${duration(fact.afterMs)}`)];
    case 'failed':
    case 'refused': {
      const first = `${because(fact.reason, page)} ${paint.red(whatFailed(fact))}`;
      return [ours(first), ...faults(fact.faults, page), ours(outcome(fact.serving, `nothing runs; ${WAITING}`))];
    }
    case 'broken':
    case 'crashed':
    case 'ended':
      return [ours(ended(fact, page))];
    case 'stopping-slow':
      return [ours(stoppingSlow(fact, page))];
    case 'escalated':
      return [ours(paint.yellow(`still there after ${duration(fact.afterMs)}: ${fact.signal} sent`))];
    case 'stuck': {
      const after = duration(fact.afterMs);
      return [ours(paint.red(`still there after ${after}, although SIGKILL was sent: waiting for it to end`))];
    }
    case 'quitting':
      return [ours('stopping')];
    case 'types': {
      const { length } = fact.faults;
      if (length === 0) return [ours(paint.green(fact.first ? 'no type errors' : 'no type errors any more'))];
      return [ours(paint.red(length === 1 ? '1 type error' : `${length} type errors`)), ...faults(fact.faults, page)];
    }
    case 'trouble':
      return [ours(paint.yellow(fact.sentence))];
    case 'timings':
      return timings(fact, page);
    case 'why saved':
      return fact.changes.map(({ file, rule }) =>
        ours(paint.dim(`${shortPath(file, page.cwd)} counts: ${RULES[rule]}`)),
      );
    case 'watched':
      return [
        ...fact.globs.map((glob) => `${glob}: ${paint.dim(`a glob of "watch"`)}`),
        ...fact.files.map(({ file, rule }) => `${shortPath(file, page.cwd)}: ${paint.dim(RULES[rule])}`),
      ];
    case 'why loaded':
      return whyLoaded(fact, page).map((line) => ours(paint.dim(line)));
    case 'trace': {
      const of = fact.of === 'event' && fact.ignored ? 'ignored' : fact.of;
      return [ours(paint.dim(`${of} ${JSON.stringify(fact.what)}`))];
    }
    case 'usage':
      return [ours(paint.red(fact.sentence))];
    case 'bug': {
      const first = paint.red('this is a bug in hotrun; please report it with the lines that follow');
      return [ours(first), ...inspect(fact.error).split('\n')];
    }
    default:
      return never(fact);
  }
}

function ready(fact: Fact & { type: 'ready' }, page: Page): string {
  const { paint, verbose } = page;
  const { reason, phases, ports } = fact;
  const subject = reason.kind === 'start' ? reason.program : because(reason, page);
  const where =
    ports.length > 0 && (fact.first || verbose) ? ` on ${ports.map((port) => paint.cyan(port)).join(', ')}` : '';
  const parts = reason.kind !== 'start' || verbose ? phases.map(({ name, ms }) => `, ${name} ${bare(ms)}`) : [];
  const rest = [...parts, ...(verbose ? [`, generation ${fact.gen}`] : [])].join('');
  return `${subject} ${paint.green(`ready in ${duration(fact.totalMs)}`)}${where}${rest && paint.dim(rest)}`;
}

function timings({ form, gen, files, marks }: Fact & { type: 'timings' }, { paint, cwd }: Page): string[] {
  const rounded = marks.map(([name, ms]) => [name, Math.round(ms * 10) / 10] as const);
  if (form === 'json')
    return [
      JSON.stringify({
        generation: gen,
        files: files.map((file) => shortPath(file, cwd)),
        ms: Object.fromEntries(rounded),
      }),
    ];
  return [
    `${paint.dim(MARK)} ${paint.dim(`ms after the save: ${rounded.map(([name, ms]) => `${name} ${ms}`).join(', ')}`)}`,
  ];
}

function whatFailed(fact: Fact & { type: 'failed' | 'refused' }): string {
  if (fact.type === 'failed') return 'build failed';
  return fact.ending ? `${howItEnded(fact.ending)} while it was loading` : 'cannot be loaded';
}

function ended(fact: Fact & { type: 'broken' | 'crashed' | 'ended' }, { paint, verbose }: Page): string {
  const isFine = fact.ending.code === 0;
  const how = howItEnded(fact.ending) + (fact.type === 'broken' && !isFine ? ' before it was ready' : '');
  const more = verbose ? `, generation ${fact.gen}, after ${duration(fact.afterMs)}` : '';
  return `${isFine ? how : paint.red(how)}${more}, ${outcome(fact.serving, WAITING)}`;
}

function howItEnded({ code, signal }: Ending): string {
  if (signal !== null) return `ended by ${signal}`;
  if (code === null) return 'ended';
  return code === 0 ? 'ended with exit code 0' : `crashed with exit code ${code}`;
}

function stoppingSlow(fact: Fact & { type: 'stopping-slow' }, { paint }: Page): string {
  const { connections } = fact;
  const what =
    connections === 0 ? '' : `, waiting for ${connections} ${connections === 1 ? 'connection' : 'connections'}`;
  const remedy = fact.quitting ? '; Ctrl-C again kills it' : '';
  return paint.yellow(`still stopping after ${duration(fact.afterMs)}${what}${remedy}`);
}

const outcome = (serving: boolean, otherwise: string): string => (serving ? UNTOUCHED : otherwise);

/** What led to it, with a colon: the beginning of a sentence. */
function because(reason: Reason, page: Page): string {
  switch (reason.kind) {
    case 'start':
      return `${reason.program}:`;
    case 'saved':
      return `${list(reason.files, page)} changed:`;
    case 'restart':
      return 'asked to reload:';
    default:
      return never(reason);
  }
}

function list(files: readonly string[], page: Page): string {
  const most = page.verbose ? FILES_VERBOSE : FILES;
  const names = files.map((file) => shortPath(file, page.cwd));
  if (names.length === 0) return 'something';
  if (names.length <= most) return sentence(names);
  const named = page.verbose ? most : 1;
  return `${names.slice(0, named).join(', ')} and ${names.length - named} more`;
}

const sentence = (names: readonly string[]): string =>
  names.length < 2 ? names.join() : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;

function faults(all: readonly Fault[], page: Page): string[] {
  const shown = page.verbose ? all : all.slice(0, FAULTS);
  const more = all.length - shown.length;
  return [...shown.flatMap((fault) => faultLines(fault, page)), ...(more > 0 ? [`and ${more} more`] : [])];
}

function faultLines(fault: Fault, page: Page): string[] {
  const { file, line, column, text, output } = fault;
  const place =
    file === undefined ? [] : [shortPath(file, page.cwd), line, line && column].filter((part) => part !== undefined);
  const where = place.length === 0 ? '' : `${page.paint.bold(place.join(':'))}: `;
  return [...textLines(where + text), ...frame(fault, page.paint, page.columns), ...textLines(output ?? '')];
}

const textLines = (text: string): string[] => (text.trim() === '' ? [] : text.trimEnd().split(/\r?\n/));

/** Relative to `cwd` and with forward slashes, unless a chain of `../` makes that the longer one. */
function shortPath(path: string, cwd: string): string {
  const absolute = resolve(cwd, path);
  const short = relative(cwd, absolute) || '.';
  const better = short.length <= absolute.length ? short : absolute;
  return sep === '/' ? better : better.replaceAll(sep, '/');
}

const onOneLine = (text: string): string => text.trim().replace(/\s*\n\s*/g, ' ');

/** '71 ms', '1.2 s', '3 min'. */
function duration(ms: number): string {
  const whole = Math.round(ms);
  if (whole < 1000) return `${whole} ms`;
  const tenths = Math.round(ms / 100) / 10;
  if (tenths < 60) return `${tenths} s`;
  const minutes = Math.round(ms / 60_000);
  return minutes < 120 ? `${minutes} min` : `${Math.round(ms / 3_600_000)} h`;
}

/** As `duration`, and milliseconds without their unit: a row of them is easier to read. */
const bare = (ms: number): string => duration(ms).replace(/ ms$/, '');

function whyLoaded({ packages, of, ms, stop, modules }: Fact & { type: 'why loaded' }, page: Page): string[] {
  const share = `${packages.length} of ${of} packages, whose ${duration(ms)} no reload waits for`;
  const what = packages.length === 0 ? 'no package' : `${packages.join(', ')}: ${share}`;
  const end = stop ? `; no more, for ${shortPath(stop.file, page.cwd)} ${stop.because}` : '';
  const second = `another standby loads ${modules} modules that are not being edited`;
  return [`the standby loads ${what}${end}`, ...(modules > 0 ? [second] : [])];
}
