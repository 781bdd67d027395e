/**
 * The hooks of `import` in Node's thread of hooks: where the app has some of its own there, which are asked first, and where
 * `module.registerHooks` is missing.
 */
import { openAsker } from './ask.ts';
import type { Desk } from './call.ts';
import { type Hooks, makeHooks } from './hooks.ts';
import { openLoader } from './loader.ts';
import { makeOffshootHooks } from './offshoot-hooks.ts';

export type ThreadData =
  /** In a generation: the question descriptor, which the app's own thread uses too. */
  | { readonly question: number; readonly turns: Int32Array; readonly entry: string; readonly own: string }
  /** In an offshoot. `own`: the URL of the runtime. */
  | { readonly desk: Desk; readonly own: string };

let hooks: Hooks;

export function initialize(data: ThreadData): void {
  if ('desk' in data) {
    hooks = makeOffshootHooks(data.desk, data.own, null, () => {}, true);
    return;
  }
  const asker = openAsker(data.question, data.turns);
  const loader = openLoader(asker, data.entry, data.own, null);
  // The gate is in another thread.
  loader.flush();
  // A CommonJS entry waits at the gate in the main thread.
  hooks = makeHooks(loader, (file) => file === data.entry, { entry: data.entry, gate() {} }, true);
}

interface Context {
  readonly parentURL?: string;
}
type Next = (specifier: string, context: Context) => Promise<{ readonly url?: string }>;

export async function resolve(specifier: string, context: Context, next: Next): Promise<unknown> {
  const url = hooks.resolve(specifier, context.parentURL);
  if (url !== undefined) return { url, shortCircuit: true };
  let found: { readonly url?: string };
  try {
    found = await next(specifier, context);
  } catch (error) {
    const other = hooks.missed(error, context.parentURL);
    if (other === undefined) throw error;
    return { url: other, shortCircuit: true };
  }
  if (found.url) hooks.resolved(specifier, context.parentURL, found.url, 'import');
  return found;
}

export async function load(url: string, context: Context, next: Next): Promise<unknown> {
  const loaded = hooks.load(url, 'import');
  return loaded === undefined ? next(url, context) : { ...loaded, shortCircuit: true };
}
