/** What does not speak plain HTTP/1: ended as politely as the protocol allows, and never refused. */
import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http2 from 'node:http2';
import net from 'node:net';
import tls from 'node:tls';
import { afterEach, describe, expect, test } from 'vitest';
import { type Begun, begin, ENTITLE, endAll, NODES } from '../e2e/begin.ts';
import { until } from '../rig.ts';
import { ask, askAlong, failed, openLine, type Where } from './lines.ts';

const closers = new Set<() => void>();
afterEach(async () => {
  for (const close of closers) close();
  closers.clear();
  await endAll();
});

const marker = (text: string): string => `export const marker = '${text}';\n`;
/** `released()` resolves when the test writes the file `go`. */
const app = (rest: string): Record<string, string> => ({
  'app.js': `${ENTITLE}
import { existsSync, readFileSync } from 'node:fs';
import http2 from 'node:http2';
import https from 'node:https';
import net from 'node:net';
import { marker } from './marker.js';
const port = Number(process.env.PORT);
const released = async () => {
  while (!existsSync('go')) await new Promise((resolve) => setTimeout(resolve, 5));
};
const answer = async (request, response) => {
  if (request.url === '/slow') {
    console.log('slow ' + marker);
    await released();
  }
  response.end(marker);
};
${rest}
`,
  'marker.js': marker('m0'),
});
const HAS_OPENSSL = spawnSync('openssl', ['version']).status === 0;

describe.each(NODES)('on Node $version', ({ node }) => {
  const reload = async ({ project, hotrun }: Begun, to: string): Promise<void> => {
    project.write('marker.js', marker(to));
    await hotrun.seen(/changed: ready in/);
  };
  async function run(rest: string, files: Readonly<Record<string, string>> = {}): Promise<Begun> {
    const begun = await begin({ ...app(rest), ...files }, { node, args: ['app.js'] });
    await begun.hotrun.seen(/ready in/);
    return begun;
  }

  // Without openssl nobody here can make a certificate.
  describe.skipIf(!HAS_OPENSSL)('https', () => {
    const CODE =
      "https.createServer({ key: readFileSync('key.pem'), cert: readFileSync('cert.pem') }, answer).listen(port, '127.0.0.1');";
    async function runTls(): Promise<Begun & { where: Where }> {
      const made = await begin({ 'idle.js': '' }, { node, args: ['idle.js'] });
      const make = [
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:prime256v1',
        '-nodes',
        '-days',
        '2',
      ];
      execFileSync('openssl', [...make, '-subj', '/CN=localhost', '-keyout', 'key.pem', '-out', 'cert.pem'], {
        cwd: made.project.dir,
        stdio: 'ignore',
      });
      const pem = (name: string): string => readFileSync(made.project.path(name), 'utf8');
      const begun = await run(CODE, { 'key.pem': pem('key.pem'), 'cert.pem': pem('cert.pem') });
      const where = (): tls.TLSSocket =>
        tls.connect({ port: begun.port, host: '127.0.0.1', rejectUnauthorized: false });
      return { ...begun, where };
    }

    test('fresh connections: none fails', async () => {
      const begun = await runTls();
      const along = askAlong(begun.where);
      for (const to of ['m1', 'm2']) {
        await reload(begun, to);
        expect(await ask(begun.where)).toBe(to);
      }
      const answers = await along.stop();
      expect(failed(answers)).toEqual({});
      expect(new Set(answers).size).toBe(3);
      await begun.quit();
    });

    test('busy keep-alive connections: none fails', async () => {
      const begun = await runTls();
      let isOver = false;
      const answers: string[] = [];
      const loops = Array.from({ length: 8 }, async () => {
        let line = openLine(begun.where);
        while (!isOver) {
          if (line.isOver) line = openLine(begun.where);
          answers.push(await line.ask());
        }
        line.socket.destroy();
      });
      for (const to of ['m1', 'm2', 'm3']) {
        await reload(begun, to);
        await until(`an answer of ${to}`, () => answers.includes(to));
      }
      isOver = true;
      await Promise.all(loops);
      expect(failed(answers)).toEqual({});
      await begun.quit();
    });

    test('a keep-alive connection is ended between two requests, or by the answer under way', async () => {
      const begun = await runTls();
      const idle = openLine(begun.where);
      expect(await idle.ask()).toBe('m0');
      const busy = openLine(begun.where);
      let head = '';
      busy.socket.on('data', (text: string) => {
        head += text;
      });
      const slow = busy.ask('/slow');
      await begun.hotrun.seen(/slow m0/, 'stdout');
      const ended = [idle, busy].map(({ socket }) => once(socket, 'end'));
      begun.project.write('marker.js', marker('m1'));
      await ended[0];
      begun.project.write('go', '');
      expect(await slow).toBe('m0');
      await ended[1];
      expect(head).toMatch(/^connection: close\r$/im);
      await until('the next generation', async () => (await ask(begun.where)) === 'm1');
      await begun.quit();
    });
  });

  describe('http2 without TLS', () => {
    const CODE = "http2.createServer(answer).listen(port, '127.0.0.1');";
    const connect = (port: number): http2.ClientHttp2Session => {
      const session = http2.connect(`http://127.0.0.1:${port}`);
      closers.add(() => session.destroy());
      return session;
    };
    const askIn = (session: http2.ClientHttp2Session, path: string): Promise<string> =>
      new Promise((resolve) => {
        const stream = session.request({ ':path': path });
        let body = '';
        stream.setEncoding('utf8').on('data', (text: string) => {
          body += text;
        });
        stream.on('end', () => resolve(body));
        stream.on('error', (error: NodeJS.ErrnoException) => resolve(`failed ${error.message}`));
      });

    test('the streams that run are finished, the session is told to go', async () => {
      const begun = await run(CODE);
      const session = connect(begun.port);
      const slow = Array.from({ length: 5 }, () => askIn(session, '/slow'));
      for (const _ of slow) await begun.hotrun.seen(/slow m0/, 'stdout');
      const goaway = once(session, 'goaway');
      const closed = once(session, 'close');
      begun.project.write('marker.js', marker('m1'));
      expect((await goaway)[0]).toBe(0);
      begun.project.write('go', '');
      expect(await Promise.all(slow)).toEqual(slow.map(() => 'm0'));
      await closed;
      expect(await askIn(connect(begun.port), '/')).toBe('m1');
      await begun.quit();
    });

    test('a client that opens another session when it is told to go sees no failure', async () => {
      const begun = await run(CODE);
      let session = connect(begun.port);
      let isOver = false;
      const answers: string[] = [];
      let again = 0;
      const loop = async (): Promise<void> => {
        while (!isOver) {
          if (session.closed || session.destroyed) session = connect(begun.port);
          const answer = await askIn(session, '/');
          // RFC 9113, 8.7: a refused stream was not looked at, and may be sent again.
          if (/REFUSED_STREAM/.test(answer)) again++;
          else answers.push(answer);
        }
      };
      const loops = Array.from({ length: 10 }, loop);
      for (const to of ['m1', 'm2', 'm3']) {
        await reload(begun, to);
        await until(`an answer of ${to}`, () => answers.includes(to));
      }
      isOver = true;
      await Promise.all(loops);
      console.log(`http2: ${answers.length} answers, ${again} sent again`);
      expect(failed(answers)).toEqual({});
      await begun.quit();
    });
  });

  test('net: connections end with their generation, and none is refused', async () => {
    const begun = await run(`net.createServer((socket) => socket.on('error', () => {}).on('data', (data) => {
  socket.write(marker + ' ' + data);
})).listen(port, '127.0.0.1');`);
    const connect = (): net.Socket => net.connect(begun.port, '127.0.0.1').setEncoding('utf8');
    for (const to of ['m0', 'm1', 'm2']) {
      const socket = connect();
      socket.write('hello');
      const [text] = await once(socket, 'data');
      expect(text).toBe(`${to} hello`);
      const ended = once(socket, 'close');
      if (to === 'm2') socket.destroy();
      else await reload(begun, `m${Number(to.slice(1)) + 1}`);
      expect((await ended)[0]).toBe(false);
    }
    await begun.quit();
  });

  test('net: connects during the reload wait for the next generation', async () => {
    const begun = await run(`import { setTimeout as pause } from 'node:timers/promises';
console.log('begun ' + marker);
if (marker !== 'm0') await released();
net.createServer((socket) => socket.on('error', () => {}).end(marker)).listen(port, '127.0.0.1');`);
    begun.project.write('marker.js', marker('m1'));
    await begun.hotrun.seen(/begun m1/, 'stdout');
    const early = Array.from({ length: 20 }, () => net.connect(begun.port, '127.0.0.1').setEncoding('utf8'));
    begun.project.write('go', '');
    const texts = await Promise.all(early.map(async (socket) => (await once(socket, 'data'))[0]));
    expect(new Set(texts)).toEqual(new Set(['m1']));
    await begun.quit();
  });
});
