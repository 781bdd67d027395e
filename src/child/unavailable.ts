/**
 * The stand-in while nobody serves: requests get an honest 503 that names the error, and the listener is never closed. It
 * is a generation of its own kind, outside the machine: it comes when the app has been gone for a while, and leaves when the
 * next generation is activated.
 */
import { fileURLToPath } from 'node:url';
import type { StandIn } from '../runtime/messages.ts';
import type { Run } from './generation.ts';
import type { Ledger } from './ledger.ts';
import { bootNode, type Means } from './node.ts';

const ENTRY = fileURLToPath(new URL('./runtime/unavailable.cjs', import.meta.url));

export interface Unavailable {
  /** Answers requests with `text` on every socket that spoke HTTP. */
  start(text: string): void;
  /** Gives its connections away and ends. */
  stop(): void;
  /** Resolves when it is gone, if there was one. */
  gone(): Promise<void>;
  /** Ends it, and resolves when it is gone. */
  close(): Promise<void>;
}

export function openUnavailable(means: Omit<Means, 'host' | 'isTransient'>): Unavailable {
  let current: { readonly run: Run; readonly gone: Promise<void> } | null = null;
  return {
    start(text) {
      const listens = listensOf(means.ledger);
      if (current || listens.length === 0) return;
      const standIn: StandIn = { text, listens };
      const program = {
        kind: 'node',
        entry: ENTRY,
        main: ENTRY,
        nodeArgs: [],
        args: [JSON.stringify(standIn)],
      } as const;
      let tellGone = (): void => {};
      const gone = new Promise<void>((resolve) => {
        tellGone = resolve;
      });
      const booted = bootNode({
        ...means,
        config: { ...means.config, program, envFiles: [], nodeOptions: process.env.NODE_OPTIONS ?? null },
        isTransient: true,
        host: {
          emit(event) {
            if (event.type === 'prepared') run.activate();
            if (event.type === 'drained' || event.type === 'exited') run.signal('SIGKILL');
            if (event.type === 'gone') {
              if (current?.run === run) current = null;
              tellGone();
            }
          },
          // It is a package's file, not the project's: Node loads it by itself.
          answers: {
            pack: async () => NOTHING,
            load: async () => ({ head: { format: null }, body: Buffer.alloc(0) }),
            resolve: () => ({ file: null }),
            offshoot: () => NO_OFFSHOOT,
            check: async () => true,
            explain: async () => {},
            found() {},
            missing() {},
            foresight: async () => ({ packages: [], ahead: false }),
            preloaded() {},
            ahead: async () => ({ ...NOTHING, token: { era: 0, hashes: new Map() } }),
            isCurrent: () => true,
            tookAhead() {},
            codeCache: () => null,
          },
          onLoaded() {},
          onRead() {},
          onListed() {},
          onPackages() {},
          onRefused() {},
          onListening() {},
          onDraining() {},
          onUnstartable() {},
          onTrouble() {},
        },
      });
      const run = booted.assign(0);
      current = { run, gone };
    },
    stop: () => current?.run.drain(),
    gone: async () => current?.gone,
    async close() {
      current?.run.signal('SIGKILL');
      await current?.gone;
    },
  };
}

const NOTHING = { head: { modules: [], resolved: {}, packages: {}, bare: false }, body: Buffer.alloc(0) };

const NO_OFFSHOOT = {
  pack: () => NOTHING,
  load: async () => ({ head: { format: null }, body: NOTHING.body }),
  loaded() {},
};

/** The keys of the ledger as arguments of `listen` (runtime/listen.ts makes them). */
function listensOf(ledger: Ledger): StandIn['listens'] {
  return ledger.http().map((key): StandIn['listens'][number] => {
    const [, type, host = '', port] = /^(-1|4|6)\|(.*)\|(-?\d+)(?:#\d+)?$/s.exec(key) ?? [];
    if (type === '-1') return { path: host };
    return host === '' ? { port: Number(port) } : { port: Number(port), host };
  });
}
