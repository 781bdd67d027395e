/** Promise 4 for every way to listen on a TCP port: nothing refused, reset or cut, and the address is what the app asked for. */
import { networkInterfaces } from 'node:os';
import { afterEach, describe, expect, test } from 'vitest';
import { type Begun, begin, ENTITLE, endAll, NODES } from '../e2e/begin.ts';
import { freePort, until } from '../rig.ts';
import { ask, askAlong, failed, type Where } from './lines.ts';

afterEach(endAll);

const RELOADS = 2;
const marker = (text: string): string => `export const marker = '${text}';\n`;
const HAS_IPV6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'));
const numberOf = (version: string): number[] => version.slice(1).split('.').map(Number);

/** `answer` is a request's, `told` writes where a server listens; `port` and `other` are free. */
const app = (rest: string): Record<string, string> => ({
  'app.js': `${ENTITLE}
import http from 'node:http';
import net from 'node:net';
import { marker } from './marker.js';
const port = Number(process.env.PORT);
const other = Number(process.env.OTHER);
const answer = (request, response) => response.end(marker);
const told = (server, name = 'it') =>
  server.on('listening', () => console.log(marker + ' ' + name + ' ' + JSON.stringify(server.address())));
${rest}`,
  'marker.js': marker('m0'),
});

interface Kind {
  readonly kind: string;
  readonly code: string;
  /** Ways to reach it. */
  readonly ways: (port: number, other: number) => Where[];
  readonly needs?: (version: string) => boolean;
}

const loopback = (port: number): Where => ({ port, host: '127.0.0.1' });
const loopback6 = (port: number): Where => ({ port, host: '::1' });

const KINDS: readonly Kind[] = [
  {
    kind: 'listen(port): both families',
    code: 'told(http.createServer(answer)).listen(port);',
    ways: (port) => [loopback(port), ...(HAS_IPV6 ? [loopback6(port)] : [])],
  },
  {
    kind: "listen(port, '::')",
    code: "told(http.createServer(answer)).listen(port, '::');",
    ways: (port) => [loopback6(port), loopback(port)],
    needs: () => HAS_IPV6,
  },
  {
    kind: 'ipv6Only',
    code: "told(http.createServer(answer)).listen({ port, host: '::', ipv6Only: true });",
    ways: (port) => [loopback6(port)],
    needs: () => HAS_IPV6,
  },
  {
    kind: "listen(port, '0.0.0.0')",
    code: "told(http.createServer(answer)).listen(port, '0.0.0.0');",
    ways: (port) => [loopback(port), { port, host: '127.0.0.2' }],
  },
  {
    kind: "listen(port, 'localhost')",
    code: "told(http.createServer(answer)).listen(port, 'localhost');",
    ways: (port) => [{ port, host: 'localhost' }],
  },
  {
    kind: 'two ports',
    code: `told(http.createServer(answer), 'a').listen(port, '127.0.0.1', () =>
  told(http.createServer(answer), 'b').listen(other, '127.0.0.1'));`,
    ways: (port, other) => [loopback(port), loopback(other)],
  },
  {
    kind: 'one port on two addresses',
    code: `told(http.createServer(answer), 'a').listen(port, '127.0.0.1', () =>
  told(http.createServer(answer), 'b').listen(port, '127.0.0.2'));`,
    ways: (port) => [loopback(port), { port, host: '127.0.0.2' }],
  },
  {
    kind: 'exclusive',
    code: "told(http.createServer(answer)).listen({ port, host: '127.0.0.1', exclusive: true });",
    ways: (port) => [loopback(port)],
  },
  {
    kind: 'a backlog',
    code: "told(http.createServer(answer)).listen({ port, host: '127.0.0.1', backlog: 16 });",
    ways: (port) => [loopback(port)],
  },
  {
    kind: 'reusePort',
    code: "told(http.createServer(answer)).listen({ port, host: '127.0.0.1', reusePort: true });",
    ways: (port) => [loopback(port)],
    needs: (version) => {
      const [major = 0, minor = 0] = numberOf(version);
      return major > 22 || (major === 22 && minor >= 12);
    },
  },
  {
    kind: 'two servers that share a port by reusePort',
    code: `told(http.createServer(answer), 'a').listen({ port, host: '127.0.0.1', reusePort: true }, () =>
  told(http.createServer(answer), 'b').listen({ port, host: '127.0.0.1', reusePort: true }));`,
    ways: (port) => [loopback(port), loopback(port)],
    needs: (version) => {
      const [major = 0, minor = 0] = numberOf(version);
      return major > 22 || (major === 22 && minor >= 12);
    },
  },
  {
    kind: 'a signal that is never aborted',
    code: "told(http.createServer(answer)).listen({ port, host: '127.0.0.1', signal: new AbortController().signal });",
    ways: (port) => [loopback(port)],
  },
];

describe.each(NODES)('on Node $version', ({ node, version }) => {
  async function run(rest: string, options: { other?: number; args?: string[] } = {}): Promise<Begun> {
    const begun = await begin(app(rest), {
      node,
      args: [...(options.args ?? []), 'app.js'],
      env: { OTHER: String(options.other ?? 0) },
    });
    await begun.hotrun.seen(/ready in/);
    return begun;
  }
  const reload = async ({ project, hotrun }: Begun, to: string): Promise<void> => {
    project.write('marker.js', marker(to));
    await hotrun.seen(/changed: ready in/);
  };

  describe.each(KINDS)('$kind', ({ code, ways, needs }) => {
    test.skipIf(needs && !needs(version))('serves everyone through reloads, at the same address', async () => {
      const other = await freePort();
      const begun = await run(code, { other });
      // It is ready when its first server listens.
      for (const where of ways(begun.port, other)) await until('each server', async () => (await ask(where)) === 'm0');
      const clients = ways(begun.port, other).map((where) => ({ where, along: askAlong(where) }));
      for (let count = 1; count <= RELOADS; count++) {
        await reload(begun, `m${count}`);
        for (const { where } of clients) expect(await ask(where)).toBe(`m${count}`);
      }
      for (const { along } of clients) {
        const answers = await along.stop();
        expect(failed(answers)).toEqual({});
        expect(new Set(answers).size).toBe(RELOADS + 1);
      }
      const toldBy = (to: string): string[] =>
        [...begun.hotrun.stdout().matchAll(new RegExp(`^${to} (\\w+ .*)$`, 'gm'))].map(([, address = '']) => address);
      const first = toldBy('m0');
      expect(first.length).toBeGreaterThan(0);
      for (let count = 1; count <= RELOADS; count++)
        await until(`the addresses of m${count}`, () => JSON.stringify(toldBy(`m${count}`)) === JSON.stringify(first));
      await begun.quit();
      for (const { where } of clients) expect(await ask(where)).toBe('failed ECONNREFUSED');
    });
  });

  test.each([
    {
      kind: 'a server that listens to another’s handle',
      code: `const first = net.createServer();
first.listen(port, '127.0.0.1', () => told(http.createServer(answer)).listen(first));`,
    },
    {
      kind: 'a net.Server that hands its connections to an http.Server',
      code: `const inner = http.createServer(answer);
told(net.createServer((socket) => inner.emit('connection', socket))).listen(port, '127.0.0.1');`,
    },
  ])('$kind: every generation serves', async ({ code }) => {
    const begun = await run(code);
    for (const to of ['m0', 'm1', 'm2']) {
      if (to !== 'm0') await reload(begun, to);
      await begun.answers(to);
    }
    await begun.quit();
  });
});
