/** A generation that dies while it serves: what fails is what it had in hand, and nothing else; nobody hangs. */
import { afterEach, describe, expect, test } from 'vitest';
import { markerSource, until } from '../rig.ts';
import { openWire } from './wire.mjs';
import { app, begin, endAll, NODES, openClients } from './zero.ts';

afterEach(endAll);

const WAITING = /waiting for a change/;

describe.each(NODES)('on Node $version', ({ node }) => {
  test.each([
    ['a crash', '/crash', /exit code 1/],
    ['a SIGKILL', '/kill', /SIGKILL/],
  ])(
    '%s while serving: requests wait, then 503 that names it; the next save goes on on the same connection',
    async (_name, path, names) => {
      const zero = await begin(app(), { node });
      const idle = openWire(zero.port);
      await idle.get();
      const fatal = openWire(zero.port);
      fatal.send(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
      expect(await fatal.ended).toMatch(/^(?:END|ECONNRESET)$/);
      await zero.hotrun.seen(WAITING);
      // This one was in the hands of the process that died, by no request of its own.
      expect(await idle.ended).toMatch(/^(?:END|ECONNRESET)$/);
      const wires = Array.from({ length: 20 }, () => openWire(zero.port));
      const refused = await Promise.all(wires.map((wire) => wire.get()));
      for (const { status, headers, body } of refused) {
        expect(status).toBe(503);
        expect(Number(headers['retry-after'])).toBeGreaterThan(0);
        expect(body.toString()).toMatch(names);
      }
      // And again, on the same connection.
      expect((await (wires[0] as (typeof wires)[number]).get()).status).toBe(503);
      await zero.reload();
      for (const wire of wires) expect(await wire.get()).toMatchObject({ status: 200, body: Buffer.from('m1') });
      await zero.reload();
      for (const wire of wires) expect(await wire.get()).toMatchObject({ status: 200, body: Buffer.from('m2') });
      await zero.quit();
    },
  );

  test('a save before anybody was refused: those who wait are served by the next one', async () => {
    const zero = await begin(app(), { node });
    const fatal = openWire(zero.port);
    fatal.send('GET /kill HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await fatal.ended;
    await zero.hotrun.seen(WAITING);
    const wires = Array.from({ length: 20 }, () => openWire(zero.port));
    const waiting = wires.map((wire) => wire.get());
    await zero.reload();
    for (const answer of waiting) expect(await answer).toMatchObject({ status: 200, body: Buffer.from('m1') });
    await zero.quit();
  });

  test('one that crashes while it starts: the connections of the one before wait for the next good one', async () => {
    const zero = await begin(app(`if (marker === 'm1') throw new Error('at start');`), { node });
    const wires = Array.from({ length: 20 }, () => openWire(zero.port));
    for (const wire of wires) await wire.get();
    zero.project.write('src/marker.ts', markerSource('m1'));
    await zero.hotrun.seen(/crashed with exit code 1/);
    const [first, ...others] = wires as [(typeof wires)[number], ...typeof wires];
    expect((await first.get()).status).toBe(503);
    zero.project.write('src/marker.ts', markerSource('m2'));
    for (const wire of [first, ...others])
      await until('an answer of the next good one', async () => {
        const { status, body } = await wire.get();
        expect([200, 503]).toContain(status);
        return status === 200 && body.toString() === 'm2';
      });
    await zero.quit();
  });

  test.each(['sequential', 'overlap'])(
    'SIGKILL under load, %s: what fails was in its hands, nothing hangs',
    async (handover) => {
      const zero = await begin(app(), { node, args: ['--handover', handover, 'src/server.ts'] });
      for (let edit = 1; edit <= 3; edit++) {
        const fresh = openClients(zero, [
          { kind: 'fresh', count: 8 },
          { kind: 'kept', count: 8 },
        ]);
        // They are at it.
        await until('load', async () => (await zero.ask()).startsWith('m'));
        const [pid] = zero.apps();
        process.kill(pid as number, 'SIGKILL');
        await zero.hotrun.seen(WAITING);
        zero.project.write('src/marker.ts', markerSource(`m${edit}`));
        await zero.hotrun.seen(/changed: ready in/);
        const reports = await fresh.end();
        for (const { failed } of reports) {
          // At most the one request of each client that the process had in its hands, and 503 while nobody served.
          expect(failed.length).toBeLessThanOrEqual(8);
          for (const how of failed) expect(how).toMatch(/^(?:ECONNRESET|END|CLOSED|status 503)/);
        }
      }
      await zero.quit();
    },
  );
});
