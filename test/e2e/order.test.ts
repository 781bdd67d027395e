/**
 * Packages that a standby loads before its turn are evaluated in the order that they would be evaluated in without it, and
 * see what they would see.
 */
import { readdirSync, symlinkSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { until } from '../rig.ts';
import { begin, ENTITLE, endAll, NODES } from './begin.ts';
import { JOURNAL, journalOf } from './journal.ts';

afterEach(endAll);

/** Each package writes down its name, and what it sees of a variable that the app may set. */
const packageOf = (name: string): Record<string, string> => ({
  [`node_modules/${name}/package.json`]: `{ "name": "${name}", "version": "1.0.0", "main": "index.js" }`,
  [`node_modules/${name}/index.js`]: `(globalThis.order ??= []).push('${name}:' + process.env.SET_BY);
console.log('${name} is loaded');
exports.name = '${name}';
`,
});
const PACKAGES = Object.assign({}, ...['one', 'two', 'dotenv'].map(packageOf));

const listen = (marker: string): string => `
import { createServer } from 'node:http';
import { marker } from './marker.ts';
${ENTITLE}
createServer((_request, response) => response.end(marker + ' ' + (globalThis as any).order.join(' '))).listen(Number(process.env.PORT), '127.0.0.1');
${marker}`;

const shapes: readonly { readonly shape: string; readonly files: Record<string, string>; readonly order: string }[] = [
  {
    shape: 'packages first',
    files: { 'src/server.ts': `import { name } from 'one';\nimport two from 'two';${listen('void [name, two];')}` },
    order: 'one:undefined two:undefined',
  },
  {
    shape: './instrument.ts first',
    files: {
      'src/server.ts': `import './instrument.ts';\nimport { name } from 'one';${listen('void name;')}`,
      'src/instrument.ts': `process.env.SET_BY = 'instrument';\n(globalThis as any).order = ['instrument'];\n`,
    },
    order: 'instrument one:instrument',
  },
  {
    shape: 'dotenv first',
    files: {
      'node_modules/dotenv/config.js': `require('./index.js');\nprocess.env.SET_BY = 'dotenv';\n`,
      'src/server.ts': `import 'dotenv/config.js';\nimport { name } from 'one';${listen('void name;')}`,
    },
    order: 'dotenv:undefined one:dotenv',
  },
  {
    shape: 'a module of the project between two packages',
    files: {
      'src/server.ts': `import { name } from 'one';\nimport { set } from './set.ts';\nimport two from 'two';${listen('void [name, set, two];')}`,
      'src/set.ts': `process.env.SET_BY = 'set';\nexport const set = 1;\n`,
    },
    order: 'one:undefined two:set',
  },
];

describe.each(NODES)('on Node $version', ({ node }) => {
  describe.each(['module', 'commonjs'])('"type": "%s"', (type) => {
    test.each(shapes)('$shape', async ({ files, order }) => {
      const { project, hotrun, answers, quit } = await begin(
        {
          ...PACKAGES,
          'package.json': `{ "type": "${type}" }`,
          'src/marker.ts': `export const marker = 'm0';\n`,
          ...files,
        },
        { node },
      );
      await answers(`m0 ${order}`);
      const said = (): number => hotrun.stdout().match(/one is loaded/g)?.length ?? 0;
      for (let nth = 1; nth <= 3; nth++) {
        // hotrun, its guardian, the app and the standby.
        await until('the standby', () => hotrun.processes().length >= 4);
        // What a package prints in a standby appears when its generation starts.
        expect(said()).toBe(nth);
        project.write('src/marker.ts', `export const marker = 'm${nth}';\n`);
        await answers(`m${nth} ${order}`);
        await until('its output', () => said() === nth + 1);
      }
      await quit();
    });
  });

  test.each([
    [
      'imports',
      'src/server.ts',
      { 'src/marker.ts': (marker: string) => `export const marker = '${marker}';\n` },
      `import 'one';
import { createServer } from 'node:http';
import { marker } from './marker.ts';
`,
    ],
    [
      'handwritten requires',
      'src/server.cjs',
      { 'src/marker.cjs': (marker: string) => `module.exports = '${marker}';\n` },
      `'use strict';
const one = require('one');
const { createServer } = require('http'), marker = require('./marker.cjs');
`,
    ],
  ])('packages are loaded before the save: %s', async (_, entry, made, code) => {
    const [[file, source]] = Object.entries(made) as [[string, (marker: string) => string]];
    const { project, hotrun, ask, quit } = await begin(
      {
        'node_modules/one/package.json': '{ "name": "one", "version": "1.0.0", "main": "index.js" }',
        'node_modules/one/index.js': `require('fs').writeFileSync('loaded-by-' + process.pid, '');`,
        [file]: source('m0'),
        [entry]: `${code}createServer((_request, response) => response.end(marker + process.pid)).listen(Number(process.env.PORT), '127.0.0.1');
`,
      },
      { node, args: [entry] },
    );
    await hotrun.seen(/ready in/);
    const first = (await ask()).slice(2);
    const loaded = (): string[] => readdirSync(project.dir).flatMap((name) => name.split('loaded-by-')[1] ?? []);
    await until('the standby to load them', () => loaded().length === 2);
    const standby = loaded().find((pid) => pid !== first);
    project.write(file, source('m1'));
    await hotrun.seen(/ready in/);
    expect(await ask()).toBe(`m1${standby}`);
    await quit();
  });

  test('a linked package is code of the project, and has its turn with it', async () => {
    const word = (marker: string): string => `${JOURNAL}log('word');\nexport const word: string = '${marker}';\n`;
    const { project, hotrun, answers, quit } = await begin(
      {
        ...PACKAGES,
        'packages/word/package.json': '{ "name": "word", "type": "module", "exports": "./src/index.ts" }',
        'packages/word/src/index.ts': word('m0'),
        'src/server.ts': `import { word } from 'word';
import { name } from 'one';
${listen('void name;').replace('./marker.ts', 'word').replace('{ marker }', '{ word as marker }')}`,
      },
      {
        node,
        args: ['--why', 'src/server.ts'],
        before: (made) => symlinkSync('../packages/word', made.path('node_modules/word')),
      },
    );
    await answers('m0 one:undefined');
    expect((await hotrun.seen(/the standby loads .*/))[0]).not.toContain('packages/word');
    for (const marker of ['m1', 'm2']) {
      await until('the standby', () => hotrun.processes().length >= 4);
      project.write('packages/word/src/index.ts', word(marker));
      await answers(`${marker} one:undefined`);
    }
    // A number is what a generation has from its turn on.
    expect(journalOf(project).lines()).toEqual(['1 word', '2 word', '3 word']);
    await quit();
  });
});
