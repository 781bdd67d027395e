/**
 * What is slow the first time is done once while there is time: a standby answers a request of its own, in memory, and asks
 * for the locale. Nothing of it can be seen from outside, and nothing stays open.
 */
import { createRequire } from 'node:module';
import type { Duplex } from 'node:stream';

/** Should Node not answer, in ms. */
const PATIENCE_MS = 100;

/** @param builtins Node's own modules that the app has loaded, by name */
export async function rehearse(builtins: readonly string[]): Promise<void> {
  const require = createRequire(__filename);
  try {
    // ICU reads its data: 10 ms.
    new Intl.DateTimeFormat().resolvedOptions();
    if (builtins.includes('node:http')) await answerOnce(require('node:http'), require('node:stream'));
  } catch {
    // The app will meet the same in its own time, should it come that way.
  }
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
