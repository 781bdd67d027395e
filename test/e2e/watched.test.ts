/** --list-watched and --why: which files, and by which rule. */
import { afterEach, expect, test } from 'vitest';
import { answers, closeAll, freePort, makeProject, markerSource, type Project, SERVER, start } from '../rig.ts';

let project: Project;
afterEach(async () => {
  await closeAll();
  project.close();
});

const env = async () => ({ PORT: String(await freePort()) });

test('--list-watched runs the app, says what is watched and by which rule, and ends', async () => {
  project = makeProject({
    ...SERVER,
    'db/a.sql': '',
    'db/gen/b.sql': '',
    '.gitignore': 'gen\n',
    'tsconfig.json': '{}',
  });
  const hotrun = start(project, ['--list-watched', '-w', 'db/**/*.sql', 'src/server.ts'], { env: await env() });
  expect(await hotrun.ended).toEqual({ code: 0, signal: null });
  const after = hotrun.stderr().split('\n').slice(1, -1);
  expect(after).toEqual([
    'db/**/*.sql: a glob of "watch"',
    'db/a.sql: a glob of "watch" matches it',
    'package.json: it says how to run the app',
    'src/marker.ts: the app loads it',
    'src/server.ts: the app loads it',
    'tsconfig.json: it says how to run the app',
  ]);
  expect(hotrun.processes()).toEqual([]);
});

test('--list-watched of an app that cannot be loaded says so by its exit code', async () => {
  project = makeProject({ 'src/server.ts': `import './missing.ts';` });
  const hotrun = start(project, ['--list-watched', 'src/server.ts'], { env: await env() });
  expect(await hotrun.ended).toEqual({ code: 1, signal: null });
  expect(hotrun.stderr()).toContain('src/server.ts: the app loads it');
});

test('--why says which file of a burst counts by which rule', async () => {
  project = makeProject({ ...SERVER, 'a.sql': 'one' });
  const its = await env();
  const hotrun = start(project, ['--why', '-w', '*.sql', 'src/server.ts'], { env: its });
  await answers(Number(its.PORT), 'm0');
  await hotrun.seen(/ready in/);
  project.write('a.sql', 'two');
  project.write('src/marker.ts', markerSource('m1'));
  await hotrun.seen(/a\.sql counts: a glob of "watch" matches it/);
  await answers(Number(its.PORT), 'm1');
  expect(hotrun.stderr()).toContain('src/marker.ts counts: the app loads it');
});
