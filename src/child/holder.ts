/** Who listens on a port: Linux tells it in /proc (proc_net, proc_pid_fd). */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** In the column `st`. */
const LISTEN = '0A';
/** What of a command line is enough to know it by, in letters. */
const SHOWN = 60;

export interface Holder {
  readonly pid: number;
  /** Its command line. */
  readonly command: string;
}

/** Null: nobody that may be seen. */
export function holderOf(port: number): Holder | null {
  const sockets = new Set(['tcp', 'tcp6'].flatMap((name) => listening(look(`/proc/net/${name}`), port)));
  if (sockets.size === 0) return null;
  for (const name of names('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    const isHolder = names(`/proc/${pid}/fd`).some((fd) => sockets.has(linkOf(`/proc/${pid}/fd/${fd}`)));
    if (isHolder) return { pid, command: commandOf(pid) };
  }
  return null;
}

/** `socket:[inode]` of each line with that local port. */
function listening(table: string, port: number): string[] {
  const end = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return table.split('\n').flatMap((line) => {
    const [, local = '', , state, , , , , , inode] = line.trim().split(/\s+/);
    return local.endsWith(end) && state === LISTEN ? [`socket:[${inode}]`] : [];
  });
}

function commandOf(pid: number): string {
  const words = look(`/proc/${pid}/cmdline`)
    .replaceAll(/[\0\s]+/g, ' ')
    .trim();
  return words.length > SHOWN ? `${words.slice(0, SHOWN)}…` : words;
}

/** What ends while it is looked at, belongs to another user or is not there at all has nothing to say. */
function quietly<T>(read: () => T, otherwise: T): T {
  try {
    return read();
  } catch {
    return otherwise;
  }
}
const look = (file: string): string => quietly(() => readFileSync(file, 'utf8'), '');
const names = (folder: string): string[] => quietly(() => readdirSync(folder), []);
const linkOf = (path: string): string => quietly(() => readlinkSync(path), '');
