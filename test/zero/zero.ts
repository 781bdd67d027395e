/** What the tests of zero loss share: an app that answers in every way, and what is asked of hotrun meanwhile. */
import { fileURLToPath } from 'node:url';
import { type BeginOptions, type Begun, begin as beginProject, ENTITLE } from '../e2e/begin.ts';
import { launch, markerSource } from '../rig.ts';

export { endAll, NODES } from '../e2e/begin.ts';

const CLIENT = fileURLToPath(new URL('client.mjs', import.meta.url));

/** Sizes for long runs; in CI the short forms. */
export const sized = (name: string, usual: number): number => Number(process.env[`HOTRUN_ZERO_${name}`] ?? usual);
export const EDITS = sized('EDITS', 20);

/** The paths of APP, and its line for each request that it has answered in the file `log`. */
const HANDLER = `import { once } from 'node:events';
import { appendFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { marker } from './marker.ts';
${ENTITLE}
export const later = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
export const note = (what: string) => appendFileSync('log', marker + ' ' + what + '\\n');
async function answer(request: IncomingMessage, response: ServerResponse) {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
  const count = Number(searchParams.get('count'));
  switch (pathname) {
    case '/slow':
      await later(300);
      return response.end(marker);
    case '/hash': {
      const hash = createHash('sha256');
      for await (const part of request) hash.update(part);
      note('hashed ' + searchParams.get('id'));
      return response.end(marker + ' ' + hash.digest('hex'));
    }
    // So many lines, at once or in as many chunks as it takes.
    case '/lines':
      response.setHeader('content-length', count * 64);
      return response.end(Array.from({ length: count }, (_, nth) => String(nth).padStart(63) + '\\n').join(''));
    case '/chunks':
      for (let nth = 0; nth < count; ) {
        let text = '';
        for (const end = Math.min(nth + 1000, count); nth < end; nth++) text += String(nth).padStart(63) + '\\n';
        if (!response.write(text)) await once(response, 'drain');
      }
      return response.end();
    // Answers before the body is here.
    case '/early':
      return response.end(marker);
    case '/events': {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' });
      const clock = setInterval(() => response.write('data: ' + marker + '\\n\\n'), 2);
      return request.on('close', () => clearInterval(clock));
    }
    // Its head comes late.
    case '/late-events':
      await later(300);
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      return response.write('data: ' + marker + '\\n\\n');
    case '/kill':
      process.kill(process.pid, 'SIGKILL');
      return later(1000);
    case '/crash':
      throw new Error('on request');
    default:
      return response.end(marker);
  }
}
export const server = createServer(OPTIONS, (request, response) => void answer(request, response));
server.on('upgrade', (request, socket) => {
  const accept = createHash('sha1').update(request.headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11');
  socket.write('HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: ' + request.headers.upgrade + '\\r\\nConnection: Upgrade\\r\\n');
  socket.write('Sec-WebSocket-Accept: ' + accept.digest('base64') + '\\r\\n\\r\\n');
  // A frame with the text 'hi', again and again: whoever ends the socket must see to it that this is no error.
  const clock = setInterval(() => socket.write(Buffer.from([0x81, 2, 0x68, 0x69])), 2);
  socket.on('close', () => clearInterval(clock));
  if (request.headers.upgrade === 'mute') clearInterval(clock);
  socket.resume();
});
`;

/** @param more lines of the app, before it listens; @param options of its server */
export const app = (more = '', options = '{}'): Readonly<Record<string, string>> => ({
  'src/handler.ts': HANDLER.replace('OPTIONS', options),
  'src/server.ts': `import { later, note, server } from './handler.ts';
import { marker } from './marker.ts';
${more}
server.listen(Number(process.env.PORT), '127.0.0.1');
`,
  'src/marker.ts': markerSource('m0'),
});

export interface Zero extends Begun {
  /** Saves the next marker and waits until its generation has taken over; the number of the marker. */
  reload(): Promise<number>;
  /** Saves the next marker and waits until the generation that serves has begun to drain. */
  beginReload(): Promise<number>;
  /** Waits for the end of what `beginReload` began. */
  endReload(): Promise<void>;
}

export async function begin(files: Readonly<Record<string, string>>, options: BeginOptions): Promise<Zero> {
  const begun = await beginProject(files, { ...options, args: ['--trace', ...(options.args ?? ['src/server.ts'])] });
  await begun.hotrun.seen(/ready in/);
  let marker = 0;
  const save = () => {
    marker++;
    if (marker % 2) begun.project.write('src/marker.ts', markerSource(`m${marker}`));
    else begun.project.replace('src/marker.ts', markerSource(`m${marker}`));
    return marker;
  };
  // What comes last: in a sequential handover the new one is ready when the old one is gone.
  const last = options.args?.includes('overlap') ? /event \{"type":"gone"/ : /changed: ready in/;
  const endReload = async () => void (await begun.hotrun.seen(last));
  return {
    ...begun,
    async reload() {
      const saved = save();
      await endReload();
      return saved;
    },
    async beginReload() {
      const saved = save();
      await begun.hotrun.seen(/"draining"/);
      return saved;
    },
    endReload,
  };
}

export interface Group {
  readonly kind: 'kept' | 'fresh' | 'agent';
  readonly count: number;
  readonly path?: string;
  /** In ms, at most. */
  readonly think?: number;
}

interface Report {
  readonly kind: Group['kind'];
  readonly requests: number;
  readonly failed: readonly string[];
  /** Answers of a generation that was gone when they were asked for. */
  readonly stale: readonly { readonly marker: number; readonly atLeast: number }[];
  /** Answers by an older generation than somebody had been answered by already. */
  readonly older: number;
  readonly newest: number;
  /** Connections that are the same from the beginning to the end; of an agent, the number of all that it made. */
  readonly kept: number;
  readonly longestMs: number;
}

export interface Clients {
  /** What is asked from now on must be answered by this marker or a newer one. */
  floor(marker: number): void;
  /** Each asks once more. */
  end(): Promise<readonly Report[]>;
}

export function openClients({ project, port }: Begun, groups: readonly Group[]): Clients {
  const client = launch(project, [process.execPath, CLIENT, JSON.stringify({ port, groups })], { stdin: 'pipe' });
  return {
    floor: (marker) => void client.child.stdin?.write(`${marker}\n`),
    async end() {
      client.child.stdin?.end();
      const { code } = await client.ended;
      if (code !== 0) throw new Error(`the clients failed: ${client.stderr()}`);
      return JSON.parse(client.stdout());
    },
  };
}
