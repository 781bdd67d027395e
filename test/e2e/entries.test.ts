/** Entries that are not just a file of the project: a package's command, a symbolic link to it, a script without extension. */
import { mkdirSync, symlinkSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { markerSource, type Project } from '../rig.ts';
import { begin, ENTITLE, endAll, NODES } from './begin.ts';
import { journalOf } from './journal.ts';

afterEach(endAll);

/** Loads the file that its argument names, as commands of frameworks do. */
const TOOL = {
  cjs: `#!/usr/bin/env node
const { appendFileSync } = require('node:fs');
appendFileSync('journal', process.env.HOTRUN_GENERATION + ' tool\\n');
import(require('node:url').pathToFileURL(process.argv[2]).href);
`,
  esm: `#!/usr/bin/env node
import { appendFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
appendFileSync('journal', process.env.HOTRUN_GENERATION + ' tool\\n');
await import(pathToFileURL(process.argv[2]).href);
`,
};
const APP = `import { createServer } from 'node:http';
import { marker } from './marker.ts';
${ENTITLE}
createServer((_request, response) => response.end(marker)).listen(Number(process.env.PORT), '127.0.0.1');
`;

const link = (project: Project): void => {
  mkdirSync(project.path('node_modules/.bin'));
  symlinkSync('../tool/cli.js', project.path('node_modules/.bin/tool'));
};

const shapes = [
  { shape: 'a command of a package, CommonJS', entry: 'node_modules/tool/cli.js', kind: 'cjs' },
  { shape: 'a command of a package, ESM', entry: 'node_modules/tool/cli.js', kind: 'esm' },
  { shape: 'its link in .bin, CommonJS', entry: 'node_modules/.bin/tool', kind: 'cjs' },
  { shape: 'its link in .bin, ESM', entry: 'node_modules/.bin/tool', kind: 'esm' },
] as const;

describe.each(NODES)('on Node $version', ({ node }) => {
  test.each(shapes)('$shape, waits for its turn', async ({ entry, kind }) => {
    const type = kind === 'esm' ? 'module' : 'commonjs';
    const { project, answers, apps, hotrun, quit } = await begin(
      {
        'node_modules/tool/package.json': `{ "name": "tool", "type": "${type}" }`,
        'node_modules/tool/cli.js': TOOL[kind],
        'src/app.ts': APP,
        'src/marker.ts': markerSource('m0'),
      },
      { node, args: [entry, 'src/app.ts'], before: link },
    );
    await answers('m0');
    await hotrun.seen(/ready in/);
    for (const marker of ['m1', 'm2']) {
      project.write('src/marker.ts', markerSource(marker));
      await hotrun.seen(/marker\.ts changed: ready in/);
      await answers(marker);
    }
    expect(apps()).toHaveLength(1);
    // A number is what a generation has from its turn on.
    expect(journalOf(project).lines()).toEqual(['1 tool', '2 tool', '3 tool']);
    await quit();
  });

  test('a script without extension is watched like any other', async () => {
    const script = (marker: string): string => `#!/usr/bin/env node
${ENTITLE}
require('node:http').createServer((_request, response) => response.end('${marker}')).listen(process.env.PORT, '127.0.0.1');
`;
    const files = { 'package.json': '{}', 'bin/www': script('m0') };
    const { project, answers, quit } = await begin(files, { node, args: ['bin/www'] });
    await answers('m0');
    project.write('bin/www', script('m1'));
    await answers('m1');
    await quit();
  });
});
