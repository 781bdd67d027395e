/** Env files: read as node reads them, and read again when they change. */
import { afterEach, describe, expect, test } from 'vitest';
import { begin, endAll, NODES, server } from './begin.ts';

afterEach(endAll);

const FILES = {
  'src/server.ts': server(
    `import { fork } from 'node:child_process';
const [A, B, C, PATH] = ['A', 'B', 'C', 'SHELL_S'].map((name) => process.env[name]);`,
    `[A, B, C, PATH].map((value) => value ?? '-').join()`,
  ),
};

describe.each(NODES)('node $version', ({ node }) => {
  test('changed values come with the next generation, removed ones are gone, the shell’s own win', async () => {
    const { project, hotrun, answers, quit } = await begin(
      { ...FILES, '.env': 'A=1\nSHELL_S=file\n', 'more.env': 'A=2\nB=2\n' },
      { node, args: ['--env-file=.env', '--env-file', 'more.env', 'src/server.ts'], env: { SHELL_S: 'shell' } },
    );
    await answers('2,2,-,shell');
    project.write('more.env', 'C=3\n');
    await answers('1,-,3,shell');
    await hotrun.seen(/more\.env changed: ready in/);
    // Twice in a row: the standby had booted with the old ones.
    project.replace('.env', 'A=4\n');
    await answers('4,-,3,shell');
    await quit();
  });

  test('one that is missing is told as node would, and the running version is not touched; it may appear later', async () => {
    const { project, hotrun, ask, answers, quit } = await begin(
      { ...FILES, '.hotrc.json': '{ "envFile": ".env" }' },
      { node },
    );
    await hotrun.seen(/src\/server\.ts: cannot be loaded\n\.env: not found\n.*nothing runs/);
    project.write('.env', 'A=1\n');
    await answers('1,-,-,-');
    project.remove('.env');
    await hotrun.seen(/\.env changed: cannot be loaded\n\.env: not found\n.*the running version is not touched/);
    expect(await ask()).toBe('1,-,-,-');
    project.write('.env', 'A=2\n');
    await answers('2,-,-,-');
    await quit();
  });

  test('--env-file-if-exists: told once while it is missing, and read as soon as it is there', async () => {
    const { project, hotrun, answers, quit } = await begin(FILES, {
      node,
      args: ['--env-file-if-exists=config/.env', 'src/server.ts'],
    });
    await answers('-,-,-,-');
    // By node, which looks for the option behind the name of the program as well, here hotrun's own.
    await hotrun.seen(/^config\/\.env not found\. Continuing without it\.$/m);
    project.write('config/.env', 'A=1\n');
    await answers('1,-,-,-');
    expect(hotrun.stderr().match(/not found/g)).toHaveLength(1);
    await quit();
  });

  test('forks of the app find what node would give them', async () => {
    const { project, answers, quit } = await begin(
      {
        'src/fork.mjs': `process.send([process.env.A, process.env.B, process.execArgv.filter((arg) => arg.includes('env')).join(' ')].join());`,
        'src/server.ts': server(
          `import { fork } from 'node:child_process';
let said = '';
for (const env of [process.env, {}])
  said += await new Promise((resolve) => fork('src/fork.mjs', { env: { ...env, B: 'own' } }).once('message', resolve)) + ';';`,
          'said',
        ),
        '.env': 'A=1\nB=file\n',
      },
      { node, args: ['--env-file=.env', 'src/server.ts'] },
    );
    await answers('1,own,--env-file=.env;1,own,--env-file=.env;');
    project.write('.env', 'A=2\n');
    await answers('2,own,--env-file=.env;2,own,--env-file=.env;');
    await quit();
  });

  test('NODE_OPTIONS in one: code that comes before the entry runs when it is the generation’s turn', async () => {
    const { project, answers, apps, quit } = await begin(
      {
        'src/server.ts': server('', 'globalThis.first'),
        'first.mjs': `import { appendFileSync } from 'node:fs';
globalThis.first = process.env.A;
appendFileSync('log', 'x');`,
        '.hotrc.json': '{ "envFile": ".env" }',
        '.env': 'NODE_OPTIONS=--import=./first.mjs\nA=1\n',
      },
      { node },
    );
    await answers('1');
    project.write('.env', 'NODE_OPTIONS=--import=./first.mjs\nA=2\n');
    await answers('2');
    expect(apps()).toHaveLength(1);
    await quit();
    expect(project.read('log')).toBe('xx');
  });
});

test('a command finds them in its environment', async () => {
  const print = `console.log('it is ' + process.env.A + process.env.SHELL_S); setInterval(() => {}, 1000);`;
  const { project, hotrun, quit } = await begin(
    { 'print.cjs': print, '.env': 'A=1\nSHELL_S=file' },
    {
      node: process.execPath,
      args: ['--env-file=.env', '-w', '*.cjs', '--', process.execPath, 'print.cjs'],
      env: { SHELL_S: 'shell' },
    },
  );
  await hotrun.seen(/^it is 1shell$/m, 'stdout');
  project.write('.env', 'A=2\n');
  await hotrun.seen(/^it is 2shell$/m, 'stdout');
  project.remove('.env');
  await hotrun.seen(/\.env: not found\n.*the running version is not touched/);
  await quit();
});

test('so does the build command', async () => {
  const { project, answers, quit } = await begin(
    {
      'src/server.ts': server(`import { made } from './made.ts';`, 'made'),
      'src/made.ts': `export const made: string = '';\n`,
      'make.cjs': `require('node:fs').writeFileSync('src/made.ts', "export const made: string = 'built with " + process.env.A + "';\\n");`,
      '.env': 'A=1\n',
    },
    {
      node: process.execPath,
      args: ['--env-file=.env', '--build', `"${process.execPath}" make.cjs`, '-i', 'src/made.ts', 'src/server.ts'],
    },
  );
  await answers('built with 1');
  project.write('.env', 'A=2\n');
  await answers('built with 2');
  await quit();
});
