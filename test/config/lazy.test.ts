import { spawnSync } from 'node:child_process';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { expect, test } from 'vitest';
import { folder } from './folder.ts';

const repo = join(import.meta.dirname, '../..');

/** Which packages a process has loaded once it has read this command line. */
async function loader(files: Readonly<Record<string, unknown>>): Promise<(...argv: string[]) => string> {
  const cwd = folder(files);
  symlinkSync(join(repo, 'node_modules'), join(cwd, 'node_modules'));
  await build({
    stdin: {
      contents: `export { parseArgv } from './argv.ts'; export { readConfig } from './read.ts';`,
      resolveDir: join(repo, 'src/config'),
    },
    outfile: join(cwd, 'config.mjs'),
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
  });
  return (...argv) => {
    const code = `import { createRequire } from 'node:module';
      import { parseArgv, readConfig } from './config.mjs';
      readConfig(await parseArgv(${JSON.stringify(argv)}), process.cwd(), null);
      const files = Object.keys(createRequire(import.meta.url).cache);
      console.log(['commander', 'jsonc-parser'].filter((name) => files.some((file) => file.includes(name))).join());`;
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', code], {
      cwd,
      encoding: 'utf8',
    });
    return (stdout || stderr).trimEnd();
  };
}

test('commander is loaded for hotrun’s own options only', { timeout: 60_000 }, async () => {
  const loaded = await loader({ 'package.json': {}, 'a.ts': '' });
  expect(loaded('a.ts', '--watch')).toBe('');
  expect(loaded('--inspect', '-r', 'x', 'a.ts')).toBe('');
  expect(loaded('--', 'go', 'run', '.')).toBe('');
  expect(loaded('-q', 'a.ts')).toBe('commander');
});

test('the JSON parser is loaded for an rc file only', { timeout: 60_000 }, async () => {
  const loaded = await loader({ 'package.json': {}, 'a.ts': '', 'rc.json': '{}' });
  expect(loaded('a.ts')).toBe('');
  expect(loaded('--config', 'rc.json', 'a.ts')).toBe('commander,jsonc-parser');
});
