/**
 * What the session remembers of builds and generations beside the machine's state, to tell about them: why, and when what
 * happened. Times are of performance.now(), in ms.
 */
import type { Generation } from './supervisor/words.ts';
import type { Mark, Phase, Reason } from './terminal/index.ts';

interface BuildNotes {
  readonly reason: Reason;
  /** When the first save of its burst was seen. */
  readonly since: number;
  builtAt?: number;
}

interface GenerationNotes {
  readonly build: BuildNotes;
  preparedAt?: number;
  activatedAt?: number;
  stopSince?: number;
  /** Requests in flight when it began to drain. */
  busy: number;
  /** Why it cannot be loaded. */
  refusal?: { readonly text: string; readonly stack: string };
  readonly ports: Set<string>;
}

export interface Notebook {
  /** A file was saved, or a reload was asked for: the reason of the next build, together with what came before it. */
  note(reason: Reason): void;
  /** A build that came to nothing because of a save: its reason is one of the next build's too. */
  reopen(build: BuildNotes): void;
  build(id: number): BuildNotes;
  generation(gen: Generation): GenerationNotes;
  /** Generation `gen` is made from build `id`. */
  begin(gen: Generation, id: number): void;
  forget(gen: Generation): void;
  /** What is being done for the newest reason has got this far. */
  mark(name: Mark): void;
  /** When that was, in ms since the save was heard of, in the order of time. */
  marks(): readonly (readonly [name: Mark, ms: number])[];
  phases(gen: Generation): { totalMs: number; phases: Phase[] };
}

const together = (first: Reason & { kind: 'saved' }, then: Reason): Reason =>
  then.kind === 'saved' ? { kind: 'saved', files: [...new Set([...first.files, ...then.files])] } : first;

/** @param since when what `start` says began */
export function openNotebook(start: Reason, since: number): Notebook {
  const builds = new Map<number, BuildNotes>();
  const generations = new Map<Generation, GenerationNotes>();
  let next: { reason: Reason; since: number } = { reason: start, since };
  let used = false;
  /** The last time counts: an attempt may have been given up for a newer save. */
  const marks = new Map<Mark, number>();

  const notes: Notebook = {
    note(reason) {
      if (used) {
        next = { reason, since: performance.now() };
        marks.clear();
      } else if (next.reason.kind === 'saved') next = { reason: together(next.reason, reason), since: next.since };
      used = false;
    },
    reopen({ reason, since }) {
      if (reason.kind === 'saved') next = { reason: used ? reason : together(reason, next.reason), since };
      used = false;
    },
    build(id) {
      let known = builds.get(id);
      if (!known) {
        known = { ...next };
        used = true;
        builds.set(id, known);
        for (const older of builds.keys()) if (older < id - 32) builds.delete(older);
      }
      return known;
    },
    generation(gen) {
      const known = generations.get(gen);
      if (!known) throw new Error(`generation ${gen} was never begun`);
      return known;
    },
    begin(gen, id) {
      generations.set(gen, { build: notes.build(id), busy: 0, ports: new Set() });
    },
    mark: (name) => void marks.set(name, performance.now()),
    marks: () => [...marks].map(([name, at]) => [name, at - next.since] as const).sort(([, a], [, b]) => a - b),
    forget: (gen) => void generations.delete(gen),
    phases(gen) {
      const { build, preparedAt = 0, activatedAt = 0 } = notes.generation(gen);
      const { since, builtAt = since } = build;
      const now = performance.now();
      const phases: Phase[] = [
        { name: 'build', ms: builtAt - since },
        { name: 'link', ms: preparedAt - builtAt },
        { name: 'stop', ms: activatedAt - preparedAt },
        { name: 'start', ms: now - activatedAt },
      ];
      return { totalMs: now - since, phases };
    },
  };
  return notes;
}
