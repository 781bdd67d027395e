// Clients in a process of their own, none of which tries anything again. Its argument is, as JSON, { port, groups: [{ kind,
// count, path, think }] }; of each kind:
//   kept    a connection each, kept for ever: the next request follows the answer, `think` ms later at most
//   fresh   a connection for each request
//   agent   Node's own agent with keepAlive and `count` sockets
// Each answer is a marker, `m` and a number, alone or as GraphQL answers. Lines on stdin are numbers: whatever is asked after that must be answered by
// that number, or newer. When stdin ends, each asks once more; then what was seen is printed as JSON.
import http from 'node:http';
import { openWire } from './wire.mjs';

const { port, groups } = JSON.parse(process.argv[2]);
let floor = 0;
let newest = 0;
let asking = true;

async function asked(report, ask) {
  const since = performance.now();
  const [before, atLeast] = [newest, floor];
  try {
    const text = await ask();
    const marker = Number(/^(?:m|\{"data":\{"marker":"m)(\d+)(?:"\}\})?$/.exec(text)?.[1] ?? Number.NaN);
    if (Number.isNaN(marker)) throw new Error(`answered ${JSON.stringify(text.slice(0, 200))}`);
    report.requests++;
    if (marker < atLeast) report.stale.push({ marker, atLeast });
    if (marker < before) report.older++;
    newest = Math.max(newest, marker);
    report.newest = Math.max(report.newest, marker);
  } catch (error) {
    report.failed.push(
      `${error.code ?? error.message}, request ${report.requests}, after ${performance.now() - since} ms`,
    );
    throw error;
  }
  report.longestMs = Math.max(report.longestMs, performance.now() - since);
}

const bodyOf = ({ status, headers, body }) => {
  if (status !== 200) throw new Error(`status ${status}: ${body}`);
  if (headers.connection === 'close') throw new Error('told to close');
  return body.toString();
};

/** Asks as long as we do, and once more. */
async function loop(think, ask) {
  try {
    for (let last = false; !last; ) {
      if (think > 0) await new Promise((resolve) => setTimeout(resolve, Math.random() * think));
      last = !asking;
      await ask();
    }
  } catch {
    // It is in the report, and is not tried again.
  }
}

const KINDS = {
  async kept({ path, think }, report) {
    const wire = openWire(port);
    const local = await wire.connected;
    await loop(think, () => asked(report, async () => bodyOf(await wire.get(path))));
    // What came by itself, a 408 say, or an answer too many.
    if (wire.unread > 0) report.failed.push(`${wire.unread} bytes that nobody asked for`);
    if (wire.socket.localPort === local && !wire.socket.destroyed) report.kept++;
    wire.close();
  },
  fresh: ({ path, think }, report) =>
    loop(think, () =>
      asked(report, async () => {
        const wire = openWire(port);
        const answer = await wire.get(path);
        wire.close();
        return bodyOf(answer);
      }),
    ),
  async agent({ path, think }, report, { agent, ports }) {
    await loop(think, () =>
      asked(
        report,
        () =>
          new Promise((resolve, reject) => {
            const request = http.get({ port, host: '127.0.0.1', path, agent }, (response) => {
              ports.add(response.socket.localPort);
              let text = '';
              response.setEncoding('utf8').on('data', (part) => {
                text += part;
              });
              response.on('end', () => resolve(text)).on('error', reject);
            });
            request.on('error', reject);
          }),
      ),
    );
    report.kept = ports.size;
  },
};

const reports = groups.map(async (group) => {
  const { kind, count, path = '/', think = 0 } = group;
  const report = { kind, requests: 0, failed: [], stale: [], older: 0, newest: 0, kept: 0, longestMs: 0 };
  const shared = { agent: new http.Agent({ keepAlive: true, maxSockets: count }), ports: new Set() };
  await Promise.all(Array.from({ length: count }, () => KINDS[kind]({ path, think }, report, shared)));
  shared.agent.destroy();
  return report;
});

let line = '';
process.stdin.setEncoding('utf8').on('data', (part) => {
  line += part;
  for (let at = line.indexOf('\n'); at >= 0; at = line.indexOf('\n')) {
    floor = Math.max(floor, Number(line.slice(0, at)));
    line = line.slice(at + 1);
  }
});
process.stdin.on('end', () => {
  asking = false;
});
process.stdout.write(JSON.stringify(await Promise.all(reports)));
