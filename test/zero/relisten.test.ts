/** A listener's life: closed, opened again, given up, moved. What a client meets is what it would meet without hotrun, but for the gaps. */
import { networkInterfaces } from 'node:os';
import { afterEach, describe, expect, test } from 'vitest';
import { type Begun, begin, ENTITLE, endAll, NODES } from '../e2e/begin.ts';
import { freePort, until } from '../rig.ts';
import { ask, askAlong, failed, openLine, type Where } from './lines.ts';

afterEach(endAll);

const marker = (text: string): string => `export const marker = '${text}';\n`;
const HAS_IPV6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'));
const loopback = (port: number): Where => ({ port, host: '127.0.0.1' });
const REFUSED = 'failed ECONNREFUSED';

/** `serve` makes a server that answers with the marker; `listened` resolves when a server listens; `port`, `other` are free. */
const source = (rest: string): string => `${ENTITLE}
import http from 'node:http';
import net from 'node:net';
import { once } from 'node:events';
import { marker } from './marker.js';
const port = Number(process.env.PORT);
const other = Number(process.env.OTHER);
const serve = () => http.createServer((request, response) => response.end(marker));
const listened = (server, ...where) =>
  new Promise((resolve, reject) => server.once('error', reject).listen(...where, () => resolve(server)));
const closed = (server) => new Promise((resolve) => server.close(resolve));
${rest}`;
const app = (rest: string): Record<string, string> => ({ 'app.js': source(rest), 'marker.js': marker('m0') });
const KEEP = "listened(serve(), port, '127.0.0.1');\n";

describe.each(NODES)('on Node $version', ({ node }) => {
  async function run(rest: string, options: readonly string[] = []): Promise<Begun & { other: number }> {
    const other = await freePort();
    const begun = await begin(app(rest), { node, args: [...options, 'app.js'], env: { OTHER: String(other) } });
    await begun.hotrun.seen(/ready in/);
    return { ...begun, other };
  }
  const reload = async ({ project, hotrun }: Begun, to: string): Promise<void> => {
    project.write('marker.js', marker(to));
    await hotrun.seen(/changed: ready in/);
  };
  /** It is ready when its first server listens; what comes after that may take a moment. */
  const serves = async (where: Where, body: string): Promise<void> => {
    let answer = '';
    await until(`the answer ${body}`, async () => {
      answer = await ask(where);
      return answer === body || undefined;
    }).catch(() => expect(answer).toBe(body));
  };
  const isRefused = (where: Where): Promise<true> =>
    until('a refusal', async () => (await ask(where)) === REFUSED || undefined);

  test('closed and listened to again, again and again within one generation', async () => {
    const begun = await run(`let server = await listened(serve(), port, '127.0.0.1');
setInterval(() => {
  // Only the listener: from Node 26 on http ends connections, too, on which nothing has been said yet.
  net.Server.prototype.close.call(server);
  server = serve().listen(port, '127.0.0.1', () => console.log(marker + ' again'));
}, 20);`);
    const along = askAlong(loopback(begun.port));
    for (const to of ['m1', 'm2']) {
      for (let count = 0; count < 5; count++) await begun.hotrun.seen(/ again/, 'stdout');
      await reload(begun, to);
    }
    const answers = await along.stop();
    expect(failed(answers)).toEqual({});
    expect(new Set(answers)).toEqual(new Set(['m0', 'm1', 'm2']));
    expect(begun.hotrun.stderr()).not.toMatch(/EADDRINUSE/);
    await begun.quit();
  });

  test('tried out before it is listened to, as get-port and detect-port do', async () => {
    const addresses = ['undefined', "'0.0.0.0'", "'127.0.0.1'", ...(HAS_IPV6 ? ["'::'", "'::1'"] : [])];
    const begun = await run(`for (const host of [${addresses}])
  await closed(await listened(net.createServer(), { port, host }));
listened(serve(), port);`);
    await begun.answers('m0');
    await reload(begun, 'm1');
    await begun.answers('m1');
    expect(begun.hotrun.stderr()).not.toMatch(/EADDRINUSE/);
    await begun.quit();
  });

  test('a second server on the same port fails, as it would without hotrun', async () => {
    const begun = await run(`await listened(serve(), port, '127.0.0.1');
setInterval(async () => {
  const how = await listened(serve(), port, '127.0.0.1').then(() => 'listens', (error) => error.code);
  console.log(marker + ' the second ' + how);
}, 20);`);
    for (const at of ['m0', 'm1']) {
      if (at !== 'm0') await reload(begun, at);
      for (let count = 0; count < 5; count++) {
        const [, how] = await begun.hotrun.seen(new RegExp(`${at} the second (.*)`), 'stdout');
        expect(how).toBe('EADDRINUSE');
      }
    }
    await begun.quit();
  });

  test('closed for good: refused', async () => {
    const begun = await run(`${KEEP}const server = await listened(serve(), other, '127.0.0.1');
http.createServer((request, response) => {
  response.end('closing');
  server.close();
}).listen(0, '127.0.0.1', function () { console.log('control ' + this.address().port); });`);
    const control = Number((await begun.hotrun.seen(/control (\d+)/, 'stdout'))[1]);
    await serves(loopback(begun.other), 'm0');
    await serves(loopback(control), 'closing');
    await isRefused(loopback(begun.other));
    await serves(loopback(begun.port), 'm0');
    await reload(begun, 'm1');
    await serves(loopback(begun.other), 'm1');
    await begun.quit();
  });

  test('aborted by its signal: refused', async () => {
    const begun = await run(`${KEEP}const controller = new AbortController();
await listened(serve(), { port: other, host: '127.0.0.1', signal: controller.signal });
http.createServer((request, response) => {
  response.end('aborting');
  controller.abort();
}).listen(0, '127.0.0.1', function () { console.log('control ' + this.address().port); });`);
    const control = Number((await begun.hotrun.seen(/control (\d+)/, 'stdout'))[1]);
    await serves(loopback(begun.other), 'm0');
    await serves(loopback(control), 'aborting');
    await isRefused(loopback(begun.other));
    await begun.quit();
  });

  test('a port that new code does not listen on is released, and taken again by code that does', async () => {
    const both = `${KEEP}listened(serve(), other, '127.0.0.1');\n`;
    const begun = await run(both);
    const along = askAlong(loopback(begun.port));
    await serves(loopback(begun.other), 'm0');
    const line = openLine(loopback(begun.other));
    expect(await line.ask()).toBe('m0');
    begun.project.write('app.js', source(KEEP));
    await begun.hotrun.seen(/changed: ready in/);
    await isRefused(loopback(begun.other));
    await until('the end of the connection that nobody takes', () => line.isOver);
    begun.project.write('app.js', source(both));
    await begun.hotrun.seen(/changed: ready in/);
    await serves(loopback(begun.other), 'm0');
    const others = askAlong(loopback(begun.other));
    await reload(begun, 'm1');
    await serves(loopback(begun.other), 'm1');
    expect(failed(await others.stop())).toEqual({});
    expect(failed(await along.stop())).toEqual({});
    await begun.quit();
  });

  test('a changed port: the old one is released, the new one is kept through the next reload', async () => {
    const begun = await run(KEEP);
    begun.project.write('app.js', source("listened(serve(), other, '127.0.0.1');"));
    await begun.hotrun.seen(/changed: ready in/);
    await serves(loopback(begun.other), 'm0');
    const along = askAlong(loopback(begun.other));
    await reload(begun, 'm1');
    await serves(loopback(begun.other), 'm1');
    expect(failed(await along.stop())).toEqual({});
    await isRefused(loopback(begun.port));
    await begun.quit();
  });

  const addresses = ["'127.0.0.1'", "'0.0.0.0'", 'undefined', ...(HAS_IPV6 ? ["'::'", "'::1'"] : [])];
  test('another address on the same port, from each to each', async () => {
    const begun = await run(`${KEEP}`);
    const codes = addresses.flatMap((from, index) => addresses.slice(index + 1).flatMap((to) => [from, to]));
    for (const [count, address] of codes.entries()) {
      begun.project.write('app.js', source(`listened(serve(), port, ${address}); // ${count}`));
      await begun.hotrun.seen(/changed: ready in/);
      const where = { port: begun.port, host: address === "'::1'" ? '::1' : '127.0.0.1' };
      await serves(where, 'm0');
    }
    expect(begun.hotrun.stderr()).not.toMatch(/EADDRINUSE/);
    await begun.quit();
  });

  test('a socket of a generation that dies as soon as it listens waits for the next one', async () => {
    const begun = await begin(app("serve().listen(port);\nthrow new Error('on purpose');"), {
      node,
      args: ['app.js'],
    });
    await begun.hotrun.seen(/waiting for a change/);
    const answer = ask(loopback(begun.port));
    begun.project.write('app.js', source('listened(serve(), port);'));
    // Whoever has waited for too long is told so.
    expect(await answer).toMatch(/^(?:m0|failed 503)$/);
    await serves(loopback(begun.port), 'm0');
    await begun.quit();
  });

  test('overlap: where the old generation is in the way of the new one, it serves on', async () => {
    const begun = await run(KEEP, ['--handover', 'overlap']);
    const along = askAlong(loopback(begun.port));
    begun.project.write('app.js', source('listened(serve(), port);'));
    await begun.hotrun.seen(/EADDRINUSE/);
    await begun.hotrun.seen(/ended with|exit code/);
    await serves(loopback(begun.port), 'm0');
    begun.project.write('app.js', source(`${KEEP}// as before`));
    await begun.hotrun.seen(/changed: ready in/);
    await reload(begun, 'm1');
    await serves(loopback(begun.port), 'm1');
    expect(failed(await along.stop())).toEqual({});
    await begun.quit();
  });

  test('port 0 is the same port in every generation', async () => {
    const begun = await run(`for (const name of ['a', 'b']) {
  const server = await listened(serve(), 0, '127.0.0.1');
  console.log(marker + ' ' + name + ' ' + server.address().port);
}`);
    const portOf = async (what: string): Promise<number> =>
      Number((await begun.hotrun.seen(new RegExp(`^${what} (\\d+)$`, 'm'), 'stdout'))[1]);
    const before = [await portOf('m0 a'), await portOf('m0 b')];
    const clients = before.map((port) => askAlong(loopback(port)));
    for (const to of ['m1', 'm2']) {
      await reload(begun, to);
      expect([await portOf(`${to} a`), await portOf(`${to} b`)]).toEqual(before);
    }
    for (const client of clients) expect(failed(await client.stop())).toEqual({});
    await begun.quit();
  });

  test('a descriptor of the app’s own is none of ours', async () => {
    const begun = await run(`const handle = net._createServerHandle('127.0.0.1', port, 4);
listened(serve(), { fd: handle.fd });
setInterval(() => handle.fd, 1000);`);
    await begun.answers('m0');
    await reload(begun, 'm1');
    await begun.answers('m1');
    await begun.quit();
    expect(await ask(loopback(begun.port))).toBe(REFUSED);
  });

  describe('the app’s own cluster', () => {
    test.each(['RR', 'NONE'])('%s: each reload is served by all new workers', async (policy) => {
      const begun = await run(`import cluster from 'node:cluster';
cluster.schedulingPolicy = cluster.SCHED_${policy};
if (cluster.isPrimary) for (let count = 0; count < 2; count++) cluster.fork();
else http.createServer((request, response) => response.end(marker + ' ' + process.pid)).listen(port, '127.0.0.1');`);
      for (const to of ['m0', 'm1', 'm2']) {
        if (to !== 'm0') begun.project.write('marker.js', marker(to));
        const seen = new Set<string>();
        await until(`both workers of ${to}`, async () => {
          const answer = await ask(loopback(begun.port));
          if (answer.startsWith(`${to} `)) seen.add(answer);
          return seen.size === 2;
        });
      }
      await begun.quit();
      expect(await ask(loopback(begun.port))).toBe(REFUSED);
    });
  });
});
