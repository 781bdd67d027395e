/** What a module imports is made before it is asked for; what is taken is as the file is. */
import { afterEach, expect, test } from 'vitest';
import { openLinks } from '../../src/build/links.ts';
import { openPrefetch } from '../../src/build/prefetch.ts';
import { type Entry, openStore } from '../../src/build/store.ts';
import { makeProject, type Project, until } from '../rig.ts';
import { age } from './project.ts';

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

function open(files: Readonly<Record<string, string>>): {
  project: Project;
  store: ReturnType<typeof openStore>;
  made: string[];
  prefetch: ReturnType<typeof openPrefetch>;
} {
  const project = makeProject({ 'package.json': '{ "type": "module" }', ...files });
  const store = openStore(project.dir, project.path('a.ts'), 'test', false);
  closing.push(() => {
    store.close();
    project.close();
  });
  // As old as the files of a project are, unless somebody is writing them.
  for (const file of Object.keys(files)) age(project.path(file));
  const host = { onMissing() {}, onAbsent() {}, onForget() {}, onKnown() {} };
  const links = openLinks(project.dir, store.entries, store.tools, host);
  const made: string[] = [];
  const make = (file: string): ReturnType<typeof store.make> => {
    made.push(file.slice(project.dir.length + 1));
    return store.make(file);
  };
  const prefetch = openPrefetch({ entries: store.entries, make }, links.resolve, () => false);
  return { project, store, made, prefetch };
}

const CHAIN = {
  'a.ts': `import { b } from './b.ts';\nimport type { T } from './types.ts';\nimport 'node:fs';\nimport 'pkg';\nexport const a: T = b;\n`,
  'b.ts': `export { c as b } from './deep/c.ts';\nexport const later = () => import('./later.ts');\n`,
  'deep/c.ts': `import { b } from '../b.ts';\nexport const c: number = 1;\nexport const circle = () => b;\n`,
  'types.ts': 'export type T = number;\n',
  'later.ts': 'export const later: number = 1;\n',
};

test('all that is imported at once is made, each file once, and nothing is kept that was not taken', async () => {
  const { project, store, made, prefetch } = open(CHAIN);
  prefetch.expect(project.path('a.ts'));
  await until('the last is made', () => made.includes('deep/c.ts'));
  const c = await prefetch.take(project.path('deep/c.ts'));
  expect((c as Entry).module.code).toContain('const c = 1');
  await prefetch.take(project.path('a.ts'));
  await prefetch.take(project.path('b.ts'));
  expect(made).toEqual(['a.ts', 'b.ts', 'deep/c.ts']);
  expect([...store.entries.keys()]).toEqual([]);
});

test('what was not made, what has changed since, what has faults and what is not there is to be read', async () => {
  const { project, prefetch } = open({ ...CHAIN, 'faulty.ts': 'const = 1;\n' });
  const took = (file: string) => prefetch.take(project.path(file));
  expect(await took('later.ts')).toBeUndefined();
  prefetch.expect(project.path('faulty.ts'));
  expect(await took('faulty.ts')).toBeUndefined();
  prefetch.expect(project.path('gone.ts'));
  expect(await took('gone.ts')).toBeUndefined();
  prefetch.expect(project.path('later.ts'));
  project.write('later.ts', 'export const later: number = 1000;\n');
  expect(await took('later.ts')).toBeUndefined();
  prefetch.expect(project.path('later.ts'));
  // It has just been written.
  expect(await took('later.ts')).toBeUndefined();
  age(project.path('later.ts'));
  prefetch.expect(project.path('later.ts'));
  expect((await took('later.ts'))?.module.code).toContain('1e3');
  // Once.
  expect(await took('later.ts')).toBeUndefined();
});

test('what is known already is not made again', async () => {
  const { project, store, made, prefetch } = open(CHAIN);
  const b = await store.read(project.path('b.ts'));
  prefetch.follow(b as Entry);
  await until('what it imports is made', () => made.includes('deep/c.ts'));
  prefetch.expect(project.path('b.ts'));
  await prefetch.take(project.path('deep/c.ts'));
  expect(made).toEqual(['deep/c.ts']);
});
