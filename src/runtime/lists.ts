/** Which folders of the project the app lists while it starts, as loaders of routes, plugins and entities do. */
import { resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ListedFolder } from './messages.ts';

/** What is hidden, or somebody else's. */
const FOREIGN = /[\\/](?:node_modules(?:[\\/]|$)|\.[^\\/])/;
/** An app with more of them needs a glob. */
const MOST = 500;
const WILD = /[*?[\]{}()!+@]/;

/** The functions of node:fs that list a folder, and those of node:fs/promises. Node 20 has no glob. */
export const LISTS = ['readdir', 'readdirSync', 'opendir', 'opendirSync', 'glob', 'globSync'];

export interface Lists {
  /** The app calls the function of this name, one of LISTS, with these arguments. */
  note(name: string, args: readonly unknown[]): void;
  folders(): readonly ListedFolder[];
}

export function openLists(root: string): Lists {
  const found = new Map<string, boolean>();
  const inside = root.endsWith(sep) ? root : root + sep;

  const put = (name: unknown, isDeep: boolean): void => {
    const path = pathOf(name);
    if (path === undefined) return;
    const folder = resolve(path);
    if (!folder.startsWith(inside) || FOREIGN.test(folder.slice(inside.length - 1))) return;
    if (found.size < MOST || found.has(folder)) found.set(folder, isDeep || found.get(folder) === true);
  };

  return {
    note(name, [first, second]) {
      const options = (typeof second === 'object' ? second : null) as { recursive?: unknown; cwd?: unknown } | null;
      if (!name.startsWith('glob')) return put(first, options?.recursive === true);
      const cwd = pathOf(options?.cwd) ?? '.';
      for (const pattern of Array.isArray(first) ? first : [first]) {
        if (typeof pattern !== 'string') continue;
        const names = pattern.split(/[\\/]/);
        const wild = names.findIndex((part) => WILD.test(part));
        if (wild >= 0) put(resolve(cwd, names.slice(0, wild).join(sep) || rootOf(pattern)), wild < names.length - 1);
      }
    },
    folders: () => [...found].map(([path, isDeep]) => ({ path, isDeep })),
  };
}

const rootOf = (pattern: string): string => (/^[\\/]/.test(pattern) ? sep : '');

/** The app meets the error if it is none. */
export function pathOf(name: unknown): string | undefined {
  if (typeof name === 'string') return name;
  return name instanceof URL && name.protocol === 'file:' ? fileURLToPath(name) : undefined;
}
