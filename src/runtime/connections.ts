/**
 * The live connections of an HTTP server: which of them can move to the next generation, and how one is taken out of
 * Node's hands without a byte of it being read or lost.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type net from 'node:net';

/** A handle of libuv's, as node wraps it. */
export interface RawHandle {
  close(callback?: () => void): void;
  ref(): void;
  unref(): void;
  readStop(): void;
  /** Of a listening socket. */
  listen?(backlog: number): number;
  /** Negative when it is closed. */
  readonly fd: number;
  getsockname?(out: object): number;
  /** Of a listening socket: called by Node for each connection that is accepted. */
  onconnection?(error: number, accepted: RawHandle): void;
  /** Of a connection: its Socket. */
  readonly owner?: net.Socket;
}

/** Stands for a listening socket of this name, and never accepts anything. */
export function deafHandle(name: object): RawHandle {
  return {
    close: (callback) => void (callback && setImmediate(callback)),
    listen: () => 0,
    ref() {},
    unref() {},
    readStop() {},
    fd: -1,
    getsockname(out) {
      Object.assign(out, name);
      return 0;
    },
  };
}

/** The connections of an http.Server, each by its parser (lib/_http_server.js, ConnectionsList; Node 20 to 26). */
export interface Connections {
  all(): Parser[];
  /** Those on which a request is being received, or none has ever been. */
  active(): Parser[];
  /** Those of them that have taken longer than these times, in ms; the server ends them. */
  expired(headersTimeout: number, requestTimeout: number): Parser[];
}

interface Parser {
  socket: HttpSocket | null;
  /** It reads from the handle by itself, below the stream. */
  _consumed: boolean;
  unconsume(): void;
}

export interface HttpSocket extends net.Socket {
  _handle: RawHandle | null;
  parser: Parser | null;
  /** The response under way. */
  _httpMessage?: ServerResponse | null;
}

/** Undefined for a server that does not speak HTTP/1, or has never listened. */
export function connectionsOf(server: net.Server): Connections | undefined {
  for (const symbol of Object.getOwnPropertySymbols(server))
    if (symbol.description === 'http.server.connections')
      return (server as unknown as Record<symbol, Connections | undefined>)[symbol];
  return undefined;
}

/** A connection that has become something else than HTTP/1. */
export interface Upgraded {
  readonly isWebSocket: boolean;
  /** What had been written before: the answer to the request for the upgrade comes after that. */
  readonly written: number;
}

/** Keeps those of a server in `upgraded`. Only the event knows: a listener of ours would change what Node does without one. */
export function noteUpgrades(server: net.Server, upgraded: Map<net.Socket, Upgraded>): void {
  const { emit } = server as NodeJS.EventEmitter;
  const value = function (this: net.Server, event: string | symbol, ...args: unknown[]): boolean {
    if ((event === 'upgrade' || event === 'connect') && server.listenerCount(event) > 0) {
      const [request, socket] = args as [IncomingMessage, net.Socket];
      const isWebSocket = /^websocket$/i.test(request.headers.upgrade ?? '');
      upgraded.set(socket, { isWebSocket, written: socket.bytesWritten });
      socket.once('close', () => upgraded.delete(socket));
    }
    return emit.call(this, event, ...args);
  };
  Object.defineProperty(server, 'emit', { value, configurable: true, writable: true });
}

/** Only the kernel knows a plain socket; TLS keeps the state of a session in this process. */
export const canMove = (socket: net.Socket): boolean => !('encrypted' in socket);

/**
 * Between two requests: none is being received or answered, all is written, nothing was read ahead. A connection that has
 * never said a word is, too, though Node counts it as active; what it says now waits in the kernel.
 */
export function isIdle(socket: HttpSocket, active: boolean): boolean {
  const receiving = active && socket.bytesRead > 0;
  return !receiving && !socket._httpMessage && socket.writableLength === 0 && socket.readableLength === 0;
}

/**
 * Takes the connection out of this process: to Node and to the app it closes, on the wire nothing happens. To be called
 * only when it is idle. Returns the handle, which nobody reads.
 */
export function detach(socket: HttpSocket): RawHandle | null {
  const { _handle: handle, parser } = socket;
  if (!handle) return null;
  handle.readStop();
  if (parser?._consumed) {
    parser._consumed = false;
    parser.unconsume();
  }
  socket._handle = null;
  socket.destroy();
  return handle;
}
