/** Functions of node:fs, for which Node has no event, replaced for a while by proxies of themselves: they keep name, length and util.promisify. */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

type Functions = Record<string, ((...args: unknown[]) => unknown) | undefined>;

/** `name` is called with `args`; `run` does what it does, and gives what it gives. */
export type StandIn = (args: readonly unknown[], name: string, run: () => unknown) => unknown;

/**
 * @param places of node:fs, or of its `promises`; a name that this Node does not have is passed over
 * @returns puts them back, where nobody else has replaced them meanwhile
 */
export function replace(
  places: readonly (readonly [of: 'fs' | 'promises', names: readonly string[], standIn: StandIn])[],
): () => void {
  const undo = places.flatMap(([of, names, standIn]) => {
    const on = (of === 'fs' ? fs : fs.promises) as unknown as Functions;
    return names.flatMap((name) => {
      const own = on[name];
      if (own === undefined) return [];
      const proxy = new Proxy(own, {
        apply: (target, self, args) => standIn(args, name, () => Reflect.apply(target, self, args)),
      });
      on[name] = proxy;
      return () => {
        if (on[name] === proxy) on[name] = own;
      };
    });
  });
  syncBuiltinESMExports();
  return () => {
    for (const put of undo) put();
    syncBuiltinESMExports();
  };
}
