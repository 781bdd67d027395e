/**
 * The inspector. Only one process can listen on its port, and a generation boots while its predecessor serves: so the port
 * is opened when the generation begins, and closed when its drain begins, and a debugger finds it where it was.
 */
import { createRequire } from 'node:module';
import type { Inspect } from './messages.ts';

/** Loaded when it is asked for: not every Node has it. */
const load = (): typeof import('node:inspector') => createRequire(__filename)('node:inspector');

/** As node does for its own flags, before any code of the app runs. Blocks until a debugger has come, if it is to wait. */
export function openInspector({ host, port, wait, pause }: Inspect): void {
  const inspector = load();
  inspector.open(port, host);
  if (wait) inspector.waitForDebugger();
  // biome-ignore lint/suspicious/noDebugger: this is where --inspect-brk stops; the next step is the app's
  if (pause) debugger;
}

export const closeInspector = (): void => load().close();
