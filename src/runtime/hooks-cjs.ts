/**
 * The CommonJS half where synchronous hooks are missing (Node 20) or do not reach every require (22): resolution and
 * extension handlers, as require extensions have always been made.
 */
import nodeModule from 'node:module';
import { basename, isAbsolute, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Hooks } from './hooks.ts';
import { IN_PACKAGE } from './loader.ts';
import { textWithoutMap } from './maps.ts';

interface CommonJsModule extends NodeJS.Module {
  _compile(source: string, filename: string, format?: string): void;
}
type Handler = (module: CommonJsModule, filename: string) => void;
/** What `require.resolve` takes besides. */
interface Where {
  readonly paths?: readonly string[];
}
interface CommonJsLoader {
  _extensions: Record<string, Handler | undefined>;
  _resolveFilename(request: string, parent: NodeJS.Module | undefined, isMain: boolean, where?: Where): string;
}
const Module = nodeModule as unknown as CommonJsLoader;
/** Runs a module; false: Node has to do it. */
export type Run = (module: NodeJS.Module, source: string, filename: string) => boolean;

const EXTENSIONS = ['.ts', '.tsx', '.mts', '.cts', '.jsx', '.js', '.mjs', '.cjs', '.json'];

/**
 * @param resolve patch the resolution too, where no hook does it; `last`: where none does it for `require.resolve` (Node 22),
 * for what Node does not find; `run`: asked first for what packages hold
 */
export function installCommonJsHooks(
  hooks: Hooks,
  entry: string,
  options: { readonly resolve: 'first' | 'last'; readonly run?: Run | undefined },
): void {
  for (const extension of EXTENSIONS) {
    const before = Module._extensions[extension] ?? Module._extensions['.js'];
    Module._extensions[extension] = (module, filename) => {
      const isPackaged = IN_PACKAGE.test(filename) && filename !== entry;
      if (isPackaged && options.resolve === 'first') lookAtSource(module, options.run);
      const loaded = isPackaged ? undefined : hooks.load(pathToFileURL(filename).href, 'require');
      if (loaded?.source == null) return before?.(module, filename);
      if (loaded.format === 'json') module.exports = JSON.parse(loaded.source);
      else module._compile(loaded.source, filename, loaded.format);
    };
  }
  const before = Module._resolveFilename;
  Module._resolveFilename = function (request, parent, isMain, rest) {
    // Making URLs of the paths of all packages takes longer than all else here.
    const from = parent?.filename && !IN_PACKAGE.test(parent.filename) ? parent.filename : undefined;
    const asks = !rest?.paths && (from || !parent);
    const url =
      asks && options.resolve === 'first' ? hooks.resolve(request, from && pathToFileURL(from).href) : undefined;
    if (url !== undefined) return before.call(this, fileURLToPath(url), parent, isMain, rest);
    let found: string;
    try {
      found = before.call(this, request, parent, isMain, rest);
    } catch (error) {
      const other = from && otherwise(request, from, rest, error);
      if (other === undefined) throw error;
      return fileURLToPath(other);
    }
    if (asks && from && options.resolve === 'first' && isAbsolute(found))
      hooks.resolved(request, pathToFileURL(from).href, pathToFileURL(found).href, 'require');
    return found;
  };

  /** Where Node finds nothing. */
  function otherwise(request: string, from: string, rest: Where | undefined, error: unknown): string | undefined {
    for (const folder of rest?.paths ?? []) {
      const url = hooks.resolve(request, pathToFileURL(join(folder, basename(from))).href);
      if (url !== undefined) return url;
    }
    if (rest?.paths) return undefined;
    const { href } = pathToFileURL(from);
    const url = options.resolve === 'last' ? hooks.resolve(request, href) : undefined;
    return url ?? hooks.missed(error, href);
  }
}

/** For the one time that Node compiles it: without its source map, and from V8's code cache where there is one. */
function lookAtSource(module: CommonJsModule, run: Run | undefined): void {
  module._compile = (source, filename, format) => {
    Reflect.deleteProperty(module, '_compile');
    const text = textWithoutMap(source);
    if (format !== 'module' && run?.(module, text, filename)) return;
    module._compile(text, filename, format);
  };
}
