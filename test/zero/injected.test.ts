/** Faults in the middle of a handover: hotrun that stands still, clients that leave, a successor that crashes; and a hundred saves. */
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { markerSource, until } from '../rig.ts';
import { openWire } from './wire.mjs';
import { app, begin, endAll, NODES, openClients, type Zero } from './zero.ts';

afterEach(endAll);

const EDITS = 3;
/** More than the channel between hotrun and a generation takes at once. */
const MANY = 300;
/** How long hotrun stands still, in ms. */
const STANDSTILL_MS = 400;

/** A reload in the middle of which hotrun stands still. */
async function reloadWithStandstill(zero: Zero): Promise<void> {
  await zero.beginReload();
  process.kill(zero.hotrun.pid, 'SIGSTOP');
  await pause(STANDSTILL_MS);
  process.kill(zero.hotrun.pid, 'SIGCONT');
  await zero.endReload();
}

describe.each(NODES)('on Node $version', ({ node }) => {
  describe.each(['sequential', 'overlap'])('%s', (handover) => {
    const args = ['--handover', handover, 'src/server.ts'];

    test(`hotrun stands still while ${MANY} idle connections move: all of them go on`, async () => {
      const zero = await begin(app(), { node, args });
      const wires = Array.from({ length: MANY }, () => openWire(zero.port));
      await Promise.all(wires.map((wire) => wire.get()));
      for (let edit = 1; edit <= EDITS; edit++) {
        await reloadWithStandstill(zero);
        for (const answer of await Promise.all(wires.map((wire) => wire.get())))
          expect(answer).toMatchObject({ status: 200, body: Buffer.from(`m${edit}`) });
      }
      await zero.quit();
    });

    test('hotrun stands still under load: who asks waits, and none fails', async () => {
      const zero = await begin(app(), { node, args });
      const clients = openClients(zero, [
        { kind: 'kept', count: 8 },
        { kind: 'fresh', count: 4 },
      ]);
      for (let edit = 1; edit <= EDITS; edit++) {
        await reloadWithStandstill(zero);
      }
      for (const { failed, newest } of await clients.end()) {
        expect(failed).toEqual([]);
        expect(newest).toBe(EDITS);
      }
      await zero.quit();
    });

    test('clients that leave while their connections move: the others go on', async () => {
      const zero = await begin(app(), { node, args });
      const stays = Array.from({ length: 20 }, () => openWire(zero.port));
      for (let edit = 1; edit <= EDITS; edit++) {
        const leaves = Array.from({ length: 100 }, () => openWire(zero.port));
        await Promise.all([...stays, ...leaves].map((wire) => wire.get()));
        const leaving = (async () => {
          for (const [nth, wire] of leaves.entries()) {
            if (nth % 2) wire.socket.resetAndDestroy();
            else wire.close();
            if (nth % 10 === 0) await pause(1);
          }
        })();
        await zero.reload();
        await leaving;
        for (const answer of await Promise.all(stays.map((wire) => wire.get())))
          expect(answer).toMatchObject({ status: 200, body: Buffer.from(`m${edit}`) });
      }
      await zero.quit();
    });
  });

  test('a successor that crashes as soon as it has taken over: the next one serves, nothing hangs', async () => {
    const crash = `if (marker === 'm1') server.on('listening', () => setImmediate(() => process.exit(3)));`;
    const zero = await begin(app(crash), { node });
    const wires = Array.from({ length: 20 }, () => openWire(zero.port));
    await Promise.all(wires.map((wire) => wire.get()));
    zero.project.write('src/marker.ts', markerSource('m1'));
    await zero.hotrun.seen(/ended with exit code 3|crashed with exit code 3/);
    zero.project.write('src/marker.ts', markerSource('m2'));
    // Those that had reached the process that crashed have ended with it; all others are served, as is who comes anew.
    const kept = await Promise.all(
      wires.map((wire) =>
        wire.get().then(
          ({ body }) => body.toString(),
          (error: Error) => error.message,
        ),
      ),
    );
    expect(kept.filter((body) => body !== 'm2' && body !== 'END')).toEqual([]);
    await zero.answers('m2');
    await zero.quit();
  });

  test('100 saves within 10 s: never two, the last one is served, no request fails', async () => {
    const zero = await begin(app(), { node });
    const clients = openClients(zero, [
      { kind: 'fresh', count: 2 },
      { kind: 'kept', count: 4 },
    ]);
    let most = 0;
    for (let save = 1; save <= 100; save++) {
      zero.project.write('src/marker.ts', markerSource(`m${save}`));
      most = Math.max(most, zero.apps().length);
      await pause(Math.random() * 180);
      most = Math.max(most, zero.apps().length);
    }
    await until('the last one', async () => (await zero.ask()) === 'm100');
    const reports = await clients.end();
    for (const { failed, older } of reports) {
      expect(failed).toEqual([]);
      expect(older).toBe(0);
    }
    expect(most).toBe(1);
    await zero.quit();
  });
});
