/** One build: reads what was saved, compares it with what runs, and runs the build command, if there is one. */
import { existsSync, realpathSync } from 'node:fs';
import { basename } from 'node:path';
import type { CommandLine } from '../config/config.ts';
import type { Fault } from '../errors.ts';
import { hashOf } from './cache.ts';
import { filled } from './filled.ts';
import { isGenerated } from './generated.ts';
import type { Ledger } from './given.ts';
import type { Links } from './links.ts';
import type { Outputs } from './outputs.ts';
import { meaningOf } from './packages.ts';
import type { Made, Store } from './store.ts';
import type { BuildHost } from './verbs.ts';

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
  /** New files, which the app is expected to load. */
  readonly fresh: Set<string>;
  /** By file, or `#` and the number of a build. */
  readonly faultsOf: Map<string, readonly Fault[]>;
  readonly outputs: Outputs;
  /** Modules of which no event tells. */
  readonly unwatched: ReadonlySet<string>;
  read(file: string): Promise<Made>;
  readonly host: Pick<BuildHost, 'run' | 'mark' | 'onMissing' | 'onGenerated'>;
}

const IN_PACKAGE = /[\\/]node_modules[\\/]/;
/** What Node loads by its ending. */
const MODULE = /\.(?:[cm]?[jt]s|[jt]sx)$/;

/** The hash of what matters in a file that is no module: of a package.json a few keys. */
export function hashOfOther(file: string, text: string): string {
  const meaning = basename(file) === 'package.json' ? meaningOf(text) : text;
  // By a link in it, another package or module with the same words may be meant.
  const real = realPathOf(file);
  return hashOf(real !== file || IN_PACKAGE.test(file) ? `${real}\n${meaning}` : meaning);
}

/** Empty if it is gone meanwhile, of which there will be an event. */
export function realPathOf(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    return '';
  }
}

/**
 * @param line the build command, if there is one
 * @param main the entry, which the command may be to make, or ''
 */
export function openAttempt(
  line: CommandLine | null,
  main: string,
  { ledger, links, store, others, fresh, faultsOf, outputs, unwatched, read, host }: Materials,
) {
  const { entries } = store;

  async function attempt(id: number, base: Base, signal: AbortSignal): Promise<Result> {
    const files = [...new Set([...ledger.take(id), ...outputs.stale(unwatched)])];
    let differs = base === null;
    // Not at the start: opening the tools can wait until the first generation is on its way.
    if (files.length > 0) store.tools().resolver.reset();
    const taken = await takeUp(files, base, signal);
    differs ||= taken.differ;
    if (signal.aborted || !isGood(id, taken.faults)) return 'failed';
    if (!differs) {
      ledger.drop(id);
      return 'same';
    }
    if (line === null) return 'ok';
    if ((await command(line, id, signal)) === 'failed' || signal.aborted) return 'failed';
    const { faults } = await takeUp(outputs.stale(entries.keys()), base, signal);
    return isGood(id, faults) ? 'ok' : 'failed';
  }

  function isGood(id: number, faults: readonly Fault[]): boolean {
    // Of a tsconfig.json there are as many as there are modules.
    if (faults.length > 0) faultsOf.set(`#${id}`, [...new Set(faults)]);
    return faults.length === 0;
  }

  /** Reads them. */
  async function takeUp(
    files: readonly string[],
    base: Base,
    signal: AbortSignal,
  ): Promise<{ differ: boolean; faults: readonly Fault[] }> {
    const running = ledger.running();
    const faults: Fault[] = [];
    let differ = false;
    await Promise.all(
      files.map(async (file) => {
        const isModule =
          !others.has(file) && !fresh.has(file) && (entries.has(file) || faultsOf.has(file) || running.has(file));
        if (!isModule) {
          const hash = await filled(file, signal).then((text) => (text === null ? '' : hashOfOther(file, text)));
          if (fresh.has(file) && (await isFaulty(file, hash, faults))) return;
          if (base?.get(file) !== hash) differ = true;
          others.set(file, hash);
          return;
        }
        const text = await filled(file, signal);
        host.mark('read');
        if (text !== null && isGenerated(text)) host.onGenerated(file);
        const shape = entries.get(file)?.shape;
        const entry = await read(file);
        // A standby may hold the module as it was.
        if (entry && 'shape' in entry && shape !== undefined && entry.shape !== shape) links.forget();
        faultsOf.delete(file);
        if (entry === null) {
          entries.delete(file);
          links.forget();
          if (base?.has(file)) differ = true;
          // Any other may be imported no more. A build command may be about to make it.
          if (file === main && line === null) faults.push({ text: 'not found', file });
        } else if ('faults' in entry) {
          faultsOf.set(file, entry.faults);
          faults.push(...entry.faults);
        } else if (base?.get(file) !== entry.hash) {
          differ = true;
          if (!base?.has(file)) links.forget();
        }
      }),
    );
    return { differ, faults };
  }

  /** Whether a new file is no reason to reload: because of its faults, or because it is gone before anything has loaded it. */
  async function isFaulty(file: string, hash: string, faults: Fault[]): Promise<boolean> {
    if (hash === '') {
      fresh.delete(file);
      return !ledger.running().has(file);
    }
    const found = MODULE.test(file) ? await store.faultsIn(file) : [];
    faults.push(...found);
    return found.length > 0;
  }

  async function command(line: CommandLine, id: number, signal: AbortSignal): Promise<'ok' | 'failed'> {
    outputs.begin();
    const job = host.run(line);
    signal.addEventListener('abort', () => job.kill());
    const { code, signal: by } = await job.ended;
    outputs.end(code === 0);
    const name = typeof line === 'string' ? line : line.join(' ');
    if (code === 0) {
      if (main === '' || existsSync(main)) return 'ok';
      host.onMissing([main]);
      faultsOf.set(`#${id}`, [{ text: `was not made by the build command ${name}`, file: main }]);
      return 'failed';
    }
    const how = code === 127 ? 'was not found' : by ? `was ended by ${by}` : `failed with exit code ${code}`;
    faultsOf.set(`#${id}`, [{ text: `The build command ${name} ${how}` }]);
    return 'failed';
  }

  return attempt;
}
