/** The fixtures do what the README says of them, each in a copy of its folder. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { answers, closeAll, freePort, makeProject, type Project, start } from '../rig.ts';

const projects: Project[] = [];
afterEach(async () => {
  await closeAll();
  for (const project of projects.splice(0)) project.close();
});

function copyOf(fixture: string): Project {
  const folder = join(import.meta.dirname, '../../fixtures', fixture);
  const names = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isFile());
  const files = names.map(({ name }) => [name, readFileSync(join(folder, name), 'utf8')] as const);
  const project = makeProject(Object.fromEntries(files));
  projects.push(project);
  return project;
}

function edit(project: Project, file: string, from: string, to: string): void {
  const before = readFileSync(project.path(file), 'utf8');
  expect(before).toContain(from);
  project.write(file, before.replace(from, to));
}

test('http: an edit is answered', async () => {
  const project = copyOf('http');
  const port = await freePort();
  const hotrun = start(project, ['server.ts'], { env: { PORT: String(port) } });
  await hotrun.seen(/server\.ts ready in .* on http:\/\/localhost:\d+/);
  await answers(port, 'Hello from /you\n', '/you');
  edit(project, 'greeting.ts', 'Hello', 'Hi');
  await answers(port, 'Hi from /you\n', '/you');
});

test('command: built, run, reloaded, not touched by a failed build, asked to end', async () => {
  const project = copyOf('command');
  const hotrun = start(project, []);
  await hotrun.seen(/^tick 1$/m, 'stdout');
  project.write('word.txt', 'tock\n');
  await hotrun.seen(/^bye\n(?:.*\n)*?tock 1$/m, 'stdout');
  edit(project, 'ticker.sh', '\ndone', '\n');
  await hotrun.seen(/build failed/);
  await hotrun.seen(/the running version is not touched/);
  await hotrun.seen(/^tock [2-9]\d*$/m, 'stdout');
  hotrun.kill('SIGINT');
  expect(await hotrun.ended).toEqual({ code: 130, signal: null });
  expect(hotrun.stdout()).toMatch(/bye\n$/);
  expect(hotrun.processes()).toEqual([]);
});
