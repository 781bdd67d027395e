/** Tools that look into the app find the project's own lines: a debugger, and Node's coverage. */
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import http from 'node:http';
import { SourceMap } from 'node:module';
import type net from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { freePort, markerSource, until } from '../rig.ts';
import { begin, endAll, NODES, SERVER, server } from './begin.ts';

afterEach(endAll);

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
}

/** The page of targets that a debugger asks for first. Undefined: nobody is there. */
const targets = (port: number): Promise<{ readonly id: string; readonly webSocketDebuggerUrl: string }[] | undefined> =>
  new Promise((resolve) => {
    http
      .get({ host: '127.0.0.1', port, path: '/json/list' }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part: string) => {
          text += part;
        });
        response.on('end', () => resolve(JSON.parse(text)));
      })
      .on('error', () => resolve(undefined));
  });

/** As much of a WebSocket (RFC 6455) as a debugger needs: Node 20 has none. */
async function attach(port: number) {
  const [target] = (await until('the debugger port', () => targets(port))) ?? [];
  const socket = await new Promise<net.Socket>((resolve, reject) => {
    http
      .get({
        host: '127.0.0.1',
        port,
        path: new URL(target?.webSocketDebuggerUrl ?? '').pathname,
        headers: {
          connection: 'Upgrade',
          upgrade: 'websocket',
          'sec-websocket-version': '13',
          'sec-websocket-key': randomBytes(16).toString('base64'),
        },
      })
      .on('upgrade', (_response, upgraded) => resolve(upgraded as net.Socket))
      .on('error', reject);
  });
  socket.on('error', () => {});
  const messages: Message[] = [];
  let bytes = Buffer.alloc(0);
  socket.on('data', (part: Buffer) => {
    bytes = Buffer.concat([bytes, part]);
    for (;;) {
      const [length = 0, start] =
        bytes[1] === 126 ? [bytes.readUInt16BE(2), 4] : bytes[1] === 127 ? [bytes.readUInt32BE(6), 10] : [bytes[1], 2];
      if (bytes.length < start + length || bytes.length < 2) return;
      messages.push(JSON.parse(bytes.subarray(start, start + length).toString()));
      bytes = bytes.subarray(start + length);
    }
  });
  let id = 0;
  return {
    target: target?.id,
    messages,
    send(method: string, params = {}): number {
      const text = Buffer.from(JSON.stringify({ id: ++id, method, params }));
      const head = [0x81, 0x80 | 126, text.length >> 8, text.length & 255, 0, 0, 0, 0];
      socket.write(Buffer.concat([Buffer.from(head), text]));
      return id;
    },
    seen: (what: (message: Message) => boolean): Promise<Message> => until('a message', () => messages.find(what)),
    close: () => socket.destroy(),
  };
}

/** The debugger of the first worker thread that comes, by the NodeWorker domain. */
function ofWorker(inspector: Awaited<ReturnType<typeof attach>>) {
  const messages: Message[] = [];
  let read = 0;
  const look = (): Message[] => {
    for (; read < inspector.messages.length; read++) {
      const { method, params } = inspector.messages[read] ?? {};
      if (method === 'NodeWorker.receivedMessageFromWorker') messages.push(JSON.parse(String(params?.message)));
    }
    return messages;
  };
  let id = 0;
  return {
    async send(method: string, params = {}): Promise<number> {
      const { params: attached } = await inspector.seen(({ method }) => method === 'NodeWorker.attachedToWorker');
      const message = JSON.stringify({ id: ++id, method, params });
      inspector.send('NodeWorker.sendMessageToWorker', { sessionId: attached?.sessionId, message });
      return id;
    },
    seen: (what: (message: Message) => boolean): Promise<Message> =>
      until('a message of the worker', () => look().find(what)),
  };
}

/** Each mapping of a script that is compiled from one file: its place there, and its line in the source, from 1. */
function mappingsOf(script: Message): { lineNumber: number; columnNumber: number; line: number }[] {
  const [, base64 = ''] = String(script.params?.sourceMapURL).split(';base64,');
  const map = new SourceMap(JSON.parse(Buffer.from(base64, 'base64').toString()));
  const lines = map.payload.mappings.split(';').length;
  const found = new Map<string, { lineNumber: number; columnNumber: number; line: number }>();
  for (let line = 0; line < lines; line++)
    for (let column = 0; column < 120; column++) {
      const entry = map.findEntry(line, column);
      if (!('originalLine' in entry)) continue;
      const { generatedLine: lineNumber, generatedColumn: columnNumber, originalLine } = entry;
      found.set(`${lineNumber}:${columnNumber}`, { lineNumber, columnNumber, line: originalLine + 1 });
    }
  return [...found.values()];
}

/** The sources that a script's own map names. */
function sourcesOf({ params }: Message): string[] {
  const [, base64 = ''] = String(params?.sourceMapURL).split(';base64,');
  return JSON.parse(Buffer.from(base64, 'base64').toString()).sources;
}

describe.each(NODES)('on Node $version', ({ node }) => {
  test('--inspect: one port through reloads, and scripts that know their source', async () => {
    const port = await freePort();
    const { project, hotrun, quit } = await begin(SERVER, { node, args: [`--inspect=${port}`, 'src/server.ts'] });
    const seenBefore = new Set<string | undefined>();
    for (const marker of ['m1', 'm2']) {
      await hotrun.seen(/ready in/);
      const inspector = await attach(port);
      expect(seenBefore).not.toContain(inspector.target);
      seenBefore.add(inspector.target);
      inspector.send('Debugger.enable');
      const script = await inspector.seen(({ params }) => String(params?.url).endsWith('src/marker.ts'));
      expect(sourcesOf(script).join()).toContain('marker.ts');
      inspector.close();
      project.write('src/marker.ts', markerSource(marker));
    }
    await hotrun.seen(/ready in/);
    await quit();
  });

  test.each<
    [string, (port: number) => { env?: Record<string, string>; files?: Record<string, string>; args?: string[] }]
  >([
    ['the shell', (port) => ({ env: { NODE_OPTIONS: `--no-deprecation --inspect=${port}` } })],
    [
      'the envFile',
      (port) => ({ files: { '.hotrc.json': '{ "envFile": ".env" }', '.env': `NODE_OPTIONS=--inspect=${port}\n` } }),
    ],
    ['an --env-file', (port) => ({ files: { '.env': `NODE_OPTIONS=--inspect=${port}\n` }, args: ['--env-file=.env'] })],
  ])('--inspect in NODE_OPTIONS of %s is the app’s, on one port through reloads', async (_, given) => {
    const port = await freePort();
    const { env = {}, files = {}, args = [] } = given(port);
    const { project, hotrun, ask, quit } = await begin(
      {
        ...SERVER,
        ...files,
        'src/server.ts': server(
          `import inspector from 'node:inspector'; import { marker } from './marker.ts';`,
          `[marker, inspector.url(), process.env.NODE_OPTIONS]`,
        ),
      },
      { node, env, args: [...args, 'src/server.ts'] },
    );
    const seenBefore = new Set<string | undefined>();
    for (const marker of ['m0', 'm1', 'm2']) {
      await hotrun.seen(/ready in/);
      const inspector = await attach(port);
      expect(seenBefore).not.toContain(inspector.target);
      seenBefore.add(inspector.target);
      inspector.close();
      const [answered, url, options] = (await ask()).split(',');
      expect(answered).toBe(marker);
      expect(url).toBe(`ws://127.0.0.1:${port}/${inspector.target}`);
      expect(options).toContain(`--inspect=${port}`);
      if (marker !== 'm2') project.write('src/marker.ts', markerSource(marker === 'm0' ? 'm1' : 'm2'));
    }
    expect(hotrun.stderr()).not.toMatch(/in use|failed/);
    await quit();
  });

  test('--inspect-brk stops before the first line, and goes on when it is told to', async () => {
    const port = await freePort();
    const { hotrun, answers, quit } = await begin(SERVER, { node, args: [`--inspect-brk=${port}`, 'src/server.ts'] });
    const inspector = await attach(port);
    inspector.send('Debugger.enable');
    inspector.send('Runtime.runIfWaitingForDebugger');
    await inspector.seen(({ method }) => method === 'Debugger.paused');
    expect(hotrun.stderr()).not.toContain('ready in');
    inspector.send('Debugger.resume');
    await answers('m0');
    inspector.close();
    await quit();
  });

  test.each(['.ts', '.cts'])('a breakpoint in the %s file of a worker thread stops at its line', async (ending) => {
    const port = await freePort();
    const job = `import { parentPort } from 'node:worker_threads';
interface Job { readonly text: string }

enum Word { It = 'job' }
function answer(job: Job): string {
  const said: string = job.text + Word.It;
  return said;
}
parentPort!.on('message', (job: Job) => parentPort!.postMessage(answer(job)));
`;
    const main = server(
      `import { Worker } from 'node:worker_threads';
import { once } from 'node:events';
const worker = new Worker(new URL('./job${ending}', import.meta.url));`,
      'await ask()',
    ).replace(
      'createServer((_request, response)',
      `const ask = async () => { worker.postMessage({ text: 'a ' }); return (await once(worker, 'message'))[0] };
createServer(async (_request, response)`,
    );
    const { project, hotrun, ask, quit } = await begin(
      { 'src/server.ts': main, [`src/job${ending}`]: job },
      { node, args: [`--inspect=${port}`, 'src/server.ts'] },
    );
    for (const word of ['job', 'work']) {
      await hotrun.seen(/ready in/);
      const inspector = await attach(port);
      const worker = ofWorker(inspector);
      inspector.send('NodeWorker.enable', { waitForDebuggerOnStart: false });
      await worker.send('Debugger.enable');
      const script = await worker.seen(({ params }) => String(params?.url).endsWith(`src/job${ending}`));
      expect(sourcesOf(script).join()).toContain(`src/job${ending}`);
      const { line, ...where } = mappingsOf(script).find((each) => each.line === 7) ?? { line: 0, lineNumber: 0 };
      const id = await worker.send('Debugger.setBreakpointByUrl', { url: script.params?.url, ...where });
      const set = await worker.seen((message) => message.id === id);
      expect((set as { result?: { locations?: unknown[] } }).result?.locations).toHaveLength(1);
      const answer = ask();
      const paused = await worker.seen(({ method }) => method === 'Debugger.paused');
      const [frame] = (paused.params?.callFrames ?? []) as { location: object }[];
      expect(line).toBe(7);
      expect(frame?.location).toMatchObject({ lineNumber: where.lineNumber });
      await worker.send('Debugger.resume');
      expect(await answer).toBe(`a ${word}`);
      inspector.close();
      if (word === 'job') project.write(`src/job${ending}`, job.replace(`'job'`, `'work'`));
    }
    await quit();
  });

  test('NODE_V8_COVERAGE has the maps of the project’s modules, of every generation', async () => {
    const ends = `\nprocess.on('SIGINT', () => process.exit());\n`;
    const { project, hotrun, quit } = await begin(
      { ...SERVER, 'src/server.ts': `${SERVER['src/server.ts']}${ends}` },
      { node, env: { NODE_V8_COVERAGE: 'coverage' } },
    );
    await hotrun.seen(/ready in/);
    project.write('src/marker.ts', markerSource('m1'));
    await hotrun.seen(/ready in/);
    await quit();
    const maps = readdirSync(project.path('coverage')).flatMap((name) => {
      const { 'source-map-cache': cache = {} } = JSON.parse(readFileSync(project.path(`coverage/${name}`), 'utf8'));
      return Object.entries(cache).filter(([url]) => url.endsWith('src/marker.ts'));
    }) as [string, { data: { mappings: string } }][];
    expect(maps.length).toBeGreaterThanOrEqual(2);
    for (const [, { data }] of maps) expect(data.mappings).toContain('AAA');
  });
});
