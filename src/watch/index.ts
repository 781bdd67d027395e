/**
 * The watch room: tells that a watched file was written, replaced, removed or made again, as soon as the kernel says so.
 * It does not look into files: the same content saved again is told too. What must not happen is that a save is lost.
 *
 * The folders that hold watched files are listened to, never the files: a folder's events name the file whatever it is
 * replaced by, and one inotify watch does for 5,000 files (measurements in ear.ts). Folders are found by their names and
 * found again when they are made anew (places.ts). An event is told in the same turn of the event loop, all events of a
 * turn in one call. There is no timer and no polling, but where events do not come (folders.ts).
 *
 * Three moments when an event could slip by, and what is done:
 * - between the read of a file and the moment its folder is listened to: its stat is compared then;
 * - while a folder is made anew: everything in it is told;
 * - when the kernel's queue (16,384 events) runs over, of which Node says nothing: many events in one turn mean that it
 *   may have, and everything is told.
 */
import { resolve } from 'node:path';
import type { Config } from '../config/config.ts';
import { codeOf } from '../errors.ts';
import { openAftermath } from './aftermath.ts';
import { type Entry, type Folder, openEntries } from './entries.ts';
import { isLimit, POLL_MS, troubleOf } from './folders.ts';
import { openGitignore } from './gitignore.ts';
import { openIgnorers } from './ignorers.ts';
import { type Listed, openLists } from './lists.ts';
import { type Held, openPackages } from './packages.ts';
import { openPlaces } from './places.ts';
import { type Rule, rulesOf } from './rules.ts';
import { openSearch } from './search.ts';
import { openStorm } from './storm.ts';
import { statOf } from './trail.ts';

export type { Listed } from './lists.ts';
export type { Rule } from './rules.ts';

export interface Change {
  /** Absolute path. */
  readonly file: string;
  /** Why it is watched. */
  readonly rule: Rule;
}

export interface Watch {
  /**
   * Files the app loads (absolute paths). Idempotent, cheap for known files. `mtimeMs` and `size` are those known when
   * the content was read: a change between that read and the moment the watch is in force is told.
   * @returns whether it is watched; false: it is ignored
   */
  add(file: { file: string; mtimeMs: number; size: number }): boolean;
  /** Paths that do not exist but whose appearance would matter (a missing import), also in folders that do not exist. */
  expect(files: readonly string[]): void;
  /**
   * Files that say how the app is run, whether they exist or not. One that has changed since `since` (ms since the epoch) is
   * told.
   */
  govern(files: readonly string[], since: number): void;
  /** The app reads this file at its start; as in `add`. */
  read(file: { file: string; mtimeMs: number; size: number; since: number }): void;
  /** The app looks for this file at its start, and it is not there. */
  missed(file: string): void;
  /** The app has listed these folders since `since` (ms since the epoch), when it began to run, and is up. */
  listed(folders: readonly Listed[], since: number): void;
  /**
   * A standby holds these files of packages (names by folder), none read before `since` (ms since the epoch): a change of one
   * is told to `onPackage`, and is no save.
   */
  packages(held: Held, since: number): void;
  /** The app itself writes it at its start: that it reads it, or that it is new, says no more. */
  written(file: string): void;
  /** What was saved is written by a program, as its content says. */
  generated(file: string): void;
  /** Resolves when everything added so far is really being watched. */
  settled(): Promise<void>;
  /** What is watched now, in order of the paths, with the folders that the app lists; without the files that are only expected. */
  list(): readonly Change[];
  /** Asked for by hand: if a file has changed and nothing was told of it, all are looked at from now on. */
  recheck(): void;
  /** Leaves no handle. Safe to call twice. */
  close(): Promise<void>;
}

/**
 * A write in the same tick of the kernel's clock (up to 10 ms) as the one before leaves the same times behind. Hence a file
 * changed less than this many ms before it was added is told, like git's "racily clean" files are read again.
 */
const RACY_MS = 50;
/** What people write is not longer, in bytes. */
const READ_MAX = 1 << 20;
/** An event that comes at all has come by then, in ms. */
const LATEST_MS = 1000;
/** Half of fs.inotify.max_queued_events. */
const FLOOD = 8192;

/**
 * `onSaved`: at most one call per turn of the event loop; `calmMs` as in the event `saved`, 0 for a save of its own. No
 * changes: a storm goes on that was told before. `onTrouble`: one sentence for the user; the rest works on.
 * `openedAt`, in ms since the epoch: what globs match counts as saved if it has changed since then. `onPackage`: this file or
 * folder of a package that is held has changed ('': nobody knows which).
 */
export function openWatch(
  config: Pick<Config, 'cwd' | 'root' | 'base' | 'watch' | 'ignore' | 'program' | 'build' | 'poll'>,
  onSaved: (changes: readonly Change[], calmMs: number) => void,
  onTrouble: (sentence: string) => void,
  openedAt: number = Date.now(),
  onPackage: (path: string) => void = () => {},
): Watch {
  const git = openGitignore(config.root, onTrouble);
  const rules = rulesOf(config, git.ignores);
  const storm = openStorm(
    config.root,
    (calmMs) => onSaved([], calmMs),
    openAftermath(config.root, rules),
    config.build !== null,
  );
  const told = new Set<string>();
  const written = new Set<string>();
  let pending = new Map<string, Rule>();
  let turn: NodeJS.Immediate | null = null;
  let isHeldOver = false;
  let heard = 0;
  let isClosed = false;

  const everyMs = config.poll || POLL_MS;
  const tellOnce = (key: string, sentence: string): void => {
    if (isClosed || told.has(key)) return;
    told.add(key);
    onTrouble(sentence);
  };

  const onHeard = (): void => {
    heard++;
    turn ??= setImmediate(flush);
  };
  const packages = openPackages(config.poll > 0, { heard: onHeard, changed: onPackage });
  const places = openPlaces(config.root, config.poll, {
    heard: onHeard,
    failed: (folder, error) => {
      const code = codeOf(error);
      if (isLimit(error)) packages.yield();
      // Folders on the way to the project that may be passed but not read are no one's fault, and rarely renamed.
      if (code === 'EACCES' && !entries.folders.has(folder)) return;
      // One sentence for a limit that is reached by all folders, one per folder for what is that folder's own.
      tellOnce(isLimit(error) ? `${code}` : `${code} ${folder}`, troubleOf(folder, error, everyMs));
    },
    far: (folder, type) =>
      tellOnce(
        type,
        `${folder} is on ${type}, which tells nothing of changes made on its other side, so files are looked at every ${everyMs} ms too: set "poll" to say how often.`,
      ),
  });

  const flush = (): void => {
    // Of a new file the app may have said that it writes it, and that may not have been read yet: it is by the next turn.
    isHeldOver = !isHeldOver && [...pending.values()].includes('listed');
    turn = isHeldOver ? setImmediate(flush) : null;
    if (isHeldOver) return;
    if (heard >= FLOOD) {
      places.doubt();
      packages.doubt();
    }
    heard = 0;
    const saved = pending;
    pending = new Map();
    const changes = [...saved]
      .filter(([file, rule]) => rule !== 'listed' || lists.isNews(file))
      .map(([file, rule]) => ({ file, rule }));
    if (turn !== null && pending.size === 0) {
      clearImmediate(turn);
      turn = null;
    }
    if (changes.length === 0) return;
    packages.look();
    onSaved(changes, storm.saved(changes.map(({ file }) => file)));
  };

  const entries = openEntries(places, {
    changed: ({ path }, rule) => {
      if (rule === 'watch' && !rules.globbed(path)) return;
      pending.set(path, rule);
      turn ??= setImmediate(flush);
    },
    settled: (folder, isMoved) => settle(folder, isMoved),
    heard: (folder, name) => hear(folder, name),
  });
  const search = openSearch(rules, entries, openedAt, onTrouble, () => followIgnorers());
  const followIgnorers = openIgnorers(
    places,
    git.asked,
    (folder) => entries.folders.get(folder)?.isSearched ?? false,
    () => ignoreAnew(),
  );
  const { program } = config;
  const lists = openLists(program.kind === 'node' ? program.main : null, rules, entries, onTrouble);

  const settle = (folder: Folder, isMoved: boolean): void => {
    for (const entry of [...folder.entries.values()]) {
      if (!isMoved || !entry.isChecked) entries.check(entry);
      else if (entry.isThere || statOf(entry.path) !== undefined) entries.touch(entry);
      search.drop(entry);
    }
    if (folder.isSearched) search.scan(folder, isMoved || folder.isNew);
    if (folder.isListed) lists.scan(folder);
  };

  const hear = (folder: Folder, name: string | null): void => {
    if (name === null) {
      for (const entry of [...folder.entries.values()]) entries.touch(entry);
      if (folder.isSearched) search.scan(folder, true);
      if (folder.isListed) lists.scan(folder);
      return;
    }
    const entry = folder.entries.get(name);
    if (entry) {
      entry.isChecked = true;
      entries.touch(entry);
      search.drop(entry);
    }
    if (folder.isSearched) search.find(folder, name, true);
    if (folder.isListed) lists.find(folder, name);
    if (folder.isSearched && git.isOne(name)) ignoreAnew();
  };

  const ignoreAnew = (): void => {
    git.forget();
    for (const folder of [...entries.folders.values()]) if (folder.isSearched) search.scan(folder, false);
  };

  search.start();

  return {
    add: ({ file, mtimeMs, size }) => {
      const known = entries.known(file);
      if (isClosed || known?.rule === 'config') return true;
      if (!rules.loaded(file)) return false;
      if (known?.rule === 'loaded' && !known.isExpected) return true;
      const entry = entries.at(resolve(file));
      entry.rule = 'loaded';
      entry.isExpected = false;
      entry.known = { mtimeMs, size };
      entry.isThere = true;
      entry.since = Date.now() - RACY_MS;
      entry.isChecked = false;
      entries.begin(entry);
      return true;
    },
    expect: (files) => {
      if (isClosed) return;
      for (const file of files) {
        const known = entries.known(file);
        if (known?.rule || !rules.missed(file)) continue;
        const entry = entries.at(resolve(file));
        entry.rule = 'loaded';
        entry.isExpected = true;
        entry.since = 0;
        entries.begin(entry);
      }
    },
    govern: (files, since) => {
      if (isClosed) return;
      for (const file of files) {
        const entry = entries.at(resolve(file));
        if (entry.rule === 'config') continue;
        if (entry.rule !== 'loaded') entry.since = since - RACY_MS / 5;
        entry.rule = 'config';
        entry.isThere = statOf(file) !== undefined;
        entry.isExpected = !entry.isThere;
        entries.begin(entry);
      }
    },
    read: ({ file, mtimeMs, size, since }) => {
      const known = entries.known(file);
      if (isClosed || written.has(file)) return;
      if (known !== undefined && known.rule !== null && known.rule !== 'listed') return;
      if (size > READ_MAX || !rules.read(file)) return;
      const entry = entries.at(resolve(file));
      entry.rule = 'read';
      entry.since = since;
      entry.known = { mtimeMs, size };
      entry.isThere = true;
      entry.isChecked = false;
      entries.begin(entry);
    },
    missed: (file) => {
      if (isClosed || written.has(file) || entries.known(file)?.rule || !rules.read(file)) return;
      const entry = entries.at(resolve(file));
      entry.rule = 'read';
      entry.isExpected = true;
      entries.begin(entry);
    },
    listed: (folders, since) => {
      if (!isClosed) lists.add(folders, since);
    },
    packages: packages.hold,
    written: (file) => {
      written.add(file);
      lists.written(file);
      const known = entries.known(file);
      if (known?.rule !== 'read') return;
      known.rule = null;
      entries.forget(known);
    },
    generated: (file) => {
      if (!isClosed) storm.generated(file);
    },
    settled: async () => {
      await places.settled();
      while (!search.isDone()) {
        await search.done();
        await places.settled();
      }
    },
    list: () =>
      [...entries.folders.values()]
        .flatMap((folder) => [...folder.entries.values()])
        .filter((entry) => entry.isThere || (entry.rule === 'loaded' && !entry.isExpected))
        .filter(({ rule, path }) => rule !== null && (rule !== 'watch' || rules.globbed(path)))
        .map(({ path, rule }): Change => ({ file: path, rule: rule ?? 'watch' }))
        .concat(lists.folders().map((file) => ({ file, rule: 'listed' })))
        .sort((a, b) => (a.file < b.file ? -1 : 1)),
    recheck: () => {
      packages.look();
      const before = Date.now() - LATEST_MS;
      const isMissed = ({ path, isThere, seen }: Entry): boolean => {
        const mtimeMs = isThere ? statOf(path)?.mtimeMs : undefined;
        return mtimeMs !== undefined && mtimeMs !== seen && mtimeMs < before;
      };
      const missed = [...entries.folders.values()].flatMap((folder) => [...folder.entries.values()].filter(isMissed));
      const first = missed.find((entry) => entry.rule !== null);
      if (isClosed || config.poll > 0 || first === undefined) return;
      tellOnce(
        'deaf',
        `${first.path} has changed, and the system has told nothing of it, so files are looked at every ${everyMs} ms too from here on: set "poll" to have that from the start.`,
      );
      places.distrust();
      packages.yield();
      for (const entry of missed) entries.touch(entry);
    },
    close: async () => {
      isClosed = true;
      if (turn !== null) clearImmediate(turn);
      turn = null;
      storm.close();
      search.close();
      packages.close();
      await places.close();
    },
  };
}
