/** What stays the same however often the app is reloaded: descriptors, inotify watches, processes, and who holds the socket. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { begin, ENTITLE, endAll, NODES } from '../e2e/begin.ts';
import { journalOf } from '../e2e/journal.ts';
import { until } from '../rig.ts';
import { openLine } from './lines.ts';

afterEach(endAll);

/** HOTRUN_RELOADS=1000 is the long form. */
const RELOADS = Number(process.env.HOTRUN_RELOADS ?? 30);
/** So many come before the first look: the first generation has what none has that comes after it. */
const BEFORE = 3;
const A_RELOAD_MS = 5000;
/** So many looks in a row have to be the same. */
const SETTLED_LOOKS = 20;

const marker = (text: string): string => `export const marker = '${text}';\n`;
const LINES = 10;

const APP = {
  'app.js': `${ENTITLE}
import { fork, spawn } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { marker } from './marker.js';
// Before it listens and after that, by every way.
const start = () => {
  const children = [spawn('sleep', ['1000']), spawn('sh', ['-c', 'sleep 1000; true']), fork('idle.js')];
  for (const { pid } of children) appendFileSync('journal', marker + ' ' + pid + '\\n');
};
start();
createServer((request, response) => response.end(marker)).listen(Number(process.env.PORT), '127.0.0.1', start);
`,
  'idle.js': `import { appendFileSync } from 'node:fs';
appendFileSync('idle', process.pid + '\\n');
setInterval(() => {}, 1000);
`,
  'marker.js': marker('m0'),
  idle: '',
};

/** The target of each descriptor, by number: `socket:[4711]`. */
const descriptors = (pid: number): string[] =>
  readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/${pid}/fd/${fd}`)];
    } catch {
      // The one by which the folder is read.
      return [];
    }
  });
const kindOf = (target: string): string => target.replace(/\d+/g, 'N');
const count = (all: readonly string[]): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const each of all.toSorted()) counts[each] = (counts[each] ?? 0) + 1;
  return counts;
};
const watches = (pid: number): number =>
  readdirSync(`/proc/${pid}/fdinfo`)
    .map((fd) => {
      try {
        return readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8').split('inotify wd:').length - 1;
      } catch {
        return 0;
      }
    })
    .reduce((sum, each) => sum + each, 0);
const memory = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);

/** The inode of the socket that listens on the port of 127.0.0.1. */
function listenerOf(port: number): string {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  const line = readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .map((each) => each.trim().split(/\s+/))
    .find(([, local, , state]) => local === `0100007F:${hex}` && state === '0A');
  return `socket:[${line?.[9]}]`;
}

describe.each(NODES)('on Node $version', ({ node }) => {
  test(
    `${RELOADS} reloads leave everything as it was`,
    async () => {
      const { project, hotrun, port, answers, apps, quit } = await begin(APP, { node, args: ['app.js'] });
      await answers('m0');
      const lines = Array.from({ length: LINES }, () => openLine({ port, host: '127.0.0.1' }));
      let reloads = 0;
      const reload = async (): Promise<void> => {
        const to = `m${++reloads}`;
        project.write('marker.js', marker(to));
        await answers(to);
        expect(await Promise.all(lines.map((line) => line.ask()))).toEqual(lines.map(() => to));
      };
      const look = () => {
        const [app] = apps();
        return {
          hotrun: count(descriptors(hotrun.pid).map(kindOf)),
          app: app === undefined ? {} : count(descriptors(app).map(kindOf)),
          watches: watches(hotrun.pid),
          processes: hotrun.processes().length,
        };
      };
      /** The forks that have loaded what they load: each has a connection to hotrun from then on. */
      const forks = (): number => {
        const idle = readFileSync(project.path('idle'), 'utf8').split('\n').map(Number);
        return hotrun.processes().filter((pid) => idle.includes(pid)).length;
      };
      /** hotrun, its guardian, the app, its six and the one that a shell started, twice, and the standby. */
      const isQuiet = (facts: ReturnType<typeof look>): boolean => facts.processes === 12 && forks() === 2;

      /** What there is when nothing is on its way any more: a process that has ended leaves its descriptors for a moment. */
      const settled = () => {
        let last = '';
        let times = 0;
        return until('all to be quiet', () => {
          const facts = look();
          const text = JSON.stringify(facts);
          times = isQuiet(facts) && text === last ? times + 1 : 0;
          last = text;
          return times >= SETTLED_LOOKS && facts;
        }).catch((error: Error) => {
          throw new Error(`${error.message}: ${last}`);
        });
      };

      for (let nth = 0; nth < BEFORE; nth++) await reload();
      const before = await settled();
      const memoryBefore = memory(hotrun.pid);
      for (let nth = 0; nth < RELOADS; nth++) await reload();
      expect(await settled()).toEqual(before);
      console.log(`hotrun: ${memoryBefore} KiB after ${BEFORE} reloads, ${memory(hotrun.pid)} KiB after ${reloads}`);

      const socket = listenerOf(port);
      const holders = hotrun.processes().filter((pid) => descriptors(pid).includes(socket));
      const grandchildren = journalOf(project)
        .lines()
        .filter((line) => line.startsWith(`m${reloads} `))
        .map((line) => Number(line.split(' ')[1]));
      expect(holders).toEqual(expect.arrayContaining([hotrun.pid, ...apps()]));
      expect(holders).toHaveLength(3);
      expect(grandchildren).toHaveLength(6);
      expect(hotrun.processes()).toEqual(expect.arrayContaining(grandchildren));
      expect(holders.filter((pid) => grandchildren.includes(pid))).toEqual([]);
      for (const { socket: each } of lines) each.destroy();
      await quit();
    },
    60_000 + RELOADS * A_RELOAD_MS,
  );
});
