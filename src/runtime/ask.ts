/** Synchronous questions over an inherited descriptor. Threads that share one take turns: they would garble each other. */
import { readSync, writeSync } from 'node:fs';
import type { Question, Told } from './messages.ts';

export interface Answer<Head> {
  readonly head: Head;
  readonly body: Buffer;
}

export interface Asker {
  ask<Head>(question: Question): Answer<Head>;
  tell(told: Told): void;
}

/** How long the guardian has to end this process when hotrun is gone, before it ends itself, in ms. */
export const ORPHAN_MS = 600;

/**
 * hotrun is gone, and there is no answer to go on with. The guardian has to find this process alive, to find what it has
 * started; so it waits for its end.
 */
function awaitEnd(): never {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ORPHAN_MS);
  process.kill(process.pid, 'SIGKILL');
  return process.exit(1);
}

/** For threads that share a descriptor. */
export const makeTurns = (): Int32Array => new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));

/** Waits until no other thread has its turn. */
function takeTurn<T>(turns: Int32Array, run: () => T): T {
  while (Atomics.compareExchange(turns, 0, 0, 1) !== 0) Atomics.wait(turns, 0, 1);
  try {
    return run();
  } finally {
    Atomics.store(turns, 0, 0);
    Atomics.notify(turns, 0, 1);
  }
}

/**
 * What is told when hotrun is gone is lost; what is asked then never returns.
 * @param turns where another thread may use the same descriptor
 * @param lost called instead, where the process is to live on; throws
 */
export function openAsker(fd: number, turns: Int32Array = makeTurns(), lost: () => never = awaitEnd): Asker {
  /** False if the other end is closed. */
  const write = (head: Question | Told): boolean => {
    const json = Buffer.from(JSON.stringify(head));
    const frame = Buffer.allocUnsafe(8 + json.length);
    frame.writeUInt32LE(json.length, 0);
    frame.writeUInt32LE(0, 4);
    json.copy(frame, 8);
    for (let at = 0; at < frame.length; ) {
      try {
        at += writeSync(fd, frame, at);
      } catch {
        return false;
      }
    }
    return true;
  };
  const read = (length: number): Buffer => {
    const buffer = Buffer.allocUnsafeSlow(length);
    for (let at = 0; at < length; ) {
      let count = 0;
      try {
        count = readSync(fd, buffer, at, length - at, null);
      } catch {
        lost();
      }
      if (count === 0) lost();
      at += count;
    }
    return buffer;
  };
  return {
    ask: (question) =>
      takeTurn(turns, () => {
        if (!write(question)) lost();
        const lengths = read(8);
        const head = JSON.parse(read(lengths.readUInt32LE(0)).toString());
        return { head, body: read(lengths.readUInt32LE(4)) };
      }),
    tell: (told) => void takeTurn(turns, () => write(told)),
  };
}
