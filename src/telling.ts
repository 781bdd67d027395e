/** From what the machine wants told to the fact that the terminal puts into words: names, times and texts are added here. */
import { statSync } from 'node:fs';
import { relative } from 'node:path';
import { faultOfStack } from './build/format.ts';
import type { Config } from './config/config.ts';
import { type Fault, never } from './errors.ts';
import type { Notebook } from './notebook.ts';
import type { Action, Generation, State } from './supervisor/words.ts';
import type { Fact, Reason } from './terminal/index.ts';

export interface Known {
  readonly config: Config;
  readonly notebook: Notebook;
  readonly state: State;
  /** Where the app listens, as far as it was told. */
  readonly told: ReadonlySet<string>;
  /** What was wrong with a build, or with what a generation asked for. */
  faults(about: { id?: number | undefined; gen?: Generation | undefined }): readonly Fault[];
}

export function factOf(action: Action & { type: 'tell' }, known: Known): Fact {
  const { what, ending = { code: null, signal: null } } = action;
  const { config, notebook, state } = known;
  // The machine names the build or the generation wherever the fact needs it.
  const id = action.id as number;
  const gen = action.gen as Generation;
  const now = performance.now();
  const stopping = (): number => now - (notebook.generation(gen).stopSince ?? now);
  const serving = [...state.lives].some(([other, { is }]) => other !== gen && (is === 'starting' || is === 'running'));
  switch (what) {
    case 'building':
      return {
        type: 'building',
        reason: notebook.build(id).reason,
        command: config.build === null ? null : shown(config.build),
      };
    case 'same':
      return { type: 'same', files: filesOf(notebook.build(id).reason) };
    case 'failed':
      return { type: 'failed', reason: notebook.build(id).reason, serving, faults: known.faults({ id }) };
    case 'refused': {
      const { reason } = notebook.build(id);
      const faults = refusal(gen, known);
      return { type: 'refused', reason, serving, faults, ...(action.ending && { ending }) };
    }
    case 'ready': {
      const { build, ports } = notebook.generation(gen);
      const { reason } = build;
      const first = [...ports].some((port) => !known.told.has(port));
      return { type: 'ready', gen, first, reason, ...notebook.phases(gen), ports: [...ports] };
    }
    case 'broken':
    case 'crashed':
    case 'ended': {
      const { activatedAt = now } = notebook.generation(gen);
      return { type: what, gen, ending, afterMs: now - activatedAt, serving };
    }
    case 'escalated':
      return { type: 'escalated', signal: config.ladder[action.rung ?? 0]?.signal ?? 'SIGKILL', afterMs: stopping() };
    case 'stuck':
      return { type: 'stuck', afterMs: stopping() };
    case 'quitting':
      return { type: 'quitting' };
    default:
      return never(what);
  }
}

/** Where the time went between the save and this generation's being ready. */
export function timingsOf(gen: Generation, form: 'text' | 'json', notebook: Notebook): Fact {
  const { reason, since } = notebook.generation(gen).build;
  const files = filesOf(reason);
  // The clock of the file system goes by ticks, of up to 10 ms.
  const written = files.map((file) => statSync(file, { throwIfNoEntry: false })?.ctimeMs ?? Number.POSITIVE_INFINITY);
  const heard = performance.timeOrigin + since - Math.min(...written);
  const unheard = Number.isFinite(heard) ? Math.max(heard, 0) : 0;
  const marks = notebook.marks().map(([name, ms]) => [name, unheard + ms] as const);
  return { type: 'timings', form, gen, files, marks: [['heard', unheard], ...marks] };
}

function refusal(gen: Generation, { faults, notebook }: Known): readonly Fault[] {
  const found = faults({ gen });
  if (found.length > 0) return found;
  const { refusal } = notebook.generation(gen);
  return refusal ? [faultOfStack(refusal.text, refusal.stack)] : [];
}

/** The program as a person would write it. */
export function programOf({ program, cwd }: Config): string {
  return program.kind === 'node' ? relative(cwd, program.entry) : shown(program.run);
}

const shown = (command: string | readonly string[]): string =>
  typeof command === 'string' ? command : command.join(' ');

const filesOf = (reason: Reason): readonly string[] => (reason.kind === 'saved' ? reason.files : []);
