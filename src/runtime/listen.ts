/**
 * The listening sockets of the app. The first generation's `listen` runs untouched, and hotrun is given a copy of the
 * socket; later generations find the socket inherited and listen on that. The patch sits on `_listen2`, below cluster,
 * `exclusive`, host names and every framework (lib/net.js, setupListenHandle).
 */
import type { EventEmitter } from 'node:events';
import net from 'node:net';
import { connectionsOf, deafHandle, noteUpgrades, type RawHandle, type Upgraded } from './connections.ts';
import type { Inheritance } from './inheritance.ts';
import { bindPath, isPipe, pathOf, republish } from './path.ts';
import { openSecure, type Secure } from './secure.ts';
import { whenTaken } from './taken.ts';

/** node's own default of 511 would be set again by each generation; a reload's queue may be longer. Linux caps it at somaxconn. */
const BACKLOG = 4096;
/** Node waits longer than it says, so that the client, which knows the shorter time, is the one that closes (_http_server.js). */
const KEEP_ALIVE_BUFFER_MS = 1000;

/** What we use of net.Server beyond its types. */
export interface ListeningServer extends net.Server {
  _handle: RawHandle | null;
  readonly keepAliveTimeout?: number;
  /** Node 22 and newer. */
  readonly keepAliveTimeoutBuffer?: number;
  _listen2(
    address: string | null,
    port: number,
    type: number,
    backlog: number,
    fd: number | undefined,
    flags: number,
  ): void;
}

/** An HTTP/2 session. */
export interface Session extends EventEmitter {
  close(): void;
}

const createServerHandle = (
  net as unknown as { _createServerHandle(address: null, port: null, type: null, fd: number): RawHandle | number }
)._createServerHandle;

export interface Listening {
  /** The servers that listen, or have listened and have connections still. */
  servers(): ListeningServer[];
  /** What the same listen in the next generation is known by; undefined for a socket that is not hotrun's. */
  keyOf(server: net.Server): string | undefined;
  /** The live sessions of HTTP/2 servers. */
  sessions(): Session[];
  /** The live WebSockets of HTTP servers, and whatever else their connections have become. */
  readonly upgraded: ReadonlyMap<net.Socket, Upgraded>;
  readonly secure: Secure;
  /** It has carried a request, in this generation or before. */
  hasSpoken(socket: net.Socket): boolean;
  /** Whoever begins to listen from now on only believes so. Told of each that does it on a socket that is not hotrun's. */
  leave(then: (server: ListeningServer) => void): void;
  /** Takes over a connection of the previous generation, when its server listens. `spoke`: it has carried a request. */
  adopt(key: string, connection: RawHandle, spoke: boolean): void;
}

/**
 * @param onListening told of each, with its address as a person would type it
 * @param onTaken told of each port that somebody else listens on
 */
export function patchListen(
  inheritance: Inheritance,
  onListening: (key: string, where: string) => void,
  onTaken: (port: number) => void,
): Listening {
  const servers = new Set<ListeningServer>();
  const keys = new WeakMap<net.Server, string>();
  const noted = new WeakSet<net.Server>();
  const sessions = new Set<Session>();
  const upgraded = new Map<net.Socket, Upgraded>();
  const secure = openSecure();
  /** Adopted between two requests. */
  const spoken = new WeakSet<net.Socket>();
  let isLeaving = false;
  let listens = (_server: ListeningServer): void => {};
  let anyPort = 0;
  const proto = net.Server.prototype as ListeningServer;
  const listen2 = proto._listen2;
  proto._listen2 = function (this: ListeningServer, address, port, type, backlog, fd, flags) {
    const ours = !this._handle && typeof fd !== 'number' && (port >= 0 || isPipe(address));
    if (!ours) {
      note(this, () => listen2.call(this, address, port, type, backlog, fd, flags), '');
      return listens(this);
    }
    const path = port < 0 && isPipe(address) ? pathOf(address) : null;
    if (isLeaving) {
      // The socket is the next generation's. One that this one has closed cannot be bound again: hotrun has it.
      this._handle = deafHandle({ address: address ?? '::', port, family: type === 4 ? 'IPv4' : 'IPv6' });
      listen2.call(this, address, port, type, backlog, fd, flags);
      return;
    }
    const key = inheritance.name(keyFor(path ?? address, port, type, port === 0 ? anyPort++ : 0));
    const found = claim(inheritance, key);
    if (!found) inheritance.release(key);
    this._handle = path === null ? found : found ? republish(path, found) : bindPath(path);
    const isOurs = path === null || this._handle !== null;
    if (isOurs) keys.set(this, key);
    note(this, () => listen2.call(this, address, port, type, Math.max(backlog, BACKLOG), fd, flags), isOurs ? key : '');
    if (this._handle && isOurs) inheritance.keep(key, this._handle, !found);
  };

  function note(server: ListeningServer, listen: () => void, key: string): void {
    listen();
    if (!server._handle) return whenTaken(server, onTaken);
    for (const other of servers) if (!isLive(other)) servers.delete(other);
    servers.add(server);
    if ('keepAliveTimeout' in server && !noted.has(server)) {
      noteUpgrades(server, upgraded);
      secure.note(server);
    }
    noted.add(server);
    // Its name, and not its class: to import node:http2 costs 10 ms.
    if (/^Http2(?:Secure)?Server$/.test(server.constructor.name)) noteSessions(server, sessions);
    onListening(key, whereOf(server));
  }

  return {
    servers: () => [...servers].filter(isLive),
    keyOf: (server) => keys.get(server),
    sessions: () => [...sessions],
    upgraded,
    secure,
    hasSpoken: (socket) => socket.bytesRead > 0 || spoken.has(socket),
    leave(then) {
      isLeaving = true;
      listens = then;
    },
    adopt(key, connection, spoke) {
      const server = [...servers].find((each) => each._handle && keys.get(each) === key);
      if (!server?._handle?.onconnection) return connection.close();
      const { maxConnections } = server;
      // It was let in before those that come now.
      if (maxConnections !== undefined) server.maxConnections = Number.POSITIVE_INFINITY;
      // As if it had just been accepted: noDelay, keepAlive, blockList and 'connection' are as ever.
      server._handle.onconnection(0, connection);
      if (maxConnections !== undefined) server.maxConnections = maxConnections;
      if (!spoke || !connection.owner) return;
      spoken.add(connection.owner);
      excuse(server, spoken);
      endWhenUnused(server, connection);
    },
  };
}

const isLive = (server: ListeningServer): boolean =>
  server._handle !== null || (connectionsOf(server)?.all().length ?? 0) > 0;

function claim(inheritance: Inheritance, key: string): RawHandle | null {
  const fd = inheritance.claim(key);
  const handle = fd === undefined ? undefined : createServerHandle(null, null, null, fd);
  return (typeof handle === 'object' ? handle : undefined) ?? inheritance.unpark(key) ?? null;
}

function noteSessions(server: ListeningServer, sessions: Set<Session>): void {
  server.on('session', (session: Session) => {
    sessions.add(session);
    session.once('close', () => sessions.delete(session));
  });
}

/** To Node they are new, and owe it a first request within `headersTimeout`; but they are between two requests. */
function excuse(server: net.Server, spoken: WeakSet<net.Socket>): void {
  const connections = connectionsOf(server);
  if (!connections || Object.hasOwn(connections, 'expired')) return;
  const { expired } = connections;
  connections.expired = (headersTimeout, requestTimeout) =>
    expired
      .call(connections, headersTimeout, requestTimeout)
      .filter(({ socket }) => !socket || socket.bytesRead > 0 || !spoken.has(socket));
}

/** A connection that is between two requests has `keepAliveTimeout` for the next, as Node sees to after a response. */
function endWhenUnused(
  { keepAliveTimeout = 0, keepAliveTimeoutBuffer = KEEP_ALIVE_BUFFER_MS }: ListeningServer,
  handle: RawHandle,
): void {
  if (keepAliveTimeout <= 0) return;
  setTimeout(() => {
    const socket = handle.owner;
    if (socket && socket.bytesRead === 0) socket.destroy();
  }, keepAliveTimeout + keepAliveTimeoutBuffer).unref();
}

/** The same listen in the next generation has the same key. `nth` tells the servers on port 0 apart. */
const keyFor = (address: string | null, port: number, type: number, nth: number): string =>
  `${type}|${address ?? ''}|${port}${port === 0 ? `#${nth}` : ''}`;

function whereOf(server: ListeningServer): string {
  const at = server.address();
  if (at === null || typeof at === 'string') return at ?? '';
  const anywhere =
    at.address === '::' || at.address === '0.0.0.0' || at.address === '127.0.0.1' || at.address === '::1';
  const host = anywhere ? 'localhost' : at.family === 'IPv6' ? `[${at.address}]` : at.address;
  // The list of connections comes with the 'listening' event, too late for us.
  if (!('keepAliveTimeout' in server)) return `${host}:${at.port}`;
  return `${'_sharedCreds' in server ? 'https' : 'http'}://${host}:${at.port}`;
}
