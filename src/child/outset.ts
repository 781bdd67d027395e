/**
 * What the child room begins with, and the app's first process: it is spawned before the rest of hotrun is loaded, which takes
 * as long as Node's own boot.
 */
import type { Config } from '../config/config.ts';
import { type Desk, openDesk } from './desk.ts';
import { readEnvironment } from './envfiles.ts';
import { type Guardian, openGuardian } from './guardian.ts';
import { type Held, openHeld } from './held.ts';
import { isNode, type Launched, launch } from './launch.ts';
import { type Ledger, openLedger } from './ledger.ts';

export interface Outset {
  readonly held: Held;
  readonly ledger: Ledger;
  readonly guardian: Guardian;
  readonly desk: Desk;
  /** The process that was spawned ahead, once. Null: there is none. */
  take(): Launched | null;
}

export function openOutset(): Outset {
  const held = openHeld();
  const guardian = openGuardian();
  return { held, ledger: openLedger((key) => held.drop(key)), guardian, desk: openDesk(guardian), take: () => null };
}

/**
 * The same, with the first process on its way, unless something has to be done before it. It asks nothing that cannot wait.
 * @param codeCache the folder of V8's code cache, or null to do without
 */
export function setOut(config: Config, codeCache: string | null): Outset {
  const outset = openOutset();
  if (!isNode(config) || config.build !== null || readEnvironment(config.envFiles).fault !== null) return outset;
  let launched: Launched | null = launch(config, outset, codeCache, null);
  return {
    ...outset,
    take() {
      const taken = launched;
      launched = null;
      return taken;
    },
  };
}
