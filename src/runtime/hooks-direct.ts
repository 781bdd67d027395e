/**
 * The hooks of `import` on Node 20 in the app's own thread: what `module.registerHooks` is on newer ones. Node's loader
 * takes them as its *customizations* (lib/internal/modules/esm/loader.js), which is where `module.register` puts its
 * thread; the thread costs 40 ms at the start and a round trip for every module, also of packages. The way to that loader
 * is the flag --expose-internals. Every Node 20 that hotrun runs on has it in this form; where it is not so, nothing is
 * installed and the thread is used.
 */
import { createRequire } from 'node:module';
import type { Hooks } from './hooks.ts';
import { withoutMap } from './maps.ts';
import { INTERNALS_FLAG } from './messages.ts';

interface Resolved {
  url: string;
  format?: string;
}
interface Loaded {
  format: string;
  responseURL: string;
  source: unknown;
}
type Resolve = (specifier: string, parentURL: string | undefined, attributes: unknown) => Resolved;
interface Customizations {
  readonly allowImportMetaResolve: boolean;
  resolve: Resolve;
  resolveSync: Resolve;
  load(url: string, context: unknown): Loaded | Promise<Loaded>;
  loadSync(url: string, context: unknown): Loaded;
  register(...args: unknown[]): unknown;
  importMetaInitialize(meta: unknown, context: unknown, loader: unknown): unknown;
  forceLoadHooks(): void;
}
interface NodeLoader {
  setCustomizations(customizations: Customizations | undefined): void;
  defaultResolve: Resolve;
  register(...args: unknown[]): unknown;
}
interface Internals {
  readonly loader: NodeLoader;
  readonly load: (url: string, context: unknown) => Promise<Loaded>;
  readonly loadSync: (url: string, context: unknown) => Loaded;
  readonly initializeImportMeta: (meta: unknown, context: unknown, loader: unknown) => unknown;
}

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
    const url = hooks.resolve(specifier, parentURL);
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

function openInternals(): Internals | undefined {
  if (!process.execArgv.includes(INTERNALS_FLAG)) return undefined;
  const require = createRequire(__filename);
  try {
    // First, for it and the next but one need each other.
    require('internal/modules/esm/resolve');
    const loader = require('internal/modules/esm/loader').getOrInitializeCascadedLoader();
    const { defaultLoad: load, defaultLoadSync: loadSync } = require('internal/modules/esm/load');
    const { initializeImportMeta } = require('internal/modules/esm/initialize_import_meta');
    const all = [
      loader.setCustomizations,
      loader.defaultResolve,
      loader.register,
      load,
      loadSync,
      initializeImportMeta,
    ];
    return all.every((one) => typeof one === 'function') ? { loader, load, loadSync, initializeImportMeta } : undefined;
  } catch {
    return undefined;
  }
}
