/**
 * Bound UDP sockets. The kernel's buffer is the queue: between two generations datagrams wait in it, and the next one
 * reads them. The patch sits on the handle's own `bind`, below the lookup of the address (lib/dgram.js).
 */
import dgram from 'node:dgram';
import { constants } from 'node:os';
import type { RawHandle } from './connections.ts';
import type { Inheritance } from './inheritance.ts';

interface UdpHandle extends RawHandle {
  bind(ip: string, port: number, flags: number): number;
  open(fd: number): number;
  recvStop(): void;
  addMembership(address: string, iface?: string): number;
  bufferSize(size: number, isReceive: boolean, error: object): number | undefined;
}

/** Of the kernel's buffer, in bytes: it is the queue of a reload. Linux gives as much as net.core.rmem_max allows. */
const BUFFER = 4 << 20;

export interface Datagrams {
  /** Reads no more; what comes now waits for the next generation. */
  stop(): void;
}

/** @param onListening as in listen.ts */
export function patchDatagrams(inheritance: Inheritance, onListening: (key: string, where: string) => void): Datagrams {
  const handles = new Set<UdpHandle>();
  const proto = dgram.Socket.prototype;
  const { bind } = proto;
  proto.bind = function (this: dgram.Socket, ...args: unknown[]) {
    const handle = handleOf(this);
    if (handle) patch(this, handle);
    return (bind as (...args: unknown[]) => dgram.Socket).apply(this, args);
  } as typeof bind;

  function patch(socket: dgram.Socket, handle: UdpHandle): void {
    const own = handle.bind;
    handle.bind = (ip, port, flags) => {
      // A port that the kernel chooses is a client's: nobody else knows it.
      if (port === 0) return own.call(handle, ip, port, flags);
      const key = inheritance.name(`${(socket as unknown as { type: string }).type}|${ip}|${port}`);
      const fd = inheritance.claim(key);
      if (fd === undefined) inheritance.release(key);
      const error = fd === undefined ? own.call(handle, ip, port, flags) : handle.open(fd);
      if (error !== 0) return error;
      // The app's own recvBufferSize comes later.
      if (fd === undefined) handle.bufferSize(BUFFER, true, {});
      else joinAgain(handle);
      for (const other of handles) if (other.fd < 0) handles.delete(other);
      handles.add(handle);
      inheritance.keep(key, handle, fd === undefined);
      onListening(key, `udp://${ip}:${port}`);
      return 0;
    };
  }

  return {
    stop() {
      for (const handle of handles) handle.recvStop();
    },
  };
}

/** The socket is a member of its groups already, from the generation before: to join once more is no error. */
function joinAgain(handle: UdpHandle): void {
  const { addMembership } = handle;
  handle.addMembership = (address, iface) => {
    const error = addMembership.call(handle, address, iface);
    return error === -constants.errno.EADDRINUSE ? 0 : error;
  };
}

function handleOf(socket: dgram.Socket): UdpHandle | undefined {
  for (const symbol of Object.getOwnPropertySymbols(socket))
    if (symbol.description === 'state symbol')
      return (socket as unknown as Record<symbol, { handle: UdpHandle | null }>)[symbol]?.handle ?? undefined;
  return undefined;
}
