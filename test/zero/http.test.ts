/** What is under way when a reload begins, one shape at a time: it is answered once, whole, and by one generation. */
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { until } from '../rig.ts';
import { openWire } from './wire.mjs';
import { app, begin, endAll, NODES, sized, type Zero } from './zero.ts';

afterEach(endAll);

const CONNECTIONS = sized('CONNECTIONS', 10);
const MIB = 2 ** 20;
const MODES = ['sequential', 'overlap'] as const;
/** Time to finish what is in flight, however busy the machine is. */
const PATIENT = ['--stop', 'SIGINT 60s, SIGKILL'];

const sha256 = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex');
const many = <T>(count: number, make: (nth: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, nth) => make(nth)));
/** What /lines and /chunks answer with. */
const lines = (count: number): Buffer =>
  Buffer.from(Array.from({ length: count }, (_, nth) => `${String(nth).padStart(63)}\n`).join(''));
const logOf = ({ project }: Zero): string[] =>
  existsSync(project.path('log')) ? readFileSync(project.path('log'), 'utf8').trim().split('\n') : [];
const post = (path: string, length: number): string =>
  `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${length}\r\n\r\n`;

describe.each(NODES)('on Node $version', ({ node }) => {
  describe.each(MODES)('%s', (handover) => {
    const args = ['--handover', handover, ...PATIENT, 'src/server.ts'];

    test('POST of 16 KiB over fresh connections', async () => {
      const zero = await begin(app(), { node, args });
      let asking = true;
      let id = 0;
      const posting = many(4, async () => {
        while (asking) {
          const body = randomBytes(16_384);
          const wire = openWire(zero.port);
          wire.send(post(`/hash?id=${id++}`, body.length));
          wire.send(body);
          const answer = await wire.answer();
          wire.close();
          expect(answer.body.toString().split(' ')[1]).toBe(sha256(body));
        }
      });
      for (let edit = 0; edit < 5; edit++) await zero.reload();
      asking = false;
      await posting;
      const ids = logOf(zero).map((line) => Number(line.split(' ').at(-1)));
      expect(ids.sort((a, b) => a - b)).toEqual(Array.from({ length: id }, (_, nth) => nth));
      await zero.quit();
    });

    test('a body of 1 MiB in 20 pieces, some before the reload begins, some after', async () => {
      const zero = await begin(app(), { node, args });
      const bodies = Array.from({ length: CONNECTIONS }, () => randomBytes(MIB));
      const piece = (nth: number, of: Buffer) => of.subarray((nth * MIB) / 20, ((nth + 1) * MIB) / 20);
      const wires = await many(CONNECTIONS, async (nth) => {
        const wire = openWire(zero.port);
        // An answer first, so that it is a connection that could have moved.
        await wire.get();
        wire.send(post(`/hash?id=${nth}`, MIB));
        for (let at = 0; at < 10; at++) wire.send(piece(at, bodies[nth] as Buffer));
        return wire;
      });
      // All of it has been read, or the connection would move unread, which is fine as well and another test.
      await zero.ask();
      await zero.beginReload();
      const marker = handover === 'sequential' ? 'm0' : /m\d/;
      await many(CONNECTIONS, async (nth) => {
        const wire = wires[nth] as (typeof wires)[number];
        for (let at = 10; at < 20; at++) {
          wire.send(piece(at, bodies[nth] as Buffer));
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
        const [by, hash] = (await wire.answer()).body.toString().split(' ');
        expect(hash).toBe(sha256(bodies[nth] as Buffer));
        expect(by).toMatch(marker);
      });
      await zero.endReload();
      expect(logOf(zero)).toHaveLength(CONNECTIONS);
      // The same connection goes on.
      for (const wire of wires) expect((await wire.get()).body.toString()).toBe('m1');
      await zero.quit();
    });

    test('a header that is split, its rest after the reload has begun', async () => {
      const zero = await begin(app(), { node, args });
      const wires = await many(CONNECTIONS, async (nth) => {
        const wire = openWire(zero.port);
        if (nth % 2) await wire.get();
        wire.send('GET / HT');
        return wire;
      });
      await zero.ask();
      await zero.beginReload();
      await many(CONNECTIONS, async (nth) => {
        const wire = wires[nth] as (typeof wires)[number];
        wire.send('TP/1.1\r\nHo');
        await new Promise((resolve) => setTimeout(resolve, 20));
        wire.send('st: localhost\r\n\r\n');
        expect((await wire.answer()).body.toString()).toMatch(/^m[01]$/);
      });
      await zero.endReload();
      for (const wire of wires) expect((await wire.get()).body.toString()).toBe('m1');
      await zero.quit();
    });

    test('pipelined requests are answered in order', async () => {
      const zero = await begin(app(), { node, args });
      let asking = true;
      let answered = 0;
      const pipelining = many(CONNECTIONS, async (nth) => {
        const wire = openWire(zero.port);
        for (let round = 0; asking || round === 0; round++) {
          const count = 2 + ((nth + round) % 4);
          const paths = Array.from({ length: count }, (_, at) => `/lines?count=${nth + at}`);
          // One slow in between, now and then.
          if (round % 3 === 0) paths[1] = '/slow';
          const text = paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`).join('');
          // The last one comes in two parts.
          wire.send(text.slice(0, -10));
          if (round % 2) await new Promise((resolve) => setTimeout(resolve, 2));
          wire.send(text.slice(-10));
          for (const path of paths) {
            const { body } = await wire.answer();
            if (path === '/slow') expect(body.toString()).toMatch(/^m\d+$/);
            else expect(body.length).toBe(64 * Number(path.split('=')[1]));
            answered++;
          }
        }
        expect(wire.unread).toBe(0);
      });
      for (let edit = 0; edit < 5; edit++) await zero.reload();
      asking = false;
      await pipelining;
      expect(answered).toBeGreaterThan(0);
      await zero.quit();
    });

    test('large responses in flight, slow readers: not a byte differs', async () => {
      const zero = await begin(app(), { node, args });
      const count = (5 * MIB) / 64;
      const expected = sha256(lines(count));
      const wires = await many(CONNECTIONS, async (nth) => {
        const wire = openWire(zero.port);
        await wire.get();
        wire.send(`GET /${nth % 2 ? 'chunks' : 'lines'}?count=${count} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
        await until('the first bytes', () => wire.unread > 0);
        wire.socket.pause();
        return wire;
      });
      await zero.beginReload();
      for (const wire of wires) {
        expect(wire.unread).toBeLessThan(5 * MIB);
        wire.socket.resume();
      }
      for (const wire of wires) expect(sha256((await wire.answer()).body)).toBe(expected);
      await zero.endReload();
      for (const wire of wires) expect((await wire.get()).body.toString()).toBe('m1');
      await zero.quit();
    });

    test('a download and an upload of 20 MB', async () => {
      const zero = await begin(app(), { node, args });
      const count = (20 * MIB) / 64;
      const down = openWire(zero.port);
      down.send(`GET /chunks?count=${count} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
      await until('the first bytes', () => down.unread > 0);
      down.socket.pause();
      const up = openWire(zero.port);
      await up.get();
      const body = randomBytes(20 * MIB);
      up.send(post('/hash?id=0', body.length));
      up.send(body.subarray(0, 5 * MIB));
      await until('its way to the app', () => up.socket.writableLength === 0);
      await zero.beginReload();
      down.socket.resume();
      up.send(body.subarray(5 * MIB));
      expect((await up.answer()).body.toString()).toBe(`m0 ${sha256(body)}`);
      expect(sha256((await down.answer()).body)).toBe(sha256(lines(count)));
      await zero.endReload();
      expect((await up.get()).body.toString()).toBe('m1');
      expect((await down.get()).body.toString()).toBe('m1');
      await zero.quit();
    });

    test('an answer before its request is whole: the rest is read, and the connection goes on', async () => {
      const zero = await begin(app(), { node, args });
      const wire = openWire(zero.port);
      wire.send(post('/early', MIB));
      wire.send(Buffer.alloc(MIB / 2));
      expect((await wire.answer()).body.toString()).toBe('m0');
      await zero.beginReload();
      wire.send(Buffer.alloc(MIB / 2));
      await zero.endReload();
      expect((await wire.get()).body.toString()).toBe('m1');
      await zero.quit();
    });

    test('connections that never spoke hold up nothing, and are served afterwards', async () => {
      const zero = await begin(app(), { node, args });
      const wires = Array.from({ length: CONNECTIONS }, () => openWire(zero.port));
      for (const wire of wires) await wire.connected;
      await zero.ask();
      await zero.reload();
      await zero.reload();
      for (const wire of wires) expect((await wire.get()).body.toString()).toBe('m2');
      await zero.quit();
    });
  });

  test('600 connects while nobody serves', async () => {
    const zero = await begin(app(`if (marker !== 'm0') await later(500);`), { node });
    await zero.beginReload();
    const count = sized('CONNECTS', 600);
    const wires = Array.from({ length: count }, () => openWire(zero.port));
    const asked = wires.map((wire) => wire.get());
    for (const answer of asked) expect((await answer).body.toString()).toBe('m1');
    await zero.endReload();
    for (const wire of wires) wire.close();
    await zero.quit();
  });

  test('the queue of new connections is long in every generation', async () => {
    const zero = await begin(app(), { node });
    for (let edit = 0; edit <= 2; edit++) {
      if (edit > 0) await zero.reload();
      const [pid] = zero.apps();
      process.kill(pid as number, 'SIGSTOP');
      const wires = Array.from({ length: 1000 }, () => openWire(zero.port));
      // Beyond the queue's end the kernel drops what comes: with node's own 511 they would wait until it goes on.
      await Promise.all(wires.map((wire) => wire.connected));
      process.kill(pid as number, 'SIGCONT');
      for (const wire of wires) expect((await wire.get()).body.toString()).toBe(`m${edit}`);
      for (const wire of wires) wire.close();
    }
    await zero.quit();
  });
});
