/**
 * The drain: from now on this generation accepts nothing, finishes what is in flight, and gives its connections away, each
 * in the tick in which it falls idle. The queue of new connections stays in the kernel, held open by hotrun's copy of the
 * socket; a connection that moves keeps its client waiting there, not failing.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type net from 'node:net';
import type { Asker } from './ask.ts';
import type { Channel } from './channel.ts';
import {
  type Connections,
  canMove,
  connectionsOf,
  deafHandle,
  detach,
  type HttpSocket,
  isIdle,
  type RawHandle,
} from './connections.ts';
import type { Listening, ListeningServer } from './listen.ts';
import type { Holds } from './messages.ts';
import type { Workers } from './workers.ts';

/** Those that an app may want to be ended by. */
const SIGNALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGQUIT', 'SIGHUP', 'SIGUSR2', 'SIGUSR1'];

/** Responses that end only when somebody ends them; their clients connect again by themselves. */
const ENDLESS = /^content-type: *(?:text\/event-stream|multipart\/x-mixed-replace)\b/im;
/** The head as it was sent: `getHeader` does not know what was given to `writeHead` (lib/_http_server.js). */
const headOf = (response: ServerResponse): string => String((response as { _header?: string | null })._header);

/** How long a client whose connection has been ended may take to end its own side, in ms. */
const LINGER_MS = 200;
/** How often it is looked for what no event tells: a request read to its end after its answer, a stream that begins late. In ms. */
const LOOK_MS = 20;

/** A close frame with status 1012, "service restart" (RFC 6455, 5.5.1; the IANA registry of close codes). */
const WEBSOCKET_RESTART = Buffer.from([0x88, 2, 1012 >> 8, 1012 & 0xff]);

/**
 * @param accepted connections that no server has been given yet, each with the key of its listening socket
 * @param holds what the process has open beside them
 * @param workers not in a cluster worker, which has none
 */
export function drain(
  listening: Listening,
  asker: Pick<Asker, 'tell'>,
  channel: Channel,
  accepted: readonly (readonly [key: string, connection: RawHandle])[],
  holds: () => Holds,
  workers?: Workers,
): void {
  const servers = listening.servers();
  const http = servers.flatMap((server) => {
    const connections = connectionsOf(server);
    return connections ? [{ server, connections }] : [];
  });
  let sending = 0;
  let open = 0;
  let drained = false;
  let isSignalled = false;

  /** After the signal the app's own handlers decide when it ends: when nothing is left to do, if they do not say. */
  const letEnd = (): void => {
    if (isSignalled && sending === 0) channel.release();
  };

  const check = (): void => {
    if (drained || sending > 0 || open > 0 || http.some(({ connections }) => busyOf(connections).length > 0)) return;
    drained = true;
    asker.tell({ tell: 'drained', holds: heard().length > 0 ? 'more' : holds() });
  };
  const later = (): void => void setImmediate(check);

  /** Ends a connection, and waits for the client to do so, but not for long. */
  const hangUp = (socket: net.Socket, last?: Uint8Array): void => {
    open++;
    socket.once('close', () => {
      open--;
      later();
    });
    socket.on('error', () => {});
    endQuietly(socket, last);
    setTimeout(() => socket.destroy(), LINGER_MS).unref();
  };

  const parting = new Set<net.Socket>();
  /** Ends a connection that cannot move, unless it is about to be used. */
  const part = (server: ListeningServer, socket: HttpSocket): void => {
    if (parting.has(socket)) return;
    const patience = listening.secure.patience(socket);
    if (patience === 0) return hangUp(socket);
    const look = (): void => {
      if (!parting.delete(socket)) return;
      open--;
      settle(server, socket);
    };
    parting.add(socket);
    open++;
    socket.once('close', look);
    setTimeout(look, patience);
  };

  /** Gives an idle connection away, or ends it where it cannot move. */
  const release = (server: ListeningServer, socket: HttpSocket): void => {
    const key = listening.keyOf(server);
    if (key === undefined || !canMove(socket)) return part(server, socket);
    const spoke = listening.hasSpoken(socket);
    const handle = detach(socket);
    if (handle) move(key, handle, spoke);
  };
  const move = (key: string, handle: RawHandle, spoke: boolean, moved?: () => void): void => {
    sending++;
    channel.hold();
    channel.send({ is: 'connection', key, spoke }, handle, () => {
      // The copy that is under way keeps it open.
      handle.close();
      sending--;
      moved?.();
      letEnd();
      later();
    });
  };

  const watched = new Set<ServerResponse>();
  /** Looks at the connection again when its response is out. */
  const watch = (server: ListeningServer, socket: HttpSocket, response: ServerResponse): void => {
    if (watched.has(response)) return;
    watched.add(response);
    if (!response.headersSent && !canMove(socket)) response.shouldKeepAlive = false;
    // Node's own listener has come before and has set the next response of a pipeline, or none.
    response.once('finish', () => settle(server, socket));
    response.once('close', () => {
      watched.delete(response);
      later();
    });
  };

  const settle = (server: ListeningServer, socket: HttpSocket): void => {
    if (socket.destroyed || !socket._handle) return later();
    if (socket._httpMessage) return watch(server, socket, socket._httpMessage);
    const active = connectionsOf(server)?.active() ?? [];
    const isActive = active.some((parser) => parser.socket === socket);
    if (!socket.writableEnded && isIdle(socket, isActive)) release(server, socket);
    later();
  };

  /** Nobody knows when an endless response or a WebSocket would end; their clients come again. */
  const endEndless = (): void => {
    for (const response of watched)
      if (response.headersSent && !response.writableEnded && ENDLESS.test(headOf(response))) endQuietly(response);
    for (const [socket, { isWebSocket, written }] of listening.upgraded)
      if (socket.writable && socket.bytesWritten > written) hangUp(socket, isWebSocket ? WEBSOCKET_RESTART : undefined);
  };
  const look = (): void => {
    for (const { server, connections } of http)
      for (const { socket } of connections.all()) if (socket) settle(server, socket);
    endEndless();
  };

  for (const [key, connection] of accepted) move(key, connection, false);
  const stop = (server: ListeningServer): void => closeHandle(server, workers === undefined);
  for (const server of servers) stop(server);
  // An app that takes its time to start may listen only now, and what it accepted would die with it.
  listening.leave(stop);
  let busy = 0;
  for (const { server, connections } of http) {
    // A request that is only half here yet.
    server.prependListener('request', (request: IncomingMessage, response: ServerResponse) => {
      watch(server, request.socket as HttpSocket, response);
    });
    const active = new Set(connections.active());
    for (const parser of connections.all()) {
      const { socket } = parser;
      if (!socket || socket.destroyed) continue;
      if (isIdle(socket, active.has(parser))) release(server, socket);
      else {
        busy++;
        socket.once('close', later);
        if (socket._httpMessage) watch(server, socket, socket._httpMessage);
      }
    }
  }
  open++;
  listening.secure.finishHandshakes(
    (server, socket) => settle(server as ListeningServer, socket as HttpSocket),
    () => {
      open--;
      later();
    },
  );
  for (const session of listening.sessions()) {
    open++;
    session.once('close', () => {
      open--;
      later();
    });
    session.close();
  }
  endEndless();
  setInterval(look, LOOK_MS).unref();
  const signals = heard();
  for (const signal of signals)
    process.prependOnceListener(signal, () => {
      isSignalled = true;
      letEnd();
    });
  asker.tell({ tell: 'draining', signals, busy: busy + open });
  if (workers) {
    open++;
    workers.drain(move, () => {
      open--;
      later();
    });
  }
  check();
}

/** The signals that the app listens to. */
const heard = (): NodeJS.Signals[] => SIGNALS.filter((signal) => process.listenerCount(signal) > 0);

/** Sockets that are receiving a request or being answered. */
function busyOf(connections: Connections): HttpSocket[] {
  const active = new Set(connections.active());
  return connections.all().flatMap((parser) => {
    const { socket } = parser;
    return socket && !socket.destroyed && !isIdle(socket, active.has(parser)) ? [socket] : [];
  });
}

/** Ends it. The app does not know, and must not be told by an error that what it goes on writing comes after the end. */
function endQuietly(stream: net.Socket | ServerResponse, last?: Uint8Array): void {
  if (last) stream.end(last);
  else stream.end();
  stream.write = () => true;
  stream.end = () => stream as net.Socket & ServerResponse;
}

/** Stops accepting, and leaves the server as if it listened still, so that the app's own `server.close(callback)` succeeds. */
function closeHandle(server: ListeningServer, isWorker: boolean): void {
  const handle = server._handle;
  // In a cluster worker it may only stand for one, which the primary has closed.
  if (!handle || !('readStop' in handle)) return;
  const name = {};
  handle.getsockname?.(name);
  const { close } = handle;
  // Ours, not the app's: see Inheritance.keep. In a worker it is cluster's, which tells the primary.
  Reflect.deleteProperty(handle, 'close');
  handle.close();
  server._handle = deafHandle(name);
  if (!isWorker) return;
  const end = server._handle.close;
  server._handle.close = (callback) => {
    close.call(handle);
    end(callback);
  };
}
