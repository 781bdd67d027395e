/**
 * The typecheck room: the project's own tsc beside the app. A process of its own, which yields the processor to everything
 * else, watches by itself, and keeps what it has found out beside hotrun's cache, so that its next start is quicker.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants, setPriority } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { createInterface } from 'node:readline';
import type { Config } from '../config/config.ts';
import type { Fault } from '../errors.ts';
import { openReport } from './output.ts';

export interface TypecheckHost {
  /** What was found, each time that it is something else; the first time also if it is nothing. */
  onChecked(faults: readonly Fault[]): void;
  /** Types cannot be checked: one sentence. */
  onTrouble(sentence: string): void;
  /** The process group is to end with hotrun, however that ends. */
  guard: { watch(group: number): void; forget(group: number): void };
  /** Where what it has found out may be kept, or null. */
  readonly folder: string | null;
}

export interface Typecheck {
  /** Ends tsc; resolves when it is gone. */
  close(): Promise<void>;
}

export function openTypecheck(config: Config, host: TypecheckHost): Typecheck {
  const start = config.program.kind === 'node' ? dirname(config.program.entry) : config.cwd;
  const tsc = tscOf(start);
  const tsconfig = tsconfigOf(start);
  if (tsc === null || tsconfig === null) {
    const what = tsc === null ? 'no typescript is installed' : 'there is no tsconfig.json';
    const remedy = tsc === null ? 'npm install --save-dev typescript' : 'npx tsc --init makes one';
    host.onTrouble(`types are not checked: ${what} at or above ${relative(config.cwd, start) || '.'} (${remedy})`);
    return { close: async () => {} };
  }
  const child = spawn(process.execPath, [tsc, ...optionsOf(tsconfig, host.folder)], {
    cwd: config.cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: process.platform !== 'win32',
  });
  const { pid } = child;
  let isClosed = false;
  let last: string | null = null;
  const report = openReport(config.cwd, (faults) => {
    const found = JSON.stringify(faults);
    if (!isClosed && found !== last) host.onChecked(faults);
    last = found;
  });
  const said: string[] = [];
  createInterface({ input: child.stdout }).on('line', report.line);
  createInterface({ input: child.stderr }).on('line', (line) => said.push(line));
  child.once('error', ({ message }) => host.onTrouble(`types are not checked: tsc cannot be started (${message})`));
  child.once('close', (code, signal) => {
    if (pid === undefined) return;
    host.guard.forget(pid);
    if (isClosed) return;
    const faults = report.rest();
    if (faults.length > 0) host.onChecked(faults);
    const how = signal ? `was ended by ${signal}` : `ended with exit code ${code}`;
    host.onTrouble(
      `types are not checked any more: tsc ${how}${said.length > 0 ? `, and said ${said.join(' ')}` : ''}`,
    );
  });
  if (pid !== undefined) {
    host.guard.watch(pid);
    yieldTo(pid);
  }
  return {
    async close() {
      if (isClosed) return;
      isClosed = true;
      if (pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'close');
      end(child, pid);
      await gone;
    },
  };
}

/** The project's own, as an import from that folder would find it. */
function tscOf(folder: string): string | null {
  try {
    // TypeScript 7 exports its manifest, and not the program.
    return join(dirname(createRequire(join(folder, 'x.js')).resolve('typescript/package.json')), 'bin', 'tsc');
  } catch {
    // Not installed.
    return null;
  }
}

function tsconfigOf(folder: string): string | null {
  const path = join(folder, 'tsconfig.json');
  if (statSync(path, { throwIfNoEntry: false })?.isFile()) return path;
  return dirname(folder) === folder ? null : tsconfigOf(dirname(folder));
}

/** It has no files, and refers to projects. */
function isSolution(tsconfig: string): boolean {
  const { parse } = createRequire(import.meta.url)('jsonc-parser') as typeof import('jsonc-parser');
  const { files, references } = parse(readFileSync(tsconfig, 'utf8')) ?? {};
  return Array.isArray(files) && files.length === 0 && Array.isArray(references);
}

function optionsOf(tsconfig: string, folder: string | null): string[] {
  const name = createHash('sha1').update(tsconfig).digest('base64url');
  const kept = folder === null ? [] : ['--incremental', '--tsBuildInfoFile', join(folder, `${name}.tsbuildinfo`)];
  return [
    // Of a solution tsc alone checks nothing; with --build each project keeps what it found out itself.
    ...(isSolution(tsconfig) ? ['--build', tsconfig] : ['--project', tsconfig, ...kept]),
    ...['--noEmit', '--emitDeclarationOnly', 'false', '--watch', '--preserveWatchOutput'],
    ...['--pretty', 'false', '--locale', 'en'],
  ];
}

/** The app and its reloads come first. */
function yieldTo(pid: number): void {
  try {
    setPriority(pid, constants.priority.PRIORITY_LOW);
  } catch {
    // It has ended already, or may not: it is only slower to let others go first.
  }
}

/** It has nothing to lose; its file watchers and, in TypeScript 7, the program itself are processes of its group. */
function end(child: ChildProcess, pid: number): void {
  try {
    if (process.platform === 'win32') child.kill('SIGKILL');
    else process.kill(-pid, 'SIGKILL');
  } catch {
    // It has just ended.
  }
}
