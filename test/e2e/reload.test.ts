/** What a reload is asked for by, what it keeps, and what is watched. */
import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { get, markerSource, until } from '../rig.ts';
import { begin, endAll, NODES, SERVER, server } from './begin.ts';

afterEach(endAll);

/** Listens as `how` says, with the marker as its answer. */
const listening = (how: string): Readonly<Record<string, string>> => ({
  ...SERVER,
  'src/server.ts': `import { createServer } from 'node:http';
import { marker } from './marker.ts';
const port = Number(process.env.PORT);
const make = (name: string) => createServer((_request, response) => response.end(name + marker));
${how}
`,
});

describe.each(NODES)('on Node $version', ({ node }) => {
  test('a save is answered by the new code, on the same port', async () => {
    const { project, hotrun, ask, quit } = await begin(SERVER, { node });
    await hotrun.seen(/ready in [\d.]+ m?s on http:\/\/localhost:\d+/);
    expect(await ask()).toBe('m0');
    project.write('src/marker.ts', markerSource('m1'));
    await hotrun.seen(
      /src\/marker\.ts changed: ready in [\d.]+ m?s, build [^,]+, link [^,]+, stop [^,]+, start [^,]+\n/,
    );
    expect(await ask()).toBe('m1');
    await quit();
  });

  test('--timings json: every step of the way is told, in order', async () => {
    const { project, hotrun, quit } = await begin(SERVER, { node, args: ['--timings', 'json', 'src/server.ts'] });
    await hotrun.seen(/"generation":1/);
    project.replace('src/marker.ts', markerSource('m1'));
    await hotrun.seen(/"generation":2/);
    // Before, hotrun may not have its copy of the socket yet: a process that was booted without it is replaced by another.
    project.replace('src/marker.ts', markerSource('m2'));
    const [line = ''] = await hotrun.seen(/\{"generation":3.*/);
    const { files, ms } = JSON.parse(line) as { files: string[]; ms: Record<string, number> };
    expect(files).toEqual(['src/marker.ts']);
    const marks = Object.entries(ms);
    expect(marks.map(([name]) => name)).toEqual(
      'heard read transformed sent linked drained gone started listening ready'.split(' '),
    );
    const times = marks.map(([, time]) => time);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    await quit();
  });

  test('SIGUSR2 reloads although nothing has changed', async () => {
    const { hotrun, apps, answers, quit } = await begin(SERVER, { node });
    await answers('m0');
    const [before] = apps();
    hotrun.kill('SIGUSR2');
    await hotrun.seen(/asked to reload: ready in/);
    expect(apps()).not.toContain(before);
    expect(apps()).toHaveLength(1);
    await answers('m0');
    await quit();
  });

  test('an app that listens late is ready when it listens, and says where', async () => {
    const late = (marker: string) => `import { existsSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
const server = createServer((_request, response) => response.end('${marker}'));
const timer = setInterval(() => {
  writeFileSync('runs', '${marker}');
  if (!existsSync('${marker}')) return;
  clearInterval(timer);
  server.listen(Number(process.env.PORT), '127.0.0.1');
}, 5);
`;
    const { project, hotrun, answers, port, quit } = await begin({ 'src/server.ts': late('m0') }, { node });
    await hotrun.seen(/src\/server\.ts ready in [\d.]+ m?s\n/);
    project.write('m0', '');
    await hotrun.seen(new RegExp(`listening on http://localhost:${port} after [\\d.]+ m?s\\n`));
    project.write('src/server.ts', late('m1'));
    const answered = answers('m1');
    await until('the second one', () => readFileSync(project.path('runs'), 'utf8') === 'm1');
    expect(hotrun.stderr()).not.toMatch(/changed: ready/);
    project.write('m1', '');
    await hotrun.seen(/src\/server\.ts changed: ready in/);
    await answered;
    await quit();
  });

  test('with overlap, one that fails before it listens leaves the old one serving', async () => {
    const late = (then: string) => `import { createServer } from 'node:http';
const server = createServer((_request, response) => response.end('m0'));
setTimeout(() => { ${then} }, 100);
`;
    const { project, hotrun, answers, ask, quit } = await begin(
      { 'src/server.ts': late(`server.listen(Number(process.env.PORT), '127.0.0.1');`) },
      { node, args: ['--handover', 'overlap', 'src/server.ts'] },
    );
    await answers('m0');
    project.write('src/server.ts', late(`throw new Error('no database');`));
    await hotrun.seen(/crashed with exit code 1 before it was ready, the running version is not touched/);
    expect(await ask()).toBe('m0');
    await quit();
  });

  test('port 0 stays the port that it was', async () => {
    const { project, hotrun, quit } = await begin(
      listening(`for (const name of ['a', 'b']) {
  const server = make(name).listen(0, '127.0.0.1', () => {
    const at = server.address();
    console.log(\`\${name}\${marker} \${typeof at === 'object' && at?.port}\`);
  });
}`),
      { node },
    );
    const portOf = async (what: string) =>
      Number((await hotrun.seen(new RegExp(`^${what} (\\d+)$`, 'm'), 'stdout'))[1]);
    const before = [await portOf('am0'), await portOf('bm0')];
    project.write('src/marker.ts', markerSource('m1'));
    expect([await portOf('am1'), await portOf('bm1')]).toEqual(before);
    expect(await get(before[0] as number)).toMatchObject({ body: 'am1' });
    expect(await get(before[1] as number)).toMatchObject({ body: 'bm1' });
    await quit();
  });

  test('several ports', async () => {
    const { project, hotrun, port, quit } = await begin(
      listening(`const other = make('b').listen(0, '127.0.0.1', () => {
  const at = other.address();
  console.log(\`other \${typeof at === 'object' && at?.port}\`);
});
make('a').listen(port, '127.0.0.1');`),
      { node },
    );
    const other = Number((await hotrun.seen(/other (\d+)/, 'stdout'))[1]);
    for (const marker of ['m1', 'm2', 'm3']) {
      project.write('src/marker.ts', markerSource(marker));
      await until(`the answers of ${marker}`, async () => {
        const bodies = await Promise.all([get(port), get(other)]);
        return (
          JSON.stringify(bodies) === JSON.stringify([`a${marker}`, `b${marker}`].map((body) => ({ status: 200, body })))
        );
      });
    }
    await quit();
  });

  test.each([
    ['a host name', `make('').listen(port, 'localhost');`, 'localhost'],
    ['all addresses, as the default', `make('').listen(port);`, '127.0.0.1'],
    ['::', `make('').listen(port, '::');`, '127.0.0.1'],
    ['0.0.0.0', `make('').listen({ port, host: '0.0.0.0' });`, '127.0.0.1'],
    ['::1', `make('').listen({ port, host: '::1', exclusive: true });`, '::1'],
  ])('listens on %s', async (_name, how, host) => {
    const { project, hotrun, port, quit } = await begin(listening(how), { node });
    await hotrun.seen(/ready in [\d.]+ m?s on http:\/\/localhost:\d+/);
    for (const marker of ['m1', 'm2']) {
      project.write('src/marker.ts', markerSource(marker));
      await hotrun.seen(/changed: ready in/);
      expect(await get(port, '/', host)).toMatchObject({ body: marker });
    }
    await quit();
  });

  test('an app that listens late keeps its port, also when it is stopped before it listens', async () => {
    const { project, hotrun, port, answers, quit } = await begin(
      listening(`console.log(\`\${marker} runs\`);
if (marker !== 'm1') setTimeout(() => make('').listen(port, '127.0.0.1'), 100);
else setInterval(() => {}, 1000);`),
      { node },
    );
    await answers('m0');
    project.write('src/marker.ts', markerSource('m1'));
    await hotrun.seen(/m1 runs/, 'stdout');
    const held = get(port);
    project.write('src/marker.ts', markerSource('m2'));
    expect(await held).toMatchObject({ body: 'm2' });
    project.write('src/marker.ts', markerSource('m3'));
    await answers('m3');
    await quit();
  });

  test('the next one is prepared already when the app listens for the first time', async () => {
    const { project, hotrun, answers, quit } = await begin(
      listening(`const listen = (then?: () => void) => make('').listen(port, '127.0.0.1', then);
// Asked to end, so the next one has been prepared.
if (marker === 'm0') process.on('SIGINT', () => listen(() => setTimeout(() => process.exit(), 50)));
else listen();
setInterval(() => {}, 1000);`),
      { node },
    );
    await hotrun.seen(/ready in/);
    project.write('src/marker.ts', markerSource('m1'));
    await answers('m1');
    project.write('src/marker.ts', markerSource('m2'));
    await answers('m2');
    expect(hotrun.stderr()).not.toMatch(/EADDRINUSE|crashed/);
    await quit();
  });

  test('a script without a server runs again at a save', async () => {
    const { project, hotrun, quit } = await begin(
      {
        'src/script.ts': `import { text } from './text.ts';\nconsole.log(text);\n`,
        'src/text.ts': `export const text = 'one';\n`,
      },
      { node, args: ['src/script.ts'] },
    );
    await hotrun.seen(/one/, 'stdout');
    await hotrun.seen(/ended with exit code 0, waiting for a change/);
    project.replace('src/text.ts', `export const text = 'two';\n`);
    await hotrun.seen(/two/, 'stdout');
    await hotrun.seen(/ended with exit code 0, waiting for a change/);
    expect(hotrun.stdout()).toBe('one\ntwo\n');
    await quit();
  });

  const VIEWS = {
    'src/server.ts': server(
      `import { readFileSync } from 'node:fs';\nconst view = readFileSync('views/page.html', 'utf8');`,
      'view',
    ),
    'views/page.html': 'v0',
  };

  test('a file that a watch glob matches: changed, made and removed', async () => {
    const { project, hotrun, answers, quit } = await begin(
      {
        ...VIEWS,
        'src/server.ts': server(
          `import { readdirSync, readFileSync } from 'node:fs';
const view = readdirSync('views').filter((name) => name.endsWith('.html')).sort().map((name) => readFileSync('views/' + name)).join();`,
          'view',
        ),
      },
      { node, args: ['--watch', 'views/**/*.html', 'src/server.ts'] },
    );
    await answers('v0');
    project.write('views/page.html', 'v1');
    await hotrun.seen(/views\/page\.html changed: ready in/);
    await answers('v1');
    project.write('views/zoo.html', 'z1');
    await answers('v1,z1');
    project.remove('views/page.html');
    await answers('z1');
    project.replace('views/page.html', 'v2');
    await answers('v2,z1');
    await quit();
  });

  test('an ignored file is not reloaded for, although it is loaded', async () => {
    const { project, hotrun, answers, quit } = await begin(
      { ...SERVER, 'src/other.ts': '', 'src/server.ts': `import './other.ts';\n${SERVER['src/server.ts']}` },
      { node, args: ['--ignore', 'src/marker.ts', 'src/server.ts'] },
    );
    await answers('m0');
    project.write('src/marker.ts', markerSource('m1'));
    project.write('src/other.ts', '// changed\n');
    // It named what it reloaded for.
    await hotrun.seen(/^\[hotrun\] src\/other\.ts changed: ready in/m);
    await quit();
  });

  test('overlap: the new one is ready before the old one is told to stop', async () => {
    const { project, hotrun, answers, apps, quit } = await begin(
      {
        ...SERVER,
        'src/server.ts': `${SERVER['src/server.ts']}import { appendFileSync } from 'node:fs';
const note = (what: string) => appendFileSync('log', \`\${marker} \${what}\\n\`);
note('runs');
process.on('SIGTERM', () => {
  note('is told to stop');
  process.exit();
});
`,
      },
      { node, args: ['--handover', 'overlap', 'src/server.ts'] },
    );
    await answers('m0');
    for (const marker of ['m1', 'm2', 'm3']) {
      project.write('src/marker.ts', markerSource(marker));
      await hotrun.seen(/src\/marker\.ts changed: ready in/);
      await until('one generation', () => apps().length === 1);
      await answers(marker);
    }
    await quit();
    expect(readFileSync(project.path('log'), 'utf8')).toBe(
      [
        'm0 runs',
        'm1 runs',
        'm0 is told to stop',
        'm2 runs',
        'm1 is told to stop',
        'm3 runs',
        'm2 is told to stop',
        'm3 is told to stop',
        '',
      ].join('\n'),
    );
  });

  test('overlap: one that crashes before it is ready leaves the old one serving', async () => {
    const { project, hotrun, ask, answers, quit } = await begin(SERVER, {
      node,
      args: ['--handover', 'overlap', 'src/server.ts'],
    });
    await answers('m0');
    project.write('src/marker.ts', `throw new Error('at import');\n${markerSource('m1')}`);
    await hotrun.seen(/crashed with exit code 1 before it was ready, the running version is not touched/);
    expect(await ask()).toBe('m0');
    project.write('src/marker.ts', markerSource('m2'));
    await answers('m2');
    await quit();
  });

  test('the rc file names the entry, its arguments and what is watched', async () => {
    const { project, hotrun, answers, quit } = await begin(
      {
        ...VIEWS,
        'src/server.ts': VIEWS['src/server.ts'].replace('String(view)', `view + process.argv.slice(2).join()`),
        '.hotrc.json': `{
  // Comments and trailing commas are fine.
  "entry": "src/server.ts",
  "args": ["-x", "y"],
  "watch": ["views"],
}`,
      },
      { node, args: [] },
    );
    await answers('v0-x,y');
    project.write('views/page.html', 'v1');
    await answers('v1-x,y');
    await hotrun.seen(/views\/page\.html changed: ready in/);
    await quit();
  });
});
