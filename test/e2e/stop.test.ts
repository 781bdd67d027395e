/** Promises 1 and 5: never two, and a stop always ends, by each signal once, in its time. */
import http from 'node:http';
import net from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { answers, until } from '../rig.ts';
import { type Begun, begin, endAll, NODES } from './begin.ts';
import { JOURNAL, type Journal, journalOf, runs } from './journal.ts';

afterEach(endAll);

/** Each generation writes `start MARKER`; `rest` comes after that. */
const app = (rest: string): Record<string, string> => ({
  'app.js': `${JOURNAL}import http from 'node:http';
import { marker } from './marker.js';
log('start ' + marker);
log('pid ' + process.pid);
${rest}`,
  'marker.js': marker('m0'),
});
const marker = (text: string): string => `export const marker = '${text}';\n`;
const SERVER = `const server = http.createServer((request, response) => handle(request, response));
const handle = (request, response) => {
  if (request.url === '/stream') {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write('data: hello\\n\\n');
  } else if (request.url === '/slow') {
    log('request');
    released('answer').then(() => response.end(marker));
  } else response.end(marker);
};
server.listen(Number(process.env.PORT), '127.0.0.1');
`;
const handles = (signal: string, then: string): string =>
  `process.on('${signal}', async () => { log('${signal}'); ${then} });\n`;
const STAYS = 'setInterval(() => {}, 1000);\n';
const SHORT = ['--stop', 'SIGINT 300ms, SIGTERM 300ms'];
const ENDLESS = ['--stop', 'SIGINT 600s, SIGTERM 600s'];

describe.each(NODES)('on Node $version', ({ node }) => {
  async function run(rest: string, options: readonly string[] = []): Promise<Begun & { journal: Journal }> {
    const begun = await begin(app(rest), { node, args: [...options, 'app.js'] });
    await begun.hotrun.seen(/ready in/);
    return { ...begun, journal: journalOf(begun.project) };
  }
  /** Without the lines that only tell the pid. */
  const story = (journal: Journal): string[] => journal.lines().filter((line) => !/ pid /.test(line));

  describe('the ladder', () => {
    test('an app that ignores everything gets SIGINT, SIGTERM and SIGKILL, in that order, once each', async () => {
      const { project, hotrun, journal } = await run(handles('SIGINT', '') + handles('SIGTERM', '') + STAYS, SHORT);
      project.write('marker.js', marker('m1'));
      await hotrun.seen(/still there after .*: SIGTERM sent/);
      await hotrun.seen(/still there after .*: SIGKILL sent/);
      await journal.has('2 start m1');
      expect(story(journal)).toEqual(['1 start m0', '1 SIGINT', '1 SIGTERM', '2 start m1']);
    });

    test('an app that ignores SIGINT ends with SIGTERM', async () => {
      const ends = handles('SIGINT', '') + handles('SIGTERM', 'process.exit()') + STAYS;
      const { project, hotrun, journal } = await run(ends, ['--stop', 'SIGINT 300ms, SIGTERM 600s']);
      project.write('marker.js', marker('m1'));
      await journal.has('2 start m1');
      expect(story(journal)).toEqual(['1 start m0', '1 SIGINT', '1 SIGTERM', '2 start m1']);
      expect(hotrun.stderr()).not.toMatch(/SIGKILL/);
    });

    test('the times and signals come from the rc file too', async () => {
      const files = app(handles('SIGINT', '') + handles('SIGTERM', '') + handles('SIGHUP', '') + STAYS);
      const stop = { SIGHUP: 200, SIGTERM: '0.2s' };
      const begun = await begin(
        { ...files, '.hotrc.json': JSON.stringify({ entry: 'app.js', stop }) },
        { node, args: [] },
      );
      const journal = journalOf(begun.project);
      await begun.hotrun.seen(/ready in/);
      begun.project.write('marker.js', marker('m1'));
      await journal.has('2 start m1');
      expect(story(journal)).toEqual(['1 start m0', '1 SIGHUP', '1 SIGTERM', '2 start m1']);
    });

    test('an app that listens to nothing ends at the first', async () => {
      const { project, hotrun, journal } = await run(STAYS, ENDLESS);
      project.write('marker.js', marker('m1'));
      await journal.has('2 start m1');
      expect(hotrun.stderr()).not.toMatch(/still there/);
    });

    test('an app that listens to SIGTERM alone gets that first, and its cleanup runs to its end, reload after reload', async () => {
      const cleanup = 'await new Promise((done) => setTimeout(done, 100)); log("end"); process.exit()';
      const { project, hotrun, journal } = await run(handles('SIGTERM', cleanup) + SERVER);
      const wanted = ['1 start m0'];
      for (let gen = 1; gen <= 5; gen++) {
        project.write('marker.js', marker(`m${gen}`));
        await journal.has(`${gen + 1} start m${gen}`);
        wanted.push(`${gen} SIGTERM`, `${gen} end`, `${gen + 1} start m${gen}`);
      }
      hotrun.kill('SIGINT');
      expect((await hotrun.ended).code).toBe(130);
      expect(story(journal)).toEqual([...wanted, '6 SIGTERM', '6 end']);
    });

    test('an app that handles neither but SIGQUIT gets the first of the ladder', async () => {
      const { project, journal } = await run(handles('SIGQUIT', '') + STAYS, ['--verbose']);
      project.write('marker.js', marker('m1'));
      await journal.has('2 start m1');
      expect(story(journal)).toEqual(['1 start m0', '2 start m1']);
    });

    test('a blocked app is killed in the end', async () => {
      // Two turns later it is ready for sure.
      const block = `setImmediate(() => setImmediate(() => { log('blocked'); if (marker === 'm0') for (;;); }));\n`;
      const blocks = handles('SIGINT', '') + handles('SIGTERM', '') + block;
      const { project, journal, quit } = await run(blocks + STAYS, SHORT);
      await journal.has('1 blocked');
      project.write('marker.js', marker('m1'));
      await journal.has('2 start m1');
      expect(story(journal).slice(0, 3)).toEqual(['1 start m0', '1 blocked', '2 start m1']);
      await quit();
    });
  });

  describe('saves during a stop', () => {
    test('are coalesced, and neither hasten nor repeat a signal', async () => {
      const waits = handles('SIGINT', 'await released("go"); process.exit()') + handles('SIGTERM', '') + STAYS;
      const { project, hotrun, journal } = await run(waits, [...ENDLESS, '--trace']);
      project.write('marker.js', marker('m1'));
      await journal.has('1 SIGINT');
      for (const next of ['m2', 'm3', 'm4']) {
        project.write('marker.js', marker(next));
        await hotrun.seen(/event \{"type":"prepared"/);
      }
      // Nothing came of them but a prepared generation.
      expect(story(journal)).toEqual(['1 start m0', '1 SIGINT']);
      project.write('go', '');
      const started = await journal.value(`${await last(journal)} start`);
      expect(started).toBe('m4');
      expect(story(journal)).toHaveLength(3);
      expect(hotrun.stderr().match(/action \{"type":"signal"/g)).toHaveLength(1);
    });
    const last = (journal: Journal): Promise<string> =>
      until('another start', () => {
        const [, , third] = story(journal);
        return third?.split(' ')[0];
      });
  });

  describe('connections', () => {
    test('a response in flight finishes, by the old code, before the first signal', async () => {
      const { project, hotrun, journal, ask } = await run(handles('SIGINT', 'process.exit()') + SERVER, [
        ...ENDLESS,
        '--trace',
      ]);
      const slow = ask('/slow');
      await journal.has('1 request');
      project.write('marker.js', marker('m1'));
      await hotrun.seen(/event \{"type":"draining"/);
      expect(story(journal)).toEqual(['1 start m0', '1 request']);
      project.write('answer', '');
      expect(await slow).toBe('m0');
      await journal.has('2 start m1');
      expect(story(journal)).toEqual(['1 start m0', '1 request', '1 SIGINT', '2 start m1']);
      expect(await ask()).toBe('m1');
    });

    test('server.close() in a SIGINT handler succeeds, with clients that keep their connections', async () => {
      const closes = handles('SIGINT', `server.close((error) => { log('closed ' + error); process.exit(); })`);
      const { project, port, journal, hotrun } = await run(SERVER + closes, ENDLESS);
      const agent = new http.Agent({ keepAlive: true });
      const spare = net.connect(port, '127.0.0.1').on('error', () => {});
      try {
        expect(await keepAlive(agent, port)).toBe('m0');
        project.write('marker.js', marker('m1'));
        await answers(port, 'm1');
        expect(story(journal)).toEqual(['1 start m0', '1 SIGINT', '1 closed undefined', '2 start m1']);
        expect(hotrun.stderr()).not.toMatch(/still there/);
      } finally {
        agent.destroy();
        spare.destroy();
      }
    });

    test('an endless stream of events ends cleanly and holds nothing up', async () => {
      const closes = handles('SIGINT', `server.close((error) => { log('closed ' + error); process.exit(); })`);
      const { project, port, journal, hotrun } = await run(SERVER + closes, ENDLESS);
      let text = '';
      let failed: unknown;
      const client = net.connect(port, '127.0.0.1', () => client.write('GET /stream HTTP/1.1\r\nHost: x\r\n\r\n'));
      client.setEncoding('latin1').on('data', (part: string) => {
        text += part;
      });
      client.on('error', (error) => {
        failed = error;
      });
      await until('the first event', () => text.includes('hello'));
      project.write('marker.js', marker('m1'));
      // The last chunk: a whole response, and no connection that was cut.
      await until('the end of the stream', () => text.endsWith('\r\n0\r\n\r\n'));
      await journal.has('2 start m1');
      expect(story(journal)).toEqual(['1 start m0', '1 SIGINT', '1 closed undefined', '2 start m1']);
      expect(failed).toBe(undefined);
      client.destroy();
      expect(hotrun.stderr()).not.toMatch(/still there/);
    });

    test('an app that ends by itself during the drain gets no signal', async () => {
      const ends = `${handles('SIGINT', '')}released('end-' + process.env.HOTRUN_GENERATION).then(() => process.exit(7));\n`;
      const { project, port, hotrun, journal, ask } = await run(SERVER + ends, [...ENDLESS, '--trace']);
      const slow = ask('/slow').catch((error: Error) => error.message);
      await journal.has('1 request');
      project.write('marker.js', marker('m1'));
      await hotrun.seen(/event \{"type":"draining"/);
      project.write('end-1', '');
      expect(await slow).toMatch(/CUT|ECONNRESET/);
      await journal.has('2 start m1');
      await answers(port, 'm1');
      expect(story(journal)).toEqual(['1 start m0', '1 request', '2 start m1']);
    });
  });

  describe('the end of hotrun', () => {
    test.each([
      ['SIGINT', 130],
      ['SIGTERM', 143],
      ['SIGHUP', 129],
    ] as const)('%s: exit code %i, when everything is gone', async (signal, code) => {
      const waits = handles('SIGINT', 'await released("go"); log("end"); process.exit()');
      const { project, hotrun, journal } = await run(waits + SERVER, ENDLESS);
      const pid = Number(await journal.value('1 pid'));
      hotrun.kill(signal);
      await journal.has('1 SIGINT');
      expect(hotrun.child.exitCode).toBe(null);
      expect(runs(pid)).toBe(true);
      project.write('go', '');
      expect(await hotrun.ended).toEqual({ code, signal: null });
      expect(hotrun.processes()).toEqual([]);
      expect(story(journal)).toEqual(['1 start m0', '1 SIGINT', '1 end']);
    });

    test('a second Ctrl-C kills at once', async () => {
      const { hotrun, journal } = await run(handles('SIGINT', '') + handles('SIGTERM', '') + SERVER, ENDLESS);
      hotrun.kill('SIGINT');
      await journal.has('1 SIGINT');
      hotrun.kill('SIGINT');
      expect(await hotrun.ended).toEqual({ code: 130, signal: null });
      expect(hotrun.processes()).toEqual([]);
      expect(story(journal)).toEqual(['1 start m0', '1 SIGINT']);
    });

    test('Ctrl-C during a stop for a reload sends no second signal and starts nothing more', async () => {
      const waits = handles('SIGINT', 'await released("go"); process.exit()') + handles('SIGTERM', '');
      const { project, hotrun, journal } = await run(waits + STAYS, [...ENDLESS, '--trace']);
      project.write('marker.js', marker('m1'));
      await journal.has('1 SIGINT');
      hotrun.kill('SIGINT');
      await hotrun.seen(/event \{"type":"quit"/);
      project.write('go', '');
      expect(await hotrun.ended).toEqual({ code: 130, signal: null });
      expect(hotrun.processes()).toEqual([]);
      expect(story(journal)).toEqual(['1 start m0', '1 SIGINT']);
    });

    test('Ctrl-C when the app has ended already', async () => {
      const { hotrun } = await run(`setTimeout(() => process.exit(3), 10);\n`);
      await hotrun.seen(/crashed with exit code 3, waiting for a change/);
      hotrun.kill('SIGINT');
      expect(await hotrun.ended).toEqual({ code: 130, signal: null });
      expect(hotrun.processes()).toEqual([]);
    });
  });
});

function keepAlive(agent: http.Agent, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    http
      .get({ agent, port, host: '127.0.0.1' }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part: string) => {
          text += part;
        });
        response.on('end', () => resolve(text));
      })
      .on('error', reject);
  });
}
