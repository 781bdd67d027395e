/**
 * One file to what Node can run: TypeScript and JSX through esbuild, one file at a time and nothing bundled; JavaScript
 * and JSON as they are, with the format that Node would find.
 */
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { dirname, extname } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Loader, Message, TransformFailure, TransformOptions } from 'esbuild';
import type { Fault } from '../errors.ts';
import { likeCommonjs, likeModule, STAR, withStars } from './amend.ts';
import { type Esbuild, openEsbuild } from './esbuild.ts';
import { detectFormat, faultOfCommonjs } from './format.ts';
import { faultOfJson, withoutBom } from './json.ts';
import { emitMetadata, hasDecorators, oxcVersion, wantsMetadata } from './metadata.ts';
import { openPackages, type Package, type Packages } from './packages.ts';
import { openTsconfigs, type Tsconfigs } from './tsconfig.ts';

const require = createRequire(import.meta.url);

export interface Module {
  readonly format: 'module' | 'commonjs' | 'json';
  /** JavaScript for Node, with an inline source map comment when transformed; or the JSON. */
  readonly code: string;
  /** The same, as UTF-8, where it is known: one that comes from the cache need not be decoded. */
  bytes?(): Buffer;
  readonly transformed: boolean;
}

export type Transformed = { readonly module: Module } | { readonly faults: readonly Fault[] };

export interface Transform {
  /** `file` is absolute. What the user can mend comes back as faults; throws only what is a bug, or after close. */
  transform(file: string, source: string): Promise<Transformed>;
  /** The syntax errors in a module that is plain JavaScript: Node finds them when it loads it, not `transform`. */
  faultsOfModule(file: string, module: Module): Promise<readonly Fault[]>;
  /** Everything besides file name and source that shapes the output, as a short string: equal shapes, equal output. */
  shapeOf(file: string): string;
  /** The config files that shape the output: package.json, tsconfig and what it extends. */
  shapedBy(file: string): readonly string[];
  /**
   * Forgets what it knows of package.json and tsconfig files: to be called when one of them changes, after `tsconfigs` and
   * `packages`, where they were given, have been reset.
   */
  reset(): void;
  /** Ends esbuild's process, if it was started. */
  close(): void;
}

export interface Options {
  /** Of the child: '20.20.2'. */
  readonly nodeVersion: string;
  /** To share what they have read. */
  readonly tsconfigs?: Tsconfigs;
  readonly packages?: Packages;
}

const LOADERS: Readonly<Record<string, Loader>> = {
  '.ts': 'ts',
  '.mts': 'ts',
  '.cts': 'ts',
  '.tsx': 'tsx',
  '.jsx': 'jsx',
};

const BY_EXTENSION: Readonly<Record<string, 'module' | 'commonjs'>> = {
  '.mts': 'module',
  '.mjs': 'module',
  '.cts': 'commonjs',
  '.cjs': 'commonjs',
};

/** May be JSX, or the text of HTML, or a comparison. */
const TAG = /<(?:[A-Za-z][\w.:-]*[\s/>]|>)/;

/** Whether `file` goes through esbuild by its name. */
export const needsTransform = (file: string): boolean => extname(file) in LOADERS;

/** Without loading esbuild itself. */
export const esbuildVersion = (): string => (require('esbuild/package.json') as { version: string }).version;

export function openTransform(options: Options): Transform {
  const { nodeVersion, tsconfigs = openTsconfigs(), packages = openPackages() } = options;
  const owned = [options.tsconfigs ? null : tsconfigs, options.packages ? null : packages];
  const shapes = new Map<string, string>();
  const target = `node${nodeVersion}`;
  const esbuild = openEsbuild();
  let closed = false;

  async function transform(file: string, source: string): Promise<Transformed> {
    if (closed) throw new Error(`transform of ${file} was asked for after close`);
    const extension = extname(file);
    if (extension === '.json') {
      const fault = faultOfJson(file, source, 'json');
      return fault ? { faults: [fault] } : { module: { format: 'json', code: withoutBom(source), transformed: false } };
    }
    const scope = extension in BY_EXTENSION ? null : packages.around(dirname(file));
    if (scope?.fault) return { faults: [scope.fault] };
    const declared = BY_EXTENSION[extension] ?? scope?.type ?? null;
    const loader = LOADERS[extension];
    if (loader !== undefined) return compile(file, source, loader, declared);
    if (await isJsx(file, source)) return compile(file, source, 'jsx', declared);
    const format = declared ?? detectFormat(source);
    // Of a module Node says so itself before it runs anything; CommonJS is compiled as it runs.
    const fault = format === 'commonjs' ? faultOfCommonjs(file, source) : null;
    return fault ? { faults: [fault] } : { module: { format, code: source, transformed: false } };
  }

  async function compile(file: string, source: string, loader: Loader, declared: 'module' | 'commonjs' | null) {
    const tsconfig = tsconfigs.tsconfigFor(file);
    if (tsconfig && tsconfig.faults.length > 0) return { faults: tsconfig.faults };
    const raw = tsconfig?.raw ?? '{}';
    const isDecorated = wantsMetadata(raw) && hasDecorators(source);
    const settings: TransformOptions = {
      loader: isDecorated ? (loader === 'tsx' ? 'jsx' : 'js') : loader,
      target,
      platform: 'node',
      charset: 'utf8',
      sourcemap: 'inline',
      // Node reads the source from the file when it prints an excerpt: a third of the output is saved.
      sourcesContent: false,
      // A URL, so that neither `#` nor a drive letter in the path is misread; Node prints it as a path.
      sourcefile: pathToFileURL(file).href,
      tsconfigRaw: raw,
      logLevel: 'silent',
      ...(definesLate(raw) ? { supported: LOWERED_FIELDS } : {}),
    };
    const emitted = isDecorated ? await emitMetadata(file, source, raw) : { code: source };
    // esbuild's words for a fault are those of every other file; what oxc alone finds is told in oxc's.
    if ('fault' in emitted) {
      const faults = await faultsOf(file, source, { ...settings, loader });
      return { faults: faults.length > 0 ? faults : [emitted.fault] };
    }
    try {
      if (declared !== 'module') {
        const { code, isModule } = await commonjs(esbuild, emitted.code, settings, declared === null);
        if (!isModule)
          return {
            module: { format: 'commonjs' as const, code: likeCommonjs(code), transformed: true },
          };
      }
      const { code } = await esbuild.transform(emitted.code, {
        ...settings,
        format: 'esm',
      });
      return { module: { format: 'module' as const, code: likeModule(source, code), transformed: true } };
    } catch (error) {
      if (!isFailure(error)) throw error;
      return { faults: error.errors.map((message) => faultOf(file, message)) };
    }
  }

  /** JSX in JavaScript that is not called so, where tsconfig says what to make of JSX: tsc compiles that with `allowJs`. */
  async function isJsx(file: string, source: string): Promise<boolean> {
    if (!TAG.test(source) || !tsconfigs.tsconfigFor(file)?.raw.includes('"jsx"')) return false;
    const faults = await faultsOf(file, source);
    return faults.some(({ text }) => text === NO_JSX);
  }

  async function faultsOf(file: string, source: string, settings: TransformOptions = {}): Promise<readonly Fault[]> {
    try {
      await esbuild.transform(source, {
        loader: 'js',
        target: 'esnext',
        ...settings,
        format: 'esm',
        logLevel: 'silent',
      });
      return [];
    } catch (error) {
      // Anything else is no worse than not knowing the place.
      return isFailure(error) ? error.errors.map((message) => faultOf(file, message)) : [];
    }
  }

  function shapeOf(file: string): string {
    const extension = extname(file);
    if (extension === '.json') return 'json';
    const folder = dirname(file);
    const isTransformed = extension in LOADERS;
    const key = `${isTransformed ? 't' : 'j'}${tsconfigs.scopeOf(file)}`;
    let shape = shapes.get(key);
    if (shape === undefined) {
      const type = typeOf(packages.around(folder));
      const mayBe = isTransformed || tsconfigs.tsconfigFor(file)?.raw.includes('"jsx"');
      shape = mayBe ? transformedShape(file, type) : `js ${type}`;
      shapes.set(key, shape);
    }
    return shape;
  }

  function transformedShape(file: string, type: string): string {
    const tsconfig = tsconfigs.tsconfigFor(file);
    const raw = tsconfig?.raw ?? '';
    const all = [esbuildVersion(), target, type, raw, tsconfig?.faults ?? []];
    if (wantsMetadata(raw)) all.push(oxcVersion());
    return createHash('sha1').update(JSON.stringify(all)).digest('base64url');
  }

  function shapedBy(file: string): readonly string[] {
    const scope = packages.around(dirname(file));
    const tsconfig = needsTransform(file) ? tsconfigs.tsconfigFor(file) : null;
    return [...(scope ? [scope.file] : []), ...(tsconfig?.files ?? [])];
  }

  function reset(): void {
    shapes.clear();
    for (const own of owned) own?.reset();
  }

  function close(): void {
    if (closed) return;
    closed = true;
    esbuild.close();
  }

  const faultsOfModule = async (file: string, { format, transformed, code }: Module): Promise<readonly Fault[]> =>
    format === 'module' && !transformed ? faultsOf(file, code) : [];

  return { transform, faultsOfModule, shapeOf, shapedBy, reset, close };
}

/**
 * Below ES2022 tsc defines fields in the constructor, after the parameters that are properties; Node itself, before them.
 */
const LOWERED_FIELDS = { 'class-field': false };
const definesLate = (raw: string): boolean =>
  raw.includes('"useDefineForClassFields":true') && /"target":"es(?:[3-6]|20(?:1\d|2[01]))"/i.test(raw);

/**
 * As CommonJS; `isModule` if it is free to be a module and says what only a module can say. esbuild then fails (top-level
 * await) or warns that import.meta is empty.
 */
async function commonjs(
  esbuild: Esbuild,
  source: string,
  settings: TransformOptions,
  isFree: boolean,
): Promise<{ code: string; isModule: boolean }> {
  const starred = withStars(source);
  try {
    const { code: made, warnings } = await esbuild.transform(starred.source, {
      ...settings,
      format: 'cjs',
    });
    const code = starred.back(made);
    return {
      code: String(settings.tsconfigRaw).includes('"esModuleInterop":true') ? code : withPlainStars(code),
      isModule: isFree && warnings.some(({ id }) => id === 'empty-import-meta'),
    };
  } catch (error) {
    if (isFree && isFailure(error) && error.errors.some(({ text }) => /^Top-level await/.test(text)))
      return { code: '', isModule: true };
    throw error;
  }
}

/**
 * Without `esModuleInterop` the namespace of a CommonJS module is what it exports, so one that exports a function can be
 * called: `import * as express`. esbuild knows the other way only. The names are of one length, for the source map.
 */
function withPlainStars(code: string): string {
  if (!code.includes(' = __toESM(')) return code;
  // esbuild makes one of `import a, * as b`.
  const withDefault = new Set([...code.matchAll(/([\p{ID_Continue}$]+)\.default\b/gu)].map(([, name]) => name));
  const plain = code.replace(STAR, (all, start, name, required) =>
    withDefault.has(name) ? all : `${start}__plain(${required});`,
  );
  if (plain === code) return code;
  const at = plain.lastIndexOf('//# sourceMappingURL=');
  const helper = 'function __plain(mod) { return typeof mod == "function" && !mod.__esModule ? mod : __toESM(mod); }\n';
  return plain.slice(0, at) + helper + plain.slice(at);
}

const isFailure = (error: unknown): error is TransformFailure =>
  error instanceof Error && 'errors' in error && Array.isArray(error.errors);

const typeOf = (scope: Package | null): string => (scope?.fault ? scope.fault.text : (scope?.type ?? 'none'));

const NO_JSX = 'JSX in a .js file needs "jsx" among the compilerOptions of tsconfig.json; or name the file .jsx.';

/** esbuild counts columns from 0 and in bytes. */
function faultOf(file: string, message: Message): Fault {
  // Its advice is how to set its own options.
  const isJsx = message.text.startsWith('The JSX syntax extension is not currently enabled');
  const { text, location, notes } = isJsx ? { ...message, text: NO_JSX, notes: [] } : message;
  // A note ends with a colon when it has a place: 'The symbol "a" was originally declared here:'.
  const more = notes.map((note) => note.text.replace(/:$/, note.location ? ` (line ${note.location.line})` : ''));
  const said = [text, ...more].map((part) => (/[.!?]$/.test(part) ? part : `${part}.`));
  const fault = { text: said.join(' '), file };
  if (location === null) return fault;
  const bytes = Buffer.from(location.lineText);
  const before = bytes.subarray(0, location.column).toString().length;
  const length = bytes.subarray(location.column, location.column + location.length).toString().length;
  return {
    ...fault,
    line: location.line,
    column: before + 1,
    source: location.lineText,
    length: Math.max(1, length),
  };
}
