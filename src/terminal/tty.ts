/**
 * The state of the terminal. An app that was killed in raw mode leaves it raw: no echo, no Ctrl-C. Node can only reset
 * it for itself, so `stty` does it. Nothing to do on Windows; untested on macOS.
 */
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { isatty } from 'node:tty';
import { codeOf } from '../errors.ts';

/** How long a restore may block hotrun, in ms. */
const PATIENCE_MS = 1000;

/**
 * Remembers how the terminal on stdin is set, and returns what sets it so again, synchronously, as often as wanted.
 * Does nothing where stdin is no terminal or there is no `stty`.
 */
export async function saveTty(): Promise<() => void> {
  // Not process.stdin.isTTY: that opens a stream on what the app is to read.
  const saved = isatty(0) && process.platform !== 'win32' ? await ask() : '';
  if (saved === '') return () => {};
  return () => {
    if (!isForeground()) return;
    // Should it fail, then the terminal is gone, and nobody is there to type in it.
    spawnSync('stty', [saved], { stdio: ['inherit', 'ignore', 'ignore'], timeout: PATIENCE_MS, killSignal: 'SIGKILL' });
  };
}

/** What `stty -g` prints: every setting in one word, for stty alone to understand. Empty where it cannot say. */
function ask(): Promise<string> {
  return new Promise((done) => {
    const stty = spawn('stty', ['-g'], { stdio: ['inherit', 'pipe', 'ignore'] });
    let text = '';
    stty.stdout.setEncoding('utf8').on('data', (part: string) => {
      text += part;
    });
    stty.once('error', () => done(''));
    stty.once('close', (code) => done(code === 0 ? text.trim() : ''));
  });
}

/**
 * Whether this process group owns the terminal. From the background (`hotrun … &`) the terminal is someone else's, most
 * likely the shell's line editor, and setting it would stop our whole group with SIGTTOU (tcsetattr(3p)).
 */
function isForeground(): boolean {
  const [group, owner] = process.platform === 'linux' ? fromProc() : fromPs();
  return group === undefined || owner === undefined || group === owner;
}

/** proc(5): pid (comm) state ppid pgrp session tty_nr tpgid. A comm may have spaces and parentheses in it. */
function fromProc(): (string | undefined)[] {
  try {
    const stat = readFileSync('/proc/self/stat', 'utf8');
    const [, , group, , , owner] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return [group, owner];
  } catch (error) {
    if (codeOf(error) === undefined) throw error;
    return [];
  }
}

function fromPs(): (string | undefined)[] {
  const { stdout } = spawnSync('ps', ['-o', 'pgid=,tpgid=', '-p', String(process.pid)], { encoding: 'utf8' });
  return stdout?.trim().split(/\s+/) ?? [];
}
