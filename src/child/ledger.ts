/**
 * The listening sockets that outlive every generation. hotrun holds a copy of each, which it never polls: so it takes no
 * connection, and the kernel's queue stays open while nobody serves.
 */

import { rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** A TCP handle as the IPC channel delivers it (type net.Native); `fd` is -1 on Windows. */
export interface SocketHandle {
  readonly fd: number;
  close(): void;
  /** TCP only. */
  setNoDelay?(on: boolean): number;
}

export interface Ledger {
  /** Takes over the socket that a generation has bound. */
  adopt(key: string, handle: SocketHandle): void;
  /** The app listens there: `where` is the address as a person would type it. */
  note(key: string, where: string): void;
  /** The sockets on which the app has spoken HTTP without TLS, in the order of their keys. */
  http(): readonly string[];
  /** Node's own modules that its listening shows to be in use. */
  builtins(): readonly string[];
  /** Every socket, for the next generation to inherit. */
  sockets(): { key: string; fd: number }[];
  /** Counts the changes: who was spawned at another count has not inherited just what there is. */
  readonly count: number;
  /** Our copy of one. */
  get(key: string): SocketHandle | undefined;
  /** Closes one, and takes its path away. */
  drop(key: string): void;
  /** Closes what a generation that ran to its end did not listen to. */
  release(except: ReadonlySet<string>): void;
  close(): void;
}

/** @param onDropped told of each that is closed before the end */
export function openLedger(onDropped: (key: string) => void): Ledger {
  const sockets = new Map<string, SocketHandle>();
  const builtins = new Set<string>();
  const http = new Set<string>();
  let count = 0;
  const drop = (key: string): void => {
    const handle = sockets.get(key);
    if (!handle) return;
    handle.close();
    sockets.delete(key);
    count++;
    onDropped(key);
    const path = /^-1\|(\/.*)\|-1$/s.exec(key)?.[1];
    if (path) unpublish(path);
  };
  return {
    note(key, where) {
      const protocol = /^https?(?=:)/.exec(where)?.[0];
      if (protocol) builtins.add(`node:${protocol}`);
      if (protocol === 'http') http.add(key);
    },
    http: () => [...http].filter((key) => sockets.has(key)).sort(),
    builtins: () => [...builtins],
    adopt(key, handle) {
      sockets.get(key)?.close();
      // Accepted sockets inherit it on Linux; without it some servers answer every keep-alive request 40 ms late.
      handle.setNoDelay?.(true);
      sockets.set(key, handle);
      count++;
    },
    get count() {
      return count;
    },
    sockets: () => [...sockets].flatMap(([key, handle]) => (handle.fd >= 0 ? [{ key, fd: handle.fd }] : [])),
    get: (key) => sockets.get(key),
    drop,
    release(except) {
      for (const key of sockets.keys()) if (!except.has(key)) drop(key);
    },
    close() {
      for (const key of sockets.keys()) drop(key);
    },
  };
}

/** Removes a path that is our socket's, and the link by which it was kept (runtime/path.ts). */
function unpublish(path: string): void {
  const kept = join(dirname(path), `.${basename(path)}.hotrun`);
  const ours = statSync(kept, { throwIfNoEntry: false });
  if (!ours) return;
  if (statSync(path, { throwIfNoEntry: false })?.ino === ours.ino) rmSync(path, { force: true });
  rmSync(kept, { force: true });
}
