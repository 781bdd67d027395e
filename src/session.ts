/**
 * The wire. Opens the rooms, feeds what they tell to the machine, one event at a time, and carries out its actions in
 * order. Nothing here waits: whatever comes of an action comes back as an event. Owns the timers.
 */
import { type Host, type Outset, openChild } from './child/index.ts';
import type { Config } from './config/config.ts';
import { limitOf } from './errors.ts';
import { openNotebook } from './notebook.ts';
import { openProject, type Project } from './project.ts';
import { openSettings, type Reading } from './settings.ts';
import { initial, step } from './supervisor/step.ts';
import type { Action, Ending, Event, Generation, Rules, State, What } from './supervisor/words.ts';
import { factOf, programOf, timingsOf } from './telling.ts';
import type { Mark, Terminal } from './terminal/index.ts';
import type { Change } from './watch/index.ts';

/** Quiet time after a burst of saves, and the most that is waited for it, in ms. */
const QUIET_MS = 30;
const QUIET_MAX_MS = 500;
/** The most that is waited for the end of a storm of saves (a checkout, a formatter), in ms. */
const STORM_MAX_MS = 5000;
/** A stop that takes longer than this is told, in ms. */
const SLOW_STOP_MS = 1000;
/** After a crash requests wait this long for the next generation before they get a 503, in ms. */
const UNAVAILABLE_MS = 1500;
/** When nothing has happened for this long after a start, the cache is written, in ms. */
const SETTLED_MS = 300;

/** So long at most nothing is listened to, for the sake of the first answer, in ms. */
const UNHEARD_MS = 3000;

/** How long settings may be incomplete before that is told, in ms. */
const UNSETTLED_MS = 50;

/** How far these say that a reload has got. */
const MARKS: Partial<Record<Event['type'], Mark>> = {
  built: 'transformed',
  prepared: 'linked',
  drained: 'drained',
  gone: 'gone',
  ready: 'ready',
};

/** The first generation serves, or does not. */
const FIRST_NEWS: ReadonlySet<Event['type']> = new Set(['ready', 'refused', 'exited', 'gone']);

/** What was wrong before shows what shapes the modules, good or bad. */
const NEWS_OF_MODULES: ReadonlySet<What> = new Set<What>(['failed', 'refused', 'ready']);

export interface Session {
  emit(event: Event): void;
  /** The terminal has another size. */
  resized(): void;
  /** The exit code, when everything is gone; or settings that want another kind of program: a new session is to run it. */
  readonly ended: Promise<number | Reading>;
}

export interface SessionHost {
  readonly version: string;
  readonly terminal: Terminal;
  /** Reads the settings again. Throws a UserError. */
  reread(): Config;
  restoreTty(): void;
}

/**
 * @param since when what led to it began, of performance.now()
 * @param outset made for these settings; null: there is none
 */
export function openSession(
  first: Reading,
  since: number,
  { version, terminal, reread, restoreTty }: SessionHost,
  outset: Outset | null,
): Session {
  const settings = openSettings(first, reread);
  let { config } = first;
  let rules = rulesOf(config);
  const notebook = openNotebook({ kind: 'start', program: programOf(config) }, since);
  const queue: Event[] = [];
  const timers = new Set<NodeJS.Timeout>();
  let state: State = initial;
  let busy = false;
  let everReady = false;
  let isListed = false;
  /** To run once this one has ended. */
  let successor: Reading | null = null;
  /** Of a quit that came when it was ending for the successor's sake. */
  let exitCode: number | null = null;
  let end: (how: number | Reading) => void;
  const ended = new Promise<number | Reading>((resolve) => {
    end = resolve;
  });

  const open = (): Project =>
    openProject(
      config,
      {
        version,
        emit,
        say: (fact) => terminal.say(fact),
        onSaved: saved,
        mark: notebook.mark,
        onStale: () => child.refresh(),
        get guard() {
          return child.guard;
        },
        run: (command) => child.run(command),
      },
      settings.now.readAt,
    );
  let project = open();
  /** Those of older settings are closed. */
  let left: Promise<unknown> = Promise.resolve();
  const childHost: Host = {
    emit,
    get answers() {
      return project.build;
    },
    onLoaded: (gen, files) => project.build.loaded(gen, files),
    onRead: (file, isWritten, since) => project.read(file, isWritten, since),
    onListed: (folders, since) => project.listed(folders, since),
    onPackages: (held, since) => project.packages(held, since),
    onRefused(gen, text, stack) {
      notebook.generation(gen).refusal = { text, stack };
    },
    onListening,
    onDraining(gen, inFlight) {
      notebook.generation(gen).busy = inFlight;
    },
    onTrouble: (sentence) => terminal.say({ type: 'trouble', sentence }),
    onUnstartable(_gen, code) {
      const name = programOf(config);
      const why =
        code === 'ENOENT'
          ? 'was not found'
          : code === 'EACCES'
            ? 'may not be executed'
            : `cannot be started: ${limitOf(code) ?? code}`;
      terminal.say({ type: 'usage', sentence: `the command ${name} ${why}` });
      if (!everReady) emit({ type: 'quit', code: code === 'ENOENT' ? 127 : 126 });
    },
  };
  const child = openChild(config, childHost, outset);

  /** Where the app has listened, as far as it was told. */
  const told = new Set<string>();
  function onListening(gen: Generation, port: string): void {
    const { ports, activatedAt = 0 } = notebook.generation(gen);
    ports.add(port);
    notebook.mark('listening');
    if (state.lives.get(gen)?.is !== 'running' || told.has(port)) return;
    told.add(port);
    terminal.say({ type: 'listening', port, afterMs: performance.now() - activatedAt });
  }

  function emit(event: Event): void {
    queue.push(event);
    if (busy) return;
    busy = true;
    for (let next = queue.shift(); next; next = queue.shift()) take(next);
    busy = false;
  }

  function take(event: Event): void {
    note(event);
    const { state: after, actions, ignored } = step(state, event, rules);
    state = after;
    if (config.trace) terminal.say({ type: 'trace', of: 'event', what: event, ignored });
    for (const action of actions) {
      if (config.trace) terminal.say({ type: 'trace', of: 'action', what: action });
      if (event.type === 'saved') reopen(action);
      carryOut(action);
    }
    if (FIRST_NEWS.has(event.type)) setImmediate(() => void project.watch().then(list));
    if (event.type === 'gone') {
      // Node puts the terminal back when it can; one that has run nothing has changed nothing.
      if (event.signal !== null && notebook.generation(event.gen).activatedAt !== undefined) restoreTty();
      notebook.forget(event.gen);
    }
    turn();
  }

  function note(event: Event): void {
    const mark = MARKS[event.type];
    if (mark) notebook.mark(mark);
    if (event.type === 'built') notebook.build(event.id).builtAt = performance.now();
    if (event.type === 'prepared') notebook.generation(event.gen).preparedAt = performance.now();
  }

  /** A save puts an end to an attempt: the next one is for the same reason too. */
  function reopen(action: Action): void {
    if (action.type === 'cancel') notebook.reopen(notebook.build(action.id));
    if (action.type === 'discard') notebook.reopen(notebook.generation(action.gen).build);
  }

  function carryOut(action: Action): void {
    switch (action.type) {
      case 'build':
        notebook.build(action.id);
        return project.build.build(action.id, newest());
      case 'cancel':
        return project.build.cancel(action.id);
      case 'prepare':
        notebook.begin(action.gen, action.id);
        project.build.begin(action.gen, action.id);
        return child.prepare(action.gen);
      case 'discard':
        return child.discard(action.gen);
      case 'activate':
        notebook.mark('started');
        notebook.generation(action.gen).activatedAt = performance.now();
        project.build.activated(action.gen);
        return child.activate(action.gen);
      case 'drain':
        notebook.generation(action.gen).stopSince = performance.now();
        later(SLOW_STOP_MS, () => slowStop(action.gen));
        return child.drain(action.gen);
      case 'signal':
        return child.signal(action.gen, rules.ladder[action.rung]?.signal ?? 'SIGKILL');
      case 'timer':
        return later(action.ms, () => emit(action.event));
      case 'tell':
        return tell(action);
      case 'exit':
        return void close(exitCode ?? action.code);
    }
  }

  /** The newest generation that runs, or is prepared to. */
  function newest(): Generation | null {
    const has = [...state.lives].filter(([, { is }]) => is === 'waiting' || is === 'starting' || is === 'running');
    return has.at(-1)?.[0] ?? null;
  }

  function later(ms: number, then: () => void): void {
    const timer = setTimeout(() => {
      timers.delete(timer);
      then();
    }, ms);
    timers.add(timer);
  }

  function tell(action: Action & { type: 'tell' }): void {
    const { what, ending } = action;
    const fact = factOf(action, { config, notebook, state, told, faults: project.build.faults });
    if (what === 'ready') {
      everReady = true;
      for (const port of notebook.generation(action.gen as Generation).ports) told.add(port);
      later(SETTLED_MS, () => void project.build.save());
    }
    if (ending && (what === 'broken' || what === 'crashed')) later(UNAVAILABLE_MS, () => standIn(ending));
    terminal.say(fact);
    if (what === 'ready' && config.timings !== 'none')
      terminal.say(timingsOf(action.gen as Generation, config.timings, notebook));
    if (NEWS_OF_MODULES.has(what) && action.id !== undefined) {
      const since = performance.timeOrigin + notebook.build(action.id).since;
      later(what === 'ready' ? SETTLED_MS : 0, () => project.look(since));
    }
  }

  /** Nobody serves after all this time: requests that wait are told why. */
  function standIn({ code, signal }: Ending): void {
    if (state.quitting !== null || [...state.lives.values()].some(({ is }) => is !== 'stopping' && is !== 'discarded'))
      return;
    const how = signal ? `was ended by ${signal}` : `ended with exit code ${code}`;
    child.unavailable(`${programOf(config)} ${how}; its error is in the terminal. hotrun waits for a change.`);
  }

  function slowStop(gen: Generation): void {
    const life = state.lives.get(gen);
    if (life?.is !== 'stopping') return;
    const { stopSince = 0, busy: connections } = notebook.generation(gen);
    terminal.say({
      type: 'stopping-slow',
      afterMs: performance.now() - stopSince,
      connections,
      quitting: state.quitting !== null,
    });
  }

  let closing = false;
  async function close(code: number): Promise<void> {
    if (closing) return;
    closing = true;
    for (const timer of timers) clearTimeout(timer);
    await Promise.all([left, project.close()]);
    // Last, for it takes along whatever should be left.
    await child.close();
    restoreTty();
    end(successor ?? code);
  }

  /** @param isFinal settings that are incomplete will stay so */
  function saved(changes: readonly Change[], calmMs: number, isFinal = false): void {
    const event: Event = calmMs > 0 ? { type: 'saved', calmMs } : { type: 'saved' };
    if (changes.length === 0) return emit(event);
    const all = changes.filter(({ file }) => !project.build.absorbs(file)).map(({ file }) => file);
    if (all.length === 0) return;
    if (config.why && !isFinal) terminal.say({ type: 'why saved', changes });
    const governing = all.filter((file) => project.rolesOf(file).has('settings'));
    const outcome = governing.length > 0 ? settings.reread(isFinal) : 'same';
    if (outcome === 'unsettled') {
      const late = changes.filter(({ file }) => governing.includes(file));
      later(UNSETTLED_MS, () => saved(late, 0, true));
    } else if (typeof outcome === 'object') {
      terminal.say({ type: 'trouble', sentence: `${outcome.sentence}; the last good settings stay` });
      if (outcome.missing) project.expect(outcome.missing);
    }
    // Those that only say how to run the app have been read; of one that is broken nothing is taken up.
    const isRead = outcome === 'same' || outcome === 'changed';
    const files = all.filter((file) => !governing.includes(file) || (isRead && project.rolesOf(file).size > 1));
    if (outcome !== 'changed' && files.length === 0) return;
    notebook.note({ kind: 'saved', files: outcome === 'changed' ? all : files });
    if ((outcome === 'changed' && turn()) || files.length === 0) return;
    const roles = new Set(files.flatMap((file) => [...project.rolesOf(file)]));
    if (roles.has('shape')) project.build.renew();
    if (roles.size > 0) child.renew();
    const listed = changes.filter(({ rule }) => rule === 'listed').map(({ file }) => file);
    project.build.saved(files, listed);
    emit(event);
  }

  /** What is watched, and then the end. */
  async function list(): Promise<void> {
    if (!config.lists || isListed) return;
    isListed = true;
    project.look(Date.now());
    terminal.say({ type: 'watched', globs: config.watch, files: await project.watched() });
    emit({ type: 'quit', code: everReady ? 0 : 1 });
  }

  /**
   * New settings are put in force: everything is opened anew with them, but for the machine, its generations and their
   * sockets. Not while one is being stopped: the ladder that it is on is that of the old ones.
   */
  function turn(): boolean {
    if (closing || state.quitting !== null || [...state.lives.values()].some(({ is }) => is === 'stopping'))
      return false;
    if (!settings.take()) return false;
    const { kind } = config.program;
    config = settings.now.config;
    if (config.program.kind !== kind) {
      successor = settings.now;
      emit({ type: 'quit', code: 0 });
      return true;
    }
    rules = rulesOf(config);
    terminal.level(config.log);
    left = Promise.all([left, project.close()]);
    project = open();
    void project.watch();
    child.reopen(config);
    emit({ type: 'restart' });
    return true;
  }

  emit({ type: 'start' });
  // A build command, and what it makes, are not waited for; a program of node's is not kept from its first answer.
  if (config.build !== null || config.program.kind === 'command') void project.watch();
  // It may wait for something for ever, or run in circles: the save that mends it has to be heard.
  later(UNHEARD_MS, () => void project.watch());
  if (config.program.kind === 'node') setImmediate(() => project.build.warm());

  return {
    emit(event) {
      if (event.type === 'restart') {
        project.recheck();
        notebook.note({ kind: 'restart' });
      }
      // The stop that is under way is of use for this end too.
      if (event.type === 'quit' && successor) {
        successor = null;
        exitCode = event.code;
      } else emit(event);
    },
    resized: () => child.resized(),
    ended,
  };
}

const rulesOf = (config: Config): Rules => ({
  // Two generations at once would want the inspector's one port.
  handover: isInspected(config) ? 'sequential' : config.handover,
  ladder: config.ladder,
  quietMs: QUIET_MS,
  quietMaxMs: QUIET_MAX_MS,
  stormMaxMs: STORM_MAX_MS,
});

const isInspected = ({ program }: Config): boolean =>
  program.kind === 'node' && program.nodeArgs.some((arg) => arg.startsWith('--inspect'));
