/** Promise 4 for UDP: what comes between two generations waits in the kernel, as far as its buffer goes. */
import dgram from 'node:dgram';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { type Begun, begin, ENTITLE, endAll, NODES } from '../e2e/begin.ts';
import { until } from '../rig.ts';

afterEach(endAll);

/** HOTRUN_DATAGRAMS=10000 is the long form: 20 reloads at 500 a second. */
const DATAGRAMS = Number(process.env.HOTRUN_DATAGRAMS ?? 1000);
const A_SECOND = 500;
const A_RELOAD = 500;
const GROUP = '239.255.77.1';

const marker = (text: string): string => `export const marker = '${text}';\n`;

/** Writes down each datagram. */
const app = (rest: string): Record<string, string> => ({
  'app.js': `${ENTITLE}
import dgram from 'node:dgram';
import { once } from 'node:events';
import { appendFileSync } from 'node:fs';
import { marker } from './marker.js';
const port = Number(process.env.PORT);
const open = (options = 'udp4') => dgram.createSocket(options).on('message', (message, from) => {
  appendFileSync('got', message + '\\n');
});
${rest}
`,
  'marker.js': marker('m0'),
});

const sockets = new Set<dgram.Socket>();
afterEach(() => {
  for (const socket of sockets) socket.close();
  sockets.clear();
});
function open(): dgram.Socket {
  const socket = dgram.createSocket('udp4');
  sockets.add(socket);
  return socket;
}

describe.each(NODES)('on Node $version', ({ node }) => {
  async function run(rest: string): Promise<Begun & { got(): number[] }> {
    const begun = await begin(app(rest), { node, args: ['app.js'] });
    await begun.hotrun.seen(/ready in/);
    const path = begun.project.path('got');
    const got = (): number[] =>
      existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1).map(Number) : [];
    return { ...begun, got };
  }
  const reload = async ({ project, hotrun }: Begun, to: string): Promise<void> => {
    project.write('marker.js', marker(to));
    await hotrun.seen(/changed: ready in/);
  };

  /** Sends the numbers from 0 on, at their pace, and reloads all the while. */
  async function sendThrough(begun: Begun, socket: dgram.Socket, host: string): Promise<void> {
    let isOver = false;
    const reloads = (async (): Promise<number> => {
      let count = 0;
      while (!isOver && count < DATAGRAMS / A_RELOAD) await reload(begun, `m${++count}`);
      return count;
    })();
    const since = performance.now();
    for (let sent = 0; sent < DATAGRAMS; ) {
      const due = Math.min(DATAGRAMS, ((performance.now() - since) / 1000) * A_SECOND);
      // In small bursts even where the test itself has been held up: it is the app that is tested.
      for (let burst = 0; burst < 20 && sent < due; burst++, sent++) socket.send(String(sent), begun.port, host);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    isOver = true;
    expect(await reloads).toBeGreaterThan(0);
  }
  const numbers = Array.from({ length: DATAGRAMS }, (_, number) => number);

  test(`${DATAGRAMS} numbered datagrams, ${A_SECOND} a second, through reloads: each is received once`, async () => {
    const begun = await run("open().bind(port, '127.0.0.1');");
    const { got, quit } = begun;
    await sendThrough(begun, open(), '127.0.0.1');
    await until('the last datagram', () => got().includes(DATAGRAMS - 1));
    expect(got()).toEqual(numbers);
    await quit();
  }, 120_000);

  test('a multicast group is joined again by every generation', async () => {
    const begun = await run(
      `const socket = open({ type: 'udp4', reuseAddr: true }).bind(port, () => {
  socket.addMembership('${GROUP}', '127.0.0.1');
  console.log(marker + ' has joined');
});`,
    );
    const { got, hotrun, quit } = begun;
    // It is ready when it is bound: what comes before it joins is not for it.
    await hotrun.seen(/m0 has joined/, 'stdout');
    const socket = open();
    await once(socket.bind(0, '127.0.0.1'), 'listening');
    socket.setMulticastInterface('127.0.0.1');
    socket.setMulticastLoopback(true);
    await sendThrough(begun, socket, GROUP);
    await until('the last datagram', () => got().includes(DATAGRAMS - 1));
    expect(got()).toEqual(numbers);
    expect(hotrun.stderr()).not.toMatch(/EADDRINUSE/);
    await quit();
  }, 120_000);

  test('what comes while nobody runs is answered by the next generation', async () => {
    const begun = await run(`const socket = open().bind(port, '127.0.0.1');
socket.on('message', (message, from) => socket.send(marker + ' ' + message, from.port, from.address));`);
    const { project, hotrun, port, quit } = begun;
    const socket = open();
    const answers = new Set<string>();
    socket.on('message', (message) => answers.add(String(message)));
    project.write('app.js', 'throw new Error("a broken one");');
    await hotrun.seen(/before it was ready, waiting for a change/);
    for (let count = 0; count < 100; count++) socket.send(String(count), port, '127.0.0.1');
    project.write(
      'app.js',
      app(`const socket = open().bind(port, '127.0.0.1');
socket.on('message', (message, from) => socket.send(marker + ' ' + message, from.port, from.address));`)['app.js'] ??
        '',
    );
    await until('100 answers', () => answers.size === 100);
    await quit();
  });

  test('closed and bound again within one generation, and on another address', async () => {
    const begun = await run(`const bound = async (...where) => once(open().bind(...where), 'listening');
let socket = open();
await once(socket.bind(port, '127.0.0.1'), 'listening');
for (const address of ['127.0.0.1', '0.0.0.0', '127.0.0.1']) {
  await new Promise((resolve) => setTimeout(resolve, 20));
  socket.close();
  socket = open();
  await once(socket.bind(port, address), 'listening');
  console.log(marker + ' is bound again');
}
console.log(marker + ' done');`);
    for (const to of ['m0', 'm1']) {
      if (to !== 'm0') await reload(begun, to);
      await begun.hotrun.seen(new RegExp(`${to} done`), 'stdout');
      const number = Number(to.slice(1));
      open().send(String(number), begun.port, '127.0.0.1');
      await until('the datagram', () => begun.got().includes(number));
    }
    await begun.quit();
  });

  test('two sockets that share a port by reuseAddr', async () => {
    const begun = await run(`for (let count = 0; count < 2; count++) {
  const socket = dgram.createSocket({ type: 'udp4', reuseAddr: true });
  await once(socket.bind(port, '127.0.0.1'), 'listening');
}
console.log(marker + ' done');`);
    for (const to of ['m0', 'm1', 'm2']) {
      if (to !== 'm0') await reload(begun, to);
      await begun.hotrun.seen(new RegExp(`${to} done`), 'stdout');
    }
    await begun.quit();
  });

  test('the buffer is larger than the kernel’s default, but for an app that chooses its own', async () => {
    const begun = await run(`const plain = dgram.createSocket('udp4').bind(0, () => {
  const socket = open().bind(port, '127.0.0.1', () => {
    console.log('default ' + plain.getRecvBufferSize() + ' ours ' + socket.getRecvBufferSize());
  });
  const own = dgram.createSocket({ type: 'udp4', recvBufferSize: 65536 }).bind(port, '127.0.0.2', () => {
    console.log('own ' + own.getRecvBufferSize());
  });
});`);
    const [, plain, ours] = await begun.hotrun.seen(/default (\d+) ours (\d+)/, 'stdout');
    expect(Number(ours)).toBeGreaterThan(Number(plain));
    await begun.hotrun.seen(/own (65536|131072)\n/, 'stdout');
    await begun.quit();
  });
});
