/** hotrun's own inspector, which nobody has asked for. */
import { createRequire } from 'node:module';
import type { Config } from '../config/config.ts';
import { readEnvironment } from './envfiles.ts';
import { splitInspect } from './inspect.ts';

/**
 * An inspector that NODE_OPTIONS ask for is the app's, and so is its port: the one that node has opened in hotrun's own
 * process is closed, and helpers such as tsc do without. One that an argument asks for, to debug hotrun, stays.
 */
export function leaveInspector({ nodeOptions: shell, envFiles }: Config): void {
  // Node takes NODE_OPTIONS out of a file that --env-file names even where that is an argument of the script.
  const isNamed = process.argv.some((word) => word.startsWith('--env-file'));
  const given = shell ?? (isNamed ? readEnvironment(envFiles).variables.NODE_OPTIONS : undefined) ?? '';
  const { inspect, nodeOptions } = splitInspect([], given);
  if (!inspect) return;
  if (shell !== null) process.env.NODE_OPTIONS = nodeOptions;
  if (splitInspect(process.execArgv).inspect) return;
  const { close } = createRequire(import.meta.url)('node:inspector') as typeof import('node:inspector');
  close();
}
