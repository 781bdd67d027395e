/** The stop ladder as the user writes it: an object in the rc file, a list after --stop. */
import type { Rung } from '../supervisor/words.ts';
import { nearest } from './nearest.ts';
import { clip, no, type Reading, show } from './reading.ts';

/** What a server may take as a request to stop: those that end a process unless it listens, and nginx's and httpd's SIGWINCH. */
export const stopSignals = [
  'SIGINT',
  'SIGTERM',
  'SIGQUIT',
  'SIGHUP',
  'SIGABRT',
  'SIGUSR1',
  'SIGUSR2',
  'SIGWINCH',
  'SIGBREAK',
  'SIGKILL',
] as const satisfies readonly NodeJS.Signals[];

export type StopSignal = (typeof stopSignals)[number];

/** In ms. */
export const defaultStop = { SIGINT: 5000, SIGTERM: 2000, SIGKILL: 2000 } as const;

/** Of a rung that is written without a time, in ms: as long as the default ladder gives the first and the later ones. */
const FIRST_MS = 5000;
const LATER_MS = 2000;

/** setTimeout fires at once for more. */
const MAX_MS = 2 ** 31 - 1;

/** A string form of a time; the JSON schema says it to editors. */
export const timePattern = '^[0-9]+(\\.[0-9]+)?(ms|s)$';

/** Milliseconds of 5000, "500ms", "5s" or "1.5s"; undefined for anything else. */
export function milliseconds(time: unknown): number | undefined {
  const ms = typeof time === 'string' && new RegExp(timePattern).test(time) ? ofText(time) : time;
  return typeof ms === 'number' && Number.isInteger(ms) && ms >= 1 && ms <= MAX_MS ? ms : undefined;
}

const ofText = (time: string): number =>
  time.endsWith('ms') ? Number(time.slice(0, -2)) : Math.round(Number(time.slice(0, -1)) * 1000);

/** Reads [signal, time] pairs, in their order. SIGKILL is put at the end where it is not named. */
export function ladderOf(entries: readonly (readonly [signal: string, time: unknown])[]): Reading<readonly Rung[]> {
  if (entries.length === 0) return no('wants at least one signal');
  const rungs: Rung[] = [];
  for (const [name, time] of entries) {
    const signal = stopSignals.find((known) => known === name);
    if (signal === undefined)
      return no(`wants signals that ask a program to stop, not ${clip(name)}${meant(name)}`, name);
    if (rungs.some((rung) => rung.signal === signal)) return no(`names ${signal} twice, and each is sent once`, name);
    if (rungs.at(-1)?.signal === 'SIGKILL') return no(`has ${signal} after SIGKILL, which nothing survives`, name);
    const ms = milliseconds(time);
    if (ms === undefined) return no(`wants a time such as 5000 (ms) or "5s" for ${signal}, not ${show(time)}`, name);
    rungs.push({ signal, ms });
  }
  if (rungs.at(-1)?.signal !== 'SIGKILL') rungs.push({ signal: 'SIGKILL', ms: defaultStop.SIGKILL });
  return { value: rungs };
}

function meant(name: string): string {
  const upper = name.toUpperCase();
  const signal = stopSignals.find((known) => known === `SIG${upper}`) ?? nearest(upper, stopSignals);
  return signal === undefined ? '' : `, did you mean ${signal}?`;
}

/** Reads "SIGTERM 10s, SIGKILL" and "SIGTERM:10s,SIGKILL". A number alone is ms; without a time: 5 s for the first, 2 s for the later ones. */
export function ladderFromText(text: string): Reading<readonly Rung[]> {
  const words = text.split(',').map((part) => part.trim());
  return ladderOf(
    words.map((part, index) => {
      const [signal = '', time] = part.split(/\s*[:=\s]\s*/, 2);
      const rest = part.slice(signal.length).replace(/^\s*[:=\s]\s*/, '');
      if (time === undefined) return [signal, index === 0 ? FIRST_MS : LATER_MS];
      return [signal, /^[0-9]+$/.test(rest) ? Number(rest) : rest];
    }),
  );
}
