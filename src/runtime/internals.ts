/**
 * What we use of the inside of Node 20. The way to it is the flag --expose-internals. Every Node 20 that hotrun runs on has
 * it in this form; where it is not so, that is said, and there is another way, or we do without.
 */
import { createRequire } from 'node:module';
import { INTERNALS_FLAG } from './messages.ts';

const require = createRequire(__filename);

export interface Resolved {
  url: string;
  format?: string;
}
export interface Loaded {
  format: string;
  responseURL: string;
  source: unknown;
}
export type Resolve = (specifier: string, parentURL: string | undefined, attributes: unknown) => Resolved;
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
export interface Internals {
  readonly loader: NodeLoader;
  readonly load: (url: string, context: unknown) => Promise<Loaded>;
  readonly loadSync: (url: string, context: unknown) => Loaded;
  readonly initializeImportMeta: (meta: unknown, context: unknown, loader: unknown) => unknown;
}

/** Undefined where they are not so. */
export function openInternals(): Internals | undefined {
  if (!process.execArgv.includes(INTERNALS_FLAG)) return undefined;
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

/** What Node makes a module's `require` by. A policy looks at the text of each module in Node's own `_compile`. */
export function requireMaker(): ((module: NodeJS.Module) => unknown) | undefined {
  if (!process.execArgv.includes(INTERNALS_FLAG)) return undefined;
  try {
    if (require('internal/options').getOptionValue('--experimental-policy')) return undefined;
    const { makeRequireFunction } = require('internal/modules/helpers');
    return typeof makeRequireFunction === 'function' ? makeRequireFunction : undefined;
  } catch {
    return undefined;
  }
}
