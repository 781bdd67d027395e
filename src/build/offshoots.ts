/**
 * What the forks and worker threads of a generation are given: the modules as that generation has them, whatever was saved
 * meanwhile, so that a broken save reaches nobody; and as they are on disk, where it has not loaded them.
 */
import type { Loaded, Pack } from '../runtime/messages.ts';
import type { Generation } from '../supervisor/words.ts';
import type { Ledger } from './given.ts';
import type { Entry } from './store.ts';

/** The answers to one fork or thread. */
export interface Offshoot {
  /** Those of these files that are known; `first` is loaded first. */
  pack(first: string, files: Iterable<string>): { head: Pack; body: Buffer };
  /** Never rejects. */
  load(file: string): Promise<{ head: Loaded; body: Buffer }>;
  /** It has loaded these from its pack. */
  loaded(files: readonly string[]): void;
}

export interface Offshoots {
  /** @param gen whose fork or thread it is; undefined if that is gone */
  offshoot(gen: Generation | undefined): Offshoot;
  /** A generation itself has loaded it. */
  inGeneration(file: string): void;
  /** Only offshoots have loaded it. */
  isAside(file: string): boolean;
}

export interface Means {
  readonly ledger: Ledger;
  readonly entries: ReadonlyMap<string, Entry>;
  parcel(wanted: Iterable<Entry>, first: string): { head: Pack; body: Buffer };
  /** Reads a file for a generation. Never rejects. */
  load(gen: Generation | undefined, file: string): Promise<{ head: Loaded; body: Buffer }>;
  /** A generation has loaded it. */
  onLoaded(gen: Generation | undefined, entry: Entry): void;
}

export function openOffshoots({ ledger, entries, parcel, load, onLoaded }: Means): Offshoots {
  const byGenerations = new Set<string>();
  const byOffshoots = new Set<string>();
  /** Many threads start at once, and want the same. */
  const underWay = new Map<string, Promise<{ head: Loaded; body: Buffer }>>();
  return {
    inGeneration: (file) => void byGenerations.add(file),
    isAside: (file) => byOffshoots.has(file) && !byGenerations.has(file),
    offshoot(gen) {
      const has = (file: string): Entry | undefined =>
        gen === undefined ? undefined : ledger.of(gen)?.sources.get(file);
      const packed = new Map<string, Entry>();
      return {
        pack(first, files) {
          for (const file of files) {
            const entry = has(file) ?? entries.get(file);
            if (entry) packed.set(file, entry);
          }
          const { head, body } = parcel(packed.values(), first);
          const isIn = (key: string): boolean => packed.has(key.slice(0, key.indexOf('\n')));
          const resolved = Object.fromEntries(Object.entries(head.resolved).filter(([key]) => isIn(key)));
          return { head: { ...head, resolved, packages: {} }, body };
        },
        load(file) {
          const entry = has(file);
          if (entry) return Promise.resolve({ head: { format: entry.module.format }, body: bytesOf(entry) });
          const key = `${gen}\n${file}`;
          const before = underWay.get(key);
          if (before) return before;
          byOffshoots.add(file);
          const loading = load(gen, file).finally(() => underWay.delete(key));
          underWay.set(key, loading);
          return loading;
        },
        loaded(files) {
          for (const file of files) {
            const entry = packed.get(file);
            if (!entry) continue;
            byOffshoots.add(file);
            onLoaded(gen, entry);
          }
        },
      };
    },
  };
}

const bytesOf = ({ module }: Entry): Buffer => module.bytes?.() ?? Buffer.from(module.code);
