/**
 * The build room: the project's modules as Node will run them, and the answers to a generation's questions. Each module
 * is transformed on its own, when its content has changed; the content that a generation runs is remembered, so that a
 * save that changes nothing is no reload.
 */
import { lstat, readFile, stat } from 'node:fs/promises';
import { dirname, isAbsolute } from 'node:path';
import type { Config } from '../config/config.ts';
import { type Fault, messageOf } from '../errors.ts';
import type { Loaded, Pack } from '../runtime/messages.ts';
import type { Generation } from '../supervisor/words.ts';
import { openAhead } from './ahead.ts';
import { hashOfOther, openAttempt, realPathOf } from './attempt.ts';
import { codeCacheFolder } from './codecache.ts';
import { placeOf } from './format.ts';
import { openLedger } from './given.ts';
import { openLinks } from './links.ts';
import { openOffshoots } from './offshoots.ts';
import { openOutputs } from './outputs.ts';
import { parcelOf } from './parcel.ts';
import { openPrefetch } from './prefetch.ts';
import { preloadsOf } from './preload.ts';
import { faultOfImport, faultsOfRequires } from './requires.ts';
import { shapesOf } from './shapes.ts';
import { type Entry, type Made, openStore } from './store.ts';
import type { Module } from './transform.ts';
import type { Build, BuildHost } from './verbs.ts';

export type { Build, BuildHost } from './verbs.ts';

export function openBuild(config: Config, host: BuildHost): Build {
  const main = config.program.kind === 'node' ? config.program.main : '';
  const store = openStore(config.root, main, host.version, preservesSymlinks(config));
  const { entries, tools } = store;
  /** Hashes of watched files that are no modules. */
  const others = new Map<string, string>();
  /** New files that the app is expected to load when it runs, so that no link step finds out what is wrong with them. */
  const fresh = new Set<string>();
  const ledger = openLedger();
  const links = openLinks(config.root, entries, tools, {
    onMissing: host.onMissing,
    onAbsent: host.onAbsent,
    onForget: () => ahead.forget(),
    onKnown: host.onKnown,
  });
  const ahead = openAhead(main, entries, (specifier, parent) => {
    const found = links.resolve(specifier, parent) ?? links.graph.resolve(specifier, parent);
    return found && 'file' in found ? found.file : undefined;
  });
  const faultsOf = new Map<string, readonly Fault[]>();
  const unwatched = new Set<string>();
  let foreseen = (_ms: number): void => {};
  const outputs = openOutputs(entries);
  const attempt = openAttempt(config.build, main, {
    ledger,
    links,
    store,
    others,
    fresh,
    faultsOf,
    outputs,
    unwatched,
    read,
    host,
  });
  let current: { id: number; stop: AbortController; done: Promise<void> } | undefined;

  const prefetch = openPrefetch(store, links.resolve, () => tools().tsconfigs.maps());

  /** Reads a module, which is none of the other files any more. */
  async function read(file: string, ahead?: Entry): Promise<Made> {
    const entry = ahead ? store.keep(ahead) : await store.read(file);
    if (entry && 'module' in entry) others.delete(file);
    return entry;
  }

  /** A module as it is known, or as it is read now; then it is watched. */
  async function moduleOf(file: string): Promise<Module | { faults: readonly Fault[] } | null> {
    const known = entries.get(file);
    if (known) return known.module;
    const entry = await read(file);
    if (entry === null) return null;
    if ('faults' in entry) await blame(file, entry.faults);
    else host.onKnown(entry);
    return 'faults' in entry ? entry : entry.module;
  }

  /** A file that something wants to load has faults: it is watched, and the next build tries it again. */
  async function blame(file: string, faults: readonly Fault[]): Promise<void> {
    faultsOf.set(file, faults);
    ledger.retry(file);
    const known = await stat(file).catch(() => null);
    if (known) host.onKnown({ file, mtimeMs: known.mtimeMs, size: known.size });
  }

  /** @param first the file whose imports lead to the others */
  function parcel(wanted: Iterable<Entry>, first = main): { head: Pack; body: Buffer } {
    const { modules, body } = parcelOf(wanted);
    const { tsconfigs } = tools();
    tsconfigs.tsconfigFor(first);
    return { head: { modules, resolved: links.resolved(), packages: links.packages(), bare: tsconfigs.maps() }, body };
  }

  const offshoots = openOffshoots({ ledger, entries, parcel, load, onLoaded });

  /** `gen` has loaded it: in undefined's place, a fork that has outlived its generation. */
  function onLoaded(gen: Generation | undefined, entry: Entry): void {
    const now = gen === undefined ? undefined : ledger.of(gen);
    now?.hashes.set(entry.file, entry.hash);
    now?.sources.set(entry.file, entry);
    fresh.delete(entry.file);
    host.onKnown(entry);
  }

  async function load(gen: Generation | undefined, file: string): Promise<{ head: Loaded; body: Buffer }> {
    try {
      const entry = await read(file, await prefetch.take(file));
      if (entry === null) return { head: { format: null }, body: NOTHING };
      if ('faults' in entry) {
        faultsOf.set(`@${gen}`, entry.faults);
        await blame(file, entry.faults);
        const [fault] = entry.faults;
        return {
          head: { error: fault?.text ?? 'cannot be transformed', at: fault ? placeOf(fault) : '' },
          body: NOTHING,
        };
      }
      onLoaded(gen, entry);
      prefetch.follow(entry);
      return { head: { format: entry.module.format }, body: Buffer.from(entry.module.code) };
    } catch (error) {
      return { head: { error: messageOf(error), at: '' }, body: NOTHING };
    }
  }

  /** Once: all that the last session found, before anyone asks for it. */
  let isWarm = false;
  function warm(): void {
    if (isWarm) return;
    isWarm = true;
    links.takeUp(store.warm());
    if (entries.size === 0 && main) prefetch.expect(main);
  }

  return {
    saved(files, listed) {
      for (const file of listed) fresh.add(file);
      ledger.saved(files);
      ahead.saved(files);
    },
    absorbs: outputs.absorbs,
    unwatched: (file) => void unwatched.add(file),
    build(id, against) {
      const stop = new AbortController();
      const base = against === null ? null : (ledger.of(against)?.hashes ?? null);
      const done = attempt(id, base, stop.signal).then(
        (result) => {
          if (!stop.signal.aborted) host.emit({ type: 'built', id, result });
        },
        (error) => {
          faultsOf.set(`#${id}`, [{ text: messageOf(error) }]);
          if (!stop.signal.aborted) host.emit({ type: 'built', id, result: 'failed' });
        },
      );
      current = { id, stop, done };
    },
    cancel(id) {
      if (current?.id === id) current.stop.abort();
    },
    begin(gen, id) {
      prefetch.forget();
      ledger.begin(gen, id, others);
    },
    activated: ledger.activated,
    loaded(gen, files) {
      const now = ledger.of(gen);
      for (const file of files) {
        const entry = now?.packed.get(file);
        if (!entry) continue;
        offshoots.inGeneration(file);
        onLoaded(gen, entry);
      }
    },
    warm() {
      tools().tsconfigs.tsconfigFor(main);
      warm();
    },
    async pack(gen) {
      warm();
      const now = ledger.of(gen);
      const held = now?.ahead?.hashes;
      // What it holds already is not sent, and counts as loaded if it still is wanted.
      for (const [file, hash] of ahead.linked(held)) {
        now?.hashes.set(file, hash);
        const entry = entries.get(file);
        if (entry?.hash === hash) now?.sources.set(file, entry);
      }
      const wanted = [...entries.values()].filter(({ file }) => !held?.has(file) && !offshoots.isAside(file));
      for (const entry of wanted) now?.packed.set(entry.file, entry);
      host.mark('sent');
      return parcel(wanted);
    },
    async ahead() {
      const { wanted, token } = await ahead.choose();
      return { ...parcel(wanted), token };
    },
    isCurrent: ahead.isCurrent,
    tookAhead(gen, token) {
      const now = ledger.of(gen);
      if (now) now.ahead = token;
    },
    load(gen, file) {
      offshoots.inGeneration(file);
      return load(gen, file);
    },
    offshoot: offshoots.offshoot,
    resolve(specifier, parent) {
      const found = links.resolve(specifier, parent);
      return { file: found && 'file' in found ? found.file : null };
    },
    async check(gen) {
      const now = ledger.of(gen);
      const loaded = [...(now?.hashes.keys() ?? []), ...ledger.taken(now)];
      const running = ledger.running();
      const faults = await faultsOfRequires([main, ...loaded.filter((file) => entries.has(file))], {
        module: moduleOf,
        resolve: links.resolve,
        missing: links.missing,
        isNew: (file) => running.get(file) !== entries.get(file)?.hash && running.size > 0,
      }).catch((error): Fault[] => [{ text: messageOf(error) }]);
      // What was saved and is not linked by now will be imported by the code as it runs.
      for (const file of ledger.taken(now)) {
        const entry = now?.hashes.has(file) ? undefined : entries.get(file);
        if (entry) faults.push(...(await tools().transform.faultsOfModule(file, entry.module)));
      }
      if (faults.length > 0) faultsOf.set(`@${gen}`, faults);
      return faults.length === 0;
    },
    async explain(gen, text, stack) {
      const fault = await faultOfImport(text);
      if (fault) return void faultsOf.set(`@${gen}`, [fault]);
      // Of a module that it cannot compile, Node shows the place to people only.
      if (!stack.startsWith('SyntaxError')) return;
      const { transform } = tools();
      for (const file of ledger.of(gen)?.hashes.keys() ?? []) {
        const faults = await transform.faultsOfModule(file, entries.get(file)?.module ?? NO_MODULE);
        if (faults.length > 0) return void faultsOf.set(`@${gen}`, faults);
      }
    },
    found: links.found,
    missing: links.missing,
    unfound: links.unfound,
    async note(files, since) {
      for (const file of files) {
        const text = await readFile(file, 'latin1').catch(() => null);
        // Afterwards, so that a write in between shows.
        const stats = await stat(file).catch(() => null);
        // Of a linked package the link may be newer.
        const folder = await lstat(dirname(file)).catch(() => null);
        if (!stats || text === null || others.has(file) || entries.has(file)) continue;
        const changedMs = Math.max(stats.ctimeMs, folder?.isSymbolicLink() ? folder.ctimeMs : 0);
        const hash = changedMs < since - TICK_MS ? hashOfOther(file, text) : CHANGED;
        others.set(file, hash);
        for (const { hashes } of ledger.all()) hashes.set(file, hash);
      }
    },
    // Those that have faults may be misunderstood; the other keys are builds and generations.
    shapes: () => [
      ...shapesOf([main, ...entries.keys(), ...[...faultsOf.keys()].filter(isAbsolute)], config.root, tools()),
      ...links.linked(),
      ...links.ways().keys(),
    ],
    isWayAsBefore(file) {
      const isEntry = config.program.kind === 'node' && file === config.program.entry;
      const real = isEntry && file !== main ? main : links.ways().get(file);
      return real !== undefined && real === realPathOf(file);
    },
    renew() {
      links.renew();
      store.renew();
      const { transform } = tools();
      for (const { file, shape } of entries.values()) {
        if (transform.shapeOf(file) === shape) continue;
        // What does not run is no reason to reload, and is read when it is asked for.
        if (ledger.running().has(file)) ledger.retry(file);
        else entries.delete(file);
      }
    },
    async foresight() {
      const { wanted } = await ahead.choose();
      const found = await preloadsOf(main, links.graph, config.preload).catch(() => ({
        packages: [],
        stop: null,
        of: 0,
      }));
      foreseen = (ms) => host.onForesight(found, wanted.length, ms);
      if (found.packages.length === 0) foreseen(0);
      return { packages: found.packages, ahead: wanted.length > 0 };
    },
    preloaded: (ms) => foreseen(ms),
    codeCache: () => codeCacheFolder(config.root),
    faults: ({ id, gen }) => faultsOf.get(gen === undefined ? `#${id}` : `@${gen}`) ?? [],
    save: () => store.save(ledger.running().keys(), links.imports()),
    async close() {
      current?.stop.abort();
      prefetch.forget();
      // At once: the room may be opened anew, and esbuild's process is the same.
      store.close();
      // A build command is gone when we say so.
      await current?.done;
      await store.save(ledger.running().keys(), links.imports());
    },
  };
}

/** How far the kernel's clock for files may be behind, in ms. */
const TICK_MS = 10;
/** The hash of nothing. */
const CHANGED = '-';
const NOTHING = Buffer.alloc(0);
const NO_MODULE: Module = { format: 'json', code: '', transformed: false };

const preservesSymlinks = ({ program, nodeOptions }: Config): boolean =>
  program.kind === 'node' && [...program.nodeArgs, ...(nodeOptions ?? '').split(/\s+/)].includes('--preserve-symlinks');
