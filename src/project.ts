/**
 * The user's files: the rooms that look at them (build, watch, typecheck), wired to one another, and what a save means beside
 * a build. They are opened together, and anew when the settings change.
 */
import { type Dirent, existsSync, readdirSync, type Stats, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { cacheFolder } from './build/folder.ts';
import { type Build, openBuild } from './build/index.ts';
import type { CommandLine, Config } from './config/config.ts';
import type { Event } from './supervisor/words.ts';
import type { Fact } from './terminal/index.ts';
import { openTypecheck, type Typecheck } from './typecheck/index.ts';
import type { Change, Listed, Watch } from './watch/index.ts';

/** What a file that is no part of the app says about it. */
export type Role =
  /** How hotrun is to run it. */
  | 'settings'
  /** What its modules and their imports mean. */
  | 'shape'
  /** The variables that it finds. */
  | 'environment';

/** Files that say which packages are installed. */
const LOCKFILES = [
  'package-lock.json',
  'npm-shrinkwrap.json',
  'yarn.lock',
  'pnpm-lock.yaml',
  'bun.lock',
  // npm's own, of what is there: `npm link` and `--no-save` write no other.
  'node_modules/.package-lock.json',
];

/** So many are looked for below a folder that the app lists with all that is in it. */
const FOLDERS_MAX = 500;

export interface ProjectHost {
  readonly version: string;
  emit(event: Event): void;
  say(fact: Fact): void;
  /** `calmMs`: see openWatch. */
  onSaved(changes: readonly Change[], calmMs: number): void;
  /** A process group that is to end with hotrun, however that ends. */
  guard: { watch(group: number): void; forget(group: number): void };
  mark(name: 'read' | 'sent'): void;
  /** What a standby holds of packages is out of date. */
  onStale(): void;
  /** Runs a build command. */
  run(command: CommandLine): {
    readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
    kill(): void;
  };
}

export interface Project {
  readonly build: Build;
  rolesOf(file: string): ReadonlySet<Role>;
  /** The settings name this file, which is not there. */
  expect(file: string): void;
  /**
   * Loads and opens the watch room. Until then what is to be watched is remembered: loading it takes 30 ms in which no
   * question is answered. What is saved before is seen by the stat of each file.
   */
  watch(): Promise<void>;
  /** What is watched, once the room has looked for it. */
  watched(): Promise<readonly Change[]>;
  /** The app has got somewhere, good or bad: more modules are known, and by that more of what shapes them; types are checked. `since`: they were read then, or later (ms since the epoch). */
  look(since: number): void;
  /** The app reads it at its start, or looks for it, or writes it: `since`, or after (ms since the epoch). */
  read(file: string, isWritten: boolean, since: number): void;
  /** The app is up, and has listed these folders `since` (ms since the epoch) it began to run. */
  listed(folders: readonly { path: string; isDeep: boolean }[], since: number): void;
  /** A standby holds these files of packages (names by folder), none read before `since` (ms since the epoch). */
  packages(held: Readonly<Record<string, readonly string[]>>, since: number): void;
  /** Asked for by hand: what was missed is found. */
  recheck(): void;
  close(): Promise<void>;
}

/** @param openedAt ms since the epoch: the settings and variables were read then, or later */
export function openProject(config: Config, host: ProjectHost, openedAt: number): Project {
  const roles = new Map<string, Set<Role>>();
  let watch: Watch | undefined;
  let opening: Promise<void> | undefined;
  let isClosed = false;
  /** What was to be watched before the room was opened. */
  let early: ((watch: Watch) => void)[] = [];
  let types: Typecheck | undefined;
  const listed = new Set<string>();
  const watching = (use: (watch: Watch) => void): void => {
    if (watch) use(watch);
    else early.push(use);
  };
  const build = openBuild(config, {
    version: host.version,
    emit(event) {
      if (!isClosed) host.emit(event);
    },
    onKnown: (known) =>
      watching((room) => {
        if (!room.add(known)) build.unwatched(known.file);
      }),
    onForesight({ packages, stop, of }, modules, ms) {
      if (config.why) tellOnce({ type: 'why loaded', packages: namesOf(packages), stop, of, modules, ms });
    },
    onMissing: (files) => watching((room) => room.expect(files)),
    onAbsent: (files) => govern('shape', files),
    onGenerated: (file) => watch?.generated(file),
    mark: host.mark,
    run: host.run,
  });

  const govern = (role: Role, files: readonly string[], since = openedAt): void => {
    for (const file of files) roles.set(file, (roles.get(file) ?? new Set<Role>()).add(role));
    watching((room) => room.govern(files, since));
    if (role !== 'settings') void build.note(files, since);
  };

  async function open(): Promise<void> {
    const { openWatch } = await import('./watch/index.ts');
    if (isClosed) return;
    watch = openWatch(
      config,
      (changes, calmMs) => {
        const news = changes.filter(({ file }) => !roles.has(file) || !build.isWayAsBefore(file));
        if (!isClosed && (news.length > 0 || changes.length === 0)) host.onSaved(news, calmMs);
      },
      (sentence) => host.say({ type: 'trouble', sentence }),
      openedAt,
      (path) => {
        if (basename(path) === 'package.json') build.unfound(dirname(path));
        if (!isClosed) host.onStale();
      },
    );
    for (const use of early) use(watch);
    early = [];
  }

  const check = (): Typecheck => {
    let first = true;
    return openTypecheck(config, {
      onChecked(faults) {
        host.say({ type: 'types', faults, first });
        first = false;
      },
      onTrouble: (sentence) => host.say({ type: 'trouble', sentence }),
      guard: host.guard,
      folder: cacheFolder(config.root),
    });
  };

  /** What has not changed but for the time is not told again. */
  let toldLast = '';
  function tellOnce(fact: Fact & { type: 'why loaded' }): void {
    const text = JSON.stringify({ ...fact, ms: 0 });
    if (text !== toldLast) host.say(fact);
    toldLast = text;
  }

  return {
    build,
    rolesOf: (file) => roles.get(file) ?? NONE,
    expect: (file) => govern('settings', [file]),
    watch() {
      if (opening) return opening;
      govern('settings', config.sources);
      govern(
        'environment',
        config.envFiles.map(({ file }) => file),
      );
      if (config.program.kind === 'node')
        // What they change is not in any file that the app loads.
        govern('shape', [join(config.root, 'package.json'), ...lockfilesOf(config.root)]);
      opening = open();
      return opening;
    },
    async watched() {
      await watch?.settled();
      return watch?.list() ?? [];
    },
    recheck: () => watch?.recheck(),
    read(file, isWritten, since) {
      if (isWritten) return watching((room) => room.written(file));
      const stats = fileAt(file);
      if (stats === null) return watching((room) => room.missed(file));
      // As it is now, for the room may be opened later. Its content is not noted: reading it takes until after the next save.
      watching((room) => room.read({ file, mtimeMs: stats.mtimeMs, size: stats.size, since: since - TICK_MS }));
    },
    listed(folders, since) {
      // With what is in them now, for the room may be opened later.
      const now = folders.flatMap((folder) => (listed.has(folder.path) ? [{ path: folder.path }] : unfolded(folder)));
      for (const { path } of folders) listed.add(path);
      watching((room) => room.listed(now, since));
    },
    packages: (held, since) => watching((room) => room.packages(held, since)),
    look(since) {
      if (isClosed) return;
      if (config.program.kind === 'node')
        govern(
          'shape',
          build.shapes().filter((file) => !roles.get(file)?.has('shape')),
          Math.max(since, openedAt),
        );
      if (config.typecheck) types ??= check();
    },
    async close() {
      isClosed = true;
      await Promise.all([build.close(), watch?.close(), types?.close()]);
    },
  };
}

/** How far the kernel's clock for files may be behind, in ms. */
const TICK_MS = 10;
const NONE: ReadonlySet<Role> = new Set();

/** Those that would be in this folder, and, of a package that has none, those of the workspace that it belongs to. */
function lockfilesOf(root: string): string[] {
  const at = (folder: string): string[] => LOCKFILES.map((name) => join(folder, name));
  for (let folder = root, last = ''; folder !== last; last = folder, folder = dirname(folder)) {
    const found = at(folder).filter((file) => existsSync(file));
    if (found.length > 0) return folder === root ? at(root) : [...at(root), ...found];
  }
  return at(root);
}

/** A folder that the app lists, and those below if it lists them too, the nearest first. */
function unfolded({ path, isDeep }: { path: string; isDeep: boolean }): readonly Listed[] {
  const found: Listed[] = [];
  const ahead = [path];
  for (let next = ahead.shift(); next !== undefined && found.length < FOLDERS_MAX; next = ahead.shift()) {
    const entries = entriesOf(next);
    found.push({ path: next, isFound: next !== path, names: entries.map(({ name }) => name) });
    if (!isDeep) continue;
    for (const entry of entries)
      if (entry.isDirectory() && entry.name !== 'node_modules' && !entry.name.startsWith('.'))
        ahead.push(join(next, entry.name));
  }
  return found;
}

/** One that is gone, or out of reach, is as good as empty. */
function entriesOf(folder: string): readonly Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}

/** What cannot be looked at cannot be read either: the app meets the error. */
function fileAt(path: string): Stats | null {
  try {
    const stats = statSync(path);
    return stats.isFile() ? stats : null;
  } catch {
    return null;
  }
}

/** The packages that these belong to, each once. */
const namesOf = (packages: readonly { readonly url: string }[]): string[] => [
  ...new Set(packages.map(({ url }) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1] ?? url)),
];
