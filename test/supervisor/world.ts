/**
 * A world for the machine to live in: processes that die when they like, builds that end late, timers, a disk that is
 * written to, and a clock that only moves from one happening to the next. `walk` lives many random lives in it, each
 * watched by a judge, and throws at the first promise that is broken, with the seed and the story of that life.
 *
 * The world knows what is true; the machine knows what it was told, which is later and may be in another order.
 */
import type { Step } from '../../src/supervisor/step.ts';
import type { Action, Ending, Event, Generation, Rules, Rung, State } from '../../src/supervisor/words.ts';
import { Broken, Judge, type Made, type Proc, type Seen } from './judge.ts';
import { showStep } from './notation.ts';

export { Broken };

export type StepFunction = (before: State, event: Event, rules: Rules) => Step;

const LADDERS: readonly (readonly Rung[])[] = [
  [
    { signal: 'SIGINT', ms: 3000 },
    { signal: 'SIGTERM', ms: 3000 },
    { signal: 'SIGKILL', ms: 1000 },
  ],
  [
    { signal: 'SIGINT', ms: 100 },
    { signal: 'SIGTERM', ms: 400 },
    { signal: 'SIGKILL', ms: 100 },
  ],
  [
    { signal: 'SIGTERM', ms: 500 },
    { signal: 'SIGKILL', ms: 200 },
  ],
  [{ signal: 'SIGKILL', ms: 1000 }],
];
/** How long things take, in ms: from a scale picked anew each time, so that anything can overtake anything. */
const SCALES = [1, 30, 300, 5000];
/** The most that anything takes in a storm of saves, in ms. */
const STORM_WORK = 60;
/** What a save of a storm asks for, in ms. */
const CALM = 110;
/** Few, so that a save often brings back what was there before. */
const CONTENTS = 2;
const MOST_EVENTS = 2000;

/** mulberry32, by Tommy Ettinger, in the public domain: 32 bits of state, uniform in [0, 1). */
function random(seed: number): () => number {
  let a = seed | 0;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

class World {
  readonly story: { readonly at: number; readonly event: Event; readonly step: Step }[] = [];
  readonly #step: StepFunction;
  readonly #random: () => number;
  /** Saves come without end for a while, and work is quick. */
  readonly #isStorm: boolean;
  /** Saves are often known to be of a storm. */
  readonly #isKnown: boolean;
  /** Many saves, and what waits for its turn dies easily. */
  readonly #isFrail: boolean;
  readonly #facts;
  readonly #judge: Judge;
  readonly #disk = { version: 0, content: 0 };
  readonly #made = new Map<number, Made>();
  readonly #procs = new Map<Generation, Proc & { ending: Ending }>();
  readonly #agenda: { readonly at: number; readonly run: () => void }[] = [];

  constructor(step: StepFunction, seed: number, seen: Seen) {
    this.#step = step;
    this.#random = random(seed);
    this.#isStorm = this.#chance(0.02);
    this.#isKnown = this.#chance(0.3);
    this.#isFrail = this.#chance(0.1);
    const handover: Rules['handover'] = this.#chance(0.5) ? 'sequential' : 'overlap';
    const rules: Rules = { handover, ladder: this.#pick(LADDERS), quietMs: 30, quietMaxMs: 500, stormMaxMs: 900 };
    // The first save may wait for the work of the attempt before it, then the whole burst, then a firm attempt.
    const quiet = this.#isKnown ? CALM + rules.stormMaxMs : rules.quietMs;
    const patience = this.#isStorm ? rules.quietMaxMs + quiet + 4 * STORM_WORK : Infinity;
    const latest = this.#isStorm || this.#chance(0.6) ? 0 : 4000;
    this.#facts = { rules, disk: this.#disk, made: this.#made, now: 0, latest, patience };
    this.#judge = new Judge(this.#facts, seen);
  }

  /** Lives until nothing is to come any more. */
  live(): void {
    this.#at(0, () => this.#deliver({ type: 'start' }));
    this.#plan();
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      this.#facts.now = next.at;
      next.run();
      if (this.story.length > MOST_EVENTS) throw new Broken('the world does not settle');
    }
    this.#judge.ended();
  }

  #next() {
    let first = 0;
    for (let i = 1; i < this.#agenda.length; i++) {
      if ((this.#agenda[i]?.at as number) < (this.#agenda[first]?.at as number)) first = i;
    }
    return this.#agenda.splice(first, 1)[0];
  }

  #deliver(event: Event): void {
    const before = this.#judge.state;
    const step = this.#step(before, event, this.#facts.rules);
    this.story.push({ at: this.#facts.now, event, step });
    this.#judge.told(event, step);
    for (const action of step.actions) {
      this.#judge.asked(event, action);
      this.#carryOut(action);
    }
    this.#judge.settled(before, event);
  }

  // What the user does

  #plan(): void {
    const horizon = this.#pick([40, 500, 9000]);
    const somewhen = () => this.#random() * horizon;
    const save = () => this.#save();
    if (this.#isStorm) {
      for (let at = 0; at < 2500; at += 5 + this.#random() * 40) this.#at(at, save);
    } else {
      for (let saves = Math.floor(this.#random() * (this.#isFrail ? 16 : 5)); saves > 0; saves--) {
        let at = somewhen();
        this.#at(at, save);
        if (this.#chance(0.75)) continue;
        for (let more = this.#random() * 6; more > 0; more--) {
          at += this.#random() * 40;
          this.#at(at, save);
        }
      }
      if (this.#chance(0.2)) this.#at(somewhen(), () => this.#deliver({ type: 'restart' }));
    }
    if (!this.#chance(0.35)) return;
    let at = somewhen();
    for (const code of [130, 143, 129]) {
      this.#at(at, () => this.#deliver({ type: 'quit', code }));
      if (this.#chance(0.5)) break;
      at += this.#delay();
    }
  }

  #save(): void {
    this.#disk.version++;
    this.#disk.content = Math.floor(this.#random() * CONTENTS);
    this.#emit(this.#isKnown && this.#chance(0.7) ? { type: 'saved', calmMs: CALM } : { type: 'saved' });
  }

  // What the machine wants done

  #carryOut(action: Action): void {
    switch (action.type) {
      case 'build':
        return this.#build(action.id);
      case 'prepare':
        return this.#prepare(action.gen, this.#made.get(action.id) as Made);
      case 'discard':
        return this.#later(() => this.#kill(action.gen));
      case 'activate':
        return this.#activate(action.gen);
      case 'drain':
        return this.#drain(action.gen);
      case 'signal':
        if (action.rung === this.#facts.rules.ladder.length - 1) this.#later(() => this.#kill(action.gen));
        else if (this.#chance(0.4)) this.#later(() => this.#end(action.gen));
        return;
      case 'timer': {
        const late = this.#chance(0.3) ? this.#random() * this.#facts.latest : 0;
        this.#at(action.ms + late, () => this.#deliver(action.event));
      }
    }
  }

  #build(id: number): void {
    const made: Made = { id, ...this.#disk, result: 'none' };
    this.#made.set(id, made);
    this.#judge.began(made);
    const readsLate = this.#chance(0.3);
    const compared = this.#chance(0.5) ? this.#whatRuns() : undefined;
    const fate = this.#random();
    for (const [gen, { is }] of this.#judge.state.lives) {
      if (is === 'waiting' && this.#chance(this.#isFrail ? 0.8 : 0.1)) this.#later(() => this.#die(gen));
    }
    this.#later(() => {
      // Cancelled: no more is heard of it, or it ends all the same.
      if (this.#judge.building !== made) {
        if (fate < 0.5) this.#emit({ type: 'built', id, result: this.#pick(['ok', 'same', 'failed'] as const) });
        return;
      }
      if (readsLate) Object.assign(made, this.#disk);
      const isSame = made.content === (compared ?? this.#whatRuns());
      this.#emit({ type: 'built', id, result: fate < 0.15 ? 'failed' : isSame && fate < 0.85 ? 'same' : 'ok' });
    });
  }

  /** What a build compares with: the newest generation that runs or is about to; or else the one that ran last. */
  #whatRuns(): number | undefined {
    let content = this.#judge.lastActivated?.made.content;
    for (const life of this.#judge.state.lives.values()) {
      if (life.is === 'waiting' || life.is === 'starting' || life.is === 'running')
        content = this.#made.get(life.id)?.content;
    }
    return content;
  }

  #prepare(gen: Generation, made: Made): void {
    const proc = { gen, made, main: true, others: false, ending: { code: 0, signal: null } };
    this.#procs.set(gen, proc);
    this.#judge.born(proc);
    const fate = this.#random();
    this.#later(() => {
      if (fate > 0.95) this.#die(gen);
      if (proc.main) this.#emit({ type: fate > 0.83 ? 'refused' : 'prepared', gen });
      // Soon after, where it waits for its turn.
      if (this.#chance(0.1)) this.#later(() => this.#die(gen));
    });
    if (this.#chance(0.1)) this.#later(() => this.#die(gen));
  }

  #activate(gen: Generation): void {
    const fate = this.#random();
    this.#later(() => {
      if (fate < 0.12) this.#die(gen);
      else if (fate < 0.9) this.#say(gen, { type: 'ready', gen });
    });
    if (this.#chance(0.15)) this.#later(() => this.#die(gen));
  }

  #drain(gen: Generation): void {
    const first = Math.floor(this.#random() * (this.#facts.rules.ladder.length + 1));
    if (this.#chance(0.6)) this.#later(() => this.#say(gen, { type: 'draining', gen, first }));
    if (this.#chance(0.6)) this.#later(() => this.#say(gen, { type: 'drained', gen }));
    if (this.#chance(0.15)) this.#later(() => this.#die(gen));
  }

  // What processes do

  #say(gen: Generation, event: Event): void {
    if (this.#procs.get(gen)?.main) this.#emit(event);
  }

  /** The process ends, but others of its group may live on, for a while or until they are killed. */
  #die(gen: Generation, ending: Ending = { code: this.#pick([0, 1]), signal: null }): void {
    const proc = this.#procs.get(gen);
    if (!proc?.main) return;
    proc.ending = ending;
    proc.main = false;
    proc.others = this.#chance(0.25);
    this.#emit({ type: proc.others ? 'exited' : 'gone', gen, ...ending });
    if (proc.others && this.#chance(0.5)) this.#later(() => this.#vanish(gen));
  }

  #vanish(gen: Generation): void {
    const proc = this.#procs.get(gen);
    if (!proc?.others) return;
    proc.others = false;
    this.#emit({ type: 'gone', gen, ...proc.ending });
  }

  /** Of a group that was signalled, the process goes first. */
  #end(gen: Generation): void {
    if (this.#procs.get(gen)?.main) this.#die(gen);
    else this.#vanish(gen);
  }

  #kill(gen: Generation): void {
    this.#die(gen, { code: null, signal: 'SIGKILL' });
    this.#vanish(gen);
  }

  // Small things

  #emit(event: Event): void {
    this.#at(this.#isStorm || this.#chance(0.8) ? 0 : this.#delay(), () => this.#deliver(event));
  }

  #later(run: () => void): void {
    this.#at(this.#delay(), run);
  }

  #at(ms: number, run: () => void): void {
    this.#agenda.push({ at: this.#facts.now + ms, run });
  }

  #delay(): number {
    return this.#random() * (this.#isStorm ? STORM_WORK : this.#pick(SCALES));
  }

  #chance(share: number): boolean {
    return this.#random() < share;
  }

  #pick<T>(from: readonly T[]): T {
    return from[Math.floor(this.#random() * from.length)] as T;
  }
}

/** Lives one life; what broke, if anything did. A step that throws is broken too. */
function live(step: StepFunction, seed: number, seen: Seen): { promise: string; story: World['story'] } | null {
  const world = new World(step, seed, seen);
  try {
    world.live();
    return null;
  } catch (error) {
    return { promise: error instanceof Broken ? error.message : String(error), story: world.story };
  } finally {
    seen.events = (seen.events ?? 0) + world.story.length;
  }
}

/** Once a life is broken, so many more are tried, to report the shortest that is. */
const TRIES = 300;

/**
 * Lives `lives` random lives, the n-th from the seed `seed + n`: one alone is walk(step, { lives: 1, seed }).
 * @returns how often what was seen
 * @throws Broken with the promise, the seed and the story of the shortest broken life found
 */
export function walk(step: StepFunction, { lives, seed }: { lives: number; seed: number }): Seen {
  const seen: Seen = {};
  for (let n = 0; n < lives; n++) {
    let broken = live(step, seed + n, seen);
    if (broken === null) continue;
    let from = seed + n;
    for (let more = from + 1, end = from + TRIES; more <= end; more++) {
      const other = live(step, more, {});
      if (other === null || other.promise !== broken.promise || other.story.length >= broken.story.length) continue;
      broken = other;
      from = more;
    }
    throw new Broken(`${broken.promise}, in walk(step, { lives: 1, seed: ${from} }):\n${tell(broken.story)}`);
  }
  return seen;
}

function tell(story: World['story']): string {
  return story.map(({ at, event, step }) => `${at.toFixed(1).padStart(8)}  ${showStep(event, step)}`).join('\n');
}
