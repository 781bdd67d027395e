/** PURE: node's inspector flags, which the runtime carries out at the right moment instead of node at its start. */
import type { Inspect } from '../runtime/messages.ts';

/** lib/internal/options: the defaults of --inspect. */
const HOST = '127.0.0.1';
const PORT = 9229;

const FLAG = /^--(?:inspect(?:[-_](brk|wait))?|(?:inspect|debug)[-_]port)(?:=(.*))?$/s;
const IS_PORT = /^--(?:inspect|debug)[-_]port(=)?/;

export interface Split {
  /** Null where nothing asks for the inspector. */
  readonly inspect: Inspect | null;
  readonly nodeArgs: readonly string[];
  /** As it was, where nothing is taken out. */
  readonly nodeOptions: string;
}

/** Takes them out of node's arguments, and out of NODE_OPTIONS, whose flags come before these. */
export function splitInspect(nodeArgs: readonly string[], nodeOptions = ''): Split {
  const found: string[] = [];
  const rest = without(nodeArgs, (word) => word, found);
  // What of node's arguments was found is to follow.
  const late = found.splice(0);
  const words = wordsOf(nodeOptions);
  const left = without(words, unquoted, found);
  return {
    inspect: inspectOf([...found, ...late]),
    nodeArgs: rest,
    nodeOptions: left.length === words.length ? nodeOptions : left.join(' '),
  };
}

/** What is left of `words`; the flags, each with its value, go to `found`. */
function without(words: readonly string[], plain: (word: string) => string, found: string[]): string[] {
  const left: string[] = [];
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? '';
    const flag = plain(word);
    if (!FLAG.test(flag)) left.push(word);
    // The value may be the next word.
    else if (IS_PORT.exec(flag)?.[1] === undefined && IS_PORT.test(flag))
      found.push(`${flag}=${plain(words[++index] ?? '')}`);
    else found.push(flag);
  }
  return left;
}

function inspectOf(flags: readonly string[]): Inspect | null {
  let isAsked = false;
  let wait = false;
  let pause = false;
  let place = { host: HOST, port: PORT };
  for (const flag of flags) {
    const [, kind, value] = FLAG.exec(flag) ?? [];
    if (value) place = placeOf(value, place);
    if (IS_PORT.test(flag)) continue;
    isAsked = true;
    wait ||= kind !== undefined;
    pause ||= kind === 'brk';
  }
  return isAsked ? { ...place, wait, pause } : null;
}

/** src/node_options.cc, ParseNodeOptionsEnvVar: words between spaces, parts of them in double quotes. */
const wordsOf = (nodeOptions: string): string[] => nodeOptions.match(/(?:"(?:\\.|[^"\\])*"|[^ "])+/gs) ?? [];
const unquoted = (word: string): string =>
  word.replace(/"((?:\\.|[^"\\])*)"/gs, (_, inside) => inside.replace(/\\(.)/gs, '$1'));

/** `9230`, `0.0.0.0`, `0.0.0.0:9230` or `[::1]:9230`. */
function placeOf(value: string, before: { host: string; port: number }): { host: string; port: number } {
  if (/^\d+$/.test(value)) return { ...before, port: Number(value) };
  const [, host = '', port] = /^(.*?)(?::(\d+))?$/.exec(value) ?? [];
  return {
    host: host.replace(/^\[(.*)\]$/, '$1') || before.host,
    port: port === undefined ? before.port : Number(port),
  };
}
