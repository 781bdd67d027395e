/** An app that is a cluster of its own: its workers answer, its primary has our runtime. Nobody loses a request by a reload. */
import { existsSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { ENTITLE } from '../e2e/begin.ts';
import { markerSource, until } from '../rig.ts';
import { ask, openLine } from './lines.ts';
import { begin, endAll, type Group, NODES, openClients, sized } from './zero.ts';

afterEach(endAll);

const RELOADS = sized('CLUSTER', 3);
/** Busy without a pause, idle most of the time, fresh, by Node's agent, and 200 ms under way. */
const GROUPS: readonly Group[] = [
  { kind: 'kept', count: 4 },
  { kind: 'kept', count: 20, think: 400 },
  { kind: 'fresh', count: 4 },
  { kind: 'agent', count: 4 },
  { kind: 'kept', count: 4, path: '/slow' },
  { kind: 'fresh', count: 4, path: '/slow' },
];

/** How it ends: by the signal, while its primary would start workers anew for ever; or as a cluster that means well. */
const ENDS = {
  none: {
    primary: `cluster.on('exit', () => cluster.fork());
  cluster.on('listening', ({ id }) => appendFileSync('listens', id + '\\n'));`,
    worker: '',
  },
  own: {
    primary: `let isStopping = false;
  process.once('SIGTERM', () => {
    isStopping = true;
  });
  cluster.on('exit', (worker, code, signal) => {
    writeFileSync('ended', code + ' ' + signal);
    if (!isStopping) cluster.fork();
    else if (Object.keys(cluster.workers!).length === 0) process.exit();
  });`,
    worker: `process.once('SIGTERM', () => server.close(() => process.exit()));`,
  },
};

const app = (policy: string, type: string, { primary, worker }: (typeof ENDS)['own']): Record<string, string> => ({
  'package.json': `{ "type": "${type}" }`,
  'src/server.ts': `import cluster from 'node:cluster';
import { appendFileSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { marker } from './marker.ts';
${ENTITLE}
if (cluster.isPrimary) {
  cluster.schedulingPolicy = cluster.SCHED_${policy};
  ${primary}
  for (let nth = 0; nth < 2; nth++) cluster.fork();
} else {
  const server = http.createServer(({ url }, response) => {
    if (url === '/hang') return appendFileSync('hangs', process.pid + '\\n');
    if (url === '/disconnect') cluster.worker!.disconnect();
    if (url === '/slow') setTimeout(() => response.end(marker), 200);
    else response.end(marker);
  });
  const { PORT = '' } = process.env;
  if (Number(PORT)) server.listen(Number(PORT), '127.0.0.1');
  else server.listen(PORT);
  ${worker}
}
`,
  'src/marker.ts': markerSource('m0'),
});

describe.each(NODES)('on Node $version', ({ node, version }) => {
  test.each([
    ['RR', 'module', 'none', 'sequential'],
    ['RR', 'commonjs', 'own', 'overlap'],
    ['NONE', 'module', 'own', 'sequential'],
    ['NONE', 'commonjs', 'none', 'sequential'],
  ] as const)('SCHED_%s, type %s, handlers for signals: %s, %s: none fails', async (policy, type, ends, handover) => {
    const args = ['--handover', handover, 'src/server.ts'];
    const zero = await begin(app(policy, type, ENDS[ends]), { node, args });
    await zero.answers('m0');
    const clients = openClients(zero, GROUPS);
    for (let edit = 1; edit <= RELOADS; edit++) clients.floor(await zero.reload());
    const reports = await clients.end();
    const failures = reports.flatMap(({ failed }) => failed);
    for (const [nth, { kind, count, path = '/' }] of GROUPS.entries()) {
      const report = reports[nth];
      if (!report) throw new Error('a report is missing');
      console.log(
        `${version} ${policy} ${kind} ${path}: ${report.requests} requests, ${report.failed.length} failed, the longest ${Math.round(report.longestMs)} ms`,
      );
      if (kind === 'kept') expect.soft(report.kept).toBe(count);
      if (kind === 'agent') expect.soft(report.kept).toBeLessThanOrEqual(count);
      expect.soft(report.stale).toEqual([]);
      expect.soft(report.newest).toBe(RELOADS);
    }
    expect(failures).toEqual([]);
    await zero.quit();
  });

  /** A drain that is not over has to be waited for for longer than a test waits. */
  const PATIENT = ['--stop', 'SIGTERM 60s', 'src/server.ts'];

  test.each(['RR', 'NONE'])(
    'SCHED_%s: a worker that dies does not hold up the drain, and the one in its place can listen',
    async (policy) => {
      const files = app(policy, 'module', { ...ENDS.own, primary: ENDS.none.primary });
      const { project, port, quit, answers, beginReload, endReload } = await begin(files, { node, args: PATIENT });
      await answers('m0');
      const lines = (file: string): string[] =>
        existsSync(project.path(file)) ? [...new Set(project.read(file).split('\n').filter(Boolean))] : [];
      const hung: Promise<string>[] = [];
      await until('both of them to have a request', async () => {
        if (lines('hangs').length === 2) return true;
        hung.push(ask({ port }, '/hang'));
      });
      await beginReload();
      const [one, other] = lines('hangs').map(Number);
      process.kill(one as number, 'SIGKILL');
      await until('the third', () => lines('listens').includes('3'));
      process.kill(other as number, 'SIGKILL');
      for (const answer of hung) expect(await answer).toMatch(/^failed /);
      await endReload();
      await answers('m1');
      await quit();
    },
  );

  test.each([
    ['without the runtime', 'cluster.setupPrimary({ execArgv: [], exec: "worker.mjs" });', {}],
    ['without modules from hotrun', 'cluster.setupPrimary({ exec: "worker.mjs" });', { TMPDIR: '/dev/null/tmp' }],
  ] as const)('workers %s do not hold up the drain', async (_which, primary, env) => {
    const worker = `import http from 'node:http';
http.createServer((_, response) => response.end('m' + process.env.HOTRUN_GENERATION)).listen(Number(process.env.PORT));
`;
    const files = { ...app('RR', 'module', { ...ENDS.none, primary }), 'worker.mjs': worker };
    const { answers, reload, quit } = await begin(files, { node, args: PATIENT, env });
    await answers('m1');
    await reload();
    await answers('m2');
    await quit();
  });

  test.each(['RR', 'NONE'])(
    'SCHED_%s: an idle connection on a path moves, and a worker that disconnects ends',
    async (policy) => {
      const files = app(policy, 'module', ENDS.own);
      const { project, quit, reload } = await begin(files, { node, env: { PORT: 'socket' } });
      const where = { path: project.path('socket') };
      await until('the workers', async () => (await ask(where)) === 'm0');
      const line = openLine(where);
      expect(await line.ask()).toBe('m0');
      for (const to of ['m1', 'm2']) {
        await reload();
        expect(await line.ask()).toBe(to);
        expect(await ask(where)).toBe(to);
      }
      expect(line.isOver).toBe(false);
      line.socket.destroy();
      expect(await ask(where, '/disconnect')).toBe('m2');
      await until('its end', () => existsSync(project.path('ended')) && project.read('ended') === '0 null');
      await quit();
    },
  );
});
