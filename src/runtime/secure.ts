/**
 * Connections of TLS servers that speak HTTP/1. Their keys live in this process, so they cannot move. One that has been
 * opened or used a moment ago is about to be used: what it asks is answered, and only then is it ended.
 */
import type { ServerResponse } from 'node:http';
import type net from 'node:net';

/** A client that has said nothing for this long waits for its user, or is a browser's spare connection, in ms. */
const QUIET_MS = 250;

export interface Secure {
  /** Of an HTTP server, with TLS or without. */
  note(server: net.Server): void;
  /** How long it may still be about to say something, in ms: 0 for one that has been quiet. */
  patience(socket: net.Socket): number;
  /** Calls `done` when no handshake is under way any more, and `each` for every connection that comes out of one. */
  finishHandshakes(each: (server: net.Server, socket: net.Socket) => void, done: () => void): void;
}

export function openSecure(): Secure {
  const usedAt = new WeakMap<net.Socket, number>();
  const handshakes = new Set<net.Socket>();
  let onSecure = (_server: net.Server, _socket: net.Socket): void => {};
  let onLess = (): void => {};
  const use = (socket: net.Socket): void => void usedAt.set(socket, performance.now());
  const end = (raw: net.Socket): void => {
    if (handshakes.delete(raw)) onLess();
  };
  return {
    note(server) {
      if (!('_sharedCreds' in server)) return;
      server.on('connection', (raw) => {
        handshakes.add(raw);
        raw.once('close', () => end(raw));
      });
      server.on('secureConnection', (socket: net.Socket & { _parent?: net.Socket }) => {
        use(socket);
        onSecure(server, socket);
        if (socket._parent) end(socket._parent);
      });
      server.on('request', ({ socket }: { socket: net.Socket }, response: ServerResponse) => {
        response.once('finish', () => use(socket));
      });
    },
    patience: (socket) => Math.max(0, (usedAt.get(socket) ?? Number.NEGATIVE_INFINITY) + QUIET_MS - performance.now()),
    finishHandshakes(each, done) {
      onSecure = each;
      let isDone = false;
      onLess = () => {
        if (isDone || handshakes.size > 0) return;
        isDone = true;
        done();
      };
      setTimeout(() => {
        handshakes.clear();
        onLess();
      }, QUIET_MS).unref();
      onLess();
    },
  };
}
