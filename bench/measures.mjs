// The measures. Each starts a tool on an app, and gives `text` for the table, and `ms` where there is one figure. An app
// has `dir`, and `edit()`, which saves and gives the new marker; it may have a fixed `port`, the `path` of what is asked
// (/), and its `first` marker (m0). An answer has the marker in it.
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';

/** An app that has not answered after this long never will, in ms. */
const LIMIT_MS = 20_000;
/** Between two saves, in ms: long enough for any tool to be ready for the next. */
const QUIET_MS = 1200;
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const median = (all) => all.sort((a, b) => a - b)[all.length >> 1];
const round = (ms) => (ms < 100 ? ms.toFixed(1) : String(Math.round(ms)));

async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** The body, or undefined with the error's code, or the status of a server's error, in `failed`. */
function ask(port, path, agent = false) {
  return new Promise((resolve) => {
    const request = http.get({ host: '127.0.0.1', port, path, agent }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (part) => {
        body += part;
      });
      const isFine = response.statusCode < 500;
      response
        .on('end', () => resolve(isFine ? { body } : { failed: `status ${response.statusCode}` }))
        .on('error', ({ code }) => resolve({ failed: code }));
    });
    request.setTimeout(LIMIT_MS, () => request.destroy());
    request.on('error', ({ code }) => resolve({ failed: code }));
  });
}

async function run({ app, command }, onText = null) {
  const port = app.port ?? (await freePort());
  const { path = '/', first = 'm0' } = app;
  const mark = `${process.pid}-${port}`;
  const since = performance.now();
  const child = spawn(command[0], command.slice(1), {
    cwd: app.dir,
    env: { ...process.env, PORT: String(port), BENCH_MARK: mark, NO_COLOR: '1' },
    stdio: ['ignore', 'ignore', onText ? 'pipe' : 'ignore'],
    detached: true,
  });
  child.stderr?.setEncoding('utf8').on('data', onText);
  const gone = new Promise((resolve) => child.once('close', resolve));
  const answers = async (marker = first) => {
    const asked = performance.now();
    while (!(await ask(port, path)).body?.includes(marker)) {
      if (performance.now() - asked > 2 * LIMIT_MS) throw new Error('no answer');
      await pause(1);
    }
    return performance.now();
  };
  /** All that carries our mark: those of the tool, whatever group or session they are in. */
  const processes = () =>
    readdirSync('/proc').filter((name) => {
      try {
        return /^\d+$/.test(name) && readFileSync(`/proc/${name}/environ`, 'latin1').includes(`BENCH_MARK=${mark}`);
      } catch {
        return false;
      }
    });
  return {
    ask: (agent) => ask(port, path, agent),
    since,
    answers,
    processes,
    interrupt: () => process.kill(-child.pid, 'SIGINT'),
    async end() {
      for (const pid of processes())
        try {
          process.kill(Number(pid), 'SIGKILL');
        } catch {
          // It has ended by itself.
        }
      await gone;
    },
  };
}

export async function latency(options, edits) {
  const tool = await run(options);
  try {
    await tool.answers();
    const times = [];
    for (let nth = -2; nth < edits; nth++) {
      await pause(QUIET_MS);
      const since = performance.now();
      const marker = options.app.edit();
      const until = await Promise.race([tool.answers(marker), pause(LIMIT_MS)]);
      if (until === undefined) return { text: 'misses saves' };
      if (nth >= 0) times.push(until - since);
    }
    const ms = median(times);
    return { ms, text: round(ms) };
  } finally {
    await tool.end();
  }
}

/** Of hotrun with --timings=json: the median of each of its steps, in ms since the save, and when a client is answered. */
export async function steps(options, edits) {
  let text = '';
  const tool = await run(options, (part) => {
    text += part;
  });
  try {
    await tool.answers();
    const answered = [];
    const marks = {};
    for (let nth = -2; nth < edits; nth++) {
      await pause(QUIET_MS);
      text = '';
      const since = performance.now();
      const until = await tool.answers(options.app.edit());
      while (!/^{.*}$/m.test(text)) await pause(1);
      if (nth < 0) continue;
      answered.push(until - since);
      for (const [name, ms] of Object.entries(JSON.parse(/^{.*}$/m.exec(text)[0]).ms)) {
        marks[name] ??= [];
        marks[name].push(ms);
      }
    }
    return {
      answered: median(answered),
      marks: Object.fromEntries(Object.entries(marks).map(([name, all]) => [name, median(all)])),
    };
  } finally {
    await tool.end();
  }
}

export async function failures(options) {
  const tool = await run(options);
  try {
    await tool.answers();
    await pause(QUIET_MS);
    const agent = new http.Agent({ keepAlive: true, maxSockets: 16 });
    const failed = {};
    let answered = 0;
    let isOver = false;
    const client = async (over) => {
      while (!isOver) {
        const answer = await tool.ask(over);
        if (answer.failed) failed[answer.failed] = (failed[answer.failed] ?? 0) + 1;
        else answered++;
        await pause(over ? 40 : 20);
      }
    };
    const clients = Array.from({ length: 24 }, (_, nth) => client(nth < 16 ? agent : false));
    for (let nth = 0; nth < 6; nth++) {
      await pause(1000);
      options.app.edit();
      await pause(1000);
    }
    isOver = true;
    await Promise.all(clients);
    agent.destroy();
    const sum = Object.values(failed).reduce((a, b) => a + b, 0);
    const codes = Object.entries(failed).map(([code, count]) => `${code} ${count}`);
    return { text: `${sum} of ${sum + answered}${sum > 0 ? `: ${codes.join(', ')}` : ''}` };
  } finally {
    await tool.end();
  }
}

export async function start(options, starts) {
  const times = [];
  for (let nth = 0; nth <= starts; nth++) {
    const tool = await run(options);
    const until = await tool.answers();
    times.push(until - tool.since);
    await pause(300);
    tool.interrupt();
    await pause(300);
    await tool.end();
  }
  const [first, ...others] = times;
  const ms = median(others);
  return { ms, text: `${round(ms)}, first ${round(first)}` };
}

export async function idle(options) {
  const tool = await run(options);
  try {
    await tool.answers();
    options.app.edit();
    await pause(4000);
    const look = () =>
      tool.processes().map((pid) => {
        // proc(5): fields 14 and 15 are user and system time; the name before them may hold blanks.
        const [, rest = ''] = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ');
        const fields = rest.split(' ');
        const memory = Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? 0);
        return { ticks: Number(fields[11]) + Number(fields[12]), memory, command: readlinkSync(`/proc/${pid}/exe`) };
      });
    const before = look();
    await pause(10_000);
    const after = look();
    const sum = (all, key) => all.reduce((total, each) => total + each[key], 0);
    const memory = after.map((each) => Math.round(each.memory / 1024)).sort((a, b) => b - a);
    return { text: `${sum(after, 'ticks') - sum(before, 'ticks')} ticks, ${memory.join(' + ')} MiB` };
  } finally {
    await tool.end();
  }
}

export async function stop(options) {
  const tool = await run(options);
  try {
    await tool.answers();
    await pause(QUIET_MS);
    options.app.edit();
    await pause(QUIET_MS);
    const since = performance.now();
    tool.interrupt();
    while (tool.processes().length > 0 && performance.now() - since < 4000) await pause(2);
    const left = tool.processes().length;
    return { text: left > 0 ? `${left} left after 4 s` : round(performance.now() - since) };
  } finally {
    await tool.end();
  }
}
