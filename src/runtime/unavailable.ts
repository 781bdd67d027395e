/**
 * The stand-in: a little app that answers 503 while nobody serves. hotrun runs it as it runs any generation, so it finds
 * the sockets inherited, takes over the connections that wait, and gives them on when the next generation comes. Its
 * argument is a StandIn as JSON.
 */
import { createServer } from 'node:http';
import type { StandIn } from './messages.ts';

const { text, listens }: StandIn = JSON.parse(process.argv[2] ?? '{"text":"","listens":[]}');

for (const where of listens) {
  const server = createServer((_request, response) => {
    response.writeHead(503, {
      'content-type': 'text/plain; charset=utf-8',
      'retry-after': '1',
      'cache-control': 'no-store',
    });
    response.end(`${text}\n`);
  });
  // A socket that has just been closed for good is nobody's business any more.
  server.on('error', () => {});
  server.listen(where);
}
