/** What the app says of its server holds in every generation, also for connections that have come from the one before. */
import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { markerSource, until } from '../rig.ts';
import { openWire } from './wire.mjs';
import { app, begin, endAll, NODES, openClients } from './zero.ts';

afterEach(endAll);

const COUNT = 10;
const PATIENT = ['--stop', 'SIGINT 60s, SIGKILL', 'src/server.ts'];

describe.each(NODES)('on Node $version', ({ node }) => {
  test.each([
    ['SIGINT', 'exits', 'process.exit();'],
    ['SIGTERM', 'ends when nothing is left to do', ''],
  ])(
    'the server is closed at %s by the app itself, at once and without an error, and it %s',
    async (signal, _how, exit) => {
      const zero = await begin(
        app(`process.on('${signal}', () => {
  note('${signal} listening ' + server.listening + ' ' + JSON.stringify(server.address()));
  server.close((error) => {
    note('closed ' + (error ?? 'well') + ' listening ' + server.listening);
    ${exit}
  });
});`),
        // Before the time of the first rung is up, or SIGTERM would be told as one that was needed.
        { node, args: ['--stop', `${signal} 60s, SIGKILL`, 'src/server.ts'] },
      );
      const idle = Array.from({ length: COUNT }, () => openWire(zero.port));
      for (const wire of idle) await wire.get();
      const silent = Array.from({ length: COUNT }, () => openWire(zero.port));
      for (const wire of silent) await wire.connected;
      const busy = Array.from({ length: COUNT }, () => openWire(zero.port));
      const slow = busy.map((wire) => wire.get('/slow'));
      await zero.ask();
      await zero.reload();
      for (const answer of slow) expect((await answer).body.toString()).toMatch(/^m[01]$/);
      for (const wire of [...idle, ...silent, ...busy]) expect((await wire.get()).body.toString()).toBe('m1');
      await zero.quit();
      const address = JSON.stringify({ address: '127.0.0.1', family: 'IPv4', port: zero.port });
      const each = (marker: string) => [
        `${marker} ${signal} listening true ${address}`,
        `${marker} closed well listening false`,
      ];
      expect(readFileSync(zero.project.path('log'), 'utf8').trim().split('\n')).toEqual([...each('m0'), ...each('m1')]);
    },
  );

  test('connection listeners, getConnections, remoteAddress, noDelay', async () => {
    const zero = await begin(
      app(`let connections = 0;
server.on('connection', () => connections++);
server.prependListener('request', (request) => {
  const { remoteAddress, remotePort, localPort } = request.socket;
  if (request.url === '/who') server.getConnections((error, count) => note(JSON.stringify({ error, count, connections, remoteAddress, remotePort, localPort })));
});`),
      { node, args: PATIENT },
    );
    const wires = Array.from({ length: COUNT }, () => openWire(zero.port));
    const locals: number[] = [];
    for (const wire of wires) {
      locals.push(await wire.connected);
      await wire.get();
    }
    await zero.reload();
    await zero.reload();
    // Each has arrived.
    for (const wire of wires) await wire.get();
    for (const wire of wires) await wire.get('/who');
    const told = await until('what all of them saw', () => {
      const lines = readFileSync(zero.project.path('log'), 'utf8').trim().split('\n');
      return lines.length === COUNT && lines;
    });
    expect(told.map((line) => JSON.parse(line.slice(3)))).toEqual(
      locals.map((remotePort) => ({
        error: null,
        count: COUNT,
        connections: COUNT,
        remoteAddress: '127.0.0.1',
        remotePort,
        localPort: zero.port,
      })),
    );
    await zero.quit();
  });

  test('maxConnections: who was let in stays in, who comes on top is turned away', async () => {
    const zero = await begin(app(`server.maxConnections = ${COUNT};`), { node, args: PATIENT });
    const wires = Array.from({ length: COUNT }, () => openWire(zero.port));
    for (const wire of wires) await wire.get();
    for (let edit = 1; edit <= 3; edit++) {
      await zero.beginReload();
      // These may be the first that the new one accepts.
      const others = Array.from({ length: COUNT }, () => openWire(zero.port));
      await Promise.all(others.map((wire) => wire.connected));
      await zero.endReload();
      for (const wire of wires) expect((await wire.get()).body.toString()).toBe(`m${edit}`);
      for (const wire of others) wire.close();
      const more = openWire(zero.port);
      expect(await more.ended).toMatch(/^(?:END|ECONNRESET)$/);
    }
    await zero.quit();
  });

  test('keepAliveTimeout: an idle connection that has moved is ended after it', async () => {
    const zero = await begin(app(`server.keepAliveTimeout = marker === 'm0' ? 60_000 : 2000;`), {
      node,
      args: PATIENT,
    });
    const idle = openWire(zero.port);
    await idle.get();
    const used = openWire(zero.port);
    await used.get();
    await zero.reload();
    expect((await used.get()).body.toString()).toBe('m1');
    expect(await idle.ended).toBe('END');
    expect(await used.ended).toBe('END');
    expect(idle.unread + used.unread).toBe(0);
    await zero.quit();
  });

  test('headersTimeout is not for an idle connection that has moved, however often, but for one that never spoke', async () => {
    const zero = await begin(
      app(
        `Object.assign(server, { keepAliveTimeout: 0, headersTimeout: marker === 'm0' ? 60_000 : 100 });`,
        '{ connectionsCheckingInterval: 50 }',
      ),
      { node, args: PATIENT },
    );
    const idle = openWire(zero.port);
    await idle.get();
    for (let edit = 1; edit <= 2; edit++) {
      await zero.reload();
      const silent = openWire(zero.port);
      expect((await silent.answer()).status).toBe(408);
      const other = openWire(zero.port);
      expect((await other.answer()).status).toBe(408);
    }
    expect(idle.unread).toBe(0);
    expect((await idle.get()).body.toString()).toBe('m2');
    await zero.quit();
  });

  test('requestTimeout: a request that begins after the move has all of it, and no more', async () => {
    const zero = await begin(
      app(
        `if (marker !== 'm0') Object.assign(server, { headersTimeout: 1000, requestTimeout: 1000 });`,
        '{ connectionsCheckingInterval: 50 }',
      ),
      { node, args: PATIENT },
    );
    const wire = openWire(zero.port);
    await wire.get();
    await zero.reload();
    expect((await wire.get()).body.toString()).toBe('m1');
    wire.send('POST /hash HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n');
    expect((await wire.answer()).status).toBe(408);
    await zero.quit();
  });

  test('one that is told to stop before it listens takes no connection along', async () => {
    const zero = await begin(
      app(`if (marker === 'm1') {
  process.on('SIGINT', () => setTimeout(() => process.exit(), 300));
  await later(100);
}`),
      { node, args: PATIENT },
    );
    const clients = openClients(zero, [
      { kind: 'fresh', count: 8 },
      { kind: 'kept', count: 8 },
    ]);
    zero.project.write('src/marker.ts', markerSource('m1'));
    await zero.hotrun.seen(/"activate","gen":2/);
    zero.project.write('src/marker.ts', markerSource('m2'));
    await zero.hotrun.seen(/"activate","gen":3/);
    await until('the newest', async () => (await zero.ask()) === 'm2');
    for (const { failed, newest } of await clients.end()) {
      expect(failed).toEqual([]);
      expect(newest).toBe(2);
    }
    await zero.quit();
  });
});
