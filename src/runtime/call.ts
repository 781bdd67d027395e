/**
 * An offshoot's connection to hotrun. Questions on it are synchronous: Node connects to a path before it returns, and a
 * descriptor that is made blocking, and never read asynchronously, can be read and written by node:fs.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Socket } from 'node:net';
import { type Asker, openAsker } from './ask.ts';
import { DESK } from './messages.ts';

export interface Desk {
  readonly path: string;
  /** The number of the process whose offshoot this is. */
  readonly process: number;
  /** A debugger may be attached. */
  readonly isInspected: boolean;
}

/** There is no hotrun to answer: Node has to do without. */
export class Lost extends Error {}

/** Where the queue of connections was full, hotrun is asked again: so often, and after so many ms. */
const TRIES = 20;
const PAUSE_MS = 10;

/** What we use of a net.Socket beyond its types (lib/net.js). */
interface Connecting extends Socket {
  readonly _handle: { readonly fd: number; setBlocking(on: boolean): number } | null;
}

export function deskOf(execArgv: readonly string[]): Desk | null {
  for (const argument of execArgv) {
    const [, path, number, inspected] = DESK.exec(argument) ?? [];
    if (path) return { path: decodeURIComponent(path), process: Number(number), isInspected: inspected !== undefined };
  }
  return null;
}

/** Connects at the first question. `ask` throws Lost when hotrun is gone. */
export function openCall(desk: Desk): Asker {
  let asker: Asker | undefined;
  let wasAnswered = false;
  const connected = (): Asker => {
    if (!asker) {
      asker = connect(desk);
      asker.tell({ tell: 'offshoot', process: desk.process });
    }
    return asker;
  };
  return {
    ask(question) {
      for (let tries = 1; ; tries++) {
        try {
          const answer = connected().ask<never>(question);
          wasAnswered = true;
          return answer;
        } catch (error) {
          if (!(error instanceof Lost) || wasAnswered || tries === TRIES || !existsSync(desk.path)) throw error;
          asker = undefined;
          Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
        }
      }
    },
    tell: (told) => connected().tell(told),
  };
}

function connect({ path }: Desk): Asker {
  // Not every offshoot loads something of the project, and not every worker has it loaded.
  const net = createRequire(process.execPath)('node:net') as typeof import('node:net');
  const socket = new net.Socket() as Connecting;
  let isOpen = true;
  const lost = (): never => {
    socket.destroy();
    throw new Lost();
  };
  // Its number may be another descriptor's from then on.
  socket.once('close', () => {
    isOpen = false;
  });
  socket.on('error', () => {});
  socket.pause();
  try {
    socket.connect({ path });
  } catch {
    // The app may have been forbidden to use the network (--permission).
    return lost();
  }
  socket.unref();
  const handle = socket._handle;
  if (!handle || handle.fd < 0 || handle.setBlocking(true) !== 0) return lost();
  const asker = openAsker(handle.fd, undefined, lost);
  return {
    ask: (question) => (isOpen ? asker.ask(question) : lost()),
    tell(told) {
      if (isOpen) asker.tell(told);
    },
  };
}
