/** Promise 4 for sockets that are a path: no moment without it, and nothing left of it in the end. */
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { type Begun, begin, ENTITLE, endAll, NODES } from '../e2e/begin.ts';
import { launch, start, until } from '../rig.ts';
import { ask, askAlong, failed, openLine, type Where } from './lines.ts';

afterEach(endAll);

const marker = (text: string): string => `export const marker = '${text}';\n`;

/** `path` is where clients look for it. */
const source = (rest: string): string => `${ENTITLE}
import { rmSync, statSync } from 'node:fs';
import http from 'node:http';
import { resolve } from 'node:path';
import { marker } from './marker.js';
const server = http.createServer((request, response) => {
  if (request.url === '/close') server.close();
  response.end(marker);
});
const path = resolve('run', process.env.NAME);
const told = () => console.log(marker + ' listens on ' + server.address());
${rest}
`;
const app = (rest: string): Record<string, string> => ({
  'app.js': source(rest),
  'marker.js': marker('m0'),
  'run/.keep': '',
});

/** Prints the answers of one request after the other, each over a connection of its own, until its stdin ends. */
const ABSTRACT_CLIENT = `const http = require('node:http');
let isOver = false;
process.stdin.resume().on('end', () => { isOver = true; });
const ask = () => {
  if (isOver) process.exit();
  http.get({ socketPath: '\\0' + process.argv[1], agent: false }, (response) => {
    response.on('data', (text) => console.log(String(text))).on('end', ask);
  }).on('error', (error) => { console.log(error.code); ask(); });
};
ask();`;

describe.each(NODES)('on Node $version', ({ node }) => {
  async function run(rest: string, name = 'app.sock'): Promise<Begun & { where: Where; path: string }> {
    const begun = await begin(app(rest), { node, args: ['app.js'], env: { NAME: name } });
    await begun.hotrun.seen(/ready in/);
    const path = begun.project.path(join('run', name));
    return { ...begun, path, where: { path } };
  }
  const reload = async ({ project, hotrun }: Begun, to: string): Promise<void> => {
    project.write('marker.js', marker(to));
    await hotrun.seen(/changed: ready in/);
  };
  const left = (path: string): string[] => readdirSync(dirname(path)).filter((name) => name !== '.keep');

  test.each([
    { kind: 'an absolute path', code: 'server.listen(path, told);' },
    { kind: 'a relative path', code: "server.listen('./run/app.sock', told);" },
    {
      kind: 'a path that is removed before it is listened to',
      code: 'rmSync(path, { force: true }); server.listen(path, told);',
    },
    { kind: 'a path that all may use', code: 'server.listen({ path, readableAll: true, writableAll: true }, told);' },
    { kind: 'a path by exclusive', code: 'server.listen({ path, exclusive: true }, told);' },
  ])('$kind', async ({ code }) => {
    const begun = await run(code);
    const { where, path } = begun;
    const along = askAlong(where);
    const line = openLine(where);
    for (const to of ['m0', 'm1', 'm2', 'm3']) {
      if (to !== 'm0') await reload(begun, to);
      await begun.hotrun.seen(new RegExp(`${to} listens on (?:/.*|\\./)run/app\\.sock\\n`), 'stdout');
      expect(await line.ask()).toBe(to);
      expect(await ask(where)).toBe(to);
    }
    line.socket.destroy();
    const answers = await along.stop();
    expect(failed(answers)).toEqual({});
    expect(new Set(answers).size).toBe(4);
    await begun.quit();
    expect(left(path)).toEqual([]);
  });

  test('a path that the app removes stays until it listens, and is its own to remove from then on', async () => {
    const begun = await run(`const is = () => (statSync(path, { throwIfNoEntry: false }) ? 'there' : 'gone');
rmSync(path, { force: true });
const before = is();
server.listen(path, () => {
  rmSync(path);
  console.log(marker + ' ' + before + ' ' + is());
});`);
    await begun.hotrun.seen(/m0 gone gone/, 'stdout');
    await reload(begun, 'm1');
    await begun.hotrun.seen(/m1 (?:there|gone) gone/, 'stdout');
    await begun.quit();
    const kept = await run(`rmSync(path, { force: true });
const isThere = statSync(path, { throwIfNoEntry: false }) !== undefined;
server.listen(path, () => console.log(marker + ' ' + isThere));`);
    await kept.hotrun.seen(/m0 false/, 'stdout');
    await reload(kept, 'm1');
    await kept.hotrun.seen(/m1 true/, 'stdout');
    await kept.quit();
  });

  test('a path so long that no name beside it has room: served after each reload, if not during it', async () => {
    // A folder of the test's own would be too long for any socket on some systems, so a name of the right length.
    const begun = await run('server.listen(path, told);', 'x');
    const length = 103 - Buffer.byteLength(dirname(begun.path)) - 1;
    await begun.quit();
    const long = await run('rmSync(path, { force: true }); server.listen(path, told);', 'x'.repeat(length));
    for (const to of ['m0', 'm1', 'm2']) {
      if (to !== 'm0') await reload(long, to);
      expect(await ask(long.where)).toBe(to);
    }
    await long.quit();
  });

  test('a generation that was killed leaves nothing, and its successor serves', async () => {
    const begun = await run('server.listen(path, told);');
    const { where, path } = begun;
    process.kill(begun.apps()[0] as number, 'SIGKILL');
    await begun.hotrun.seen(/ended by SIGKILL|waiting for a change/);
    begun.project.write('marker.js', marker('m1'));
    await begun.hotrun.seen(/changed: ready in/);
    expect(await ask(where)).toBe('m1');
    await begun.quit();
    expect(left(path)).toEqual([]);
  });

  test('closed for good: the path is gone', async () => {
    const begun = await run("http.createServer().listen(0, '127.0.0.1'); server.listen(path, told);");
    expect(await ask(begun.where, '/close')).toBe('m0');
    await until('the end of the path', () => left(begun.path).length === 0);
    await begun.quit();
  });

  test('another path: the old one is gone, the new one is kept', async () => {
    const begun = await run('server.listen(path, told);');
    begun.project.write('app.js', source("server.listen(path + '2', told);"));
    await begun.hotrun.seen(/changed: ready in/);
    const where = { path: `${begun.path}2` };
    const along = askAlong(where);
    await reload(begun, 'm1');
    expect(await ask(where)).toBe('m1');
    expect(failed(await along.stop())).toEqual({});
    await until('the end of the old path', async () => (await ask(begun.where)) === 'failed ENOENT');
    await begun.quit();
    expect(left(begun.path)).toEqual([]);
  });

  test('what a killed hotrun has left is no obstacle; what somebody listens on is', async () => {
    const begun = await run('server.listen(path, told);');
    const { where, path, project, hotrun } = begun;
    hotrun.kill('SIGKILL');
    await hotrun.ended;
    await until('the end of the app', () => hotrun.processes().length === 0);
    expect(left(path)).toContain('app.sock');

    const second = start(project, ['app.js'], { node, env: { NAME: 'app.sock' } });
    await second.seen(/ready in/);
    expect(await ask(where)).toBe('m0');
    const third = start(project, ['app.js'], { node, env: { NAME: 'app.sock' } });
    await third.seen(/EADDRINUSE/);
    expect(await ask(where)).toBe('m0');
    third.kill('SIGINT');
    await third.ended;
    expect(await ask(where)).toBe('m0');
    second.kill('SIGINT');
    await second.ended;
    expect(left(path)).toEqual([]);
  });

  test.skipIf(process.platform !== 'linux')('a name of Linux’ abstract space', async () => {
    const begun = await run("server.listen('\\0' + path, told);");
    // Node 20 pads the name with zeros, later ones do not: they do not find one another.
    const client = launch(begun.project, [node, '-e', ABSTRACT_CLIENT, begun.path], { stdin: 'pipe' });
    for (const to of ['m0', 'm1', 'm2']) {
      if (to !== 'm0') await reload(begun, to);
      await client.seen(new RegExp(`^${to}$`, 'm'), 'stdout');
    }
    client.child.stdin?.end();
    await client.ended;
    expect(new Set(client.stdout().trim().split('\n'))).toEqual(new Set(['m0', 'm1', 'm2']));
    await begun.quit();
  });
});
