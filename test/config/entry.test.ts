import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { resolveEntry } from '../../src/config/entry.ts';
import { UserError } from '../../src/errors.ts';
import { folder } from './folder.ts';

const files = {
  'src/server.ts': '',
  'src/server/index.js': '',
  'src/both.js': '',
  'src/both.ts': '',
  'src/view.tsx': '',
  'src/plain.jsx': '',
  'src/bin': '',
  'src/config.json': {},
  'src/app.py': '',
  'api/index.mts': '',
  'empty/': 0,
  'pkg/package.json': { main: './lib/start' },
  'pkg/lib/start.cjs': '',
  'pkg/index.js': '',
  'gone/package.json': { main: 'dist/gone.js' },
  'gone/index.ts': '',
  'folder/package.json': { main: 'lib' },
  'folder/lib/index.ts': '',
  'broken/package.json': '{',
};

describe('found', () => {
  test.each([
    ['src/server.ts', 'src/server.ts'],
    ['./src/server.ts', 'src/server.ts'],
    ['src/server', 'src/server.ts'],
    ['src/server/', 'src/server.ts'],
    ['src/both', 'src/both.ts'],
    ['src/both.js', 'src/both.js'],
    ['src/view', 'src/view.tsx'],
    ['src/plain', 'src/plain.jsx'],
    ['src/bin', 'src/bin'],
    ['api', 'api/index.mts'],
    ['pkg', 'pkg/lib/start.cjs'],
    ['gone', 'gone/index.ts'],
    ['folder', 'folder/lib/index.ts'],
  ])('%s is %s', (entry, file) => {
    const path = folder(files);
    expect(resolveEntry(entry, path, path)).toBe(join(path, file));
    expect(resolveEntry(join(path, entry), '/', '/')).toBe(join(path, file));
    expect(resolveEntry(entry, path, join(path, 'src'))).toBe(join(path, file));
  });
});

describe('refused, with one sentence', () => {
  test.each([
    ['src/sever.ts', 'src/sever.ts does not exist, did you mean src/server.ts?'],
    ['src/sever', 'src/sever does not exist, did you mean src/server.ts?'],
    ['src/server.js', 'src/server.js does not exist, did you mean src/server.ts?'],
    ['src/xyz.ts', 'src/xyz.ts does not exist'],
    ['dist/server.js', 'dist/server.js does not exist, nor does the folder dist'],
    ['empty', 'empty is a folder without an index file, name the file to run'],
    ['.', '. is a folder without an index file, name the file to run'],
    ['src/config.json', 'src/config.json is JSON and no program: hotrun runs JavaScript and TypeScript files'],
    ['src/app.py', 'src/app.py is not for node, run it as a command: hotrun --exec "python src/app.py"'],
    ['broken', 'package.json is not valid JSON'],
  ])('%s', (entry, sentence) => {
    const path = folder(files);
    const refused = () => resolveEntry(entry, path, path);
    expect(refused).toThrow(UserError);
    expect(refused).toThrow(expect.objectContaining({ message: sentence, exitCode: 1 }));
  });

  test('one that a build command is to make, named in full', () => {
    const path = folder(files);
    const made = (entry: string) => resolveEntry(entry, path, path, { isMade: true });
    expect(made('dist/server.js')).toBe(join(path, 'dist/server.js'));
    expect(() => made('dist/server')).toThrow('dist/server does not exist, nor does the folder dist');
    expect(() => made('.')).toThrow(UserError);
  });

  test('of the rc file: the sentence says so', () => {
    const path = folder(files);
    const refused = () => resolveEntry('sever.ts', join(path, 'src'), path, { source: '.hotrc.json:3: "entry"' });
    expect(refused).toThrow(
      expect.objectContaining({
        message: '.hotrc.json:3: "entry" names src/sever.ts, which does not exist, did you mean src/server.ts?',
      }),
    );
  });
});
