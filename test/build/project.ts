/** A throw-away project on disk. */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';

export type Files = Readonly<Record<string, string>>;

/** Writes the files (paths with `/`) into a new folder, which goes when the test ends. Returns its real path. */
export function project(files: Files = {}): string {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'hotrun-build-')));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  write(root, files);
  return root;
}

export function write(root: string, files: Files): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
}

/** Makes a file as old as one that has not been touched for a minute. */
export function age(file: string): void {
  const then = Date.now() / 1000 - 60;
  utimesSync(file, then, then);
}

/** Makes a file as young as one that is being written at this moment, however slow the machine is. */
export function freshen(file: string): void {
  const soon = Date.now() / 1000 + 60;
  utimesSync(file, soon, soon);
}

/** The Node.js that runs the tests, and those named in HOTRUN_TEST_NODES (a list like PATH). */
export const nodes = [process.execPath, ...(process.env.HOTRUN_TEST_NODES ?? '').split(delimiter).filter(Boolean)];

export interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end, whatever its exit code. */
export function run(program: string, args: readonly string[], cwd: string): Promise<Run> {
  return new Promise((resolve) => {
    execFile(program, [...args], { cwd }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : error ? -1 : 0, stdout, stderr });
    });
  });
}
