/** Promise 3 (a broken change never takes the app down), and how each fault is told. */
import { once } from 'node:events';
import { utimesSync } from 'node:fs';
import net from 'node:net';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import { get, until } from '../rig.ts';
import { begin, ENTITLE, endAll, NODES, SERVER, SHAPES, server } from './begin.ts';

afterEach(endAll);

const source = (marker: string): string => `export const marker: string = '${marker}';\n`;
const UNTOUCHED = /the running version is not touched/;
const WAITING = /waiting for a change/;

describe.each(NODES)('on Node $version', ({ node }) => {
  describe.each(SHAPES)('$shape', ({ entry, ending, files, marker, source, take, give }) => {
    const app = { ...files, [marker]: source('m0') };
    const begun = () => begin(app, { node, args: [entry] });

    test('a syntax error is shown with its place and a frame, and the old one serves', async () => {
      const { project, hotrun, ask, answers, quit } = await begun();
      await hotrun.seen(/ready in/);
      project.write(marker, `// one\n${source('m1')}const x = 1 +* 2;\n`);
      await hotrun.seen(new RegExp(`${marker} changed: `));
      await hotrun.seen(new RegExp(`^${marker}:3:14: \\S`, 'm'));
      await hotrun.seen(/3 \| const x = 1 \+\* 2;\n +\| +\^/);
      await hotrun.seen(UNTOUCHED);
      expect(await ask()).toBe('m0');
      project.write(marker, source('m2'));
      await answers('m2');
      await quit();
    });

    test('an import of a missing file is refused, until the file is there', async () => {
      const { project, hotrun, ask, answers, quit } = await begun();
      await hotrun.seen(/ready in/);
      project.write(marker, take('value', './later') + give('marker', 'value'));
      await hotrun.seen(new RegExp(`^${marker}:1:\\d+: Cannot find module '[^']*later`, 'm'));
      await hotrun.seen(/1 \| .*later.*\n +\| +\^/);
      await hotrun.seen(UNTOUCHED);
      expect(await ask()).toBe('m0');
      project.write(`src/later${ending}`, give('value', `'m1'`));
      await answers('m1');
      await quit();
    });

    test('a removed file is refused, until it is back', async () => {
      const { project, hotrun, ask, answers, quit } = await begun();
      await hotrun.seen(/ready in/);
      project.remove(marker);
      await hotrun.seen(new RegExp(`^${entry}:\\d+:\\d+: Cannot find module '[^']*marker`, 'm'));
      await hotrun.seen(UNTOUCHED);
      expect(await ask()).toBe('m0');
      project.write(marker, source('m1'));
      await answers('m1');
      await quit();
    });

    test('the entry that is removed leaves the running version alone, until it is back', async () => {
      const { project, hotrun, ask, answers, quit } = await begun();
      await hotrun.seen(/ready in/);
      const text = project.read(entry);
      project.remove(entry);
      await hotrun.seen(new RegExp(`changed: build failed\n${entry}: not found\n`));
      await hotrun.seen(UNTOUCHED);
      expect(await ask()).toBe('m0');
      project.write(entry, `\n${text}`);
      await hotrun.seen(/changed: ready in/);
      project.write(marker, source('m1'));
      await answers('m1');
      await quit();
    });

    test('a new file with a syntax error is refused', async () => {
      const { project, hotrun, ask, answers, quit } = await begun();
      await hotrun.seen(/ready in/);
      project.write(`src/new${ending}`, 'const x = 1 +* 2;\n');
      project.write(marker, take('value', './new') + give('marker', 'value'));
      await hotrun.seen(new RegExp(`^src/new${ending}:1:14: \\S`, 'm'));
      await hotrun.seen(UNTOUCHED);
      expect(await ask()).toBe('m0');
      project.write(`src/new${ending}`, give('value', `'m1'`));
      await answers('m1');
      await quit();
    });

    test('a fault at the very first start, then mended', async () => {
      const { project, hotrun, answers, quit } = await begin(
        { ...app, [marker]: 'const x = 1 +* 2;\n' },
        { node, args: [entry] },
      );
      await hotrun.seen(new RegExp(`${marker}:1`));
      await hotrun.seen(WAITING);
      project.write(marker, source('m1'));
      await answers('m1');
      await quit();
    });

    test('a file that is missing at the very first start, then there', async () => {
      const { project, hotrun, answers, quit } = await begin(files, { node, args: [entry] });
      await hotrun.seen(/Cannot find module/);
      await hotrun.seen(WAITING);
      project.write(marker, source('m1'));
      await answers('m1');
      await quit();
    });

    test('a crash at import: told with its exit code, connections wait, the next save serves them', async () => {
      const { project, hotrun, port, apps, quit } = await begun();
      await hotrun.seen(/ready in/);
      project.write(marker, `throw new Error('at import');\n${source('m1')}`);
      await hotrun.seen(/Error: at import/);
      await hotrun.seen(/crashed with exit code 1 before it was ready, waiting for a change/);
      expect(apps()).toEqual([]);
      const held = get(port);
      project.write(marker, source('m2'));
      expect(await held).toMatchObject({ body: 'm2' });
      await quit();
    });

    test('the same bytes again are no reload', async () => {
      const { project, hotrun, apps, answers, quit } = await begin(app, { node, args: ['--verbose', entry] });
      await hotrun.seen(/ready in/);
      const before = apps();
      project.write(marker, source('m0'));
      await hotrun.seen(/nothing differs from what runs/);
      const now = new Date();
      utimesSync(project.path(marker), now, now);
      await hotrun.seen(/nothing differs from what runs/);
      project.replace(marker, source('m0'));
      await hotrun.seen(/nothing differs from what runs/);
      await answers('m0');
      expect(apps()).toEqual(before);
      await quit();
    });

    test('a file that is empty for a while', async () => {
      const { project, hotrun, answers, quit } = await begun();
      await hotrun.seen(/ready in/);
      project.write(marker, '');
      await hotrun.seen(new RegExp(`${marker} changed: `));
      project.write(marker, source('m1'));
      await answers('m1');
      await quit();
    });

    test('a crash while it serves', async () => {
      const crashing = (files[entry] ?? '').replace(
        /createServer\(\(.*?\) => /,
        (found) => `setInterval(() => { if (process.env.CRASH === 'yes') throw new Error('later'); }, 5);\n${found}`,
      );
      const { project, hotrun, apps, answers, quit } = await begin(
        { ...app, [entry]: crashing },
        { node, args: [entry] },
      );
      await hotrun.seen(/ready in/);
      project.write(marker, `${source('m1')}process.env.CRASH = 'yes';\n`);
      await hotrun.seen(/Error: later/);
      await hotrun.seen(/crashed with exit code 1.*, waiting for a change/);
      expect(apps()).toEqual([]);
      project.write(marker, source('m2'));
      await answers('m2');
      await quit();
    });
  });

  test('the place of a missing export is that of the TypeScript', async () => {
    const types = `${'/* a comment */\n'.repeat(5)}interface Gone {\n  a: string;\n}\n`;
    const { project, hotrun, quit } = await begin(
      {
        'src/server.ts': `${types}import { inner } from './inner.ts';\nconsole.log(inner);\nsetInterval(() => {}, 1000);\n`,
        'src/inner.ts': `${types}import { value as renamed } from './value.ts';\nexport const inner: string = renamed;\n`,
        'src/value.ts': `export const value = 'one';\n`,
      },
      { node },
    );
    await hotrun.seen(/one/, 'stdout');
    project.write('src/value.ts', `export const other = 'two';\n`);
    await hotrun.seen(/^src\/inner\.ts:9:10: .*does not provide an export named 'value'/m);
    project.write('src/value.ts', `export const value = 'three';\n`);
    await hotrun.seen(/three/, 'stdout');
    project.write('src/inner.ts', `${types}export const nothing = 1;\n`);
    await hotrun.seen(/^src\/server\.ts:9:10: .*does not provide an export named 'inner'/m);
    await quit();
  });

  test('a missing export is refused', async () => {
    const { project, hotrun, ask, answers, quit } = await begin(SERVER, { node });
    await hotrun.seen(/ready in/);
    project.write('src/marker.ts', 'export const other = 1;\n');
    await hotrun.seen(/src\/server\.ts:2.*does not provide an export named 'marker'/);
    await hotrun.seen(UNTOUCHED);
    expect(await ask()).toBe('m0');
    project.write('src/marker.ts', source('m1'));
    await answers('m1');
    await quit();
  });

  test.each([
    [0, /ended with exit code 0, waiting for a change/],
    [3, /crashed with exit code 3.*, waiting for a change/],
  ])('an app that ends by itself with exit code %i is run again at the next save', async (code, told) => {
    const script = (text: string) =>
      `${ENTITLE}\nconsole.log('${text}');\nsetTimeout(() => process.exit(${code}), 20);\n`;
    const { project, hotrun, apps, quit } = await begin({ 'src/server.ts': script('one') }, { node });
    await hotrun.seen(/one/, 'stdout');
    await hotrun.seen(told);
    expect(apps()).toEqual([]);
    project.write('src/server.ts', script('two'));
    await hotrun.seen(/two/, 'stdout');
    await hotrun.seen(told);
    expect(hotrun.stdout()).toBe('one\ntwo\n');
    await quit();
  });

  test('a port that is taken: it is told by whom, if the app does not help itself', async () => {
    const listens = (port: number, orElse: string): string => `import { createServer } from 'node:http';
${ENTITLE}
const server = createServer((_request, response) => response.end('elsewhere'));
${orElse}
server.listen(${port}, '127.0.0.1');
`;
    const holder = net.createServer().listen(0, '127.0.0.1');
    await once(holder, 'listening');
    onTestFinished(() => void holder.close());
    const { port: taken } = holder.address() as net.AddressInfo;
    const { project, hotrun, port, answers, quit } = await begin({ 'src/server.ts': listens(taken, '') }, { node });
    const who = process.platform === 'linux' ? `.+ \\(process ${process.pid}\\)` : 'another program';
    await hotrun.seen(/Error: listen EADDRINUSE/);
    await hotrun.seen(new RegExp(`^\\[hotrun\\] port ${taken} is taken by ${who}: end it, or .*\\n.*crashed`, 'm'));
    const orElse = `server.once('error', () => server.listen(${port}, '127.0.0.1'));`;
    project.write('src/server.ts', listens(taken, orElse));
    await answers('elsewhere');
    expect(hotrun.stderr().match(/is taken by/g)).toHaveLength(1);
    await quit();
  });

  test('a JSON file is watched, and a fault in it is shown', async () => {
    const { project, hotrun, ask, answers, quit } = await begin(
      {
        'src/server.ts': server(`import data from './data.json' with { type: 'json' };`, 'data.marker'),
        'src/data.json': '{ "marker": "m0" }',
      },
      { node },
    );
    await hotrun.seen(/ready in/);
    project.write('src/data.json', '{ "marker": }');
    await hotrun.seen(/^src\/data\.json:1:\d+: /m);
    await hotrun.seen(UNTOUCHED);
    expect(await ask()).toBe('m0');
    project.replace('src/data.json', '{ "marker": "m1" }');
    await answers('m1');
    await quit();
  });

  test('a JSON file that is required', async () => {
    const { project, hotrun, answers, quit } = await begin(
      {
        'package.json': '{}',
        'src/server.ts': server(`import data from './data.json';`, 'data.marker'),
        'src/data.json': '{ "marker": "m0" }',
      },
      { node },
    );
    await hotrun.seen(/ready in/);
    project.write('src/data.json', '{ "marker": "m1" }');
    await answers('m1');
    await quit();
  });

  test.each(['module', 'commonjs'])(
    'an import() of a computed path is watched once it was loaded (%s)',
    async (type) => {
      const { project, hotrun, ask, answers, quit } = await begin(
        {
          'package.json': JSON.stringify({ type }),
          'src/server.ts': `import { createServer } from 'node:http';
createServer(async (request, response) => {
  const name = (request.url ?? '').slice(1);
  const { marker } = await import(\`./pages/\${name}.ts\`).catch((error: Error) => ({ marker: error.name }));
  response.end(marker);
}).listen(Number(process.env.PORT), '127.0.0.1');
`,
          'src/pages/a.ts': source('a0'),
          'src/pages/b.ts': source('b0'),
        },
        { node },
      );
      await hotrun.seen(/ready in/);
      expect(await ask('/a')).toBe('a0');
      project.write('src/pages/a.ts', source('a1'));
      await hotrun.seen(/src\/pages\/a\.ts changed: ready in/);
      expect(await ask('/a')).toBe('a1');
      // Not loaded yet, so not watched yet; loaded, it is what stands on the disk.
      project.write('src/pages/b.ts', source('b1'));
      expect(await ask('/b')).toBe('b1');
      project.write('src/pages/b.ts', source('b2'));
      await answers('b2', '/b');
      await quit();
    },
  );

  test.each(['module', 'commonjs'])('stack traces point at the TypeScript (%s)', async (type) => {
    const { project, hotrun, quit } = await begin(
      {
        'package.json': JSON.stringify({ type }),
        'src/server.ts': `import { createServer } from 'node:http';
import { fail } from './fail.ts';

interface Padding {
  readonly lines: number;
}
const padding: Padding = { lines: 1 };
console.log(new Error('in the entry').stack);
fail(padding.lines);
createServer(() => {}).listen(Number(process.env.PORT));
`,
        'src/fail.ts': `type Unused = {
  a: string;
};
export function fail(times: number): void {
  const unused: Unused | null = null;
  if (times > (unused ?? 0)) console.log(new Error('elsewhere').stack);
}
`,
      },
      { node },
    );
    const at = (file: string) => project.path(file).replaceAll('.', '\\.');
    await hotrun.seen(/Error: in the entry/, 'stdout');
    await hotrun.seen(
      new RegExp(`^    at (?:file://)?${at('src/server.ts')}:8:13|\\((?:file://)?${at('src/server.ts')}:8:13\\)`, 'm'),
      'stdout',
    );
    await hotrun.seen(new RegExp(`at fail \\((?:file://)?${at('src/fail.ts')}:6:42\\)`), 'stdout');
    await hotrun.seen(new RegExp(`${at('src/server.ts')}:9:1`), 'stdout');
    await hotrun.seen(/ready in/);
    // Also in a later generation, whose sources come from the pack.
    project.write(
      'src/fail.ts',
      `\n\nexport function fail(times: number): void {\n  throw new Error(\`\${times as number} time\`);\n}\n`,
    );
    await hotrun.seen(new RegExp(`at fail \\((?:file://)?${at('src/fail.ts')}:4:9\\)`));
    await hotrun.seen(new RegExp(`${at('src/server.ts')}:9:1`));
    await hotrun.seen(WAITING);
    await quit();
  });

  test('a fault in one of two files saved together takes nothing down, and mending it takes both', async () => {
    const { project, hotrun, ask, answers, quit } = await begin(
      {
        'src/server.ts': server(`import { a } from './a.ts';\nimport { b } from './b.ts';`, `[a, b].join(' ')`),
        'src/a.ts': `export const a = 'a0';\n`,
        'src/b.ts': `export const b = 'b0';\n`,
      },
      { node },
    );
    await hotrun.seen(/ready in/);
    project.write('src/a.ts', `export const a = 'a1';\n`);
    project.write('src/b.ts', 'export const b = ;\n');
    await hotrun.seen(/^src\/b\.ts:1:18: /m);
    await hotrun.seen(UNTOUCHED);
    await until('an answer of one of the two good states', async () => ['a0 b0', 'a1 b0'].includes(await ask()));
    project.write('src/b.ts', `export const b = 'b1';\n`);
    await answers('a1 b1');
    await quit();
  });
});
