/**
 * Watches a life from outside: what the machine was told, what it asked for, and the truth that it does not know.
 * Every `must` is a promise; the first that does not hold throws Broken.
 */
import { initial, type Step } from '../../src/supervisor/step.ts';
import type { Action, Event, Generation, Rules, State } from '../../src/supervisor/words.ts';
import { showAction } from './notation.ts';

/** A promise was broken. */
export class Broken extends Error {
  override name = 'Broken';
}

/** How often something was seen, so that a test can tell that the walk went there. */
export type Seen = Record<string, number>;

export interface Made {
  readonly id: number;
  /** What the disk held when the build read it. */
  version: number;
  content: number;
  result: 'none' | 'ok' | 'same' | 'failed' | 'refused';
}

/** A process as it is. */
export interface Proc {
  readonly gen: Generation;
  readonly made: Made;
  main: boolean;
  /** Others of its group, that outlive it. */
  others: boolean;
}

export const isThere = (proc: Proc): boolean => proc.main || proc.others;

/** What the machine was told about a generation, and what it asked for. */
interface File {
  readonly proc: Proc;
  told: 'nothing' | 'exited' | 'gone';
  isPrepared: boolean;
  isReady: boolean;
  /** The rung that the app said it listens to. */
  first: number;
  isDiscarded: boolean;
  isActivated: boolean;
  isDrained: boolean;
  /** When it was told to leave, or was told to have exited; -1 before. */
  leaving: number;
  readonly signals: number[];
  timers: number;
  isStuck: boolean;
}

/** What there is to know about the world besides the processes. */
export interface Facts {
  readonly rules: Rules;
  readonly disk: { readonly version: number; readonly content: number };
  readonly made: ReadonlyMap<number, Made>;
  /** In ms. */
  now: number;
  /** The most that a timer fires late, in ms. */
  readonly latest: number;
  /** In a storm of saves, the most that one may have to wait for a good or bad end, in ms; else Infinity. */
  readonly patience: number;
}

const SLACK = 1e-6;

export class Judge {
  state: State = initial;
  /** The build that goes on. */
  building: Made | null = null;
  lastActivated: Proc | null = null;
  readonly #facts: Facts;
  readonly #seen: Seen;
  readonly #files = new Map<Generation, File>();
  /** How many generations are not told to be gone. */
  #ungone = 0;
  #lastMade: Made | null = null;
  /** The last that ran and ended by itself. */
  #lastFallen: Proc | null = null;
  readonly #quits: number[] = [];
  #exits = 0;
  /** A restart by hand that has not led to anything yet: the newest generation when it was asked for. */
  #restartOwed: Generation | null = null;
  /** Since when a save has not led to a good or bad end. */
  #owedSince: number | null = null;
  #attempts = 0;
  /** Until when the last save wants it to be quiet. */
  #calmUntil = 0;
  #quietTimers = 0;

  constructor(facts: Facts, seen: Seen) {
    this.#facts = facts;
    this.#seen = seen;
  }

  /** The machine has taken, or ignored, an event. Its actions come next, one by one. */
  told(event: Event, { state, ignored }: Step): void {
    const before = this.state;
    this.state = state;
    if (ignored) this.#see(`ignored ${event.type}`);
    if (event.type === 'quit') this.#quits.push(event.code);
    const file = 'gen' in event ? this.#files.get(event.gen) : undefined;
    if (file) this.#toldOf(file, before, event as Event & { gen: Generation }, ignored);
    if (ignored) return;
    if (event.type === 'saved') this.#owedSince ??= this.#facts.now;
    if (event.type === 'restart') this.#restartOwed = state.ids.gen;
    const calmMs = event.type === 'saved' && state.build.is === 'quiet' ? (event.calmMs ?? 0) : 0;
    if (event.type === 'saved' || event.type === 'restart') this.#calmUntil = this.#facts.now + calmMs;
    if (event.type === 'saved' || event.type === 'restart') this.#attempts++;
    if (event.type !== 'built') return;
    if (this.building?.id !== event.id) throw new Broken('promise 2: what was cancelled is not taken');
    this.building.result = event.result;
    this.building = null;
    if (event.result === 'failed') this.#restartOwed = null;
    if (event.result !== 'ok' && state.build.is !== 'idle') this.#attempts++;
    if (event.result !== 'ok') this.#concluded();
  }

  #toldOf(file: File, before: State, event: Event & { gen: Generation }, ignored: boolean): void {
    const was = before.lives.get(event.gen)?.is;
    const isEnd = event.type === 'gone' || event.type === 'exited';
    if (event.type === 'gone') {
      must(!ignored, 'every gone is taken');
      file.told = 'gone';
      this.#ungone--;
    } else if (event.type === 'exited' && file.told === 'nothing') {
      file.told = 'exited';
      if (file.leaving < 0) file.leaving = this.#facts.now;
    }
    if (ignored) return;
    if (event.type === 'draining') file.first = Math.min(event.first, this.#facts.rules.ladder.length - 1);
    if (event.type === 'prepared') file.isPrepared = true;
    if (event.type === 'ready') file.isReady = true;
    if (isEnd && was === 'waiting') this.#see('died while waiting');
    if (isEnd && (was === 'starting' || was === 'running')) this.#lastFallen = file.proc;
    if (was !== 'preparing') return;
    if (event.type !== 'prepared') {
      file.proc.made.result = 'refused';
      this.#restartOwed = null;
    }
    this.#attempts++;
    this.#concluded();
  }

  /** If another attempt begins at once, it is for what was saved meanwhile. */
  #concluded(): void {
    this.#owedSince = this.state.build.is === 'idle' ? null : this.#facts.now;
  }

  /** The machine asks for this, because of that event. */
  asked(event: Event, action: Action): void {
    const isHarm = action.type === 'drain' || action.type === 'signal' || action.type === 'activate';
    const isBad = event.type === 'refused' || (event.type === 'built' && event.result === 'failed');
    must(!isBad || !isHarm, 'promise 3: what is broken touches nobody');
    switch (action.type) {
      case 'build':
        must(this.building === null, 'one build at a time');
        this.#begin(event);
        must(this.#lastMade === null || action.id > this.#lastMade.id, 'a build has a new id');
        return;
      case 'cancel':
        must(this.building?.id === action.id, 'only the build that goes on can be cancelled');
        this.building = null;
        return;
      case 'prepare':
        must(/ok|same/.test(this.#facts.made.get(action.id)?.result ?? ''), 'only a good build is prepared');
        must(!this.#files.has(action.gen), 'a generation has a new number');
        return;
      case 'discard':
        return this.#discard(this.#fileOf(action));
      case 'activate':
        return this.#activate(this.#fileOf(action));
      case 'drain':
        return this.#drain(this.#fileOf(action), event);
      case 'signal':
        return this.#signal(this.#fileOf(action), action.rung);
      case 'timer':
        return this.#timer(action.event);
      case 'tell':
        if (action.what === 'same') must(this.#somebody(), 'promise 2: a save starts again what has crashed');
        if (action.what === 'stuck') this.#sayStuck(this.#fileOf(action as Action & { gen: Generation }));
        return;
      case 'exit':
        this.#exits++;
        must(this.#exits === 1, 'promise 5: exit once');
        must(action.code === this.#quits[0], 'exit with the code of the first quit');
        for (const { proc } of this.#files.values()) must(!isThere(proc), 'promise 6: nothing is left behind');
    }
  }

  /** The world began that build. */
  began(made: Made): void {
    this.building = made;
    this.#lastMade = made;
  }

  /** The world has a new process. */
  born(proc: Proc): void {
    this.#ungone++;
    this.#files.set(proc.gen, {
      proc,
      told: 'nothing',
      isPrepared: false,
      isReady: false,
      first: 0,
      isDiscarded: false,
      isActivated: false,
      isDrained: false,
      leaving: -1,
      signals: [],
      timers: 0,
      isStuck: false,
    });
  }

  /** A build is asked for: not in the middle of a storm, unless that has gone on for too long. */
  #begin(event: Event): void {
    must(event.type !== 'saved' || event.calmMs === undefined, 'a storm waits for quiet');
    if (event.type !== 'quiet' || (this.state.build.is === 'building' && this.state.build.firm)) return;
    must(this.#facts.now >= this.#calmUntil - SLACK, 'a storm waits for quiet');
    if (this.#calmUntil > 0) this.#see('a storm was over');
  }

  #discard(file: File): void {
    must(!file.isActivated, 'what runs is not discarded');
    must(!file.isDiscarded, 'discard once');
    file.isDiscarded = true;
  }

  #activate(file: File): void {
    must(file.isPrepared, 'only what is prepared is activated');
    must(!file.isDiscarded, 'what is discarded is not activated');
    must(!file.isActivated, 'activate once');
    must(file.told === 'nothing', 'what has exited is not activated');
    let others = 0;
    for (const { isActivated, proc } of this.#files.values()) if (isActivated && isThere(proc)) others++;
    const most = this.#facts.rules.handover === 'sequential' ? 0 : 1;
    must(others <= most, 'promise 1, never two: the old one is there');
    file.isActivated = true;
    this.lastActivated = file.proc;
    if (this.#restartOwed !== null && file.proc.gen > this.#restartOwed) this.#restartOwed = null;
  }

  #drain(file: File, event: Event): void {
    must(file.isActivated, 'only what runs is drained');
    must(!file.isDrained && file.signals.length === 0, 'drain once, before the signals');
    must(file.told === 'nothing', 'what has exited is not drained');
    file.isDrained = true;
    file.leaving = this.#facts.now;
    if (this.#quits.length > 0) return;
    const { gen } = file.proc;
    if (this.#facts.rules.handover === 'overlap' && file.isReady) {
      const isReady = event.type === 'ready' && event.gen > gen;
      must(isReady, 'promise 3, overlap: the old one serves until the new one is ready');
    }
    for (const newer of this.#files.values()) {
      if (newer.proc.gen > gen && newer.isPrepared && !newer.isDiscarded && newer.told === 'nothing') return;
    }
    throw new Broken('promise 3: a stop has a cause: a newer one is prepared');
  }

  #signal(file: File, rung: number): void {
    const { rules, now, latest } = this.#facts;
    const last = rules.ladder.length - 1;
    must(file.isActivated, 'only what runs is signalled');
    must(file.leaving >= 0, 'a signal comes after a drain, or after an exit');
    must(rung >= 0 && rung <= last, 'a rung of the ladder');
    must(rung > (file.signals.at(-1) ?? -1), 'promise 5: each signal once, in the order of the ladder');
    must(rung >= file.first, 'promise 5: no signal that the app does not listen to');
    file.signals.push(rung);
    if (rung === last) this.#see('sent the last rung');
    if (this.#quits.length >= 2) return;
    const waited = now - file.leaving;
    let due = 0;
    for (let below = 0; below < rung; below++) due += rules.ladder[below]?.ms as number;
    must(rung === file.first || waited >= due - SLACK, 'promise 5: each rung has its own time');
    // A ladder of one rung still has its drain.
    const most = Math.max(due, rules.ladder[0]?.ms as number) + latest * rules.ladder.length;
    must(rung < last || waited <= most + SLACK, 'promise 5: a stop ends by the sum of the rungs');
  }

  #timer(event: Event): void {
    if (event.type !== 'overdue') {
      this.#quietTimers++;
      return;
    }
    const file = this.#files.get(event.gen) as File;
    file.timers++;
    must(file.timers <= this.#facts.rules.ladder.length + 2, 'a generation has few timers');
  }

  #sayStuck(file: File): void {
    must(!file.isStuck, 'stuck is said once');
    file.isStuck = true;
  }

  /** The event has been taken and its actions carried out. */
  settled(before: State, event: Event): void {
    const { build, lives, burst, dirty } = this.state;
    const { rules, now, patience } = this.#facts;
    const is = { preparing: 0, waiting: 0, starting: 0, running: 0, stopping: 0, discarded: 0 };
    for (const life of lives.values()) is[life.is]++;
    must(lives.size === this.#ungone, 'promise 6: every generation is known until it is gone');
    const alive = is.starting + is.running + is.stopping;
    must(alive <= (rules.handover === 'sequential' ? 1 : 2), 'promise 1, never two: too many');
    must(is.waiting <= 1 && is.starting <= 1 && is.running <= 1, 'one of a kind');
    const attempts = is.preparing + (build.is === 'idle' ? 0 : 1);
    must(attempts <= 1, 'one attempt at a time');
    must(attempts === 1 || (!dirty && burst === null), 'a burst ends with its attempt');
    must((this.building !== null) === (build.is === 'building'), 'the build that goes on is known');
    if (dirty) this.#see('saved during a firm attempt');
    const waited = this.#owedSince === null || this.#quits.length > 0 ? 0 : now - this.#owedSince;
    must(waited <= patience, 'promise 2: a storm of saves starves nobody');
    const isSecondQuit = event.type === 'quit' && before.quitting !== null;
    for (const [gen, life] of lives) {
      const file = this.#files.get(gen);
      if (life.is !== 'stopping' || file === undefined) continue;
      must(file.told === 'nothing' || file.signals.length > 0, 'promise 5: what is left behind is signalled at once');
      if (!isSecondQuit) continue;
      this.#see('quit twice with somebody left');
      must(file.signals.at(-1) === rules.ladder.length - 1, 'promise 5: the second quit sends the last rung');
    }
  }

  /** Nothing is to come any more. */
  ended(): void {
    const { build, lives, burst, dirty } = this.state;
    const { disk } = this.#facts;
    for (const { is } of lives.values()) {
      must(is === 'starting' || is === 'running', 'promise 5: a stop ends, and nobody is left half way');
    }
    must(this.#quietTimers <= 2 * this.#attempts, 'few timers');
    must(this.#exits === Math.min(this.#quits.length, 1), 'promise 5: a quit comes to its exit');
    if (this.#quits.length > 0) return;
    must(build.is === 'idle' && !dirty && burst === null, 'promise 2: nothing is pending');
    must(this.#lastMade?.version === disk.version, 'promise 2: the last save is built');
    must(this.#restartOwed === null, 'a restart by hand is not lost');
    if (this.#lastMade?.result === 'failed' || this.#lastMade?.result === 'refused') return;
    const newest = this.#files.get([...lives.keys()].at(-1) ?? 0);
    if (newest?.proc.made.content === disk.content) return this.#see('the newest runs');
    // The newest may have crashed: in overlap the old one then serves on, until it crashes too.
    const last = this.#files.get(this.lastActivated?.gen ?? 0);
    const fallen = [this.#lastFallen, last?.told === 'gone' && !last.isDrained ? last.proc : null];
    const isFallen = fallen.some((proc) => proc?.made.content === disk.content);
    must(isFallen, 'promise 2: the last state on disk is what runs');
    this.#see('the newest has crashed');
  }

  /** Somebody serves, or is about to. */
  #somebody(): boolean {
    return [...this.state.lives.values()].some(({ is }) => is === 'waiting' || is === 'starting' || is === 'running');
  }

  #fileOf(action: Action & { gen: Generation }): File {
    const file = this.#files.get(action.gen);
    if (file === undefined) throw new Broken(`${showAction(action)}: it was never made`);
    if (file.told === 'gone') throw new Broken(`${showAction(action)}: it is gone`);
    return file;
  }

  #see(what: string): void {
    this.#seen[what] = (this.#seen[what] ?? 0) + 1;
  }
}

function must(holds: boolean, promise: string): void {
  if (!holds) throw new Broken(promise);
}
