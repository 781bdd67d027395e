/**
 * Apps remove what is at their path before they listen there, and whoever connects in between would find nothing. So the path of
 * an inherited socket stays until the app listens on it.
 */
import { resolve } from 'node:path';
import { pathOf as nameOf } from './lists.ts';
import { pathOf } from './path.ts';
import { replace, type StandIn } from './stand-ins.ts';

/** lib/net.js: what is no pipe has a port from 0 on. */
const PATH_KEY = /^-1\|([\s\S]+)\|-1/;

export interface KeptPaths {
  /** The app has got as far as it gets, or listens on this path: nothing is kept for it any more. */
  end(path?: string): void;
}

/** @param keys of the inherited sockets */
export function keepPaths(keys: readonly string[]): KeptPaths {
  const kept = new Set<unknown>(keys.flatMap((key) => pathOf(PATH_KEY.exec(key)?.[1] ?? '\0') ?? []));
  if (kept.size === 0) return { end() {} };
  /** What removing it would have given. */
  const unless =
    (answer: (args: readonly unknown[]) => unknown): StandIn =>
    (args, _, run) => {
      const name = nameOf(args[0]);
      return name !== undefined && kept.has(resolve(name)) ? answer(args) : run();
    };
  const calls = (args: readonly unknown[]): void => {
    const callback = args.at(-1);
    if (typeof callback === 'function') process.nextTick(callback as () => void, null);
  };
  const putBack = replace([
    ['fs', ['unlinkSync', 'rmSync'], unless(() => undefined)],
    ['fs', ['unlink', 'rm'], unless(calls)],
    ['promises', ['unlink', 'rm'], unless(() => Promise.resolve())],
  ]);
  return {
    end(path) {
      if (kept.size === 0) return;
      if (path === undefined) kept.clear();
      else kept.delete(path);
      if (kept.size === 0) putBack();
    },
  };
}
