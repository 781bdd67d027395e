/** Random lives of the machine, with the promises as assertions (judge.ts) in a world that keeps none (world.ts). */
import { expect, test } from 'vitest';
import { step } from '../../src/supervisor/step.ts';
import { walk } from './world.ts';

const LIVES = 200_000;

test(`no promise is broken in ${LIVES} random lives`, { timeout: 300_000 }, () => {
  const seen = walk(step, { lives: LIVES, seed: 20_260 });
  // A walk that never goes there proves nothing.
  const least = {
    events: 3_000_000,
    'sent the last rung': 20_000,
    'the newest runs': 40_000,
    'the newest has crashed': 10_000,
    'died while waiting': 1000,
    'saved during a firm attempt': 10_000,
    'a storm was over': 10_000,
    'quit twice with somebody left': 5000,
    'ignored built': 50_000,
    'ignored prepared': 10_000,
    'ignored overdue': 50_000,
  };
  for (const [what, count] of Object.entries(least)) expect(seen[what], what).toBeGreaterThan(count);
});
