/** Packages that are linked into node_modules are code of the project: TypeScript runs, is watched and reloaded. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, describe, test } from 'vitest';
import type { Project } from '../rig.ts';
import { begin, endAll, NODES, SERVER } from './begin.ts';

afterEach(endAll);

const said = (text: string): string => `export enum Said { Text = '${text}' }\n`;

describe.each(NODES)('on $version', ({ node }) => {
  test.each(['module', 'commonjs'])('a workspace and a package outside the root (%s)', async (type) => {
    const manifest = JSON.stringify({ type });
    const exported = JSON.stringify({ type, exports: './src/index.ts' });
    let outside = '';
    const app = await begin(
      {
        'package.json': manifest,
        'src/server.ts': `import { createServer } from 'node:http';
import { Said as Lib } from '@my/lib';
import { Said as Outside } from 'outside';
createServer((_request, response) => response.end(Lib.Text + ' ' + Outside.Text)).listen(Number(process.env.PORT), '127.0.0.1');
`,
        'packages/lib/package.json': exported,
        'packages/lib/src/index.ts': `export { Said } from './said.js';`,
        'packages/lib/src/said.ts': said('lib0'),
      },
      {
        node,
        before(project) {
          outside = join(dirname(project.dir), 'outside');
          mkdirSync(join(outside, 'src'), { recursive: true });
          writeFileSync(join(outside, 'package.json'), exported);
          writeFileSync(join(outside, 'src/index.ts'), said('outside0'));
          mkdirSync(project.path('node_modules/@my'), { recursive: true });
          symlinkSync('../../packages/lib', project.path('node_modules/@my/lib'));
          symlinkSync('../../outside', project.path('node_modules/outside'));
        },
      },
    );
    await app.answers('lib0 outside0');
    app.project.write('packages/lib/src/said.ts', said('lib1'));
    await app.answers('lib1 outside0');
    await app.hotrun.seen(/packages\/lib\/src\/said\.ts changed: ready/);
    writeFileSync(join(outside, 'src/index.ts'), said('outside1'));
    await app.answers('lib1 outside1');
    await app.hotrun.seen(/outside\/src\/index\.ts changed: ready/);
    await app.quit();
  });

  test('of a package of a workspace, the lockfile above it', async () => {
    const lockfile = (project: Project): string => join(dirname(project.dir), 'pnpm-lock.yaml');
    const app = await begin(SERVER, {
      node,
      before: (project) => writeFileSync(lockfile(project), 'a: 1\n'),
    });
    await app.answers('m0');
    writeFileSync(lockfile(app.project), 'a: 2\n');
    await app.hotrun.seen(/pnpm-lock\.yaml changed: ready/);
    await app.answers('m0');
    await app.quit();
  });
});
