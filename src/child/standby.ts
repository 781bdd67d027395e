/**
 * The standby: a process that boots while the current generation serves, and waits, silent and idle, for the question it
 * has asked to be answered. A save finds Node and the runtime up already.
 *
 * Of a large app there are two: one that holds the modules that are not being edited, and a plain one for the save that
 * is to one of those.
 */

import type { Foresight } from './launch.ts';
import type { Ledger } from './ledger.ts';
import type { Booted } from './node.ts';

export interface Standby<Process extends Booted> {
  /** One will be needed: boots it, or one with today's sockets, when the machine has had a moment for the app. */
  want(): void;
  /** A standby that has inherited all the sockets that there are, and holds nothing that has changed, if there is one. */
  take(): Process | null;
  /**
   * What it was booted with is out of date. The next one comes when this was not said again for a while, the longer the more
   * often one was booted for nothing: a package that is being installed or built, or that writes what it is made of.
   */
  renew(): void;
  /** Ends it, and resolves when it is gone, and with it what it has inherited. */
  discard(): Promise<void>;
  /** The same, for good. */
  close(): Promise<void>;
}

/**
 * How long the app has the machine to itself after its start, in ms. In that time it also writes V8's code cache, with more
 * in it than a standby would (runtime/codecache.ts).
 */
const MOMENT_MS = 60;
/** After a standby has died: how long until the next, doubled each time, in ms. */
const BACKOFF_MS = 500;
const BACKOFF_MAX_MS = 60_000;
/** One that lasts this much longer than the pause before it was not booted for nothing, in ms. */
const CALM_MS = 10_000;

/**
 * How long nothing may be out of date before the next one is booted, in ms.
 * @param pauseMs the last time
 * @param lastedMs since then, the pause included
 */
export const pauseAfter = (pauseMs: number, lastedMs: number): number =>
  lastedMs < pauseMs + CALM_MS ? Math.min(pauseMs * 2, BACKOFF_MAX_MS) : MOMENT_MS;

type Slot = 'plain' | 'ahead';

interface Kept<Process> {
  readonly process: Process;
  /** It has nothing left to do. */
  isWaiting: boolean;
}

/** @param prepare finds out what the standby is to be booted with, or null if it cannot be; never rejects */
export function openStandby<Process extends Booted>(
  prepare: () => Promise<Foresight | null>,
  boot: (foresight: Foresight) => Process,
  ledger: Pick<Ledger, 'count'>,
): Standby<Process> {
  const slots = new Map<Slot, Kept<Process>>();
  let timer: NodeJS.Timeout | undefined;
  let deaths = 0;
  let isClosed = false;
  let isStarting = false;
  /** Nobody has taken one since it was wanted. */
  let isWanted = false;
  /** How long nothing may be out of date before the next one, and when something was last, in ms. */
  let pauseMs = MOMENT_MS;
  let renewedAt = Number.NEGATIVE_INFINITY;
  /** Those that were thrown away and are not gone yet. */
  const leaving = new Set<Promise<void>>();

  const after = (ms: number): void => {
    isWanted = true;
    clearTimeout(timer);
    timer = setTimeout(start, ms);
  };
  const start = async (): Promise<void> => {
    if (isClosed || isStarting) return;
    isStarting = true;
    const foresight = await prepare();
    isStarting = false;
    if (isClosed || !isWanted || !foresight) return;
    // Booted before the app listened to all that it listens to, or before something was saved.
    for (const [slot, { process }] of slots) if (!fits(process)) end(slot);
    if (!slots.has('plain')) fill('plain', { ...foresight, ahead: false });
    else if (foresight.ahead && !slots.has('ahead')) fill('ahead', foresight);
  };
  const fits = (process: Process): boolean => process.count === ledger.count && process.isCurrent();
  const fill = (slot: Slot, foresight: Foresight): void => {
    const process = boot(foresight);
    const kept: Kept<Process> = { process, isWaiting: false };
    slots.set(slot, kept);
    process.onWaiting(() => {
      if (kept.isWaiting) return;
      kept.isWaiting = true;
      // One after the other.
      if (isWanted && slots.get(slot) === kept) after(0);
    });
    process.onLost(() => {
      if (slots.get(slot) !== kept) return;
      slots.delete(slot);
      // It costs the user nothing but speed.
      after(Math.min(BACKOFF_MS * 2 ** deaths++, BACKOFF_MAX_MS));
    });
  };
  const end = (slot: Slot): void => {
    const process = slots.get(slot)?.process;
    if (!process) return;
    slots.delete(slot);
    const gone = new Promise<void>((resolve) => {
      process.onLost(resolve);
    });
    leaving.add(gone);
    void gone.then(() => leaving.delete(gone));
    process.kill();
  };
  const discard = async (): Promise<void> => {
    for (const slot of slots.keys()) end(slot);
    await Promise.all(leaving);
  };

  return {
    discard,
    want: () => after(MOMENT_MS),
    take() {
      isWanted = false;
      pauseMs = MOMENT_MS;
      clearTimeout(timer);
      for (const [slot, { process }] of slots) if (!fits(process)) end(slot);
      const ahead = slots.get('ahead');
      const slot: Slot = ahead && (ahead.isWaiting || !slots.has('plain')) ? 'ahead' : 'plain';
      const taken = slots.get(slot);
      if (!taken) return null;
      slots.delete(slot);
      deaths = 0;
      return taken.process;
    },
    renew() {
      if (slots.size > 0) {
        const now = performance.now();
        pauseMs = pauseAfter(pauseMs, now - renewedAt);
        renewedAt = now;
        void discard();
      } else if (!isWanted) return;
      after(pauseMs);
    },
    async close() {
      isClosed = true;
      clearTimeout(timer);
      await discard();
    },
  };
}
