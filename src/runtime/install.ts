/** Installs module hooks, in the way that this Node has. */
import { GIVEN_COMMONJS_IS_WHOLE, type Hooks } from './hooks.ts';
import { installCommonJsHooks, type Run } from './hooks-cjs.ts';
import { installDirectHooks } from './hooks-direct.ts';
import { installSyncHooks, registerHooks } from './hooks-sync.ts';

/**
 * @param entry absolute path: it may lie in a package. Empty: there is none
 * @param intoThread has Node's thread of hooks run those of `import` too, where there is no other way
 * @param run runs what a package is required for, if it can
 */
export function installHooks(hooks: Hooks, entry: string, intoThread: () => void, run?: Run): void {
  if (registerHooks) {
    installSyncHooks(registerHooks, hooks, intoThread);
    if (!GIVEN_COMMONJS_IS_WHOLE) installCommonJsHooks(hooks, entry, { resolve: 'last' });
  } else {
    installCommonJsHooks(hooks, entry, { resolve: 'first', run });
    if (!installDirectHooks(hooks, intoThread)) intoThread();
  }
}
