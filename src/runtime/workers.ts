/**
 * The app's cluster workers, as seen from their primary, which is the generation. Its sockets are held here and served there:
 * connections of the generation before go to a worker, and at the drain each worker drains by itself (worker.ts) and hands
 * over what is idle through this process. Everything goes by the IPC channel that a worker has anyway.
 */
import type { ChildProcess, SendHandle } from 'node:child_process';
import type { Cluster, Worker } from 'node:cluster';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import type { RawHandle } from './connections.ts';
import { keyFor, placeOf } from './listen.ts';
import { CHANNEL_COMMAND, type FromWorker, type ToGeneration } from './messages.ts';

/** Keys that workers do not know: they number such sockets each for itself. */
const ANY_PORT = /\|0#\d+$/;

type Move = (key: string, connection: RawHandle, spoke: boolean, moved?: () => void) => void;

export interface Workers {
  /** They serve on this socket of ours. */
  share(key: string, handle: RawHandle): void;
  /** False for a socket on which they do not serve. */
  adopt(key: string, connection: RawHandle, spoke: boolean): boolean;
  /** Calls `done` when each of them has drained, or is gone. */
  drain(move: Move, done: () => void): void;
}

/** A connection that Node passes to a worker, which answers by the number (lib/internal/cluster/utils.js). */
interface NewConnection {
  readonly cmd?: string;
  readonly act?: string;
  readonly seq?: number;
}
interface Listens {
  readonly address: string | null;
  readonly port: number;
  readonly addressType: number;
}

/** @param onListening told when the first of them listens to a socket, as listen.ts does */
export function openWorkers(onListening: (key: string, where: string) => void): Workers {
  const handles = new Map<string, RawHandle>();
  /** Of connections that wait for a worker that is not busy. */
  const keys = new WeakMap<object, string>();
  const listeners = new Map<string, Worker[]>();
  const waiting: [key: string, connection: RawHandle, spoke: boolean][] = [];
  let cluster: Cluster | undefined;
  let leave: { readonly move: Move; tell(worker: Worker): boolean } | undefined;

  const give = (worker: Worker, key: string, connection: RawHandle, spoke: boolean): void => {
    if (hasRuntime(worker)) send(worker, { cmd: CHANNEL_COMMAND, do: 'adopt', key, spoke }, connection);
    else distribute(key, connection);
  };
  /** As a new one, by Node's own way. */
  const distribute = (key: string, connection: RawHandle): void => {
    const { onconnection } = handles.get(key) ?? {};
    if (onconnection) onconnection(0, connection);
    else connection.close();
  };
  const onAnyPort = (port: number): string | undefined =>
    [...handles.keys()].find((key) => ANY_PORT.test(key) && portOf(handles.get(key)) === port);
  const listens = (worker: Worker, { address, port, addressType }: Listens): void => {
    const exact = keyFor(address, port, addressType, 0);
    const key = handles.has(exact) ? exact : onAnyPort(port);
    if (key === undefined) return;
    const others = listeners.get(key) ?? [];
    listeners.set(key, [...others.filter((other) => !other.isDead()), worker]);
    // Of a socket that accepts in this process it has been told.
    if (!handles.get(key)?.onconnection) onListening(key, placeOf(address ?? '::', port));
    for (const each of waiting.splice(0))
      if (each[0] === key) give(worker, ...each);
      else waiting.push(each);
  };
  /** A listener of ours would be seen, and be removed with the app's. */
  const listenTo = (events: Cluster & NodeJS.EventEmitter): void => {
    const { emit } = events;
    const value = function (this: Cluster, event: string, ...args: unknown[]): boolean {
      if (event === 'listening') listens(...(args as [Worker, Listens]));
      if (event === 'fork') leave?.tell(args[0] as Worker);
      return (emit as (...all: unknown[]) => boolean).call(this, event, ...args);
    };
    Object.defineProperty(events, 'emit', { value, configurable: true, writable: true });
  };

  return {
    share(key, handle) {
      handles.set(key, handle);
      const { onconnection } = handle;
      if (onconnection)
        handle.onconnection = (error, connection) => {
          if (connection) keys.set(connection, key);
          onconnection(error, connection);
        };
      if (cluster) return;
      cluster = createRequire(__filename)('node:cluster') as Cluster;
      listenTo(cluster);
    },
    adopt(key, connection, spoke) {
      if (!handles.has(key)) return false;
      const [first, ...others] = (listeners.get(key) ?? []).filter((worker) => worker.isConnected());
      if (leave) leave.move(key, connection, spoke);
      else if (ANY_PORT.test(key)) distribute(key, connection);
      else if (first) {
        listeners.set(key, [...others, first]);
        give(first, key, connection, spoke);
      } else waiting.push([key, connection, spoke]);
      return true;
    },
    drain(move, done) {
      const left = new Set<Worker>();
      /** False for one that does not know how to drain. */
      const tell = (worker: Worker): boolean => {
        const child: ChildProcess = worker.process;
        redirect(child, keys, move);
        if (!hasRuntime(worker) || !worker.isConnected()) return false;
        const end = (): void => {
          if (left.delete(worker) && left.size === 0) done();
        };
        child.once('exit', end).once('disconnect', end);
        (child as NodeJS.EventEmitter).on('internalMessage', (message: FromWorker, connection?: RawHandle) => {
          if (message.cmd !== CHANNEL_COMMAND) return;
          if (message.is === 'drained') end();
          else if (connection) move(message.key, connection, message.spoke);
        });
        send(worker, { cmd: CHANNEL_COMMAND, do: 'drain' });
        return true;
      };
      // Those that are forked from now on have nothing to finish, and are not waited for: there may be no end of them.
      leave = { move, tell };
      for (const each of waiting.splice(0)) move(...each);
      for (const handle of handles.values()) stop(handle);
      // The app may have taken one out of the list that is not done yet.
      const living = new Set([...Object.values(cluster?.workers ?? {}), ...[...listeners.values()].flat()]);
      for (const worker of living) if (worker && tell(worker)) left.add(worker);
      if (left.size === 0) done();
    },
  };
}

/** It has been started with our --require, as workers are that the app gives no `execArgv` of its own. */
const hasRuntime = ({ process: { spawnargs } }: Worker): boolean =>
  spawnargs.some((argument) => argument.includes(dirname(__filename)));

function portOf(handle: RawHandle | undefined): number | undefined {
  const name: { port?: number } = {};
  handle?.getsockname?.(name);
  return name.port;
}

/**
 * Accepts nothing more. To cluster it is as it was: a worker that is forked now must be able to listen, or it would fail, and
 * be forked again. A socket that workers share is open for those; nobody accepts on this copy of it.
 */
function stop(handle: RawHandle): void {
  if (!handle.onconnection) {
    handle.close = () => {};
    return;
  }
  const name = {};
  handle.getsockname?.(name);
  Reflect.deleteProperty(handle, 'close');
  handle.close();
  handle.getsockname = (out) => {
    Object.assign(out, name);
    return 0;
  };
}

/** Our end of the connection is closed when it is on its way. */
function send(worker: Worker, message: ToGeneration, connection?: RawHandle): void {
  const sent = (): void => connection?.close();
  if (!worker.isConnected()) return sent();
  const options = { swallowErrors: true } as object;
  // A bare handle goes as net.Native (lib/internal/child_process.js).
  worker.process.send(message, connection as unknown as SendHandle, options, sent);
}

/** Connections that are about to go to the worker go to the next generation. Node believes that the worker has taken them. */
function redirect(child: ChildProcess, keys: WeakMap<object, string>, move: Move): void {
  const sendAsEver = child.send.bind(child) as (...args: unknown[]) => boolean;
  const value = (message: NewConnection, connection: RawHandle | undefined, ...rest: unknown[]): boolean => {
    const key = connection && message?.cmd === 'NODE_CLUSTER' && message.act === 'newconn' && keys.get(connection);
    if (!key) return sendAsEver(message, connection, ...rest);
    const taken = { cmd: 'NODE_CLUSTER', ack: message.seq, accepted: true };
    move(key, connection, false, () => (child as NodeJS.EventEmitter).emit('internalMessage', taken));
    return true;
  };
  Object.defineProperty(child, 'send', { value, configurable: true, writable: true });
}
