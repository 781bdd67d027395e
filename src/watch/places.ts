/**
 * A place is a folder under the name that the user, or Node, gives it. It keeps listening to what that name means, whatever
 * is renamed, removed, made again or linked elsewhere on the way there; while it does not exist it waits for it.
 *
 *     moving ── all folders of its trail are open, and the trail is still the same ──> settled
 *       ^                                                                                 |
 *       └───────────────── something happened to a name on its trail ────────────────────┘
 *
 * Settled is told each time: only what happens from there on is sure to be heard, so whoever owns the place then looks at
 * what may have happened before.
 */
import { realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { type FolderEvents, type Folders, openFolders } from './folders.ts';
import { isSameTrail, type Trail, trailOf, watchedSteps } from './trail.ts';

export interface Owner {
  /** It is being listened to from now on; may be told before open() returns. `isMoved`: that was so before, and it may be another folder than then. */
  settled(place: Place, isMoved: boolean): void;
  /** Something happened to this name in it, or to some name (null). */
  heard(name: string | null): void;
  /** The names in it that matter. */
  names(): Iterable<string>;
}

export interface Place {
  readonly path: string;
  readonly owner: Owner;
  trail: Trail;
  /** What is held for it: its real folder, and those of the watched steps. */
  folders: readonly string[];
  edges: readonly string[];
  state: 'moving' | 'settled' | 'dropped';
  wasSettled: boolean;
}

export interface Places {
  open(path: string, owner: Owner): Place;
  drop(place: Place): void;
  /** This name in it matters from now on. */
  note(place: Place, name: string): void;
  /** Events are not to be trusted. */
  distrust(): void;
  /** As if something had happened everywhere, for when events may have been lost. */
  doubt(): void;
  /** Resolves when no place is moving. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

/** `root`: the project. `failed` and `far`, `pollMs`: see folders.ts. */
export function openPlaces(
  root: string,
  pollMs: number,
  on: { heard(): void } & Pick<FolderEvents, 'failed' | 'far'>,
): Places {
  const realRoot = realOf(root);
  const homes = new Map<string, Set<Place>>();
  const crossings = new Map<string, Set<Place>>();
  const users = new Map<string, Set<Place>>();
  const all = new Set<Place>();
  const moving = new Set<Place>();
  let waiting: (() => void)[] = [];

  const wake = (): void => {
    if (moving.size > 0 || folders.opening() > 0) return;
    const woken = waiting;
    waiting = [];
    for (const resolve of woken) resolve();
  };

  const leave = (place: Place): void => {
    if (place.trail.real !== null) remove(homes, place.trail.real, place);
    for (const edge of place.edges) remove(crossings, edge, place);
    for (const folder of place.folders) {
      remove(users, folder, place);
      folders.release(folder);
    }
  };

  /** Follows its trail, and lets go of the old one only after it holds the new one. */
  const move = (place: Place): void => {
    place.state = 'moving';
    moving.add(place);
    const trail = trailOf(place.path);
    const steps = watchedSteps(trail, realRoot);
    const needed = new Set(steps.map((step) => step.folder));
    if (trail.real !== null) needed.add(trail.real);
    for (const folder of needed) folders.hold(folder);
    leave(place);
    place.trail = trail;
    place.folders = [...needed];
    place.edges = steps.map((step) => join(step.folder, step.name));
    if (trail.real !== null) put(homes, trail.real, place);
    for (const edge of place.edges) put(crossings, edge, place);
    for (const folder of needed) put(users, folder, place);
    for (const { folder, name } of steps) folders.note(folder, name);
    for (const folder of needed) folders.check(folder);
    settle(place);
  };

  const settle = (place: Place): void => {
    if (place.state !== 'moving' || !place.folders.every(folders.isOpen)) return;
    if (!isSameTrail(place.trail, trailOf(place.path))) {
      move(place);
      return;
    }
    const isMoved = place.wasSettled;
    place.state = 'settled';
    place.wasSettled = true;
    moving.delete(place);
    place.owner.settled(place, isMoved);
  };

  const folders: Folders = openFolders(
    {
      heard: (folder, name) => {
        on.heard();
        for (const place of [...(homes.get(folder) ?? [])]) place.owner.heard(name);
        if (name === null) return;
        for (const place of [...(crossings.get(join(folder, name)) ?? [])]) if (place.state !== 'dropped') move(place);
      },
      opened: (folder) => {
        for (const place of [...(users.get(folder) ?? [])]) {
          if (place.state === 'settled') move(place);
          else settle(place);
        }
        wake();
      },
      names: (folder) => namesIn(folder),
      failed: on.failed,
      far: on.far,
    },
    pollMs,
  );

  const namesIn = (folder: string): Set<string> => {
    const names = new Set<string>();
    for (const place of users.get(folder) ?? []) {
      for (const edge of place.edges) if (dirname(edge) === folder) names.add(basename(edge));
      if (place.trail.real === folder) for (const name of place.owner.names()) names.add(name);
    }
    return names;
  };

  return {
    open: (path, owner) => {
      const trail: Trail = { steps: [], real: null };
      const place: Place = { path, owner, trail, folders: [], edges: [], state: 'moving', wasSettled: false };
      all.add(place);
      move(place);
      return place;
    },
    drop: (place) => {
      if (place.state === 'dropped') return;
      place.state = 'dropped';
      all.delete(place);
      moving.delete(place);
      leave(place);
    },
    note: ({ trail }, name) => {
      if (trail.real !== null) folders.note(trail.real, name);
    },
    distrust: folders.distrust,
    doubt: () => {
      for (const place of [...all]) move(place);
    },
    settled: () =>
      new Promise((resolve) => {
        waiting.push(resolve);
        // Not at once: what was added in this tick may open more when it is looked at.
        setImmediate(wake);
      }),
    close: async () => {
      all.clear();
      moving.clear();
      wake();
      await folders.close();
    },
  };
}

function realOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    // A root that is gone: the name has to do.
    return path;
  }
}

function put(map: Map<string, Set<Place>>, key: string, place: Place): void {
  const set = map.get(key);
  if (set) set.add(place);
  else map.set(key, new Set([place]));
}

function remove(map: Map<string, Set<Place>>, key: string, place: Place): void {
  const set = map.get(key);
  set?.delete(place);
  if (set?.size === 0) map.delete(key);
}
