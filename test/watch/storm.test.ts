/** Which saves are of a storm. */
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openAftermath } from '../../src/watch/aftermath.ts';
import { LOCK_MAX_MS, openStorm, STORM_GAP_MS, type Storm } from '../../src/watch/storm.ts';
import { until } from '../rig.ts';

let dir: string;
let storm: Storm;
let busy: number[];
/** What the next looks for files that are being written elsewhere are to find. */
let writing: boolean[];
let looks: { kinds: string[]; besides: number }[];
const lock = () => join(dir, '.git/index.lock');
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'hotrun-storm-'));
  mkdirSync(join(dir, '.git'));
  mkdirSync(join(dir, 'app'));
  busy = [];
  writing = [];
  looks = [];
  storm = openStorm(
    join(dir, 'app'),
    (calmMs) => busy.push(calmMs),
    (kinds, _withinMs, besides) => {
      looks.push({ kinds: [...kinds], besides: besides.size });
      return writing.shift() ?? false;
    },
  );
});
afterEach(() => {
  storm.close();
  rmSync(dir, { recursive: true, force: true });
});

describe('a save', () => {
  it('of one file asks for no quiet, however often, by an editor or by hand', () => {
    for (let at = 0; at < 50; at += 9) expect(storm.saved(['/a'], at)).toBe(0);
    for (let at = 1000; at < 5000; at += STORM_GAP_MS) expect(storm.saved(['/a'], at)).toBe(0);
  });

  it('of one file does when a program writes it over and over, until it pauses', () => {
    const calms = [0, 80, 160, 240, 320].map((at) => storm.saved(['/a'], at));
    expect(calms).toEqual([0, 0, STORM_GAP_MS, STORM_GAP_MS, STORM_GAP_MS]);
    expect(storm.saved(['/a'], 320 + STORM_GAP_MS)).toBe(0);
  });

  it('of several files together does', () => {
    expect(storm.saved(['/a', '/b'], 0)).toBe(STORM_GAP_MS);
  });

  it('soon after another file does, and so does each after it', () => {
    expect(storm.saved(['/a'], 0)).toBe(0);
    for (let at = 100; at < 700; at += 100) expect(storm.saved([`/${at}`], at)).toBe(STORM_GAP_MS);
    expect(storm.saved(['/a'], 700)).toBe(STORM_GAP_MS);
  });

  it('a while after another file does not', () => {
    for (let at = 0; at < 1000; at += STORM_GAP_MS) expect(storm.saved([`/${at}`], at)).toBe(0);
  });

  it('of a storm of many files asks for as much as it takes over some of them', () => {
    for (let at = 0; at < 7; at++) storm.saved([`/${at}`], at * 50);
    expect(storm.saved(['/7'], 7 * 50)).toBe(200);
    // It is of that storm, and a single one when that is over.
    expect(storm.saved(['/8'], 7 * 50 + 199)).toBe(500);
    expect(storm.saved(['/8'], 7 * 50 + 199 + 500)).toBe(0);
    // One that is quick is over soon.
    for (let at = 0; at < 400; at++) storm.saved([`/${at}`], 9000 + at);
    expect(storm.saved(['/400'], 9400)).toBe(STORM_GAP_MS);
  });

  it('of a package asks for more, because the rest of it comes behind', () => {
    expect(storm.saved([join('/p', 'node_modules', 'x', 'package.json')], 0)).toBeGreaterThan(STORM_GAP_MS);
  });
});

describe('a file that a storm began with', () => {
  /** Saves one after another, so many ms apart, long after all others: what each asked for. */
  let now = 0;
  const saves = (files: readonly string[], apartMs: number): number[] => {
    now += 10_000;
    return files.map((file, at) => storm.saved([file], now + at * apartMs));
  };
  const generator = ['/a', '/b', '/c'];
  const GAP = STORM_GAP_MS;

  it('asks for quiet at once from the second time on', () => {
    expect(saves(generator, 60)).toEqual([0, GAP, GAP]);
    for (let time = 0; time < 5; time++) expect(saves(generator, 60)).toEqual([GAP, GAP, GAP]);
    // Another one that comes first says nothing.
    expect(saves(['/b'], 0)).toEqual([0]);
    expect(saves(['/x', '/a'], 60)).toEqual([0, GAP]);
  });

  it('by whatever it is written', () => {
    saves(generator, 60);
    // Truncated, filled, and formatted; then what comes on its heels is slow, or quick.
    expect(saves(['/a', '/a', '/a', '/b'], 100)).toEqual([GAP, GAP, GAP, GAP]);
    expect(saves(generator, 1)).toEqual([GAP, GAP, GAP]);
    expect(saves(generator, 100)).toEqual([GAP, GAP, GAP]);
  });

  it('is late once when it is saved alone, and then quick again', () => {
    saves(generator, 60);
    expect(saves(['/a'], 0)).toEqual([GAP]);
    for (let time = 0; time < 5; time++) expect(saves(['/a'], 0)).toEqual([0]);
  });

  it('is late no second time where a generator and a person write it by turns', () => {
    saves(generator, 60);
    expect(saves(['/a'], 0)).toEqual([GAP]);
    for (let time = 0; time < 5; time++) {
      expect(saves(generator, 60)).toEqual([0, GAP, GAP]);
      expect(saves(['/a'], 0)).toEqual([0]);
    }
    // Two storms in a row, and it is the generator's again.
    saves(generator, 60);
    saves(generator, 60);
    expect(saves(generator, 60)).toEqual([GAP, GAP, GAP]);
  });

  it('asks for quiet the first time, if it says that it is generated', () => {
    expect(saves(['/a'], 0)).toEqual([0]);
    storm.generated('/a');
    storm.generated('/a');
    expect(busy).toEqual([GAP]);
    expect(storm.saved(['/b'], now + 60)).toBe(GAP);
    expect(saves(['/a'], 0)).toEqual([GAP]);
    // Alone: late for nothing, and not again.
    for (let time = 0; time < 5; time++) {
      expect(saves(['/a'], 0)).toEqual([0]);
      storm.generated('/a');
    }
    expect(busy).toEqual([GAP]);
    // What says so in the midst of a storm, or is of none, adds nothing.
    saves(generator, 60);
    storm.generated('/b');
    storm.generated('/elsewhere');
    expect(busy).toEqual([GAP]);
    expect(saves(['/b'], 0)).toEqual([0]);
  });

  it('is as any other where no reload was too many', () => {
    // An editor saves all its files.
    saves(generator, 9);
    expect(saves(['/a'], 0)).toEqual([0]);
    // Together.
    storm.saved(['/d', '/e'], now + 10_000);
    storm.saved(['/f'], now + 10_060);
    now += 10_000;
    expect(saves(['/d'], 0)).toEqual([0]);
  });

  it('is as any other where git wrote it', async () => {
    writeFileSync(lock(), '');
    saves(generator, 60);
    rmSync(lock());
    await until('the last look', () => busy.some((calmMs) => calmMs < GAP));
    expect(saves(['/a'], 0)).toEqual([0]);
  });

  it('is as any other where a build command wrote what followed', () => {
    storm.close();
    storm = openStorm(
      join(dir, 'app'),
      () => {},
      () => false,
      true,
    );
    saves(generator, 60);
    expect(saves(['/a'], 0)).toEqual([0]);
  });

  it('is one too where what followed is elsewhere', async () => {
    saves(generator, 60);
    writing = [false, true];
    await until('the look after the storm', () => looks.length === 1);
    saves(['/a'], 0);
    await until('the look after a file that nothing heard of followed', () => looks.length === 3);
    storm.saved(['/z'], performance.now() + 20_000);
    expect(storm.saved(['/a'], performance.now() + 40_000)).toBe(GAP);
  });
});

describe('before the quiet of a storm is over', () => {
  it('it is looked whether it goes on elsewhere', async () => {
    writing = [true, true];
    storm.saved(['/a.ts']);
    storm.saved(['/b.tsx', '/c.json']);
    await until('the last look', () => looks.length === 3);
    expect(busy).toEqual([STORM_GAP_MS, STORM_GAP_MS]);
    expect(new Set(looks.map((look) => JSON.stringify(look)))).toEqual(
      new Set(['{"kinds":[".ts",".tsx"],"besides":3}']),
    );
  });

  it('in the folders of the project that may hold files of people', () => {
    const root = join(dir, 'app');
    const isWriting = openAftermath(root, { follows: (folder) => !folder.endsWith('dist') });
    const look = (besides: string[] = []) => isWriting(new Set(['.ts']), 60_000, new Set(besides));
    mkdirSync(join(root, 'lib/deep'), { recursive: true });
    mkdirSync(join(root, 'dist'));
    writeFileSync(join(root, 'dist/a.ts'), '');
    writeFileSync(join(root, 'lib/a.js'), '');
    expect(look()).toBe(false);
    const file = join(root, 'lib/deep/a.ts');
    writeFileSync(file, '');
    expect(look()).toBe(true);
    expect(look([file])).toBe(false);
    utimesSync(file, 1, 1);
    expect(look()).toBe(false);
    expect(openAftermath(join(root, 'gone'), { follows: () => true })(new Set(['.ts']), 60_000, new Set())).toBe(false);
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
