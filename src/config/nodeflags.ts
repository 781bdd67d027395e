/**
 * The options of node, as far as hotrun must know them to find the entry behind them.
 *
 * Source of both lists: node's own table (`options` of lib/internal/options.js: an option of type kInteger or later
 * takes a value, `envVarSettings` 1 is not allowed in NODE_OPTIONS), read in Node 20.20, 22.23, 24.21 and 26.10.
 */
import { spawnSync } from 'node:child_process';

/** Their value is the next word, unless it follows a `=`. V8's own options take theirs only after a `=`. */
const withValue = new Set(
  `-C --conditions -r --require --import --loader --experimental-loader --env-file --env-file-if-exists
  --inspect-port --debug-port --inspect-publish-uid --title --disable-warning --unhandled-rejections
  --dns-result-order --max-http-header-size --network-family-autoselection-attempt-timeout --redirect-warnings
  --trace-require-module --experimental-default-type --experimental-config-file --experimental-package-map
  --experimental-policy --policy-integrity --localstorage-file --input-type --snapshot-blob --disable-proto
  --allow-fs-read --allow-fs-write --vfs-load --vfs-mount --security-revert --security-reverts
  --cpu-prof-dir --cpu-prof-interval --cpu-prof-name --heap-prof-dir --heap-prof-interval --heap-prof-name
  --heapsnapshot-near-heap-limit --heapsnapshot-signal --diagnostic-dir
  --report-dir --report-directory --report-filename --report-signal
  --trace-event-categories --trace-event-file-pattern
  --tls-cipher-list --tls-keylog --openssl-config --secure-heap --secure-heap-min
  --icu-data-dir --use-largepages --v8-pool-size --max-old-space-size-percentage`.split(/\s+/),
);

/** Real options that `process.allowedNodeEnvironmentFlags` does not list, in one of the four versions at least. */
const notInNodeOptions = new Set(
  `--env-file --env-file-if-exists --prof --expose-internals --inspect-brk-node --security-revert --security-reverts
  --cpu-prof --cpu-prof-dir --cpu-prof-interval --cpu-prof-name --vfs-load
  --experimental-config-file --experimental-default-config-file
  --experimental-network-inspection --experimental-inspector-network-resource
  --experimental-storage-inspection --experimental-worker-inspection`.split(/\s+/),
);

/** With these node does something else than run a file, so hotrun has nothing to reload. */
const senseless: Readonly<Record<string, string>> = {
  '--eval': 'runs code from the command line',
  '--print': 'runs code from the command line',
  '-p': 'runs code from the command line',
  '-pe': 'runs code from the command line',
  '--check': 'only checks the syntax',
  '-c': 'only checks the syntax',
  '--interactive': 'opens a prompt',
  '--run': 'runs a script of package.json',
  '--build-snapshot': 'builds a snapshot',
  '--build-snapshot-config': 'builds a snapshot',
  '--build-sea': 'builds an executable',
  '--experimental-sea-config': 'builds an executable',
  '--prof-process': 'evaluates a profile',
  '--v8-options': 'prints a list of options',
  '--completion-bash': 'prints a completion script',
};

/** What an option is called without its value; node takes `_` for `-`. */
export function nameOf(word: string): string {
  const name = word.startsWith('--') ? (word.split('=', 1)[0] ?? '') : word;
  return name.startsWith('--') ? name.replaceAll('_', '-') : name;
}

/** Why an option of node cannot be used under hotrun, as a sentence; undefined for all others. */
export function whyNot(word: string): string | undefined {
  const name = nameOf(word);
  if (/^--(no-)?watch(-|$)/.test(name))
    return `${name} belongs to node's own watch mode and makes no sense under hotrun, which watches by itself`;
  const does = /^--(experimental-)?(test|bench)(-|$)/.test(name) ? 'runs tests or benchmarks' : senseless[name];
  return does && `${name} makes no sense under hotrun: with it node ${does}, and hotrun runs a file`;
}

/** Whether this node knows the option. Asks a node process for V8's options, so it takes some 20 ms for unknown ones. */
export function isNodeOption(word: string): boolean {
  const name = nameOf(word);
  return process.allowedNodeEnvironmentFlags.has(name) || notInNodeOptions.has(name) || isV8Option(name);
}

export const takesValue = (word: string): boolean => withValue.has(nameOf(word));

/** For suggestions: all we know without asking. */
export const knownNodeOptions = (): string[] =>
  [...process.allowedNodeEnvironmentFlags, ...notInNodeOptions].filter((name) => whyNot(name) === undefined);

function isV8Option(name: string): boolean {
  if (!name.startsWith('--')) return false;
  const { stdout } = spawnSync(process.execPath, ['--v8-options'], {
    encoding: 'utf8',
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  const listed = new Set(
    [...(stdout ?? '').matchAll(/^ {2}--([a-z0-9_-]+)/gm)].map(([, found]) => nameOf(`--${found}`)),
  );
  // V8 takes `--no-flag` and `--noflag`.
  return listed.has(name) || listed.has(name.replace(/^--no-?/, '--'));
}

/** The words of one node option, from `words[index]` on: itself, and its value where that is the next word; undefined when it is missing. */
export function takeNodeOption(words: readonly string[], index: number): readonly string[] | undefined {
  const word = words[index] ?? '';
  if (!takesValue(word) || word.includes('=')) return [word];
  const value = words[index + 1];
  // As node does: a value that begins with a dash must follow a `=`.
  return value === undefined || value.startsWith('-') ? undefined : [word, value];
}

const ENV_FILES = new Set(['--env-file', '--env-file-if-exists']);

/** Takes the options that name env files out of node's others; both in their order. */
export function takeEnvFiles(nodeArgs: readonly string[]): {
  readonly envFiles: readonly { readonly path: string; readonly isOptional: boolean }[];
  readonly rest: readonly string[];
} {
  const envFiles: { path: string; isOptional: boolean }[] = [];
  const rest: string[] = [];
  for (let index = 0; index < nodeArgs.length; ) {
    const words = takeNodeOption(nodeArgs, index) ?? nodeArgs.slice(index, index + 1);
    const [word = '', value = word.slice(word.indexOf('=') + 1)] = words;
    if (ENV_FILES.has(nameOf(word)))
      envFiles.push({ path: value, isOptional: nameOf(word) === '--env-file-if-exists' });
    else rest.push(...words);
    index += words.length;
  }
  return { envFiles, rest };
}

/** Options whose value is a path or, for `module`, the name of a package or a path that begins with a dot. */
const paths: Readonly<Record<string, 'module' | 'file'>> = {
  '-r': 'module',
  '--require': 'module',
  '--import': 'module',
  '--loader': 'module',
  '--experimental-loader': 'module',
  '--env-file': 'file',
  '--env-file-if-exists': 'file',
};

/** Node options with each relative path in them replaced by `move(path)`. */
export function movePaths(nodeArgs: readonly string[], move: (path: string) => string): readonly string[] {
  const moved = (kind: 'module' | 'file', value: string) =>
    kind === 'file' || /^\.\.?(\/|\\|$)/.test(value) ? move(value) : value;
  return nodeArgs.map((word, index) => {
    const equals = word.indexOf('=');
    const own = word.startsWith('--') && equals !== -1 ? paths[nameOf(word)] : undefined;
    if (own) return `${word.slice(0, equals + 1)}${moved(own, word.slice(equals + 1))}`;
    const before = nodeArgs[index - 1];
    const kind = before === undefined || before.includes('=') ? undefined : paths[nameOf(before)];
    return kind ? moved(kind, word) : word;
  });
}
