/** The hooks where Node has `module.registerHooks` (22.15, 23.5): synchronous, in this thread, for import and require alike. */
import nodeModule from 'node:module';
import type { Hooks } from './hooks.ts';

type Load = (url: string, context: HookContext) => HookResult;
interface HookContext {
  readonly parentURL?: string;
  readonly conditions?: readonly string[];
}
interface HookResult {
  url?: string;
  format?: string | null;
  source?: unknown;
  shortCircuit?: boolean;
}
type RegisterHooks = (hooks: {
  resolve(specifier: string, context: HookContext, next: Load): HookResult;
  load(url: string, context: HookContext, next: Load): HookResult;
}) => unknown;

/** Undefined on an older Node. */
export const registerHooks = (nodeModule as unknown as { registerHooks?: RegisterHooks }).registerHooks;

/** What the hooks, and Node's way to them, put between the app's `require` and an error: nearly all that a stack shows. */
const FRAMES = 6;

/** An error has as many frames of the app's own as without us. */
function withMoreFrames<T>(run: () => T): T {
  const { stackTraceLimit } = Error;
  if (typeof stackTraceLimit !== 'number') return run();
  Error.stackTraceLimit = stackTraceLimit + FRAMES;
  try {
    return run();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

export function installSyncHooks(register: RegisterHooks, hooks: Hooks): void {
  register({
    resolve(specifier, context, next) {
      const url = hooks.resolve(specifier, context.parentURL);
      if (url !== undefined) return { url, shortCircuit: true };
      let found: HookResult;
      try {
        found = withMoreFrames(() => next(specifier, context));
      } catch (error) {
        const other = hooks.missed(error, context.parentURL);
        if (other === undefined) throw error;
        return { url: other, shortCircuit: true };
      }
      if (found.url) hooks.resolved(specifier, context.parentURL, found.url, byOf(context));
      return found;
    },
    load(url, context, next) {
      const loaded = hooks.load(url, byOf(context));
      return loaded === undefined ? next(url, context) : { ...loaded, shortCircuit: true };
    },
  });
}

const byOf = ({ conditions }: HookContext): 'import' | 'require' =>
  conditions?.includes('require') ? 'require' : 'import';
