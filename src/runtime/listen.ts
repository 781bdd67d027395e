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

interface Obtained {
  readonly key: string;
  readonly handle: RawHandle | null;
  readonly isFound: boolean;
  /** It will outlive this generation. */
  readonly isOurs: boolean;
}

/** An HTTP/2 session. */
export interface Session extends EventEmitter {
  close(): void;
}

type CreateServerHandle = (
  address: string | null,
  port: number | null,
  type: number | null,
  fd?: number | null,
  flags?: number,
) => RawHandle | number;

/** Node's own `listen` has it by another name; who calls this one is cluster (lib/internal/cluster/shared_handle.js). */
const internals = net as unknown as { _createServerHandle: CreateServerHandle };
const createServerHandle = internals._createServerHandle;

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
  /** Takes over a connection of the previous generation; false if no server listens. `spoke`: it has carried a request. */
  adopt(key: string, connection: RawHandle, spoke: boolean): boolean;
}

/**
 * @param inheritance null in a cluster worker, whose sockets are its primary's
 * @param onListening told of each, with its address as a person would type it
 * @param onTaken told of each port that somebody else listens on
 * @param onShared told of each socket of this process on which only cluster workers serve
 * @param onPath told of each path that it is about to listen on
 */
export function patchListen(
  inheritance: Inheritance | null,
  onListening: (key: string, where: string) => void,
  onTaken: (port: number) => void,
  onShared: (key: string, handle: RawHandle) => void = () => {},
  onPath: (path: string) => void = () => {},
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
    const isNew = !this._handle && typeof fd !== 'number' && (port >= 0 || isPipe(address));
    const queue = inheritance && !isNew ? backlog : Math.max(backlog, BACKLOG);
    if (!isNew || !inheritance) {
      // In a worker: a socket of the primary's. It knows those on port 0 by numbers of its own.
      if (this._handle && !inheritance && port !== 0) keys.set(this, keyFor(address, port, type, 0));
      note(this, () => listen2.call(this, address, port, type, queue, fd, flags), '');
      return listens(this);
    }
    if (isLeaving) {
      // The socket is the next generation's. One that this one has closed cannot be bound again: hotrun has it.
      this._handle = deafHandle({ address: address ?? '::', port, family: type === 4 ? 'IPv4' : 'IPv6' });
      listen2.call(this, address, port, type, backlog, fd, flags);
      return;
    }
    const { key, handle, isFound, isOurs } = obtain(inheritance, address, port, type);
    this._handle = handle;
    if (isOurs) keys.set(this, key);
    note(this, () => listen2.call(this, address, port, type, queue, fd, flags), isOurs ? key : '');
    const bound = this._handle;
    if (!bound || !isOurs) return;
    inheritance.keep(key, bound, !isFound);
    // Cluster takes it from the server to accept for its workers (lib/internal/cluster/round_robin_handle.js).
    process.nextTick(() => {
      if (!this._handle && Object.hasOwn(bound, 'close')) onShared(key, bound);
    });
  };

  /** The socket that was inherited; one that has just been bound; or null, where Node is to bind it. */
  const obtain = (inheritance: Inheritance, address: string | null, port: number, type: number): Obtained => {
    const path = port < 0 && isPipe(address) ? pathOf(address) : null;
    if (path !== null) onPath(path);
    const key = inheritance.name(keyFor(address, port, type, port === 0 ? anyPort++ : 0));
    const found = claim(inheritance, key);
    if (!found) inheritance.release(key);
    const handle = path === null ? found : found ? republish(path, found) : bindPath(path);
    return { key, handle, isFound: found !== null, isOurs: path === null || handle !== null };
  };

  const shared = new Map<string, RawHandle>();
  if (inheritance)
    internals._createServerHandle = (address, port, type, fd, flags) => {
      const isOurs = typeof fd !== 'number' && port !== null && type !== null && (port >= 0 || isPipe(address));
      if (!isOurs) return createServerHandle(address, port, type, fd, flags);
      // All workers are gone, and one is forked all the same.
      const known = isLeaving ? shared.get(keyFor(address, port, type, 0)) : undefined;
      if (isLeaving) return known ?? createServerHandle('127.0.0.1', 0, 4);
      const { key, handle, isFound, isOurs: isKept } = obtain(inheritance, address, port, type);
      const bound = handle ?? createServerHandle(address, port, type, fd, flags);
      if (typeof bound === 'number' || !isKept) return bound;
      inheritance.keep(key, bound, !isFound);
      shared.set(key, bound);
      onShared(key, bound);
      return bound;
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
      if (!server?._handle?.onconnection) return false;
      const { maxConnections } = server;
      // It was let in before those that come now.
      if (maxConnections !== undefined) server.maxConnections = Number.POSITIVE_INFINITY;
      // As if it had just been accepted: noDelay, keepAlive, blockList and 'connection' are as ever.
      server._handle.onconnection(0, connection);
      if (maxConnections !== undefined) server.maxConnections = maxConnections;
      if (!spoke || !connection.owner) return true;
      spoken.add(connection.owner);
      excuse(server, spoken);
      endWhenUnused(server, connection);
      return true;
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
export function keyFor(address: string | null, port: number, type: number, nth: number): string {
  const name = port < 0 && isPipe(address) ? (pathOf(address) ?? address) : (address ?? '');
  return `${type}|${name}|${port}${port === 0 ? `#${nth}` : ''}`;
}

function whereOf(server: ListeningServer): string {
  const at = server.address();
  if (at === null || typeof at === 'string') return at ?? '';
  const place = placeOf(at.address, at.port);
  // The list of connections comes with the 'listening' event, too late for us.
  if (!('keepAliveTimeout' in server)) return place;
  return `${'_sharedCreds' in server ? 'https' : 'http'}://${place}`;
}

/** @param port negative for a path */
export function placeOf(address: string, port: number): string {
  if (port < 0) return address;
  const isLocal = address === '::' || address === '0.0.0.0' || address === '127.0.0.1' || address === '::1';
  return `${isLocal ? 'localhost' : address.includes(':') ? `[${address}]` : address}:${port}`;
}
