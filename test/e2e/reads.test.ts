/** watchReads: what the app reads while it starts is watched, what it writes is not, and node:fs looks as ever. */
import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { answers, closeAll, freePort, get, makeProject, type Project, start, until } from '../rig.ts';
import { NODES } from './begin.ts';

let project: Project;
afterEach(async () => {
  await closeAll();
  project.close();
});

const listening = `createServer((_, response) => response.end(text.join(' '))).listen(Number(process.env.PORT), '127.0.0.1');
`;
const APPS: Readonly<Record<string, Record<string, string>>> = {
  'an ECMAScript module': {
    'src/server.ts': `import { createServer } from 'node:http';
import fs, { createReadStream, readFile, readFileSync } from 'node:fs';
import { open, readFile as later } from 'node:fs/promises';
import { promisify } from 'node:util';
const text: unknown[] = [readFileSync('db/a.sql', 'utf8')];
text.push(await promisify(readFile)(new URL('../db/b.graphql', import.meta.url), 'utf8'));
text.push(await later('db/c.proto', 'utf8'));
for await (const part of createReadStream('db/d.html', 'utf8')) text.push(part);
const handle = await open('db/e.yaml');
text.push(await handle.readFile('utf8'));
await handle.close();
text.push(fs.readFileSync('.env', 'utf8'), readFileSync('db/gen/f.sql', 'utf8'), readFileSync('db/g.json', 'utf8'));
${listening}`,
  },
  CommonJS: {
    'package.json': '{}',
    'src/server.ts': `const { createServer } = require('node:http');
const fs = require('node:fs');
const text = 'a.sql b.graphql c.proto d.html e.yaml'.split(' ').map((name) => fs.readFileSync('db/' + name, 'utf8'));
text.push(fs.readFileSync('.env', 'utf8'), fs.readFileSync('db/gen/f.sql', 'utf8'), fs.readFileSync('db/g.json', 'utf8'));
${listening}`,
  },
};
const NAMES = ['db/a.sql', 'db/b.graphql', 'db/c.proto', 'db/d.html', 'db/e.yaml', '.env', 'db/gen/f.sql', 'db/g.json'];

describe.each(NODES)('on Node $version', ({ node }) => {
  test.each(Object.entries(APPS))('what %s reads at its start is watched', async (_name, app) => {
    const files = Object.fromEntries(NAMES.map((name, at) => [name, String(at)]));
    project = makeProject({ ...app, ...files, '.gitignore': 'gen\n.env\n' });
    const port = await freePort();
    const hotrun = start(project, ['--why', 'src/server.ts'], { node, env: { PORT: String(port) } });
    await answers(port, '0 1 2 3 4 5 6 7');
    await hotrun.seen(/ready in/);
    const now = ['0', '1', '2', '3', '4', '5', '6', '7'];
    for (let at = 0; at < 6; at++) {
      now[at] = `new${at}`;
      project.write(NAMES[at] as string, now[at] as string);
      await answers(port, now.join(' '));
      await hotrun.seen(/counts: the app reads it when it starts/);
    }
    // Left out by .gitignore, and what programs write too.
    project.write('db/gen/f.sql', 'x');
    project.write('db/g.json', 'x');
    project.write('db/a.sql', 'last');
    await until('the last', async () => {
      const answer = await get(port);
      return 'body' in answer && answer.body.startsWith('last ');
    });
    expect(hotrun.stderr()).not.toMatch(/f\.sql|g\.json/);
  });

  test.each([
    [
      'required',
      {
        'package.json': '{}',
        'hook.cjs': `require.extensions['.txt'] = (module, file) => {
  module.exports = require('node:fs').readFileSync(file, 'utf8');
};`,
        'src/server.ts': `const { createServer } = require('node:http');\nconst text = [require('./word.txt')];\n${listening}`,
      },
      ['-r', './hook.cjs'],
    ],
    [
      'imported',
      {
        'hook.mjs': `import { register } from 'node:module';\nregister('./loader.mjs', import.meta.url);`,
        'loader.mjs': `import { readFile } from 'node:fs/promises';
export const load = async (url, context, next) =>
  url.endsWith('.txt')
    ? { format: 'module', source: 'export default ' + JSON.stringify(await readFile(new URL(url), 'utf8')), shortCircuit: true }
    : next(url, context);`,
        'src/server.ts': `import { createServer } from 'node:http';\nimport word from './word.txt';\nconst text = [word];\n${listening}`,
      },
      ['--import', './hook.mjs'],
    ],
  ])('text that is %s by a loader of the app’s own', async (_, files, flags) => {
    project = makeProject({ ...files, 'src/word.txt': 'one' });
    const port = await freePort();
    const hotrun = start(project, [...flags, 'src/server.ts'], { node, env: { PORT: String(port) } });
    await answers(port, 'one');
    for (const word of ['two', 'three']) {
      project.write('src/word.txt', word);
      await answers(port, word);
      await hotrun.seen(/word\.txt changed: ready in/);
    }
  });

  test('what is not there yet counts when it appears, and when it is gone again', async () => {
    project = makeProject({
      'src/server.ts': `import { createServer } from 'node:http';
import { existsSync, readFileSync } from 'node:fs';
const text = [readFileSync('db/deep/a.sql', 'utf8')];
try {
  text.push(readFileSync('.env', 'utf8'));
} catch {}
if (existsSync('db/b.yaml')) text.push(readFileSync('db/b.yaml', 'utf8'));
${listening}`,
    });
    const port = await freePort();
    const hotrun = start(project, ['--why', 'src/server.ts'], { node, env: { PORT: String(port) } });
    await hotrun.seen(/waiting for a change/);
    project.write('db/deep/a.sql', 'a');
    await hotrun.seen(/a\.sql counts: the app reads it when it starts/);
    await answers(port, 'a');
    await hotrun.seen(/ready in/);
    project.write('.env', 'env');
    await answers(port, 'a env');
    await hotrun.seen(/ready in/);
    project.write('db/b.yaml', 'b');
    await answers(port, 'a env b');
    await hotrun.seen(/ready in/);
    project.remove('.env');
    await answers(port, 'a b');
    await hotrun.seen(/\.env changed: ready in/);
    project.write('.env', 'again');
    await answers(port, 'a again b');
  });

  test('node:fs looks as ever, and is itself again when the app is ready', async () => {
    project = makeProject({
      'a.sql': '',
      'src/server.ts': `import fs, { readFile } from 'node:fs';
import { createServer } from 'node:http';
import { promisify } from 'node:util';
const own = [fs.readFile, fs.readFileSync, fs.open, fs.promises.readFile];
const before = own.map(({ name, length }) => name + length).join() + (await promisify(fs.exists)('a.sql'));
fs.readFileSync('a.sql');
const later = () => [fs.readFile === own[0], fs.readFile === readFile, String(fs.readFile).includes('native')].join();
createServer((_, response) => response.end(before + ' ' + later())).listen(Number(process.env.PORT), '127.0.0.1');
`,
    });
    const port = await freePort();
    start(project, ['src/server.ts'], { node, env: { PORT: String(port) } });
    await answers(port, 'readFile3,readFileSync2,open4,readFile2true false,true,false');
  });

  test('--no-watch-reads watches none of it', async () => {
    project = makeProject({
      'a.sql': 'a',
      'src/server.ts': `import { readFileSync } from 'node:fs';\nreadFileSync('a.sql');\nsetInterval(() => {}, 1000);\n`,
    });
    const hotrun = start(project, ['--no-watch-reads', '--list-watched', 'src/server.ts'], { node });
    await hotrun.ended;
    expect(hotrun.stderr()).toContain('src/server.ts: the app loads it');
    expect(hotrun.stderr()).not.toContain('a.sql');
  });
});

test('a project file that the app writes does not reload it again and again', async () => {
  project = makeProject({
    'state.yaml': '0',
    'src/server.ts': `import { createServer } from 'node:http';
import { readFileSync, writeFileSync } from 'node:fs';
const count = Number(readFileSync('state.yaml', 'utf8'));
writeFileSync('state.yaml', String(count + 1));
createServer((_, response) => response.end(String(count))).listen(Number(process.env.PORT), '127.0.0.1');
`,
  });
  const port = await freePort();
  const hotrun = start(project, ['src/server.ts'], { env: { PORT: String(port) } });
  await answers(port, '0');
  await hotrun.seen(/ready in/);
  // A save of the app itself is the next reload: what could come before it is one by what it wrote.
  for (const count of ['1', '2', '3']) {
    project.write('src/server.ts', `${readFileSync(project.path('src/server.ts'), 'utf8')}\n// ${count}\n`);
    await answers(port, count);
    await hotrun.seen(/ready in/);
  }
});
