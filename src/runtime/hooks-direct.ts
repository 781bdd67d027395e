/**
 * The hooks of `import` on Node 20 in the app's own thread: what `module.registerHooks` is on newer ones. Node's loader
 * takes them as its *customizations* (lib/internal/modules/esm/loader.js), which is where `module.register` puts its
 * thread; the thread costs 40 ms at the start and a round trip for every module, also of packages. Where this Node has no
 * such loader, nothing is installed and the thread is used.
 */
import type { Hooks } from './hooks.ts';
import { type Loaded, openInternals, type Resolve, type Resolved } from './internals.ts';
import { withoutMap } from './maps.ts';

/**
 * @param intoThread the app registers hooks of its own, which run in Node's thread: ours go there first, to be in one
 * chain with them
 * @returns false if this Node has no such loader
 */
export function installDirectHooks(hooks: Hooks, intoThread: () => void): boolean {
  const internals = openInternals();
  if (!internals) return false;
  const { loader, load, loadSync, initializeImportMeta } = internals;
  const resolve: Resolve = (specifier, parentURL, attributes) => {
    const url = hooks.resolve(specifier, parentURL) ?? hooks.known(specifier, parentURL, 'import');
    if (url !== undefined) return { url };
    let found: Resolved;
    try {
      found = loader.defaultResolve(specifier, parentURL, attributes);
    } catch (error) {
      const other = hooks.missed(error, parentURL);
      if (other === undefined) throw error;
      return { url: other };
    }
    hooks.resolved(specifier, parentURL, found.url, 'import');
    return found;
  };
  const own = (url: string): Loaded | undefined => {
    const loaded = hooks.load(url, 'import');
    return loaded && { ...loaded, responseURL: url };
  };
  loader.setCustomizations({
    allowImportMetaResolve: true,
    resolve,
    resolveSync: resolve,
    load: (url, context) => own(url) ?? load(url, context).then(withoutMap),
    loadSync: (url, context) => own(url) ?? withoutMap(loadSync(url, context)),
    register(...args) {
      loader.setCustomizations(undefined);
      intoThread();
      return loader.register(...args);
    },
    importMetaInitialize: initializeImportMeta,
    forceLoadHooks() {},
  });
  return true;
}
