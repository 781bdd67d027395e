/** Source maps: the project's are used by Node for stack traces, those of packages are left alone. */
import nodeModule from 'node:module';

const COMMENT = '//# sourceMappingURL=';
const NO_COMMENT = '//  sourceMappingURL=';
const HASH = COMMENT.indexOf('#');
const SPACE = ' '.charCodeAt(0);

const { setSourceMapsSupport } = nodeModule as unknown as {
  setSourceMapsSupport?(enabled: boolean, options: { nodeModules: boolean; generatedCode: boolean }): void;
};

/** Node writes down which lines ran, and with it the maps as it knows them (lib/internal/source_map/source_map_cache.js). */
export const isCovered = (): boolean => process.env.NODE_V8_COVERAGE !== undefined;

/** Node 22.14 and 23.7 can tell packages apart. */
export function enableSourceMaps(): void {
  if (setSourceMapsSupport) setSourceMapsSupport(true, { nodeModules: false, generatedCode: false });
  else process.setSourceMapsEnabled(true);
}

/**
 * Older Node reads and parses the map of every module when it is loaded, packages' too (150 ms for Express and an S3
 * client): the comment that names it is blanked.
 */
export function withoutMap<T extends { source: unknown }>(loaded: T): T {
  const { source } = loaded;
  if (!Buffer.isBuffer(source)) return loaded;
  for (let at = source.lastIndexOf(COMMENT); at >= 0; at = source.lastIndexOf(COMMENT, at)) source[at + HASH] = SPACE;
  return loaded;
}

export const textWithoutMap = (source: string): string =>
  source.includes(COMMENT) ? source.replaceAll(COMMENT, NO_COMMENT) : source;

/** Begins the comment that esbuild writes. */
export const MAP_COMMENT = `${COMMENT}data:application/json;base64,`;
/** No module of the app names its map so. */
const STAND_IN = 'hotrun:map';
const STAND_IN_COMMENT = `${MAP_COMMENT}${Buffer.from(
  // The empty source is relative to the module, so that Node makes the module's URL of it.
  `{"version":3,"file":"${STAND_IN}","sources":[""],"names":[],"mappings":""}`,
).toString('base64')}`;

export interface Maps {
  /** Keeps the map of a module. @returns the comment to put in its place */
  keep(url: string, comment: () => string): string;
}

interface Entry {
  readonly payload: { readonly file?: string; readonly sources: readonly string[] };
  findEntry(line: number, column: number): unknown;
}

/**
 * Node parses a module's map when it loads the module, 75 µs each: a quarter of the loading of 800 modules, for errors that
 * do not come. Here every module gets the same small map, in whose place the real one is asked when a stack is looked at:
 * Node finds positions by `SourceMap.prototype.findEntry` (lib/internal/source_map/prepare_stack_trace.js, 20 to 26).
 * A debugger reads the comments itself, so this is not for a process that one may be attached to.
 */
export function openMaps(): Maps {
  const kept = new Map<string, () => string>();
  const real = new WeakMap<Entry, Entry | null>();
  const { SourceMap } = nodeModule;
  const { prototype } = SourceMap as unknown as { readonly prototype: Entry };
  const { findEntry: find } = prototype;

  const realOf = (map: Entry): Entry | null => {
    const { file, sources } = map.payload;
    const comment = file === STAND_IN ? kept.get(sources[0] ?? '') : undefined;
    if (!comment) return null;
    const json = Buffer.from(comment().slice(MAP_COMMENT.length), 'base64').toString();
    return new SourceMap(JSON.parse(json)) as unknown as Entry;
  };
  Object.defineProperty(prototype, 'findEntry', {
    configurable: true,
    writable: true,
    value: function findEntry(this: Entry, line: number, column: number): unknown {
      let map = real.get(this);
      if (map === undefined) {
        map = realOf(this);
        real.set(this, map);
      }
      return find.call(map ?? this, line, column);
    },
  });
  return {
    keep(url, comment) {
      kept.set(url, comment);
      return STAND_IN_COMMENT;
    },
  };
}
