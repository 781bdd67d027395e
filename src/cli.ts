/**
 * From the words of the command line to a session and back to an exit code. The only file that handles signals and exits.
 *
 * The app's process is spawned first, and boots while the rest of hotrun is loaded.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { codeCacheFolder } from './build/codecache.ts';
import { setOut } from './child/outset.ts';
import { leaveInspector } from './child/own.ts';
import { parseArgv } from './config/argv.ts';
import { readConfig } from './config/read.ts';
import { codeOf, limitOf, messageOf, UserError } from './errors.ts';
import type { Session, SessionHost } from './session.ts';
import type { Terminal } from './terminal/index.ts';

/** Built beside this file. */
const SESSION = './session.cjs';
const TERMINAL = './terminal.cjs';
const require = createRequire(import.meta.url);
const loadSession = (): typeof import('./session.ts') => require(SESSION);
const loadTerminal = (): typeof import('./terminal/index.ts') => require(TERMINAL);

const QUITS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

async function main(argv: readonly string[]): Promise<number> {
  const cwd = process.cwd();
  const open = (level: 'quiet' | 'normal' | 'verbose') =>
    loadTerminal().openTerminal({ stream: process.stderr, level, cwd, env: process.env });
  try {
    const parsed = await parseArgv(argv);
    if (parsed.kind === 'help') return print(parsed.text);
    if (parsed.kind === 'version') return print(version());
    const { NODE_OPTIONS: nodeOptions = null } = process.env;
    const reread = () => readConfig(parsed, cwd, nodeOptions);
    const readAt = Date.now();
    const config = reread();
    leaveInspector(config);
    let session: Session | undefined;
    // Before there is something to end. No signal is heard of before the session is open, for nothing here waits.
    for (const [signal, code] of Object.entries(QUITS)) process.on(signal, () => session?.emit({ type: 'quit', code }));
    if (process.platform !== 'win32') process.on('SIGUSR2', () => session?.emit({ type: 'restart' }));
    process.on('SIGWINCH', () => session?.resized());
    const outset = setOut(config, codeCacheFolder(config.root));
    const terminal = open(config.log);
    process.on('uncaughtException', (error) => {
      // The guardian ends what we can no longer end properly.
      process.exit(tell(terminal, error));
    });
    // The terminal is asked before the app can change it, and answers while the app boots.
    let restore = (): void => {};
    void loadTerminal()
      .saveTty()
      .then((restoreTty) => {
        restore = restoreTty;
      });
    const host: SessionHost = { version: version(), terminal, reread, restoreTty: () => restore() };
    const { openSession } = loadSession();
    session = openSession({ config, readAt }, 0, host, outset);
    for (;;) {
      const end = await session.ended;
      if (typeof end === 'number') return end;
      terminal.level(end.config.log);
      session = openSession(end, end.readAt - performance.timeOrigin, host, null);
    }
  } catch (error) {
    return tell(open('normal'), error);
  }
}

/** What ends hotrun; gives its exit code. */
function tell(terminal: Terminal, error: unknown): number {
  const limit = limitOf(codeOf(error));
  if (limit === null && !(error instanceof UserError)) {
    terminal.say({ type: 'bug', error });
    return 70;
  }
  terminal.say({ type: 'usage', sentence: limit ?? messageOf(error) });
  return error instanceof UserError ? error.exitCode : 1;
}

function print(text: string): number {
  process.stdout.write(`${text.trimEnd()}\n`);
  return 0;
}

const version = (): string => JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version;

void main(process.argv.slice(2)).then((code) => process.exit(code));
