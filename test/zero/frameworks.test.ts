/** Frameworks and libraries as they come: each app of fixtures/frameworks through reloads under load. */
import { existsSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { until } from '../rig.ts';
import { openWire } from './wire.mjs';
import { begin, endAll, NODES, openClients, sized, type Zero } from './zero.ts';

afterEach(endAll);

const FOLDER = join(import.meta.dirname, '../../fixtures/frameworks');
const MODULES = join(FOLDER, 'node_modules');
const INSTALL = 'npm ci --prefix fixtures/frameworks';
const EDITS = sized('FRAMEWORK_EDITS', 5);
/** All of Node and both handovers take long: in the short form the oldest and the newest, and one handover. */
const IS_LONG = sized('LONG', 0) > 0;
const SOME_NODES = NODES.filter((_, nth) => IS_LONG || nth === 0 || nth === NODES.length - 1);
const HANDOVERS = IS_LONG ? ['sequential', 'overlap'] : ['sequential'];

const names = readdirSync(FOLDER).filter((name) => name.endsWith('.ts') && name !== 'marker.ts');
const isInstalled = existsSync(MODULES);
if (!isInstalled) console.warn(`fixtures/frameworks is not installed, its tests are skipped; to run them: ${INSTALL}`);

/** Where it answers with the marker, and where with a stream of events. */
const QUERIES = { 'graphql-yoga.ts': '/graphql?query=%7Bmarker%7D' } as Readonly<Record<string, string>>;
const EVENTS = {
  'express.ts': '/events',
  'express4.ts': '/events',
  'fastify.ts': '/events',
  'koa.ts': '/events',
  'hono.ts': '/events',
  'h3.ts': '/events',
  'graphql-yoga.ts': '/graphql?query=subscription%7Bmarkers%7D',
} as Readonly<Record<string, string>>;
/** Those that end their server by themselves say so. */
const CLOSERS: readonly string[] = ['http-terminator.ts', 'stoppable.ts', 'terminus.ts', 'close-with-grace.ts'];

/** The project is the app alone, with the packages beside it. */
async function beginApp(name: string, node: string, handover: string): Promise<Zero> {
  const source = readFileSync(join(FOLDER, name), 'utf8').replace('./marker.ts', './src/marker.ts');
  const files = {
    'package.json': '{ "type": "module" }',
    'src/marker.ts': readFileSync(join(FOLDER, 'marker.ts'), 'utf8'),
    [name]: source,
  };
  return begin(files, {
    node,
    args: ['--handover', handover, name],
    before: ({ path }) => symlinkSync(MODULES, path('node_modules')),
  });
}

describe.skipIf(!isInstalled).each(SOME_NODES)('on Node $version', ({ node, version }) => {
  describe.each(HANDOVERS)('%s', (handover) => {
    test.each(names)(`%s: none fails in ${EDITS} reloads`, async (name) => {
      const zero = await beginApp(name, node, handover);
      const path = QUERIES[name] ?? '/';
      const clients = openClients(zero, [
        { kind: 'kept', count: 8, path },
        { kind: 'kept', count: 8, path, think: 500 },
        { kind: 'fresh', count: 4, path },
        { kind: 'agent', count: 4, path },
      ]);
      for (let edit = 1; edit <= EDITS; edit++) clients.floor(await zero.reload());
      for (const { kind, failed, stale, newest, kept, requests, longestMs } of await clients.end()) {
        expect(failed).toEqual([]);
        expect(stale).toEqual([]);
        expect(newest).toBe(EDITS);
        if (kind === 'kept') expect(kept).toBe(8);
        console.log(
          `${version} ${handover} ${name} ${kind}: ${requests} requests, the longest ${Math.round(longestMs)} ms`,
        );
      }
      // No rung's time was used up.
      expect(zero.hotrun.stderr()).not.toMatch(/event \{"type":"overdue"/);
      await zero.quit();
      if (CLOSERS.includes(name))
        for (let edit = 0; edit <= EDITS; edit++)
          expect(zero.hotrun.stdout()).toMatch(new RegExp(`^closed m${edit}\\b`, 'm'));
    });

    test.each(names.filter((name) => EVENTS[name]))('%s: a stream of events is ended cleanly', async (name) => {
      const zero = await beginApp(name, node, handover);
      const wires = Array.from({ length: 3 }, () => openWire(zero.port));
      for (let edit = 1; edit <= 2; edit++) {
        for (const wire of wires)
          wire.send(`GET ${EVENTS[name]} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n`);
        for (const wire of wires) await until('events', () => wire.unread > 500);
        const streams = wires.map((wire) => wire.answer());
        await zero.reload();
        for (const stream of streams) {
          const { status, body } = await stream;
          expect(status).toBe(200);
          expect(body.toString()).toContain(`m${edit - 1}`);
        }
      }
      for (const wire of wires) expect((await wire.get(QUERIES[name] ?? '/')).body.toString()).toContain('m2');
      expect(zero.hotrun.stderr()).not.toMatch(/event \{"type":"overdue"|WRITE_AFTER_END|crashed/);
      await zero.quit();
    });
  });

  const require = createRequire(join(MODULES, 'x'));

  test('ws: every client is told 1012, once, and comes again', async () => {
    const { WebSocket } = require('ws');
    const zero = await beginApp('ws.ts', node, 'sequential');
    const codes: number[] = [];
    const faults: string[] = [];
    let open = 0;
    let isOver = false;
    const connect = (): void => {
      const socket = new WebSocket(`ws://127.0.0.1:${zero.port}`);
      socket.on('error', (error: Error) => faults.push(error.message));
      socket.once('message', () => open++);
      socket.on('close', (code: number) => {
        codes.push(code);
        if (!isOver) connect();
      });
    };
    for (let nth = 0; nth < 20; nth++) connect();
    for (let edit = 1; edit <= 3; edit++) {
      await until('the clients', () => open === 20 * edit);
      isOver = edit === 3;
      await zero.reload();
    }
    await until('the last end', () => codes.length === 60);
    expect(faults).toEqual([]);
    expect(codes).toEqual(Array(60).fill(1012));
    expect(zero.hotrun.stderr()).not.toMatch(/event \{"type":"overdue"/);
    await zero.quit();
  });

  test('socket.io: every client comes again', async () => {
    const { io } = require('socket.io-client');
    const zero = await beginApp('socket.io.ts', node, 'sequential');
    const faults: string[] = [];
    const sockets = Array.from({ length: 20 }, () =>
      io(`http://127.0.0.1:${zero.port}`, { transports: ['websocket'], reconnectionDelay: 1, forceNew: true }),
    );
    let connects = 0;
    let newest = 'none';
    for (const socket of sockets) {
      socket.on('connect', () => connects++);
      socket.io.on('reconnect_error', (error: Error) => faults.push(error.message));
      socket.on('marker', (marker: string) => {
        newest = marker;
      });
    }
    await until('the clients', () => connects === 20);
    for (let edit = 1; edit <= 3; edit++) {
      await zero.reload();
      await until('the clients', () => connects === 20 * (edit + 1) && newest === `m${edit}`);
    }
    expect(faults).toEqual([]);
    expect(zero.hotrun.stderr()).not.toMatch(/event \{"type":"overdue"/);
    for (const socket of sockets) socket.close();
    await zero.quit();
  });
});
