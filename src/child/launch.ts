/** How a Node.js process with our runtime in it is started: its arguments, its descriptors, and what it is told at once. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Config } from '../config/config.ts';
import { BOOT_VARIABLE, type Boot, INTERNALS_FLAG, type Preload } from '../runtime/messages.ts';
import type { Desk, Place } from './desk.ts';
import { readEnvironment } from './envfiles.ts';
import { splitInspect } from './inspect.ts';
import type { Ledger } from './ledger.ts';

const RUNTIME = fileURLToPath(new URL('./runtime/', import.meta.url));
const START = 'start.cjs';
/** Descriptors of a generation: the terminal's three, the IPC channel, the question, and what follows. */
export const QUESTION = 4;
/** There the hooks need no thread of their own, unless a loader of the user's has one before they come. */
const HAS_INTERNALS = process.versions.node.startsWith('20.');

/** Flags that make node run code of the user's before the entry. */
const PRELOADS = /^(?:-r|--require|--import|--loader|--experimental-loader)(?:=|$)/;
/** Of these, the flags for which Node starts its thread of hooks. */
const LOADER = /^--(?:experimental-)?loader(?:=|$)/;

export type NodeConfig = Config & { readonly program: { readonly kind: 'node' } };
export const isNode = (config: Config): config is NodeConfig => config.program.kind === 'node';

/** What a standby does while it waits. */
export interface Foresight {
  /** Packages to be loaded before the entry. */
  readonly packages: readonly Preload[];
  /** Load what is not being edited. */
  readonly ahead: boolean;
}

export interface Launched {
  readonly child: ChildProcess;
  readonly place: Place;
}

/**
 * @param codeCache the folder of V8's code cache, or null to do without
 * @param foresight for a standby; null: it is its turn already
 */
export function launch(
  config: NodeConfig,
  { ledger, desk }: { readonly ledger: Ledger; readonly desk: Desk },
  codeCache: string | null,
  foresight: Foresight | null,
): Launched {
  const { entry, main, args } = config.program;
  const environment = readEnvironment(config.envFiles);
  // Node takes those of a file only where the shell has none, be they empty.
  const given = config.nodeOptions ?? environment.variables.NODE_OPTIONS ?? '';
  const { inspect, nodeArgs, nodeOptions } = splitInspect(config.program.nodeArgs, given);
  const isChanged = nodeOptions !== given;
  const place = desk.place(inspect !== null);
  const flags = [...nodeArgs, ...nodeOptions.split(/\s+/)];
  const isEarly = flags.some((flag) => PRELOADS.test(flag));
  const sockets = ledger.sockets();
  const boot: Boot = {
    entry: main,
    question: QUESTION,
    sockets: Object.fromEntries(sockets.map(({ key }, index) => [key, QUESTION + 1 + index])),
    warm: foresight ? ledger.builtins() : [],
    // What the user preloads may have to come before any package.
    preload: (!isEarly && foresight?.packages) || [],
    ahead: !isEarly && foresight?.ahead === true,
    codeCache: inspect ? null : codeCache,
    early: isEarly,
    reads: config.watchReads ? config.root : null,
    inspect,
    nodeOptions: isChanged ? given : null,
  };
  const hasLoader = flags.some((flag) => LOADER.test(flag));
  const internals = HAS_INTERNALS && !hasLoader ? [INTERNALS_FLAG] : [];
  const runtime = `${RUNTIME}${place.folder}${START}`;
  const words = [...internals, '--require', runtime, ...environment.nodeArgs, ...nodeArgs, entry, ...args];
  const child = spawn(process.execPath, words, {
    cwd: config.cwd,
    // What process.title and ps show: as the user's own `node` would, not as the path behind it.
    argv0: process.argv0,
    env: {
      ...process.env,
      ...(isChanged && { NODE_OPTIONS: nodeOptions }),
      HOTRUN: '1',
      [BOOT_VARIABLE]: JSON.stringify(boot),
    },
    // A group of its own: the terminal's Ctrl-C reaches hotrun alone, so that there is one path for signals.
    detached: process.platform !== 'win32',
    stdio: ['inherit', 'inherit', 'inherit', 'ipc', 'pipe', ...sockets.map(({ fd }) => fd)],
  });
  return { child, place };
}
