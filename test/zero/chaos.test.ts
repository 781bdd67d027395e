/** Processes that die at any time: no request hangs or is refused, the next save serves again, and nothing is left behind. */
import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { begin, ENTITLE, endAll, NODES } from '../e2e/begin.ts';
import { randomOf } from '../random.ts';
import { ask, askAlong, failed } from './lines.ts';

afterEach(endAll);

/** HOTRUN_CHAOS=500 is a long form; HOTRUN_SEED repeats a run. */
const STEPS = Number(process.env.HOTRUN_CHAOS ?? 20);
const SEED = Number(process.env.HOTRUN_SEED ?? Date.now() % 1_000_000);
const A_STEP_MS = 10_000;
const PAUSE_MS = 150;

const marker = (text: string): string => `export const marker = '${text}';\n`;
const APP = {
  'app.js': `${ENTITLE}
import { createServer } from 'node:http';
import { marker } from './marker.js';
createServer((request, response) => {
  if (Math.random() < 0.1) setTimeout(() => response.end(marker), 30);
  else response.end(marker);
}).listen(Number(process.env.PORT), '127.0.0.1');
`,
  'marker.js': marker('m0'),
};

const commandOf = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1');
  } catch {
    return '';
  }
};
const kill = (pid: number | undefined): void => {
  try {
    if (pid !== undefined) process.kill(pid, 'SIGKILL');
  } catch {
    // It has gone by itself.
  }
};

describe.each(NODES)('on Node $version', ({ node }) => {
  test(
    `${STEPS} deaths and saves, seed ${SEED}`,
    async () => {
      const { project, hotrun, port, answers, apps, quit } = await begin(APP, { node, args: ['app.js'] });
      await answers('m0');
      const where = { port, host: '127.0.0.1' };
      const along = askAlong(where, 4);
      const random = randomOf(SEED);
      const pause = () => new Promise((resolve) => setTimeout(resolve, random() * PAUSE_MS));
      /** Processes that wait for their turn, and the one that answers while nobody serves. */
      const others = (): number[] =>
        hotrun
          .processes()
          .filter((pid) => pid !== hotrun.pid && !apps().includes(pid) && commandOf(pid).includes('main.cjs'));
      let saves = 0;
      const save = (): void => project.write('marker.js', marker(`m${++saves}`));
      const any = (pids: readonly number[]): number | undefined => pids[Math.floor(random() * pids.length)];
      const steps: readonly (() => void)[] = [
        save,
        () => kill(any(apps())),
        () => kill(any(others())),
        () => {
          save();
          kill(any(apps()));
        },
        () => {
          kill(any(others()));
          save();
        },
        () => {
          for (const pid of [...apps(), ...others()]) kill(pid);
        },
      ];
      for (let step = 0; step < STEPS; step++) {
        steps[Math.floor(random() * steps.length)]?.();
        await pause();
        if (random() < 0.5) continue;
        save();
        await answers(`m${saves}`);
      }
      save();
      await answers(`m${saves}`);
      const told = failed(await along.stop());
      console.log(`seed ${SEED}: ${saves} saves, ${JSON.stringify(told)}`);
      // Whom the dead one was about to answer is cut off, and who came while nobody served is told so.
      expect(Object.keys(told).filter((what) => !/^failed (?:ECONNRESET|EPIPE|CUT .*|503)$/s.test(what))).toEqual([]);
      expect(await ask(where)).toBe(`m${saves}`);
      await quit();
    },
    60_000 + STEPS * A_STEP_MS,
  );
});
