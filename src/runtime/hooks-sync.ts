/** The hooks where Node has `module.registerHooks` (22.15, 23.5): synchronous, in this thread, for import and require alike. */
import nodeModule, { syncBuiltinESMExports } from 'node:module';
import { type Hooks, OURS } from './hooks.ts';

type Load = (url: string, context: HookContext) => HookResult;
interface HookContext {
  readonly parentURL?: string;
  readonly conditions?: readonly string[];
}
interface HookResult {
  url?: string;
  format?: string | null;
  source?: unknown;
  responseURL?: string;
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

/**
 * @param intoThread the app registers hooks of its own, which run in Node's thread and are asked by Node's default step, after
 * ours: so from then on `import` is left to that thread, where ours are asked last
 */
export function installSyncHooks(register: RegisterHooks, hooks: Hooks, intoThread: () => void): void {
  const isInThread = watchRegister(intoThread);
  const isTheirs = (what: string, context: HookContext): boolean =>
    isInThread() && byOf(context) === 'import' && !OURS.has(what);
  register({
    resolve(specifier, context, next) {
      const leave = isTheirs(specifier, context);
      const url = leave
        ? undefined
        : (hooks.resolve(specifier, context.parentURL) ?? hooks.known(specifier, context.parentURL, byOf(context)));
      if (url !== undefined) return { url, shortCircuit: true };
      let found: HookResult;
      try {
        found = withMoreFrames(() => next(specifier, context));
      } catch (error) {
        const other = leave ? undefined : hooks.missed(error, context.parentURL);
        if (other === undefined) throw error;
        return { url: other, shortCircuit: true };
      }
      if (found.url && !leave) hooks.resolved(specifier, context.parentURL, found.url, byOf(context));
      return found;
    },
    load(url, context, next) {
      const loaded = hooks.load(url, byOf(context));
      // CommonJS that Node is given by its thread runs without require.cache, and what it requires is not what `require` finds.
      if (loaded === undefined || (isTheirs(url, context) && (loaded.format !== 'commonjs' || url.includes('?'))))
        return next(url, context);
      // As Node's own load has it: loaders look at it.
      return { ...loaded, responseURL: url, shortCircuit: true };
    },
  });
}

/** Loaders that do what hotrun does: given our JavaScript for TypeScript, they would compile it once more, or find type errors. */
const COMPILERS =
  /(?:^|[\\/]node_modules[\\/])(?:tsx|ts-node|@swc-node[\\/]register|@esbuild-kit[\\/][\w-]+|esbuild-register|tsimp)(?:[\\/]|$)/;

/** @returns whether `import` is left to the thread */
function watchRegister(intoThread: () => void): () => boolean {
  let isInThread = false;
  const place = nodeModule as unknown as { register?: (...args: unknown[]) => unknown };
  const { register } = place;
  if (!register) return () => false;
  place.register = new Proxy(register, {
    apply(target, self, args) {
      const [specifier, parent] = args;
      const from = (parent as { parentURL?: unknown } | null | undefined)?.parentURL ?? parent;
      if (!isInThread && !COMPILERS.test(String(specifier)) && !COMPILERS.test(String(from))) {
        // Before, for ours pass here too.
        isInThread = true;
        try {
          intoThread();
        } catch (error) {
          isInThread = false;
          throw error;
        }
      }
      return Reflect.apply(target, self, args);
    },
  });
  syncBuiltinESMExports();
  return () => isInThread;
}

const byOf = ({ conditions }: HookContext): 'import' | 'require' =>
  conditions?.includes('require') ? 'require' : 'import';
