/** Responses and connections that never end by themselves: each is ended once, cleanly, and holds up nothing. */
import { randomBytes } from 'node:crypto';
import { afterEach, describe, expect, test } from 'vitest';
import { openWire, type Wire } from './wire.mjs';
import { app, begin, endAll, NODES, sized } from './zero.ts';

afterEach(endAll);

const COUNT = sized('ENDLESS', 50);
const EDITS = 3;
/** A reload that waits for one of them takes longer than the test has. */
const PATIENT = ['--stop', 'SIGINT 60s, SIGKILL'];
/** Server-sent: status 1012, "service restart". */
const CLOSE = Buffer.from([0x88, 2, 1012 >> 8, 1012 & 0xff]);
const HI = Buffer.from([0x81, 2, 0x68, 0x69]);

const upgrade = (protocol: string): string =>
  `GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\nSec-WebSocket-Version: 13\r\n` +
  `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n\r\n`;

/** Opens a WebSocket and reads to its end, which is a close frame, then FIN. */
async function webSocket(port: number, opened: () => void): Promise<void> {
  const wire = openWire(port);
  wire.send(upgrade('websocket'));
  expect((await wire.answer()).status).toBe(101);
  opened();
  for (;;) {
    const frame = await wire.read(4);
    if (frame.equals(HI)) continue;
    expect(frame).toEqual(CLOSE);
    break;
  }
  // Masked, as a client's frames are.
  wire.send(Buffer.from([0x88, 0x82, 0, 0, 0, 0, 1012 >> 8, 1012 & 0xff]));
  expect(await wire.ended).toBe('END');
  expect(wire.unread).toBe(0);
}

/** Reads a stream of events to its end; the connection goes on. */
async function events(wire: Wire, opened: () => void): Promise<void> {
  wire.send('GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n');
  const first = 'HTTP/1.1 200 OK\r\n';
  const answer = wire.answer();
  const head = setInterval(() => {
    if (wire.unread >= first.length) {
      clearInterval(head);
      opened();
    }
  }, 5);
  const { body } = await answer;
  expect(body.toString()).toMatch(/^(?:data: m\d+\n\n)*$/);
}

describe.each(NODES)('on Node $version', ({ node }) => {
  describe.each(['sequential', 'overlap'] as const)('%s', (handover) => {
    const args = ['--handover', handover, ...PATIENT, 'src/server.ts'];

    test.each([
      ['that has no handler of a signal', ''],
      [
        'that closes its server at SIGINT',
        `process.on('SIGINT', () => server.close((error) => { note('closed ' + error); process.exit(); }));`,
      ],
    ])(`${COUNT} streams of events and ${COUNT} WebSockets of an app %s`, async (_name, more) => {
      const zero = await begin(app(more), { node, args });
      let open = 0;
      let isOver = false;
      let allOpen = (): void => {};
      const opened = (): void => {
        if (++open === 2 * COUNT) allOpen();
      };
      const ends = { events: 0, webSockets: 0 };
      const each = async (kind: keyof typeof ends, connect: () => Promise<void>): Promise<void> => {
        while (!isOver) {
          await connect();
          ends[kind]++;
        }
      };
      const wires = Array.from({ length: COUNT }, () => openWire(zero.port));
      let ready = new Promise<void>((resolve) => {
        allOpen = resolve;
      });
      const clients = wires.flatMap((wire) => [
        each('events', () => events(wire, opened)),
        each('webSockets', () => webSocket(zero.port, opened)),
      ]);
      const failed = Promise.all(clients);
      for (let edit = 1; edit <= EDITS; edit++) {
        await Promise.race([ready, failed]);
        open = 0;
        ready = new Promise<void>((resolve) => {
          allOpen = resolve;
        });
        isOver = edit === EDITS;
        await zero.reload();
      }
      await failed;
      expect(ends).toEqual({ events: EDITS * COUNT, webSockets: EDITS * COUNT });
      for (const wire of wires) expect((await wire.get()).body.toString()).toBe(`m${EDITS}`);
      await zero.quit();
    });

    test('an upgrade to another protocol ends without a byte more', async () => {
      const zero = await begin(app(), { node, args });
      const wire = openWire(zero.port);
      wire.send(upgrade('mute'));
      expect((await wire.answer()).status).toBe(101);
      await zero.reload();
      expect(await wire.ended).toBe('END');
      expect(wire.unread).toBe(0);
      await zero.quit();
    });

    test('what becomes endless while the reload is under way', async () => {
      const zero = await begin(app(), { node, args });
      const late = openWire(zero.port);
      late.send('GET /late-events HTTP/1.1\r\nHost: localhost\r\n\r\n');
      const half = openWire(zero.port);
      half.send(upgrade('mute').slice(0, -4));
      await zero.ask();
      await zero.beginReload();
      half.send('\r\n\r\n');
      expect((await half.answer()).status).toBe(101);
      expect((await late.answer()).body.toString()).toMatch(/^(?:data: m\d\n\n)?$/);
      await zero.endReload();
      expect(await half.ended).toBe('END');
      expect((await late.get()).body.toString()).toBe('m1');
      await zero.quit();
    });

    test('a client that never ends its side is waited for a moment only', async () => {
      const zero = await begin(
        app(`process.on('SIGINT', () => server.close((error) => { note('closed ' + error); process.exit(); }));`),
        { node, args },
      );
      const wire = openWire(zero.port);
      wire.send(upgrade('websocket'));
      expect((await wire.answer()).status).toBe(101);
      wire.socket.pause();
      await zero.reload();
      await zero.quit();
      wire.close();
    });
  });
});
