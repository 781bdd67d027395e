/**
 * The supervisor: step(state, event, rules) -> { state, actions }. Everything that changes the state is in this file,
 * and this file does no I/O. Session.ts feeds it events one at a time and carries out its actions in order.
 *
 * Two machines run side by side. The build, of which there is one:
 *
 *     idle --saved--> building --built ok--> (a generation is prepared) --> idle
 *      ^                 | saved: cancel
 *      |                 v
 *      +--failed,same-- quiet --quiet--> building
 *
 * and the life of each generation, of which several are under way at once:
 *
 *     preparing --prepared--> waiting --its turn--> starting --ready--> running
 *         |                      |                     |                   |
 *         | saved, refused       | a newer one         +----- stopping <---+   a newer one is waiting, or quit:
 *         v                      v                               |             drain, then the ladder of signals
 *     discarded ------------> (gone) <---------------------------+
 *
 * What holds them together is `advance`: a waiting generation's turn has come when its predecessors are gone
 * (sequential), or when there is room for it beside the one that serves (overlap).
 */
import { never } from '../errors.ts';
import type { Action, Ending, Event, Generation, Life, Rules, State, What } from './words.ts';

export interface Step {
  readonly state: State;
  readonly actions: readonly Action[];
  /** The event was of an older build or generation, or came when it means nothing: nothing was done. */
  readonly ignored: boolean;
}

export const initial: State = {
  build: { is: 'idle' },
  lives: new Map(),
  burst: null,
  dirty: false,
  quitting: null,
  ids: { build: 0, gen: 0 },
};

/** The part of the first rung's time that the drain may use before the first signal is sent all the same. */
const DRAIN_SHARE = 0.8;

/** State under change, within one step. */
type Draft = { -readonly [K in keyof State]: State[K] } & {
  lives: Map<Generation, Life>;
  actions: Action[];
  rules: Rules;
};

const isServing = (life: Life): boolean => life.is === 'starting' || life.is === 'running';
/** Has run code of the app, and may still. */
const isAlive = (life: Life): boolean => isServing(life) || life.is === 'stopping';

/** Takes one event. Never throws; an event that has no meaning now is ignored, and said to be. */
export function step(before: State, event: Event, rules: Rules): Step {
  const { build, burst, dirty, quitting, ids } = before;
  const draft: Draft = { build, lives: new Map(before.lives), burst, dirty, quitting, ids, actions: [], rules };
  const taken = take(draft, event);
  if (!taken) return { state: before, actions: [], ignored: true };
  advance(draft);
  const { actions, rules: _, ...state } = draft;
  return { state, actions, ignored: false };
}

function take(d: Draft, event: Event): boolean {
  switch (event.type) {
    case 'start':
      return d.ids.build === 0 && d.quitting === null && build(d, { force: true });
    case 'saved':
      return d.quitting === null && saved(d, false, event.calmMs);
    case 'restart':
      return d.quitting === null && saved(d, true);
    case 'quit':
      return quit(d, event.code);
    case 'quiet':
      return quiet(d, event.id);
    case 'built':
      return built(d, event.id, event.result);
    case 'prepared':
      return prepared(d, event.gen);
    case 'refused':
      return refused(d, event.gen);
    case 'ready':
      return ready(d, event.gen);
    case 'draining':
      return draining(d, event.gen, event.first);
    case 'drained':
      return drained(d, event.gen);
    case 'overdue':
      return overdue(d, event.gen, event.rung);
    case 'exited':
      return exited(d, event.gen, event);
    case 'gone':
      return gone(d, event.gen, event);
    default:
      return never(event);
  }
}

/** What follows from the state alone: whose turn it is, who has to leave, and the end. */
function advance(d: Draft): void {
  if (d.quitting !== null) {
    if (d.lives.size === 0) d.actions.push({ type: 'exit', code: d.quitting });
    return;
  }
  const waiting = find(d, (life) => life.is === 'waiting');
  if (waiting === undefined) return;
  for (const [gen, life] of d.lives) {
    const superseded = d.rules.handover === 'sequential' ? isServing(life) : life.is === 'starting';
    if (superseded) stop(d, gen);
  }
  const alive = [...d.lives.values()].filter(isAlive);
  const room = d.rules.handover === 'sequential' ? alive.length === 0 : alive.every((life) => life.is === 'running');
  if (!room) return;
  const { id } = d.lives.get(waiting) as { id: number };
  d.lives.set(waiting, { is: 'starting', id });
  d.actions.push({ type: 'activate', gen: waiting });
}

// Builds

function build(d: Draft, { force = false, firm = false }): true {
  const id = d.ids.build + 1;
  d.ids = { ...d.ids, build: id };
  d.build = { is: 'building', id, force, firm };
  tell(d, 'building', { id });
  d.actions.push({ type: 'build', id });
  return true;
}

/**
 * The first save of all starts a build at once; a save while one is under way makes it a burst, which waits for quiet. What is
 * known to be of a storm waits in any case.
 */
function saved(d: Draft, force: boolean, calmMs = 0): true {
  const preparing = find(d, (life) => life.is === 'preparing');
  const life = preparing === undefined ? undefined : d.lives.get(preparing);
  const firm = (d.build.is === 'building' && d.build.firm) || (life?.is === 'preparing' && life.firm);
  // Asked for by hand: no storm, and the way out of a firm one that hangs.
  if (firm && !force) {
    d.dirty = true;
    return true;
  }
  if (d.build.is === 'idle' && preparing === undefined && calmMs === 0) return build(d, { force });
  const wasForced = d.build.is !== 'idle' && d.build.force;
  if (d.build.is === 'building') d.actions.push({ type: 'cancel', id: d.build.id });
  if (preparing !== undefined) discard(d, preparing);
  d.dirty = false;
  return beQuiet(d, force || wasForced || preparing !== undefined, calmMs);
}

function beQuiet(d: Draft, force: boolean, calmMs = 0): true {
  const id = d.ids.build + 1;
  d.ids = { ...d.ids, build: id };
  d.build = { is: 'quiet', id, force };
  d.actions.push({ type: 'timer', ms: Math.max(d.rules.quietMs, calmMs), event: { type: 'quiet', id } });
  const isStorm = calmMs > 0;
  if (d.burst === null || (isStorm && !d.burst.isStorm)) {
    const burst = id + 1;
    d.ids = { ...d.ids, build: burst };
    d.burst = { id: burst, isStorm };
    const ms = isStorm ? d.rules.stormMaxMs : d.rules.quietMaxMs;
    d.actions.push({ type: 'timer', ms, event: { type: 'quiet', id: burst } });
  }
  return true;
}

function quiet(d: Draft, id: number): boolean {
  if (d.burst?.id === id) {
    d.burst = null;
    if (d.build.is === 'quiet') return build(d, { force: d.build.force, firm: true });
    if (d.build.is === 'building') d.build = { ...d.build, firm: true };
    for (const [gen, life] of d.lives) if (life.is === 'preparing') d.lives.set(gen, { ...life, firm: true });
    return true;
  }
  if (d.build.is !== 'quiet' || d.build.id !== id) return false;
  return build(d, { force: d.build.force });
}

function built(d: Draft, id: number, result: 'ok' | 'same' | 'failed'): boolean {
  if (d.build.is !== 'building' || d.build.id !== id) return false;
  const { force, firm } = d.build;
  d.build = { is: 'idle' };
  const nobody = ![...d.lives.values()].some((life) => isServing(life) || life.is === 'waiting');
  if (result === 'ok' || (result === 'same' && (force || nobody))) {
    const gen = d.ids.gen + 1;
    d.ids = { ...d.ids, gen };
    d.lives.set(gen, { is: 'preparing', id, firm });
    d.actions.push({ type: 'prepare', gen, id });
    return true;
  }
  tell(d, result === 'same' ? 'same' : 'failed', { id });
  return concluded(d);
}

/** An attempt has come to its end, good or bad: the burst is over, and what was saved during a firm one is taken up. */
function concluded(d: Draft): true {
  d.burst = null;
  if (d.dirty) {
    d.dirty = false;
    beQuiet(d, false);
  }
  return true;
}

// Lives

function prepared(d: Draft, gen: Generation): boolean {
  const life = d.lives.get(gen);
  if (life?.is !== 'preparing') return false;
  const older = find(d, (other) => other.is === 'waiting');
  if (older !== undefined) discard(d, older);
  d.lives.set(gen, { is: 'waiting', id: life.id });
  return concluded(d);
}

function refused(d: Draft, gen: Generation): boolean {
  const life = d.lives.get(gen);
  if (life?.is !== 'preparing') return false;
  discard(d, gen);
  tell(d, 'refused', { gen, id: life.id });
  return concluded(d);
}

function ready(d: Draft, gen: Generation): boolean {
  const life = d.lives.get(gen);
  if (life?.is !== 'starting') return false;
  d.lives.set(gen, { is: 'running', id: life.id });
  tell(d, 'ready', { gen, id: life.id });
  for (const [other, { is }] of d.lives) if (other !== gen && is === 'running') stop(d, other);
  return true;
}

/** Drain first; the time of the first rung runs from here, so that a stop ends by the sum of the rungs. */
function stop(d: Draft, gen: Generation): void {
  const { ms } = rungAt(d, 0);
  d.actions.push({ type: 'drain', gen });
  d.actions.push({ type: 'timer', ms: ms * DRAIN_SHARE, event: { type: 'overdue', gen, rung: -1 } });
  climb(d, gen);
}

/** The ladder alone, for what cannot drain. */
function climb(d: Draft, gen: Generation): void {
  d.lives.set(gen, { is: 'stopping', rung: 0, sent: -1, first: 0 });
  d.actions.push({ type: 'timer', ms: rungAt(d, 0).ms, event: { type: 'overdue', gen, rung: 0 } });
}

function draining(d: Draft, gen: Generation, first: number): boolean {
  const life = d.lives.get(gen);
  if (life?.is !== 'stopping' || life.sent >= 0) return false;
  d.lives.set(gen, { ...life, first: Math.min(Math.max(first, 0), d.rules.ladder.length - 1) });
  return true;
}

function drained(d: Draft, gen: Generation): boolean {
  const life = d.lives.get(gen);
  if (life?.is !== 'stopping' || life.sent >= 0) return false;
  signal(d, gen, life, life.first);
  return true;
}

function overdue(d: Draft, gen: Generation, rung: number): boolean {
  const life = d.lives.get(gen);
  if (life?.is !== 'stopping') return false;
  if (rung === -1) return drained(d, gen);
  if (rung !== life.rung) return false;
  const next = rung + 1;
  if (next >= d.rules.ladder.length) {
    tell(d, 'stuck', { gen });
    return true;
  }
  const on = { ...life, rung: next };
  d.lives.set(gen, on);
  d.actions.push({ type: 'timer', ms: rungAt(d, next).ms, event: { type: 'overdue', gen, rung: next } });
  if (next > life.sent) {
    signal(d, gen, on, Math.max(next, life.sent < 0 ? life.first : next));
    tell(d, 'escalated', { gen, rung: next });
  }
  return true;
}

function signal(d: Draft, gen: Generation, life: Life & { is: 'stopping' }, rung: number): void {
  d.lives.set(gen, { ...life, sent: rung });
  d.actions.push({ type: 'signal', gen, rung });
}

/** The process has ended and left others behind: they get the ladder, without a drain or what is left of it. */
function exited(d: Draft, gen: Generation, ending: Ending): boolean {
  const life = d.lives.get(gen);
  if (life?.is === 'preparing') {
    discard(d, gen);
    tell(d, 'refused', { gen, id: life.id, ending });
    return concluded(d);
  }
  if (life?.is === 'waiting') {
    discard(d, gen);
    return replace(d);
  }
  if (life !== undefined && isServing(life)) {
    tellEnd(d, gen, life, ending);
    climb(d, gen);
  }
  return drained(d, gen);
}

function gone(d: Draft, gen: Generation, ending: Ending): boolean {
  const life = d.lives.get(gen);
  if (life === undefined) return false;
  d.lives.delete(gen);
  if (isServing(life)) tellEnd(d, gen, life, ending);
  if (d.quitting !== null) return true;
  if (life.is === 'preparing') {
    tell(d, 'refused', { gen, id: life.id, ending });
    return concluded(d);
  }
  return life.is === 'waiting' ? replace(d) : true;
}

/** A prepared one has died, by no fault of the code: its predecessor may be leaving already, so make another. */
function replace(d: Draft): true {
  // The build under way may have found that nothing differs from the one that died.
  if (d.build.is !== 'idle') d.build = { ...d.build, force: true };
  else if (find(d, (life) => life.is === 'preparing') === undefined) build(d, { force: true });
  return true;
}

function quit(d: Draft, code: number): boolean {
  if (d.quitting === null) {
    d.quitting = code;
    if (d.build.is === 'building') d.actions.push({ type: 'cancel', id: d.build.id });
    d.build = { is: 'idle' };
    d.burst = null;
    d.dirty = false;
    for (const [gen, life] of d.lives) {
      if (life.is === 'preparing' || life.is === 'waiting') discard(d, gen);
      else if (isServing(life)) stop(d, gen);
    }
    if ([...d.lives.values()].some(isAlive)) tell(d, 'quitting', {});
    return true;
  }
  // The second time: straight to the last rung.
  const last = d.rules.ladder.length - 1;
  for (const [gen, life] of d.lives) {
    if (life.is !== 'stopping' || life.sent === last) continue;
    signal(d, gen, { ...life, rung: last }, last);
    if (life.rung === last) continue;
    d.actions.push({ type: 'timer', ms: rungAt(d, last).ms, event: { type: 'overdue', gen, rung: last } });
  }
  return d.lives.size > 0;
}

// Small things

function discard(d: Draft, gen: Generation): void {
  d.lives.set(gen, { is: 'discarded' });
  d.actions.push({ type: 'discard', gen });
}

function tellEnd(d: Draft, gen: Generation, life: Life, ending: Ending): void {
  const what = life.is === 'starting' ? 'broken' : ending.code === 0 ? 'ended' : 'crashed';
  tell(d, what, { gen, ending });
}

function tell(d: Draft, what: What, about: { gen?: Generation; id?: number; rung?: number; ending?: Ending }): void {
  const { ending, ...rest } = about;
  const told = ending && { ending: { code: ending.code, signal: ending.signal } };
  d.actions.push({ type: 'tell', what, ...rest, ...told });
}

function find(d: Draft, is: (life: Life) => boolean): Generation | undefined {
  for (const [gen, life] of d.lives) if (is(life)) return gen;
  return undefined;
}

function rungAt(d: Draft, rung: number) {
  const found = d.rules.ladder[rung];
  if (!found) throw new RangeError(`the ladder has no rung ${rung}`);
  return found;
}
