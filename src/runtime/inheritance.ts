/**
 * Sockets that outlive this generation. Each is known by a key that the same listen has in every generation. hotrun holds
 * a copy; a generation finds its own as a descriptor, once. A server that the app closes is parked: the socket stays open
 * for a moment, so that nobody is refused whom the app would have served, had it been quicker to listen again.
 */
import { closeSync } from 'node:fs';
import type { Asker } from './ask.ts';
import type { Channel } from './channel.ts';
import type { RawHandle } from './connections.ts';

export interface Inheritance {
  /** The key, numbered where a socket of this process has it already: several may share an address (reusePort, reuseAddr). */
  name(key: string): string;
  /** The inherited descriptor, for whoever asks first. */
  claim(key: string): number | undefined;
  /** The listening socket that the app has closed a moment ago. */
  unpark(key: string): RawHandle | undefined;
  /** Before an address is bound: gives up the sockets in its way that this generation does not use. Returns when it is free. */
  release(key: string): void;
  /** The app uses it now. One that it has bound by itself is given to hotrun, unless it closes it at once. */
  keep(key: string, handle: RawHandle, isBoundHere: boolean): void;
  /** Gives what is about to be given, and closes what is parked. Returns what that has accepted, by its key. */
  leave(): (readonly [key: string, connection: RawHandle])[];
  /** hotrun has closed its copy as well. */
  drop(key: string): void;
  /** The descriptors that nobody has asked for. */
  unclaimed(): Iterable<number>;
}

interface Parked {
  readonly handle: RawHandle;
  /** What it has accepted meanwhile. */
  readonly accepted: RawHandle[];
}

export function openInheritance(
  sockets: Readonly<Record<string, number>>,
  channel: Channel,
  asker: Asker,
): Inheritance {
  const inherited = new Map(Object.entries(sockets));
  const used = new Set<string>();
  /** What the app has closed and hotrun still has. A socket that did not listen is closed already. */
  const parked = new Map<string, Parked | null>();
  /** Bound in this turn of the loop: programs that look for a free port close it in the next moment. */
  const fresh = new Map<string, RawHandle>();

  const park = (key: string, handle: RawHandle): void => {
    const accepted: RawHandle[] = [];
    parked.set(key, { handle, accepted });
    handle.onconnection = (_error, connection) => void (connection && accepted.push(connection));
    // It must not keep the app alive.
    handle.unref();
  };
  const close = ({ handle, accepted }: Parked): void => {
    handle.close();
    for (const connection of accepted) connection.close();
  };
  const give = (): void => {
    process.off('exit', give);
    for (const [key, handle] of fresh) channel.send({ is: 'socket', key }, handle);
    fresh.clear();
  };
  const drop = (key: string): void => {
    const fd = inherited.get(key);
    inherited.delete(key);
    if (fd !== undefined) closeSync(fd);
    const closed = parked.get(key);
    parked.delete(key);
    if (closed) close(closed);
  };

  return {
    name(key) {
      let name = key;
      for (let nth = 1; used.has(name); nth++) name = `${key}#${nth}`;
      return name;
    },
    claim(key) {
      const fd = inherited.get(key);
      inherited.delete(key);
      return fd;
    },
    unpark(key) {
      const closed = parked.get(key);
      if (!closed) return undefined;
      parked.delete(key);
      const { handle, accepted } = closed;
      handle.ref();
      // When it listens, and the app has been told so.
      process.nextTick(() => {
        process.nextTick(() => {
          for (const connection of accepted) handle.onconnection?.(0, connection);
        });
      });
      return handle;
    },
    release(key) {
      const rivals = [...inherited.keys(), ...parked.keys()].filter((other) => areRivals(key, other));
      if (rivals.length === 0) return;
      asker.ask({ ask: 'release', keys: rivals });
      for (const rival of rivals) drop(rival);
    },
    keep(key, handle, isBoundHere) {
      used.add(key);
      parked.delete(key);
      if (isBoundHere) {
        if (fresh.size === 0) {
          setImmediate(give);
          // An app that throws in the next line: its clients wait for it to be mended.
          process.on('exit', give);
        }
        fresh.set(key, handle);
      }
      handle.close = (callback) => {
        Reflect.deleteProperty(handle, 'close');
        used.delete(key);
        asker.tell({ tell: 'closed', key });
        const isGiven = !fresh.delete(key);
        if (isGiven && handle.onconnection) {
          park(key, handle);
          if (callback) setImmediate(callback);
          return;
        }
        if (isGiven) parked.set(key, null);
        handle.close(callback);
      };
    },
    leave() {
      give();
      return [...parked].flatMap(([key, closed]) => {
        parked.delete(key);
        closed?.handle.close();
        return closed?.accepted.map((connection) => [key, connection] as const) ?? [];
      });
    },
    drop,
    unclaimed: () => inherited.values(),
  };
}

const ANYWHERE: ReadonlySet<string> = new Set(['', '::', '0.0.0.0']);

/** Whether the system may refuse to bind the one while the other is bound. */
function areRivals(one: string, other: string): boolean {
  const a = addressOf(one);
  const b = addressOf(other);
  if (a.protocol !== b.protocol || a.port !== b.port || a.port === '0') return false;
  return a.host === b.host || (a.protocol !== 'pipe' && (ANYWHERE.has(a.host) || ANYWHERE.has(b.host)));
}

function addressOf(key: string): { protocol: string; host: string; port: string } {
  const [, type = '', host = '', port = ''] = /^(.*?)\|(.*)\|(-?\d+)(?:#\d+)?$/s.exec(key) ?? [];
  return { protocol: type.startsWith('udp') ? 'udp' : type === '-1' ? 'pipe' : 'tcp', host, port };
}
