/** One build: reads what was saved, compares it with what runs, and runs the build command, if there is one. */
import { basename } from 'node:path';
import type { CommandLine } from '../config/config.ts';
import type { Fault } from '../errors.ts';
import type { Ending } from '../supervisor/words.ts';
import { hashOf } from './cache.ts';
import { filled } from './filled.ts';
import type { Ledger } from './given.ts';
import type { Links } from './links.ts';
import { meaningOf } from './packages.ts';
import type { Entry, Store } from './store.ts';

/** What the newest generation was given: file -> hash. Null: there is none, and everything differs. */
type Base = ReadonlyMap<string, string> | null;
type Result = 'ok' | 'same' | 'failed';

/** What the room shares with a build. */
export interface Materials {
  readonly ledger: Ledger;
  readonly links: Links;
  readonly store: Store;
  /** Hashes of watched files that are no modules. */
  readonly others: Map<string, string>;
  /** By file, or `#` and the number of a build. */
  readonly faultsOf: Map<string, readonly Fault[]>;
  read(file: string): Promise<Entry | { faults: readonly Fault[] } | null>;
  run(command: CommandLine): { readonly ended: Promise<Ending>; kill(): void };
  mark(name: 'read'): void;
}

/** The hash of what matters in a file that is no module: of a package.json a few keys. */
export function hashOfOther(file: string, text: string): string {
  return hashOf(basename(file) === 'package.json' ? meaningOf(text) : text);
}

/** @param line the build command, if there is one */
export function openAttempt(
  line: CommandLine | null,
  { ledger, links, store, others, faultsOf, read, run, mark }: Materials,
) {
  const { entries } = store;

  async function attempt(id: number, base: Base, signal: AbortSignal): Promise<Result> {
    const files = ledger.take(id);
    const running = ledger.running();
    const faults: Fault[] = [];
    let differs = base === null;
    // Not at the start: opening the tools can wait until the first generation is on its way.
    if (files.length > 0) store.tools().resolver.reset();
    await Promise.all(
      files.map(async (file) => {
        const isModule = !others.has(file) && (entries.has(file) || faultsOf.has(file) || running.has(file));
        if (!isModule) {
          const hash = await filled(file, signal).then((text) => (text === null ? '' : hashOfOther(file, text)));
          if (base?.get(file) !== hash) differs = true;
          others.set(file, hash);
          return;
        }
        await filled(file, signal);
        mark('read');
        const shape = entries.get(file)?.shape;
        const entry = await read(file);
        // A standby may hold the module as it was.
        if (entry && 'shape' in entry && shape !== undefined && entry.shape !== shape) links.forget();
        faultsOf.delete(file);
        if (entry === null) {
          entries.delete(file);
          links.forget();
          if (base?.has(file)) differs = true;
        } else if ('faults' in entry) {
          faultsOf.set(file, entry.faults);
          faults.push(...entry.faults);
        } else if (base?.get(file) !== entry.hash) {
          differs = true;
          if (!base?.has(file)) links.forget();
        }
      }),
    );
    if (signal.aborted) return 'failed';
    if (faults.length > 0) {
      // Of a tsconfig.json there are as many as there are modules.
      faultsOf.set(`#${id}`, [...new Set(faults)]);
      return 'failed';
    }
    if (!differs) {
      ledger.drop(id);
      return 'same';
    }
    return line === null ? 'ok' : command(line, id, signal);
  }

  async function command(line: CommandLine, id: number, signal: AbortSignal): Promise<'ok' | 'failed'> {
    const job = run(line);
    signal.addEventListener('abort', () => job.kill());
    const { code, signal: by } = await job.ended;
    if (code === 0) return 'ok';
    const name = typeof line === 'string' ? line : line.join(' ');
    const how = code === 127 ? 'was not found' : by ? `was ended by ${by}` : `failed with exit code ${code}`;
    faultsOf.set(`#${id}`, [{ text: `The build command ${name} ${how}` }]);
    return 'failed';
  }

  return attempt;
}
