// The soak: three HTTP clients that know nothing of one another (Node's agent, undici, Python's http.client) ask an app all
// the while that it is reloaded. Every request has a name, which the app writes down and answers with, and with the
// port that it was asked from. In the end: none failed, none was answered twice, every connection is still the one that
// it was in the beginning. Prints what it saw; the exit code is 1 if anything of that is not so.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const USAGE = `node scripts/soak.mjs [options]
  --reloads N     how many reloads (300)
  --requests N    at least so many requests (500000)
  --seconds N     give up after that long (1800)
  --handover KIND sequential or overlap (sequential)
  --node PATH     the Node.js that runs hotrun (this one)
  --hotrun PATH   another build's bin/hotrun.js`;
const { values } = parseArgs({
  options: {
    reloads: { type: 'string', default: '300' },
    requests: { type: 'string', default: '500000' },
    seconds: { type: 'string', default: '1800' },
    handover: { type: 'string', default: 'sequential' },
    node: { type: 'string', default: process.execPath },
    hotrun: { type: 'string', default: fileURLToPath(new URL('../bin/hotrun.js', import.meta.url)) },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
if (values.help) {
  console.log(USAGE);
  process.exit();
}
const [reloads, requests, seconds] = [values.reloads, values.requests, values.seconds].map(Number);

/** How long the end of the clients and of hotrun is waited for, in ms. */
const END_MS = 30_000;
const PAUSE_MS = 20;
/** After a reload: the connections have moved, the standby is there. */
const QUIET_MS = 500;

const APP = `import { openSync, writeSync } from 'node:fs';
import { createServer } from 'node:http';
import { marker } from './marker.js';
const log = openSync('log', 'a');
const server = createServer(({ url, socket }, response) => {
  const name = url.slice(1);
  if (name) writeSync(log, name + '\\n');
  const answer = () => response.end(name + ' ' + marker + ' ' + socket.remotePort);
  if (name.endsWith('0')) setTimeout(answer, 20);
  else answer();
});
// A client that is held up for long shall find its connection as it left it.
server.keepAliveTimeout = 120_000;
server.listen(Number(process.env.PORT), '127.0.0.1');
`;
const markerSource = (count) => `export const marker = 'm${count}';\n`;

const dir = mkdtempSync(join(tmpdir(), 'hotrun-soak-'));
const write = (file, text) => writeFileSync(join(dir, file), text);
write('package.json', '{ "type": "module" }');
write('app.js', APP);
write('marker.js', markerSource(0));
write('log', '');

const port = await new Promise((resolve) => {
  const server = net.createServer().listen(0, '127.0.0.1', () => {
    const free = server.address().port;
    server.close(() => resolve(free));
  });
});
const { NODE_OPTIONS: _, ...env } = process.env;
const hotrun = spawn(values.node, [values.hotrun, '--handover', values.handover, 'app.js'], {
  cwd: dir,
  env: { ...env, PORT: String(port), NO_COLOR: '1' },
  stdio: ['ignore', 'inherit', 'pipe'],
});
let said = '';
hotrun.stderr.setEncoding('utf8').on('data', (text) => {
  said += text;
});
for (const signal of ['SIGINT', 'SIGTERM'])
  process.once(signal, () => {
    hotrun.kill('SIGINT');
    rmSync(dir, { recursive: true, force: true });
    process.exit(1);
  });
const hotrunEnded = new Promise((resolve) => {
  hotrun.once('close', (code, signal) => resolve(code ?? signal));
});

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
/** Undefined if it takes longer. */
async function within(ms, promise) {
  let timer;
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
/** The marker that the app answers with; undefined if it does not answer. */
const ask = () =>
  new Promise((resolve) => {
    const request = http.get({ port, host: '127.0.0.1', agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part) => {
        text += part;
      });
      response.on('end', () => resolve(text.split(' ')[1]));
    });
    request.on('error', () => resolve(undefined));
  });

const since = performance.now();
const elapsed = () => (performance.now() - since) / 1000;
const isLate = () => elapsed() > seconds || hotrun.exitCode !== null;
const answers = async (marker) => {
  while (!isLate()) {
    if ((await ask()) === marker) return true;
    await pause(PAUSE_MS);
  }
  return false;
};
const statusOf = (field) => {
  try {
    return Number(
      new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(readFileSync(`/proc/${hotrun.pid}/status`, 'utf8'))?.[1],
    );
  } catch {
    return Number.NaN;
  }
};
const descriptors = () => {
  try {
    return readdirSync(`/proc/${hotrun.pid}/fd`).length;
  } catch {
    return Number.NaN;
  }
};

const script = (name) => fileURLToPath(new URL(`soak/${name}`, import.meta.url));
const hasPython = spawnSync('python3', ['--version']).status === 0;
const CLIENTS = [
  { name: 'node:http agent', argv: [process.execPath, script('agent.mjs')] },
  { name: 'undici', argv: [process.execPath, script('undici.mjs')] },
  ...(hasPython ? [{ name: 'Python http.client', argv: ['python3', script('client.py')] }] : []),
];
if (!hasPython) console.log('there is no python3 here: one client less');

/** A client prints its number of requests now and then, and a report as JSON when its stdin has ended. */
function startClient({ name, argv }) {
  const child = spawn(argv[0], [...argv.slice(1), String(port)], { env, stdio: ['pipe', 'pipe', 'inherit'] });
  const client = { name, child, requests: 0, report: undefined };
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (part) => {
    text += part;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
      const line = text.slice(0, end);
      text = text.slice(end + 1);
      if (line.startsWith('{')) client.report = JSON.parse(line);
      else client.requests = Number(line);
    }
  });
  client.ended = new Promise((resolve) => {
    child.once('close', resolve);
  });
  return client;
}

const problems = [];
const claim = (isTrue, problem) => {
  if (!isTrue) problems.push(problem);
};

let done = 0;
const longest = { reload: 0 };
claim(await answers('m0'), 'the app does not answer');
const clients = CLIENTS.map(startClient);
const total = () => clients.reduce((sum, client) => sum + client.requests, 0);
/** When the first reloads are over, and everything has been opened that stays open. */
let early;
while (!isLate() && done < reloads) {
  const before = performance.now();
  write('marker.js', markerSource(done + 1));
  if (!(await answers(`m${done + 1}`))) break;
  longest.reload = Math.max(longest.reload, performance.now() - before);
  done++;
  if (done === Math.min(10, reloads)) {
    await pause(QUIET_MS);
    early = { memory: statusOf('VmRSS'), descriptors: descriptors() };
  }
  while (!isLate() && total() < (requests * done) / reloads) await pause(PAUSE_MS);
}
while (!isLate() && total() < requests) await pause(PAUSE_MS);

for (const { child } of clients) child.stdin.end();
await within(END_MS, Promise.all(clients.map(({ ended }) => ended)));
const late = { memory: statusOf('VmRSS'), descriptors: descriptors() };
hotrun.kill('SIGINT');
const ending = await within(END_MS, hotrunEnded);
const took = elapsed();

const written = readFileSync(join(dir, 'log'), 'utf8').split('\n').slice(0, -1);
const twice = written.length - new Set(written).size;
const rows = clients.map(({ name, child, report }) => {
  if (child.exitCode === null) child.kill('SIGKILL');
  claim(report, `${name} has not reported`);
  if (!report) return { client: name };
  const failed = Object.entries(report.failed);
  const opened = report.kept - report.ports;
  claim(failed.length === 0, `${name}: ${failed.map(([what, count]) => `${count} × ${what}`).join(', ')}`);
  claim(opened === 0, `${name}: ${report.kept} connections had ${report.ports} ports`);
  claim(report.requests > 0, `${name} has asked nothing`);
  return {
    client: name,
    requests: report.requests,
    failed: failed.reduce((sum, [, count]) => sum + count, 0),
    connections: report.kept,
    'their ports': report.ports,
    fresh: report.fresh,
    'longest, ms': Math.round(report.longestMs),
  };
});
const answered = clients.reduce((sum, { report }) => sum + (report?.requests ?? 0), 0);
claim(done === reloads, `${done} of ${reloads} reloads in ${seconds} s`);
claim(answered >= requests, `${answered} of ${requests} requests in ${seconds} s`);
claim(twice === 0, `${twice} requests were answered twice`);
claim(written.length === answered, `${written.length} requests reached the app, ${answered} were answered`);
claim(ending === 130, `hotrun ended with ${ending}`);

console.table(rows);
console.log(
  `${done} reloads (${values.handover}), the longest ${Math.round(longest.reload)} ms; ${answered} requests in ${took.toFixed(1)} s`,
);
if (early)
  console.log(
    `hotrun: ${early.memory} KiB and ${early.descriptors} descriptors early, ${late.memory} KiB and ${late.descriptors} in the end`,
  );
for (const problem of problems) console.log(`NOT AS IT SHOULD BE: ${problem}`);
if (problems.length > 0) console.log(said.split('\n').slice(-20).join('\n'));
rmSync(dir, { recursive: true, force: true });
process.exitCode = problems.length > 0 ? 1 : 0;
