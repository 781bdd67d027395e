/** Which saves are of a storm. */
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LOCK_MAX_MS, openStorm, STORM_GAP_MS, type Storm } from '../../src/watch/storm.ts';
import { until } from '../rig.ts';

let dir: string;
let storm: Storm;
let busy: number[];
const lock = () => join(dir, '.git/index.lock');
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'hotrun-storm-'));
  mkdirSync(join(dir, '.git'));
  mkdirSync(join(dir, 'app'));
  busy = [];
  storm = openStorm(join(dir, 'app'), (calmMs) => busy.push(calmMs));
});
afterEach(() => {
  storm.close();
  rmSync(dir, { recursive: true, force: true });
});

describe('a save', () => {
  it('of one file asks for no quiet, however often', () => {
    for (let at = 0; at < 500; at += 10) expect(storm.saved(['/a'], at)).toBe(0);
  });

  it('of several files together does', () => {
    expect(storm.saved(['/a', '/b'], 0)).toBe(STORM_GAP_MS);
  });

  it('soon after another file does, and so does each after it', () => {
    expect(storm.saved(['/a'], 0)).toBe(0);
    for (let at = 100; at < 1000; at += 100) expect(storm.saved([`/${at}`], at)).toBe(STORM_GAP_MS);
    expect(storm.saved(['/a'], 1000)).toBe(STORM_GAP_MS);
  });

  it('a while after another file does not', () => {
    for (let at = 0; at < 1000; at += STORM_GAP_MS) expect(storm.saved([`/${at}`], at)).toBe(0);
  });

  it('of a package asks for more, because the rest of it comes behind', () => {
    expect(storm.saved([join('/p', 'node_modules', 'x', 'package.json')], 0)).toBeGreaterThan(STORM_GAP_MS);
  });
});

describe('while git works', () => {
  it('a save asks for quiet, until git is done', async () => {
    writeFileSync(lock(), '');
    expect(storm.saved(['/a'])).toBe(STORM_GAP_MS);
    await until('two looks', () => busy.length >= 2);
    expect(new Set(busy)).toEqual(new Set([STORM_GAP_MS]));
    rmSync(lock());
    const last = await until('the last look', () => busy.find((calmMs) => calmMs < STORM_GAP_MS));
    expect(busy.at(-1)).toBe(last);
    expect(storm.saved(['/a'])).toBe(0);
  });

  it('and no longer than a stale lock is worth', () => {
    writeFileSync(lock(), '');
    const then = (Date.now() - LOCK_MAX_MS) / 1000;
    utimesSync(lock(), then, then);
    expect(storm.saved(['/a'])).toBe(0);
  });
});
