/**
 * Sockets that are a path. The process that binds one removes the path when it closes the socket (libuv, uv__pipe_close),
 * although another generation listens on it already; and apps remove what is there before they listen. So the socket is
 * bound under a name of its own and published by a hard link; a second link keeps it for the next generation.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, linkSync, statSync, unlinkSync } from 'node:fs';
import net from 'node:net';
import { basename, dirname, join, resolve } from 'node:path';
import type { RawHandle } from './connections.ts';

/** The longest path that sockaddr_un holds on Linux and macOS, in bytes, with a zero at its end. */
const LONGEST = 103;

interface PipeHandle extends RawHandle {
  /** For `readableAll` and `writableAll`: libuv looks for the name that was bound. */
  fchmod(mode: number): number;
}
/** Bits of `mode`, and what they come to for everybody (libuv, uv_pipe_chmod). */
const READABLE = 1;
const WRITABLE = 2;
const READ_ALL = 0o444;
const WRITE_ALL = 0o222;

const createServerHandle = (
  net as unknown as { _createServerHandle(path: string, port: number, type: number): PipeHandle | number }
)._createServerHandle;

/** A path in the file system or a name of Linux' abstract space, which begins with a zero; no pipe of Windows. */
export const isPipe = (address: string | null): address is string =>
  process.platform !== 'win32' && typeof address === 'string';

/** The absolute path, or null for an abstract name. */
export const pathOf = (address: string): string | null => (address.startsWith('\0') ? null : resolve(address));

/** Where the socket is kept while nobody publishes it; hotrun removes it at its end. */
const keptName = (path: string): string => join(dirname(path), `.${basename(path)}.hotrun`);

/** Binds the socket and publishes it. Null where Node should try by itself, and say what is wrong: the path is taken, say. */
export function bindPath(path: string): RawHandle | null {
  // Short, and gone at once: the process may be killed at any time, and the path may be as long as can be.
  const own = join(dirname(path), `.${process.pid.toString(36)}`);
  if (Buffer.byteLength(own) > LONGEST || Buffer.byteLength(path) > LONGEST) return null;
  removeStale(path);
  if (inodeOf(path) !== undefined) return null;
  const handle = createServerHandle(own, -1, -1);
  if (typeof handle === 'number') return null;
  try {
    remove(keptName(path));
    linkSync(own, keptName(path));
    linkSync(own, path);
  } catch {
    remove(keptName(path));
    handle.close();
    return null;
  }
  remove(own);
  return allowing(path, handle);
}

/** Publishes the inherited socket again, if the app has removed the path before it listened. */
export function republish(path: string, handle: RawHandle): RawHandle {
  if (inodeOf(path) === undefined)
    try {
      linkSync(keptName(path), path);
    } catch {
      // Somebody else was faster: the path is theirs.
    }
  return allowing(path, handle as PipeHandle);
}

function allowing(path: string, handle: PipeHandle): PipeHandle {
  handle.fchmod = (mode) => {
    const more = (mode & READABLE ? READ_ALL : 0) | (mode & WRITABLE ? WRITE_ALL : 0);
    chmodSync(path, statSync(path).mode | more);
    return 0;
  };
  return handle;
}

/** What a hotrun has left there that was killed; one that lives answers a connect. */
function removeStale(path: string): void {
  const there = inodeOf(path);
  if (there === undefined || there !== inodeOf(keptName(path))) return;
  const connect =
    'require("net").connect(process.argv[1]).on("connect", process.exit).on("error", () => process.exit(1))';
  const { NODE_OPTIONS: _, ...env } = process.env;
  if (spawnSync(process.execPath, ['-e', connect, path], { env, stdio: 'ignore' }).status === 0) return;
  remove(path);
}

const inodeOf = (path: string): number | undefined => statSync(path, { throwIfNoEntry: false })?.ino;

function remove(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // It was not there.
  }
}
