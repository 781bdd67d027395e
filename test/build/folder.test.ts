import { chmodSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { cacheFolder, systemFolder } from '../../src/build/folder.ts';
import { project } from './project.ts';

test.each([
  ['linux', {}, '/home/u', '/home/u/.cache'],
  ['linux', { XDG_CACHE_HOME: '/x' }, '/home/u', '/x'],
  ['linux', { XDG_CACHE_HOME: 'relative' }, '/home/u', '/home/u/.cache'],
  ['linux', {}, null, null],
  ['darwin', { XDG_CACHE_HOME: '/x' }, '/Users/u', '/Users/u/Library/Caches'],
  ['win32', { LOCALAPPDATA: 'L' }, null, 'L'],
] as const)('on %s with %j and home %s: %s', (platform, env, home, wanted) => {
  expect(systemFolder({ platform, env, home })).toBe(wanted);
});

test('the nearest node_modules at or above the root; nothing is created', () => {
  const root = project({ 'node_modules/x/y.js': '', 'packages/a/b.ts': '', 'packages/c/node_modules/x/y.js': '' });
  expect(cacheFolder(join(root, 'packages/a'))).toBe(join(root, 'node_modules/.cache/hotrun'));
  expect(cacheFolder(join(root, 'packages/c'))).toBe(join(root, 'packages/c/node_modules/.cache/hotrun'));
  expect(existsSync(join(root, 'node_modules/.cache'))).toBe(false);
});

test('without node_modules the cache folder of the system, by root; else none', () => {
  const root = project({ 'a/x.ts': '', 'b/x.ts': '', 'home/x': '' });
  const home = join(root, 'home');
  const given = { env: {}, platform: 'linux', home } as const;
  const folder = cacheFolder(join(root, 'a'), given);
  expect(folder).toBe(join(home, '.cache/hotrun', encodeURIComponent(join(root, 'a'))));
  expect(cacheFolder(join(root, 'b'), given)).not.toBe(folder);
  const deep = join(root, 'x'.repeat(100), 'x'.repeat(100));
  expect(cacheFolder(deep, given)).toMatch(/[/\\]home[/\\]\.cache[/\\]hotrun[/\\][0-9a-f]{40}$/);
  expect(cacheFolder(join(root, 'a'), { ...given, home: null })).toBeNull();
});

// Root may write anywhere, whatever the mode says.
test.skipIf(process.getuid?.() === 0 || process.platform === 'win32')('not one that takes no writes', () => {
  const root = project({ 'app/node_modules/x/y.js': '', 'home/x': '' });
  chmodSync(join(root, 'app/node_modules'), 0o500);
  onTestFinished(() => chmodSync(join(root, 'app/node_modules'), 0o700));
  const given = { env: {}, platform: 'linux', home: join(root, 'home') } as const;
  expect(cacheFolder(join(root, 'app'), given)).toContain(join(root, 'home'));
});
