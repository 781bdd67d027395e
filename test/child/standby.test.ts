/** When a standby is booted anew: what changes many times is waited for. */
import { expect, test } from 'vitest';
import type { Booted } from '../../src/child/node.ts';
import { openStandby, pauseAfter } from '../../src/child/standby.ts';
import { until } from '../rig.ts';

/** A standby room whose processes are named by their turn; they wait as soon as they are there. */
function open() {
  const living = new Set<number>();
  let booted = 0;
  const standby = openStandby<Booted & { readonly nth: number }>(
    async () => ({ packages: [], ahead: false }),
    () => {
      const nth = ++booted;
      living.add(nth);
      let lost = (): void => {};
      return {
        nth,
        count: 0,
        assign: () => ({ activate() {}, drain() {}, signal() {}, resized() {} }),
        kill() {
          living.delete(nth);
          queueMicrotask(() => lost());
        },
        isCurrent: () => true,
        onWaiting: (then) => then(),
        onLost(then) {
          lost = then;
        },
      };
    },
    { count: 0 },
  );
  return { standby, living, booted: () => booted };
}

test('what is out of date is gone at once, and the next one comes once, when it is quiet', async () => {
  const { standby, living, booted } = open();
  standby.want();
  await until('the standby', () => living.size > 0);
  for (let time = 0; time < 1000; time++) standby.renew();
  expect(living.size).toBe(0);
  expect(standby.take()).toBeNull();
  standby.want();
  for (let time = 0; time < 1000; time++) standby.renew();
  await until('the next one', () => living.size > 0);
  expect(booted()).toBe(2);
  await standby.close();
  expect(living.size).toBe(0);
});

test('one that is out of date again and again comes more and more rarely', () => {
  // As of a package that writes what it is made of when it is loaded, 200 ms after each boot.
  let boots = 0;
  let pauseMs = 60;
  for (let ms = 0; ms < 600_000; ms += pauseMs + 200) {
    pauseMs = pauseAfter(pauseMs, pauseMs + 200);
    boots++;
  }
  expect(boots).toBeLessThan(25);
  // After a calm time it comes as soon as ever.
  expect(pauseAfter(pauseMs, 10 * 60_000)).toBe(60);
  expect(pauseAfter(60, Number.POSITIVE_INFINITY)).toBe(60);
});
