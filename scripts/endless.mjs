// How long a reload takes while streams of events and WebSockets are open that never end by themselves, and how long it
// takes without them: the time that hotrun tells. Each client opens its stream anew when it ends. Before that the same with
// connections on which nothing happens: between two requests, and such as never spoke. Prints the medians and how often
// the clients came again; the exit code is 1 if one came more than once a reload, or met an error, or an idle one ended.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '50' },
    reloads: { type: 'string', default: '15' },
    handover: { type: 'string', default: 'sequential' },
    node: { type: 'string', default: process.execPath },
    hotrun: { type: 'string', default: fileURLToPath(new URL('../bin/hotrun.js', import.meta.url)) },
  },
});
const [count, reloads] = [values.count, values.reloads].map(Number);

const APP = `import { createServer } from 'node:http';
import { createHash } from 'node:crypto';
import './marker.js';
const server = createServer((request, response) => {
  if (request.url === '/idle') return response.end('idle');
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.write('data: hello\\n\\n');
});
server.on('upgrade', (request, socket) => {
  const key = createHash('sha1').update(request.headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest('base64');
  socket.write('HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\nSec-WebSocket-Accept: ' + key + '\\r\\n\\r\\n');
  socket.on('data', () => {});
});
server.keepAliveTimeout = 600_000;
server.listen(0, '127.0.0.1', () => console.log('port ' + server.address().port));
`;
const EVENTS = 'GET / HTTP/1.1\r\nhost: localhost\r\n\r\n';
const WEBSOCKET =
  'GET / HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n';
const IDLE = 'GET /idle HTTP/1.1\r\nhost: localhost\r\n\r\n';
/** Connections between two requests, and spare ones. */
const [IDLES, SPARES] = [200, 10];
/** Between two reloads, in ms: the clients are back, the standby waits. */
const QUIET_MS = 600;

const dir = mkdtempSync(join(tmpdir(), 'hotrun-endless-'));
const write = (file, text) => writeFileSync(join(dir, file), text);
write('package.json', '{ "type": "module" }');
write('app.js', APP);
write('marker.js', '');
const hotrun = spawn(values.node, [values.hotrun, '--handover', values.handover, 'app.js'], {
  cwd: dir,
  env: { ...process.env, NO_COLOR: '1' },
  stdio: ['ignore', 'pipe', 'pipe'],
});
let told = '';
let heard = () => {};
hotrun.stderr.setEncoding('utf8').on('data', (text) => {
  told += text;
  heard();
});
const ended = new Promise((resolve) => {
  hotrun.once('close', resolve);
});
const port = await new Promise((resolve) => {
  let text = '';
  hotrun.stdout.setEncoding('utf8').on('data', (part) => {
    text += part;
    const found = /port (\d+)/.exec(text);
    if (found) resolve(Number(found[1]));
  });
});
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

let saves = 0;
async function reload() {
  const from = told.length;
  write('marker.js', `// ${++saves}\n`);
  return new Promise((resolve) => {
    heard = () => {
      const found = /ready in ([\d.]+) (m?s)/.exec(told.slice(from));
      if (found) resolve(Number(found[1]) * (found[2] === 's' ? 1000 : 1));
    };
    heard();
  });
}
async function median() {
  const times = [];
  for (let nth = 0; nth < reloads; nth++) {
    await pause(QUIET_MS);
    times.push(await reload());
  }
  return times.sort((a, b) => a - b)[reloads >> 1];
}

let isOver = false;
const opened = [];
const errors = [];
function keepOpen(nth) {
  opened[nth] = (opened[nth] ?? 0) + 1;
  const socket = net.connect(port, '127.0.0.1', () => socket.write(nth % 2 ? EVENTS : WEBSOCKET));
  let text = '';
  socket.on('data', (part) => {
    text = (text + part.toString('latin1')).slice(-64);
    // The stream has ended well; a browser would ask again on another connection or on this one.
    if (text.endsWith('\r\n0\r\n\r\n')) socket.end();
  });
  socket.on('error', ({ code }) => errors.push(code));
  socket.on('end', () => socket.end());
  socket.on('close', () => !isOver && keepOpen(nth));
}

/** Opens connections on which nothing happens any more, and gives how to count those that have ended. */
async function openIdle(all, request) {
  let over = 0;
  const sockets = Array.from({ length: all }, () => {
    const socket = net.connect(port, '127.0.0.1', () => socket.write(request));
    return socket
      .on('error', () => {})
      .on('close', () => over++)
      .resume();
  });
  await pause(QUIET_MS);
  return () => {
    const ended = over;
    for (const socket of sockets) socket.destroy();
    return ended;
  };
}

await reload();
const without = await median();
const idle = await openIdle(IDLES, IDLE);
const withIdle = await median();
const idleEnded = idle();
const spare = await openIdle(SPARES, '');
const withSpare = await median();
const spareEnded = spare();
for (let nth = 0; nth < 2 * count; nth++) keepOpen(nth);
await pause(QUIET_MS);
const withThem = await median();
await pause(QUIET_MS);
isOver = true;
hotrun.kill('SIGINT');
await ended;
rmSync(dir, { recursive: true, force: true });

const again = opened.map((times) => times - 1);
console.log(
  `${reloads} reloads (${values.handover}), median: ${without} ms without, ${withThem} ms with ${count} streams of events and ${count} WebSockets`,
);
console.log(
  `${withIdle} ms with ${IDLES} idle keep-alive connections, of which ${idleEnded} have ended; ${withSpare} ms with ${SPARES} that never spoke, of which ${spareEnded}`,
);
console.log(
  `each came again ${Math.min(...again)} to ${Math.max(...again)} times, ${errors.length} errors ${errors[0] ?? ''}`,
);
process.exitCode = errors.length > 0 || idleEnded + spareEnded > 0 || again.some((times) => times !== reloads) ? 1 : 0;
