/** A folder to save in, a watch on it, and a way to know that all that a save led to has been told. */
import { mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Config } from '../../src/config/config.ts';
import { type Change, openWatch, type Watch } from '../../src/watch/index.ts';

type Parts = Partial<Pick<Config, 'cwd' | 'root' | 'base' | 'watch' | 'ignore' | 'program' | 'build' | 'poll'>>;

const LIMIT_MS = 20_000;

export class Bench {
  /** The project. */
  readonly dir: string;
  readonly changes: Change[] = [];
  readonly troubles: string[] = [];
  watch: Watch | null = null;
  readonly #outside: string;
  #fences = 0;
  #listeners: (() => void)[] = [];

  constructor() {
    const top = realpathSync(mkdtempSync(join(tmpdir(), 'hotrun-watch-')));
    this.dir = join(top, 'project');
    this.#outside = join(top, 'fences');
    mkdirSync(this.dir);
    mkdirSync(this.#outside);
  }

  path(name: string): string {
    return join(this.dir, name);
  }

  write(name: string, text = ''): string {
    const file = this.path(name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    return file;
  }

  async open(parts: Parts = {}): Promise<Watch> {
    const { dir } = this;
    const entry = join(dir, 'main.ts');
    const program = { kind: 'node', entry, main: entry, nodeArgs: [], args: [] } as const;
    this.watch = openWatch(
      { cwd: dir, root: dir, base: dir, watch: [], ignore: [], build: null, poll: 0, program, ...parts },
      (changes) => {
        this.changes.push(...changes);
        for (const listener of this.#listeners) listener();
      },
      (sentence) => this.troubles.push(sentence),
    );
    await this.drained();
    this.changes.length = 0;
    return this.watch;
  }

  /** Adds files as if they had just been read, and long after they were written. */
  async load(...files: string[]): Promise<void> {
    for (const file of files) this.opened.add({ file, ...stat(file) });
    await this.drained();
    this.changes.length = 0;
  }

  get opened(): Watch {
    if (!this.watch) throw new Error('open() first');
    return this.watch;
  }

  /** What is told because of what `save` does; empty if nothing is. */
  async told(save: () => unknown): Promise<string[]> {
    this.changes.length = 0;
    await save();
    await this.drained();
    return [...new Set(this.changes.map((change) => change.file))]
      .filter((file) => dirname(file) !== this.#outside)
      .sort();
  }

  /**
   * Resolves when all that happened so far has been told. The kernel keeps the order of events, so what happened before
   * a new file is made is told before that file is.
   */
  async drained(): Promise<void> {
    await this.#fence();
    await this.opened.settled();
    await this.#fence();
  }

  /** Resolves when `file` is told. */
  until(file: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${file} was not told`)), LIMIT_MS);
      const listener = () => {
        if (!this.changes.some((change) => change.file === file)) return;
        clearTimeout(timer);
        this.#listeners = this.#listeners.filter((other) => other !== listener);
        resolve();
      };
      this.#listeners.push(listener);
      listener();
    });
  }

  async #fence(): Promise<void> {
    const file = join(this.#outside, String(this.#fences++));
    this.opened.expect([file]);
    await this.opened.settled();
    writeFileSync(file, '');
    await this.until(file);
  }

  async close(): Promise<void> {
    await this.watch?.close();
    rmSync(dirname(this.dir), { recursive: true, force: true });
  }
}

export function stat(file: string): { mtimeMs: number; size: number } {
  const { mtimeMs, size } = statSync(file);
  return { mtimeMs, size };
}

let count = 0;
/** New content each time, of any length. */
export const text = (): string => `export default ${'x'.repeat(count % 7)}${count++};\n`;

/** How programs save, as system calls. */
export const waysOfSaving: Readonly<Record<string, (file: string) => void>> = {
  'VS Code (truncate, write)': (file) => {
    writeFileSync(file, '');
    writeFileSync(file, text());
  },
  'vim (rename to a backup, write anew)': (file) => {
    writeFileSync(join(dirname(file), '4913'), '');
    rmSync(join(dirname(file), '4913'));
    renameSync(file, `${file}~`);
    writeFileSync(file, text());
    rmSync(`${file}~`);
  },
  'vim nowritebackup (write in place)': (file) => writeFileSync(file, text(), { flag: 'r+' }),
  'JetBrains (safe write)': (file) => {
    writeFileSync(`${file}___jb_tmp___`, text());
    renameSync(file, `${file}___jb_old___`);
    renameSync(`${file}___jb_tmp___`, file);
    rmSync(`${file}___jb_old___`);
  },
  'emacs (backup by rename)': (file) => {
    renameSync(file, `${file}~`);
    writeFileSync(file, text());
  },
  'write a temporary file, rename it over': (file) => {
    writeFileSync(`${file}.tmp`, text());
    renameSync(`${file}.tmp`, file);
  },
  append: (file) => writeFileSync(file, text(), { flag: 'a' }),
  'remove, write anew': (file) => {
    rmSync(file);
    writeFileSync(file, text());
  },
  'ten atomic renames in a row': (file) => {
    for (let i = 0; i < 10; i++) {
      writeFileSync(`${file}.${i}`, text());
      renameSync(`${file}.${i}`, file);
    }
  },
  'atomic rename, then in place': (file) => {
    writeFileSync(`${file}.tmp`, text());
    renameSync(`${file}.tmp`, file);
    writeFileSync(file, text());
  },
};
