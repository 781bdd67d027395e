/** The sockets that a generation has no use for: they are given up, so that clients are refused as without hotrun. */
import type { Ledger } from './ledger.ts';

/** How long a socket that the app has closed is kept for it to listen again, in ms. */
const CLOSED_MS = 500;

/** How long after its start a generation has time to listen to a socket that it has inherited, in ms. */
const UNUSED_MS = 5000;

/** How long the copy of a socket is waited for that is under way, in ms. */
const ARRIVAL_MS = 100;

export interface Surroundings {
  readonly ledger: Ledger;
  /** The channel by which copies of sockets come is open. */
  isConnected(): boolean;
  /** A socket has been closed: the generation closes its own. */
  onDrop(key: string): void;
  /** Resolves when no process is left that was spawned with a socket which the ledger has closed. */
  released(): Promise<void>;
  /** No other generation lives, whose sockets they might be. */
  isAlone(): boolean;
}

export interface Unused {
  /** The generation listens to it. */
  uses(key: string): void;
  /** The app has closed it. */
  closed(key: string): void;
  /** It has started: what it does not listen to in a while is what only older code listened to. */
  started(): void;
  /** Sockets that it does not use stand in its way. Resolves when nobody holds them. */
  release(keys: readonly string[]): Promise<void>;
  /** It is about to end: it gives up nothing more. */
  stop(): void;
  /** What it has listened to. */
  readonly used: ReadonlySet<string>;
}

export function openUnused({ ledger, isConnected, onDrop, released, isAlone }: Surroundings): Unused {
  const used = new Set<string>();
  /** By key; that of `started` by the empty one. */
  const timers = new Map<string, NodeJS.Timeout>();
  let isStopping = false;

  const drop = (key: string): void => {
    ledger.drop(key);
    onDrop(key);
  };
  /** It has told of the socket, whose copy comes by another way. */
  const arrived = async (key: string): Promise<void> => {
    for (let waited = 0; !ledger.get(key) && isConnected() && waited < ARRIVAL_MS; waited++)
      await new Promise((resolve) => setTimeout(resolve, 1));
  };
  const dropUnused = (): void => {
    // An app that has not listened to anything yet may be about to.
    if (used.size > 0) for (const { key } of ledger.sockets()) if (!used.has(key)) drop(key);
  };
  return {
    used,
    uses(key) {
      clearTimeout(timers.get(key));
      used.add(key);
    },
    closed(key) {
      if (isStopping) return;
      clearTimeout(timers.get(key));
      timers.set(
        key,
        setTimeout(() => drop(key), CLOSED_MS),
      );
    },
    started: () => void timers.set('', setTimeout(dropUnused, UNUSED_MS)),
    async release(keys) {
      if (!isAlone()) return;
      for (const key of keys) {
        await arrived(key);
        ledger.drop(key);
      }
      await released();
    },
    stop() {
      isStopping = true;
      for (const timer of timers.values()) clearTimeout(timer);
    },
  };
}
