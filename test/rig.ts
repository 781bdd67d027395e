/**
 * The rig for tests against the real thing: a project in a folder of its own, hotrun started on it as a person would, and
 * what both did. Nothing here sleeps to let something happen: every wait is for a fact, with a limit.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const HOTRUN = fileURLToPath(new URL('../bin/hotrun.js', import.meta.url));

/** How long a fact is waited for, in ms: only a failing test waits that long. */
const LIMIT_MS = 20_000;
const LOOK_MS = 5;

/** Waits until `look` gives something other than undefined, null or false. */
export async function until<T>(
  what: string,
  look: () => T | undefined | null | false | Promise<T | undefined | null | false>,
): Promise<T> {
  const end = performance.now() + LIMIT_MS;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== null && found !== false) return found;
    if (performance.now() > end) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

export interface Project {
  readonly dir: string;
  path(file: string): string;
  read(file: string): string;
  /** Truncates and writes, as `echo >` does. */
  write(file: string, text: string): void;
  /** Writes a new file outside the project and renames it over the old one. */
  replace(file: string, text: string): void;
  remove(file: string): void;
  close(): void;
}

/** @param files text by path; package.json defaults to an ECMAScript module package */
export function makeProject(files: Readonly<Record<string, string>>): Project {
  const top = realpathSync(mkdtempSync(join(tmpdir(), 'hotrun-test-')));
  const dir = join(top, 'app');
  const path = (file: string): string => join(dir, file);
  const write = (file: string, text: string): void => {
    mkdirSync(dirname(path(file)), { recursive: true });
    writeFileSync(path(file), text);
  };
  for (const [file, text] of Object.entries({ 'package.json': '{ "type": "module" }', ...files })) write(file, text);
  return {
    dir,
    path,
    read: (file) => readFileSync(path(file), 'utf8'),
    write,
    replace(file, text) {
      const temporary = join(top, 'new');
      writeFileSync(temporary, text);
      renameSync(temporary, path(file));
    },
    remove: (file) => rmSync(path(file), { recursive: true, force: true }),
    close: () => rmSync(top, { recursive: true, force: true }),
  };
}

/** Below the ports that the kernel gives to outgoing connections (32768 on Linux, 49152 elsewhere). */
const PORTS = { first: 10_000, last: 32_767 };

/**
 * A port that was free a moment ago. None that `listen(0)` would give: until the app listens, a client of a test that runs
 * beside this one may be given the same for its end of a connection, and then nobody can listen there.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = PORTS.first + Math.floor(Math.random() * (PORTS.last - PORTS.first + 1));
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once('error', () => resolve(false));
    server.listen(port, () => server.close(() => resolve(true)));
  });
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface Started {
  readonly pid: number;
  readonly child: ChildProcess;
  /** All that was written so far. */
  stdout(): string;
  stderr(): string;
  /** Waits until stderr or stdout holds the pattern; the search begins after what the last `seen` found there. */
  seen(pattern: RegExp, stream?: 'stdout' | 'stderr'): Promise<RegExpExecArray>;
  kill(signal: NodeJS.Signals): void;
  readonly ended: Promise<Ended>;
  /** Every process that was started by this run and is alive, hotrun itself included; zombies do not count. */
  processes(): number[];
  /** Ends all of them. */
  close(): Promise<void>;
}

export interface StartOptions {
  /** The Node.js to run it with. */
  readonly node?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: 'ignore' | 'pipe';
}

const running = new Set<Started>();
let serial = 0;

/** Starts `hotrun ...args` in the project. */
export function start(project: Project, args: readonly string[], options: StartOptions = {}): Started {
  return launch(project, [options.node ?? process.execPath, HOTRUN, ...args], options);
}

/** Starts any command in the project, watched as `start` does. */
export function launch(
  project: Project,
  argv: readonly string[],
  { env, stdin = 'ignore' }: StartOptions = {},
): Started {
  // Descendants are found by what they inherit in their environment, so that orphans are found too.
  const mark = `${process.pid}-${serial++}`;
  const { NODE_OPTIONS: _, VITEST: __, FORCE_COLOR: ___, ...inherited } = process.env;
  // What .ci/run tells the tests is not for the app. With CI set Node believes in no colours (lib/internal/tty.js).
  for (const name of Object.keys(inherited)) if (name === 'CI' || name.startsWith('HOTRUN')) delete inherited[name];
  const child = spawn(argv[0] ?? '', argv.slice(1), {
    cwd: project.dir,
    env: { ...inherited, NO_COLOR: '1', ...env, RIG_MARK: mark },
    stdio: [stdin, 'pipe', 'pipe'],
    detached: true,
  });
  const text = { stdout: '', stderr: '' };
  const at = { stdout: 0, stderr: 0 };
  for (const name of ['stdout', 'stderr'] as const)
    child[name]?.setEncoding('utf8').on('data', (part: string) => {
      text[name] += part;
    });
  const ended = new Promise<Ended>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  const processes = (): number[] => pidsMarked(mark);
  const started: Started = {
    pid: child.pid ?? 0,
    child,
    stdout: () => text.stdout,
    stderr: () => text.stderr,
    async seen(pattern, stream = 'stderr') {
      try {
        return await until(`${pattern} on ${stream}`, () => {
          const found = pattern.exec(text[stream].slice(at[stream]));
          if (found) at[stream] += found.index + found[0].length;
          return found;
        });
      } catch (error) {
        throw new Error(`${(error as Error).message}; stderr was:\n${text.stderr}\nstdout was:\n${text.stdout}`);
      }
    },
    kill: (signal) => void child.kill(signal),
    ended,
    processes,
    async close() {
      running.delete(started);
      await until('the end of what was started', () => {
        const left = processes();
        for (const pid of left) kill(pid);
        return left.length === 0;
      });
      await ended;
    },
  };
  running.add(started);
  return started;
}

/** For afterEach: nothing that a test started outlives it. */
export async function closeAll(): Promise<void> {
  await Promise.all([...running].map((started) => started.close()));
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has just gone.
  }
}

function pidsMarked(mark: string): number[] {
  return readdirSync('/proc').flatMap((name) => {
    const pid = Number(name);
    if (!Number.isInteger(pid)) return [];
    try {
      if (!readFileSync(`/proc/${pid}/environ`, 'latin1').includes(`RIG_MARK=${mark}\0`)) return [];
      const state = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').pop()?.[0];
      return state === 'Z' || state === 'X' ? [] : [pid];
    } catch {
      return [];
    }
  });
}

/** Its words, each ended by a zero byte; empty if it is gone. */
export function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1');
  } catch {
    return '';
  }
}

export type Answer = { readonly status: number; readonly body: string } | { readonly failed: string };

/** One GET over a connection of its own, never tried again. `failed` is the system's error code, TIMEOUT or CUT. */
export function get(port: number, path = '/', host = '127.0.0.1'): Promise<Answer> {
  return new Promise((resolve) => {
    let text = '';
    const socket = net.connect({ port, host, noDelay: true });
    const end = (answer: Answer): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    const timer = setTimeout(() => end({ failed: 'TIMEOUT' }), LIMIT_MS);
    socket.setEncoding('latin1');
    socket.on('connect', () =>
      socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost:${port}\r\nConnection: close\r\n\r\n`),
    );
    socket.on('data', (part: string) => {
      text += part;
    });
    socket.on('end', () => {
      const found = /^HTTP\/1\.1 (\d+).*?\r\n\r\n(.*)$/s.exec(text);
      end(found ? { status: Number(found[1]), body: unchunked(text, found[2] ?? '') } : { failed: 'CUT' });
    });
    socket.on('error', (error: NodeJS.ErrnoException) => end({ failed: error.code ?? error.message }));
  });
}

function unchunked(head: string, body: string): string {
  if (!/^transfer-encoding: chunked/im.test(head)) return body;
  let rest = body;
  let whole = '';
  for (let size = Number.parseInt(rest, 16); size > 0; size = Number.parseInt(rest, 16)) {
    const from = rest.indexOf('\r\n') + 2;
    whole += rest.slice(from, from + size);
    rest = rest.slice(from + size + 2);
  }
  return whole;
}

/** Waits until the app answers with this body. */
export const answers = (port: number, body: string, path = '/'): Promise<true> =>
  until(`the answer ${JSON.stringify(body)} on port ${port}`, async () => {
    const answer = await get(port, path);
    return 'body' in answer && answer.body === body ? true : undefined;
  });

/** A server whose answer is the marker in marker.ts: `m0` at first. */
export const SERVER: Readonly<Record<string, string>> = {
  'src/server.ts': `import { createServer } from 'node:http';
import { marker } from './marker.ts';
createServer((_request, response) => response.end(marker)).listen(Number(process.env.PORT), '127.0.0.1');
`,
  'src/marker.ts': markerSource('m0'),
};
export function markerSource(marker: string): string {
  return `export const marker: string = '${marker}';\n`;
}
