/**
 * V8's code cache for what the app requires of packages, where Node has none (20): half of the time that many packages take.
 * Node's `Module.prototype._compile` (lib/internal/modules/cjs/loader.js) cannot be given what was compiled before, so its
 * few lines are done here, with Node's own `require` made for the module by its own hand (--expose-internals).
 *
 * One file for an entry: a digest of all that follows, for V8 ends the process over a cache that is damaged; the length of
 * a list; the list in JSON; what V8 made. A module is known by its text.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import nodeModule, { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { cachedDataVersionTag } from 'node:v8';
import { constants, Script } from 'node:vm';
import { requireMaker } from './internals.ts';

export interface Compiled {
  /** Compiles and runs it as Node would. @returns false if Node has to do it */
  run(module: NodeJS.Module, source: string, filename: string): boolean;
  /** Writes what is new, a little at a time; and forgets all. */
  write(): void;
}

interface List {
  /** What else V8 would not take it for: its version, its flags, the processor. */
  readonly tag: number;
  /** By path: digest of the text, and where it lies behind the list, in bytes. */
  readonly modules: Record<string, readonly [text: string, start: number, end: number] | undefined>;
}
interface CommonJsLoader {
  wrap(source: string): string;
  prototype: { _compile: unknown };
}
type Run = (
  this: unknown,
  exports: unknown,
  require: unknown,
  module: NodeJS.Module,
  filename: string,
  dirname: string,
) => void;

const Module = nodeModule as unknown as CommonJsLoader;
const HEAD = '(function (exports, require, module, __filename, __dirname) { ';
const TAIL = '\n});';
/** What V8 11 takes from a cache has lost who is asked for its `import()`; in `eval` and `new Function` as well. */
const IMPORTS = /\bimport\s*[(/]/;
const DIGEST = 20;
const LENGTH = 4;
/** How long the app is kept from its own work at a time, and has for it in between, in ms. */
const SLICE_MS = 10;
const PAUSE_MS = 1;

const require = createRequire(__filename);
/** node:crypto takes 2.5 ms to load. */
const digestOf = (data: string | Buffer): Buffer =>
  (require('node:crypto') as typeof import('node:crypto')).createHash('sha1').update(data).digest();

/**
 * Nothing is done before the first module of a package.
 * @param folder where the files lie
 * @param entry absolute path
 */
export function openCompiled(folder: string, entry: string): Compiled {
  /** Null: this Node does not let us. */
  let opened: Compiled | null | undefined;
  const { _compile } = Module.prototype;
  return {
    run(module, source, filename) {
      // Somebody else wants to see all that is compiled.
      if (Module.prototype._compile !== _compile || Module.wrap('') !== HEAD + TAIL) return false;
      if (opened === undefined) opened = open(folder, entry);
      return opened?.run(module, source, filename) ?? false;
    },
    write() {
      opened?.write();
      opened = null;
    },
  };
}

function open(folder: string, entry: string): Compiled | null {
  const makeRequire = requireMaker();
  if (!makeRequire) return null;
  const tag = cachedDataVersionTag();
  const path = join(folder, `${digestOf(entry).toString('hex')}.v8`);
  const known = read(path, tag);
  const used = new Map<string, { text: string; made: Buffer | Script }>();
  let isNew = false;

  /** Undefined: it is a module, or faulty, which Node tells better. */
  const compile = (source: string, filename: string): Script | undefined => {
    if (IMPORTS.test(source)) return undefined;
    const text = digestOf(source).toString('base64');
    const entry = known?.list.modules[filename];
    const cachedData = known && entry?.[0] === text ? known.data.subarray(entry[1], entry[2]) : undefined;
    let script: Script;
    try {
      script = new Script(HEAD + source + TAIL, {
        filename,
        columnOffset: -HEAD.length,
        cachedData,
        importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
      });
    } catch {
      return undefined;
    }
    const isTaken = cachedData !== undefined && !script.cachedDataRejected;
    if (!isTaken) isNew = true;
    used.set(filename, { text, made: isTaken ? cachedData : script });
    return script;
  };

  /** Turns the scripts into bytes, until it has taken long enough. */
  const serialize = (): boolean => {
    const until = performance.now() + SLICE_MS;
    for (const one of used.values()) {
      if (Buffer.isBuffer(one.made)) continue;
      if (performance.now() > until) return false;
      one.made = one.made.createCachedData();
    }
    return true;
  };
  const goOn = (): void => {
    if (!serialize()) return void setTimeout(goOn, PAUSE_MS).unref();
    save(path, tag, used as ReadonlyMap<string, { text: string; made: Buffer }>);
  };

  return {
    run(module, source, filename) {
      const script = compile(source, filename);
      if (!script) return false;
      const { exports } = module;
      const run: Run = script.runInThisContext();
      run.call(exports, exports, makeRequire(module), module, filename, dirname(filename));
      return true;
    },
    write() {
      if (isNew) goOn();
    },
  };
}

/** Null: there is none, or none for this Node, or it is damaged. */
function read(path: string, tag: number): { readonly list: List; readonly data: Buffer } | null {
  try {
    const file = readFileSync(path);
    const body = file.subarray(DIGEST);
    if (!digestOf(body).equals(file.subarray(0, DIGEST))) return null;
    const end = LENGTH + body.readUInt32LE(0);
    const list: List = JSON.parse(body.toString('utf8', LENGTH, end));
    return list.tag === tag ? { list, data: body.subarray(end) } : null;
  } catch {
    return null;
  }
}

function save(path: string, tag: number, used: ReadonlyMap<string, { text: string; made: Buffer }>): void {
  const modules: Record<string, [string, number, number]> = {};
  let at = 0;
  for (const [file, { text, made }] of used) {
    modules[file] = [text, at, at + made.length];
    at += made.length;
  }
  const list: List = { tag, modules };
  const text = Buffer.from(JSON.stringify(list));
  const length = Buffer.alloc(LENGTH);
  length.writeUInt32LE(text.length);
  const body = Buffer.concat([length, text, ...[...used.values()].map(({ made }) => made)]);
  const draft = `${path}.${process.pid}`;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileSync(draft, Buffer.concat([digestOf(body), body]), { mode: 0o600 });
    renameSync(draft, path);
  } catch {
    // The next start compiles anew, as this one did.
  }
}
