/**
 * Apps remove what is at their path before they listen there, and whoever connects in between would find nothing. So the path of
 * an inherited socket stays until the app listens on it: the functions of node:fs that would remove it are proxies until then.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { resolve } from 'node:path';
import { pathOf } from './lists.ts';
import { pathOf as absolute } from './path.ts';

type Functions = Record<string, (...args: unknown[]) => unknown>;
type Answer = (args: readonly unknown[]) => unknown;

/** lib/net.js: what is no pipe has a port from 0 on. */
const PATH_KEY = /^-1\|([\s\S]+)\|-1/;

function addressOf(key: string): string[] {
  const address = PATH_KEY.exec(key)?.[1];
  const path = address === undefined ? null : absolute(address);
  return path === null ? [] : [path];
}

const returns: Answer = () => undefined;
const calls: Answer = (args) => {
  const callback = args.at(-1);
  if (typeof callback === 'function') process.nextTick(callback as () => void, null);
};
const resolves: Answer = () => Promise.resolve();

const PLACES: readonly (readonly [Functions, readonly string[], Answer])[] = [
  [fs as unknown as Functions, ['unlinkSync', 'rmSync'], returns],
  [fs as unknown as Functions, ['unlink', 'rm'], calls],
  [fs.promises as unknown as Functions, ['unlink', 'rm'], resolves],
];

export interface KeptPaths {
  /** The app has got as far as it gets, or listens on this path: nothing is kept for it any more. */
  end(path?: string): void;
}

/** @param keys of the inherited sockets */
export function keepPaths(keys: readonly string[]): KeptPaths {
  const kept = new Set(keys.flatMap((key) => addressOf(key)));
  if (kept.size === 0) return { end() {} };
  const undo = PLACES.flatMap(([on, names, answer]) =>
    names.map((name) => {
      const own = on[name] as Functions[string];
      const proxy = new Proxy(own, {
        apply(target, self, args) {
          const path = pathOf(args[0]);
          return path !== undefined && kept.has(resolve(path)) ? answer(args) : Reflect.apply(target, self, args);
        },
      });
      on[name] = proxy;
      return () => {
        if (on[name] === proxy) on[name] = own;
      };
    }),
  );
  syncBuiltinESMExports();
  return {
    end(path) {
      if (kept.size === 0) return;
      if (path === undefined) kept.clear();
      else kept.delete(path);
      if (kept.size > 0) return;
      for (const put of undo) put();
      syncBuiltinESMExports();
    },
  };
}
