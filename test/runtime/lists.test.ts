/** Which folders count as listed, by the arguments of the functions of node:fs. */
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { openLists } from '../../src/runtime/lists.ts';

/** As it is told: a star is for all that is below. */
function listed(name: string, ...args: unknown[]): string[] {
  const lists = openLists('/p');
  lists.note(name, args);
  return lists.folders().map(({ path, isDeep }) => path + (isDeep ? '/*' : ''));
}

test.each<[string, unknown[], string[]]>([
  ['readdir', ['/p/routes'], ['/p/routes']],
  ['readdir', ['/p/routes/../plugins/'], ['/p/plugins']],
  ['readdir', [pathToFileURL('/p/routes')], ['/p/routes']],
  ['readdirSync', ['/p/routes', { withFileTypes: true }], ['/p/routes']],
  ['readdirSync', ['/p/routes', { recursive: true }], ['/p/routes/*']],
  ['readdirSync', ['/p/routes', 'utf8'], ['/p/routes']],
  ['opendir', ['/p/routes', null], ['/p/routes']],
  ['readdir', ['/p'], []],
  ['readdir', ['/q/routes'], []],
  ['readdir', ['/p/node_modules'], []],
  ['readdir', ['/p/a/node_modules/b'], []],
  ['readdir', ['/p/.git/refs'], []],
  ['readdir', [Buffer.from('/p/routes')], []],
  ['readdir', [], []],
  ['glob', ['routes/*.ts', { cwd: '/p' }], ['/p/routes']],
  ['glob', ['/p/routes/**/*.ts'], ['/p/routes/*']],
  ['globSync', [['src/{a,b}/*.ts', 'plugins/x.ts', 'jobs/*.ts'], { cwd: '/p' }], ['/p/src/*', '/p/jobs']],
])('%s %j', (name, args, folders) => {
  expect(listed(name, ...args)).toEqual(folders);
});

test('one listed in both ways is listed with all that is below, and there are at most 500', () => {
  const lists = openLists('/p');
  lists.note('readdir', ['/p/0', { recursive: true }]);
  for (let at = 0; at < 1000; at++) lists.note('readdir', [`/p/${at}`]);
  expect(lists.folders()).toHaveLength(500);
  expect(lists.folders()[0]).toEqual({ path: '/p/0', isDeep: true });
});
