/** What is saved while the app starts, and nothing is listened to yet, counts all the same. */
import { afterEach, expect, test } from 'vitest';
import { type Begun, begin, endAll, NODES, server } from './begin.ts';

const [{ node }] = NODES as [(typeof NODES)[number]];
afterEach(endAll);

const GO = `import { existsSync } from 'node:fs';
console.log('started');
while (!existsSync('go')) await new Promise((resolve) => setTimeout(resolve, 5));
`;
const started = ({ hotrun }: Begun) => hotrun.seen(/started/, 'stdout');

test('in a file that only a glob finds, or that is new', async () => {
  const files = {
    'src/server.ts': server(
      `import { readdirSync, readFileSync } from 'node:fs';\n${GO}
const found = readdirSync('db').map((name) => readFileSync('db/' + name, 'utf8')).join(' ');`,
      'found',
    ),
    'db/a.txt': 'a',
  };
  for (const [name, answer] of [
    ['db/a.txt', 'late'],
    ['db/b.txt', 'a late'],
  ] as const) {
    const begun = await begin(files, { node, args: ['-w', 'db/*.txt', 'src/server.ts'] });
    await started(begun);
    begun.project.write(name, 'late');
    begun.project.write('go', '');
    await begun.hotrun.seen(new RegExp(`${name} changed: ready in`));
    expect(await begun.ask()).toBe(answer);
  }
});

test.each([
  ['waits for ever', 'await new Promise((resolve) => setInterval(() => {}, 1000));'],
  ['runs in circles', 'for (;;);'],
])('in an app that %s', async (_name, line) => {
  const body = server('', '"mended"');
  const begun = await begin(
    { 'src/server.ts': `console.log('started');\n${line}\n${body}` },
    { node, args: ['--stop', 'SIGKILL 100ms', 'src/server.ts'] },
  );
  await started(begun);
  begun.project.write('src/server.ts', body);
  await begun.answers('mended');
});
