/** What each generation was given, and what was saved that none of them has taken up yet. */
import type { Generation } from '../supervisor/words.ts';
import type { Ahead } from './ahead.ts';
import type { Entry } from './store.ts';

export interface Given {
  /** Of the build that it was made from. */
  readonly id: number;
  /** Of what it has loaded: file -> hash. */
  readonly hashes: Map<string, string>;
  /** The same, in full. */
  readonly sources: Map<string, Entry>;
  readonly packed: Map<string, Entry>;
  ahead?: Ahead;
}

export interface Ledger {
  saved(files: readonly string[]): void;
  /** A file that is to be tried again, whether or not it is saved. */
  retry(file: string): void;
  /** The files that build `id` takes up. */
  take(id: number): readonly string[];
  /** The build `id` was found to change nothing: its files are done with, unless they were saved again. */
  drop(id: number): void;
  /** The files that the build of a generation took up. */
  taken(given: Given | undefined): readonly string[];
  /** @param others what is no module: it is what it is, for all generations from now on */
  begin(gen: Generation, id: number, others: ReadonlyMap<string, string>): void;
  of(gen: Generation): Given | undefined;
  all(): Iterable<Given>;
  activated(gen: Generation): void;
  /** What the newest activated generation was given. */
  running(): ReadonlyMap<string, string>;
}

export function openLedger(): Ledger {
  /** Saved since the running generation took up its files; the number is a clock of saves. */
  const pending = new Map<string, number>();
  let clock = 0;
  const taken = new Map<number, ReadonlyMap<string, number>>();
  const given = new Map<Generation, Given>();
  let running = new Map<string, string>();

  function drop(id: number): void {
    for (const [file, at] of taken.get(id) ?? []) if (pending.get(file) === at) pending.delete(file);
  }

  return {
    saved(files) {
      for (const file of files) pending.set(file, ++clock);
    },
    retry: (file) => void pending.set(file, pending.get(file) ?? ++clock),
    take(id) {
      taken.set(id, new Map(pending));
      return [...pending.keys()];
    },
    drop,
    taken: (now) => [...(taken.get(now?.id ?? 0)?.keys() ?? [])],
    begin: (gen, id, others) =>
      void given.set(gen, { id, hashes: new Map(others), sources: new Map(), packed: new Map() }),
    of: (gen) => given.get(gen),
    all: () => given.values(),
    activated(gen) {
      const now = given.get(gen);
      if (!now) return;
      running = now.hashes;
      drop(now.id);
      for (const id of taken.keys()) if (id <= now.id) taken.delete(id);
      for (const older of given.keys()) if (older < gen) given.delete(older);
    },
    running: () => running,
  };
}
