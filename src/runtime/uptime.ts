/** To the app its process is as old as its turn: what it waited before, as a standby, is nobody's startup time. */
import { syncBuiltinESMExports } from 'node:module';

/**
 * Before packages are loaded, which may keep the function. `performance` is left alone: its marks are made by Node.
 * @returns from then on `process.uptime()` counts
 */
export function holdUptime(): () => void {
  const { uptime } = process;
  let waited = 0;
  process.uptime = new Proxy(uptime, { apply: (target, self, args) => Reflect.apply(target, self, args) - waited });
  syncBuiltinESMExports();
  return () => {
    waited = uptime.call(process);
  };
}
