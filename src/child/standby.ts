/**
 * The standby: a process that boots while the current generation serves, and waits, silent and idle, for the question it
 * has asked to be answered. A save finds Node and the runtime up already.
 */
import type { Ledger } from './ledger.ts';
import type { Booted } from './node.ts';

export interface Standby<Process extends Booted> {
  /** One will be needed: boots it, or one with today's sockets, when the machine has had a moment for the app. */
  want(): void;
  /** The standby, if there is one that has inherited all the sockets that there are. */
  take(): Process | null;
  /** What it was booted with is out of date. */
  renew(): void;
  /** Ends it, and resolves when it is gone, and with it what it has inherited. */
  discard(): Promise<void>;
  /** The same, for good. */
  close(): Promise<void>;
}

/** How long the app has the machine to itself after its start, in ms. */
const MOMENT_MS = 30;
/** After a standby has died: how long until the next, doubled each time, in ms. */
const BACKOFF_MS = 500;
const BACKOFF_MAX_MS = 60_000;

/** @param prepare finds out what the standby is to be booted with; never rejects */
export function openStandby<Process extends Booted, Preparation>(
  prepare: () => Promise<Preparation>,
  boot: (preparation: Preparation) => Process,
  ledger: Pick<Ledger, 'count'>,
): Standby<Process> {
  let standby: Process | null = null;
  let timer: NodeJS.Timeout | undefined;
  let deaths = 0;
  let isClosed = false;
  let isStarting = false;
  /** Nobody has taken one since it was wanted. */
  let isWanted = false;
  /** Those that were thrown away and are not gone yet. */
  const leaving = new Set<Promise<void>>();

  const after = (ms: number): void => {
    isWanted = true;
    clearTimeout(timer);
    timer = setTimeout(start, ms);
  };
  const start = async (): Promise<void> => {
    if (isClosed || isStarting || standby?.count === ledger.count) return;
    isStarting = true;
    const ready = await prepare();
    isStarting = false;
    if (isClosed || !isWanted) return;
    // It was booted before the app listened to all that it listens to.
    if (standby) end(standby);
    const booted = boot(ready);
    standby = booted;
    booted.onLost(() => {
      if (standby !== booted) return;
      standby = null;
      // It costs the user nothing but speed.
      after(Math.min(BACKOFF_MS * 2 ** deaths++, BACKOFF_MAX_MS));
    });
  };
  const end = (booted: Booted): void => {
    const gone = new Promise<void>((resolve) => {
      booted.onLost(resolve);
    });
    leaving.add(gone);
    void gone.then(() => leaving.delete(gone));
    booted.kill();
  };

  const discard = async (): Promise<void> => {
    if (standby) end(standby);
    standby = null;
    await Promise.all(leaving);
  };

  return {
    discard,
    want: () => after(MOMENT_MS),
    take() {
      isWanted = false;
      clearTimeout(timer);
      const taken = standby;
      standby = null;
      if (!taken) return null;
      deaths = 0;
      if (taken.count === ledger.count) return taken;
      end(taken);
      return null;
    },
    renew() {
      if (!standby) return;
      void discard();
      after(MOMENT_MS);
    },
    async close() {
      isClosed = true;
      clearTimeout(timer);
      await discard();
    },
  };
}
