/**
 * Hundreds of random saves, one after the other without waiting and with waiting: each must be told.
 * HOTRUN_WATCH_SAVES=n makes it longer, HOTRUN_WATCH_SEED=n repeats a walk.
 */
import { existsSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Bench, text, waysOfSaving } from './bench.ts';

const saves = Number(process.env.HOTRUN_WATCH_SAVES ?? 400);
const seed = Number(process.env.HOTRUN_WATCH_SEED ?? Date.now() % 1_000_000);

/** mulberry32, public domain: a walk that can be walked again. */
function randomOf(start: number): (below: number) => number {
  let state = start;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});
afterEach(() => bench.close());

it.each([
  ['loaded files', { watch: [] as string[] }],
  ['globs', { watch: ['a/**', 'd/**/*.ts'] }],
  ['loaded files, polled', { watch: [] as string[], poll: 10 }],
  ['globs, polled', { watch: ['a/**', 'd/**/*.ts'], poll: 10 }],
  ['everything', { watch: [] as string[], program: { kind: 'command', run: '' } as const }],
])(
  `random saves of %s, seed ${seed}`,
  async (name, parts) => {
    const random = randomOf(seed);
    const most = name.endsWith('polled') ? saves / 8 : saves;
    const pick = <T>(list: readonly T[]): T => list[random(list.length)] as T;
    const files = ['a/1.ts', 'a/b/2.ts', 'a/b/c/3.ts', 'd/4.ts', 'd/[5].ts'].map((file) => bench.write(file, text()));
    await bench.open(parts);
    if (name.startsWith('loaded')) await bench.load(...files);
    mkdirSync(bench.path('dist'));

    const make = (file: string) => {
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text());
    };
    /** Each says which files it changed in the end. */
    const steps: ((file: string) => string[])[] = [
      ...Object.values(waysOfSaving).map((save) => (file: string) => {
        make(file);
        save(file);
        return [file];
      }),
      (file) => {
        make(file);
        return [file];
      },
      (file) => {
        const was = existsSync(file);
        rmSync(file, { force: true });
        return was ? [file] : [];
      },
      (file) => {
        const folder = dirname(file);
        const within = files.filter((each) => each.startsWith(`${folder}/`) && existsSync(each));
        rmSync(folder, { recursive: true, force: true });
        return within;
      },
      (file) => {
        const folder = dirname(file);
        const within = files.filter((each) => each.startsWith(`${folder}/`) && existsSync(each));
        rmSync(folder, { recursive: true, force: true });
        make(file);
        return [...within, file];
      },
      (file) => {
        const folder = dirname(file);
        if (!existsSync(folder)) return [];
        const within = files.filter((each) => each.startsWith(`${folder}/`) && existsSync(each));
        renameSync(folder, bench.path(join('dist', String(random(1e9)))));
        make(file);
        return [...within, file];
      },
      (file) => {
        make(file);
        const elsewhere = bench.path(join('dist', `${random(1e9)}.ts`));
        writeFileSync(elsewhere, text());
        rmSync(file);
        symlinkSync(elsewhere, file);
        return [file];
      },
    ];
    for (let done = 0; done < most; ) {
      const log: string[] = [];
      const expected = new Set<string>();
      const before = new Set(files.filter((file) => existsSync(file)));
      const burst = pick([1, 1, 1, 2, 3, 8]);
      const told = await bench.told(async () => {
        for (let at = 0; at < burst; at++) {
          const step = random(steps.length);
          const file = pick(files);
          for (const each of steps[step]?.(file) ?? []) expected.add(each);
          log.push(`${step} ${file}`);
          if (random(2)) await new Promise((resolve) => setImmediate(resolve));
        }
      });
      // Made and removed again within a burst: there is nothing to tell.
      const lost = [...expected].filter((file) => !told.includes(file) && (before.has(file) || existsSync(file)));
      expect(lost, `after ${done}: ${log.join(', ')}`).toEqual([]);
      done += burst;
    }
  },
  60_000 + saves * 50,
);
