/**
 * What is slow the first time is done once while there is time: a standby answers a request of its own, in memory, and asks
 * for the locale. Nothing of it can be seen from outside, and nothing stays open.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { createRequire } from 'node:module';
import type { Duplex } from 'node:stream';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { whatIsHeld } from './holds.ts';

/** Should Node not answer, in ms. */
const PATIENCE_MS = 100;

/** How long the first request is waited for, in ms. */
const FIRST_MS = 30;
/** lib/_http_server.js */
const FINISHED = 'http.server.response.finish';

/** @param builtins Node's own modules that the app has listened with, by name */
export async function rehearse(builtins: readonly string[]): Promise<void> {
  const require = createRequire(__filename);
  try {
    // ICU reads its data: 10 ms.
    new Intl.DateTimeFormat().resolvedOptions();
    // As it will be when it leaves: 0.3 ms.
    whatIsHeld(new Set());
    if (builtins.length > 0) listenAlmost(require);
    if (builtins.includes('node:http')) await answerOnce(require('node:http'), require('node:stream'));
  } catch {
    // The app will meet the same in its own time, should it come that way.
  }
}

/** What `listen` loads, and what it compiles: the pattern of an IPv6 address alone takes 4 ms from Node 22 on (lib/net.js). */
function listenAlmost(require: NodeJS.Require): void {
  const { isIP } = require('node:net') as typeof import('node:net');
  // The first time it is compiled to be interpreted, the second time to machine code.
  for (const address of ['127.0.0.1', '::1', '::1', '::1']) isIP(address);
  require('node:dns');
  require('node:cluster');
}

/** 3 ms of the first request. */
function answerOnce(http: typeof import('node:http'), stream: typeof import('node:stream')): Promise<void> {
  const { duplexPair } = stream as unknown as { duplexPair(): [Duplex, Duplex] };
  return new Promise((resolve) => {
    const [client, socket] = duplexPair();
    const server = http.createServer((request, response) => {
      response.setHeader('content-type', 'text/plain');
      response.end(request.url);
    });
    const timer = setTimeout(resolve, PATIENCE_MS);
    client.once('data', () => {
      clearTimeout(timer);
      client.destroy();
      socket.destroy();
      resolve();
    });
    server.emit('connection', socket);
    client.write('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n');
  });
}

/**
 * Collects the garbage that loading has left. Else it waits for the app: its first collection copies all that is young and
 * lives on, 10 ms with a few heavy packages, 50 on busy cores. The second one takes it for old.
 */
export function tidy(): void {
  try {
    const collect = globalThis.gc ?? borrowed();
    collect({ type: 'minor' });
    collect({ type: 'minor' });
  } catch {
    // Then the app collects it in its own time.
  }
}

/** Where the user has not asked for it, contexts that the app makes later have none. */
function borrowed(): (options: { type: 'minor' }) => void {
  setFlagsFromString('--expose-gc');
  try {
    return runInNewContext('gc');
  } finally {
    setFlagsFromString('--no-expose-gc');
  }
}

/**
 * In overlap the generation before serves on until this one has answered once, which takes as long as many answers later
 * on: else nobody is quick in that moment. Where no request comes it is not waited for long.
 */
export function afterFirstAnswer(overlaps: boolean, then: () => void): void {
  if (!overlaps) return then();
  const end = (): void => {
    clearTimeout(timer);
    unsubscribe(FINISHED, end);
    then();
  };
  const timer = setTimeout(end, FIRST_MS);
  subscribe(FINISHED, end);
}
