/**
 * The wire. Opens the rooms, feeds what they tell to the machine, one event at a time, and carries out its actions in
 * order. Nothing here waits: whatever comes of an action comes back as an event. Owns the timers.
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { openBuild } from './build/index.ts';
import { openChild } from './child/index.ts';
import type { Config } from './config/config.ts';
import { openNotebook } from './notebook.ts';
import { initial, step } from './supervisor/step.ts';
import type { Action, Ending, Event, Generation, Rules, State } from './supervisor/words.ts';
import { factOf, programOf } from './telling.ts';
import type { Fact, Terminal } from './terminal/index.ts';
import type { Watch } from './watch/index.ts';

/** Quiet time after a burst of saves, and the most that is waited for it, in ms. */
const QUIET_MS = 30;
const QUIET_MAX_MS = 500;
/** A stop that takes longer than this is told, in ms. */
const SLOW_STOP_MS = 1000;
/** After a crash requests wait this long for the next generation before they get a 503, in ms. */
const UNAVAILABLE_MS = 1500;
/** When nothing has happened for this long after a start, the cache is written, in ms. */
const SETTLED_MS = 300;

/** Files that say which packages there are. */
const MANIFESTS = [
  'package.json',
  'package-lock.json',
  'npm-shrinkwrap.json',
  'yarn.lock',
  'pnpm-lock.yaml',
  'bun.lock',
];

/** The first generation serves, or does not. */
const FIRST_NEWS: ReadonlySet<Event['type']> = new Set(['ready', 'refused', 'exited', 'gone']);

export interface Session {
  emit(event: Event): void;
  /** The terminal has another size. */
  resized(): void;
  /** The exit code, when everything is gone. */
  readonly ended: Promise<number>;
}

export function openSession(config: Config, terminal: Terminal, version: string, restoreTty: () => void): Session {
  const rules: Rules = {
    // Two generations at once would want the inspector's one port.
    handover: isInspected(config) ? 'sequential' : config.handover,
    ladder: config.ladder,
    quietMs: QUIET_MS,
    quietMaxMs: QUIET_MAX_MS,
  };
  const startedAt = Date.now();
  const notebook = openNotebook({ kind: 'start', program: programOf(config) });
  const queue: Event[] = [];
  const timers = new Set<NodeJS.Timeout>();
  let state: State = initial;
  let busy = false;
  let everReady = false;
  let isWatching = false;
  let watch: Watch | undefined;
  /** What was to be watched before the watcher was loaded. */
  let unwatched: ((watch: Watch) => void)[] = [];
  let end: (code: number) => void;
  const ended = new Promise<number>((resolve) => {
    end = resolve;
  });

  const watching = (use: (watch: Watch) => void): void => {
    if (watch) use(watch);
    else unwatched.push(use);
  };
  const build = openBuild(config, {
    version,
    emit,
    onKnown: (known) => watching((watch) => watch.add([known])),
    onForesight(found, modules) {
      if (config.why) tellOnce({ type: 'why loaded', packages: namesOf(found.packages), stop: found.stop, modules });
    },
    onMissing: (files) => watching((watch) => watch.expect(files)),
    run: (command) => child.run(command),
  });
  const child = openChild(config, {
    emit,
    answers: build,
    onLoaded: (gen, files) => build.loaded(gen, files),
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
        code === 'ENOENT' ? 'was not found' : code === 'EACCES' ? 'may not be executed' : `cannot be started (${code})`;
      terminal.say({ type: 'usage', sentence: `the command ${name} ${why}` });
      if (!everReady) emit({ type: 'quit', code: code === 'ENOENT' ? 127 : 126 });
    },
  });

  /** Where the app has listened, as far as it was told. */
  const told = new Set<string>();
  function onListening(gen: Generation, port: string): void {
    const { ports, activatedAt = 0 } = notebook.generation(gen);
    ports.add(port);
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
      carryOut(action);
    }
    if (FIRST_NEWS.has(event.type)) setImmediate(startWatching);
    if (event.type === 'gone') {
      // Node puts the terminal back when it can; one that has run nothing has changed nothing.
      if (event.signal !== null && notebook.generation(event.gen).activatedAt !== undefined) restoreTty();
      notebook.forget(event.gen);
    }
  }

  function note(event: Event): void {
    if (event.type === 'built') notebook.build(event.id).builtAt = performance.now();
    if (event.type === 'prepared') notebook.generation(event.gen).preparedAt = performance.now();
  }

  function carryOut(action: Action): void {
    switch (action.type) {
      case 'build':
        notebook.build(action.id);
        return build.build(action.id, newest());
      case 'cancel':
        return build.cancel(action.id);
      case 'prepare':
        notebook.begin(action.gen, action.id);
        build.begin(action.gen, action.id);
        return child.prepare(action.gen);
      case 'discard':
        return child.discard(action.gen);
      case 'activate':
        notebook.generation(action.gen).activatedAt = performance.now();
        build.activated(action.gen);
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
        return void close(action.code);
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
    const fact = factOf(action, { config, notebook, state, told, faults: build.faults });
    if (what === 'ready') {
      everReady = true;
      for (const port of notebook.generation(action.gen as Generation).ports) told.add(port);
      later(SETTLED_MS, () => void build.save());
    }
    if (ending && (what === 'broken' || what === 'crashed')) later(UNAVAILABLE_MS, () => standIn(ending));
    terminal.say(fact);
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

  /** What has not changed since it was told is not told again. */
  let toldLast = '';
  function tellOnce(fact: Fact): void {
    const text = JSON.stringify(fact);
    if (text !== toldLast) terminal.say(fact);
    toldLast = text;
  }

  let closing = false;
  async function close(code: number): Promise<void> {
    if (closing) return;
    closing = true;
    for (const timer of timers) clearTimeout(timer);
    await Promise.all([build.close(), watch?.close()]);
    // Last, for it takes along whatever should be left.
    await child.close();
    restoreTty();
    end(code);
  }

  /**
   * Loaded when the first generation has got somewhere, good or bad: loading it takes 30 ms in which no question is
   * answered. What is saved before is seen by the stat of each file.
   */
  async function startWatching(): Promise<void> {
    if (isWatching) return;
    isWatching = true;
    // Those of packages: what they change is not in any file that the app loads.
    const manifests = config.program.kind === 'node' ? MANIFESTS.map((name) => join(config.root, name)) : [];
    const { openWatch } = await import('./watch/index.ts');
    if (closing) return;
    watch = openWatch(
      config,
      (changes) => {
        const files = changes.map(({ file }) => file);
        if (files.some((file) => manifests.includes(file))) {
          build.renew();
          child.renew();
        }
        notebook.note({ kind: 'saved', files });
        if (config.why) terminal.say({ type: 'why saved', changes });
        build.saved(files);
        emit({ type: 'saved' });
      },
      (sentence) => terminal.say({ type: 'trouble', sentence }),
      startedAt,
    );
    for (const file of manifests) {
      const stats = statSync(file, { throwIfNoEntry: false });
      if (stats) watch.add([{ file, mtimeMs: stats.mtimeMs, size: stats.size }]);
    }
    void build.note(manifests);
    for (const use of unwatched) use(watch);
    unwatched = [];
  }

  // What only globs know has no stat to be compared with, only the time of the start.
  if (config.build !== null || config.watch.length > 0) void startWatching();
  emit({ type: 'start' });
  if (config.program.kind === 'node') setImmediate(() => build.warm());

  return {
    emit(event) {
      if (event.type === 'restart') notebook.note({ kind: 'restart' });
      emit(event);
    },
    resized: () => child.resized(),
    ended,
  };
}

/** The packages that these belong to, each once. */
const namesOf = (packages: readonly { readonly url: string }[]): string[] => [
  ...new Set(packages.map(({ url }) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1] ?? url)),
];

const isInspected = ({ program }: Config): boolean =>
  program.kind === 'node' && program.nodeArgs.some((arg) => arg.startsWith('--inspect'));
