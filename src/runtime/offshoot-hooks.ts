/** The module hooks of an offshoot: hotrun is asked as long as it answers; without it Node loads what it can. */
import { statSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type Desk, Lost, openCall } from './call.ts';
import { type Hooks, makeHooks } from './hooks.ts';
import { openLoader } from './loader.ts';
import type { Maps } from './maps.ts';

const PATH = /^(?:\/|file:)/;

/**
 * @param own the URL of the runtime
 * @param maps see `openLoader`
 * @param onLoad a file of the project is loaded
 */
export function makeOffshootHooks(
  desk: Desk,
  own: string,
  maps: Maps | null,
  onLoad: () => void,
  isThread = false,
): Hooks {
  const loader = openLoader(openCall(desk), '', own, maps);
  // There is no gate: each file is told at once.
  loader.flush();
  let main: string | undefined;
  const { resolve, load, missed } = makeHooks(loader, (file) => file === main, null, isThread);
  /**
   * `new Worker(new URL('./job.js', import.meta.url))` means job.ts where that is what there is, as an import does; `fork` of
   * a folder its index.ts.
   */
  const resolveMain = (specifier: string): string | undefined => {
    if (main !== undefined || !PATH.test(specifier)) return undefined;
    main = specifier.startsWith('file:') ? fileURLToPath(specifier) : specifier;
    if (statSync(main, { throwIfNoEntry: false })?.isFile()) return undefined;
    const url = resolve(main, pathToFileURL(main).href);
    if (url !== undefined) main = fileURLToPath(url);
    return url;
  };
  let isLost = false;
  const orNode = <T>(answer: () => T): T | undefined => {
    if (isLost) return undefined;
    try {
      return answer();
    } catch (error) {
      if (!(error instanceof Lost)) throw error;
      isLost = true;
      return undefined;
    }
  };
  return {
    known: () => undefined,
    resolved() {},
    missed: (error, parentURL) => orNode(() => missed(error, parentURL)),
    resolve: (specifier, parentURL) =>
      orNode(() => (parentURL === undefined ? resolveMain(specifier) : resolve(specifier, parentURL))),
    load(url, by) {
      const loaded = orNode(() => load(url, by));
      if (loaded) onLoad();
      return loaded;
    },
  };
}
