/** A large app, of which a standby holds most before the save: what runs is what is on disk all the same. */
import { afterEach, describe, expect, test } from 'vitest';
import { randomOf } from '../random.ts';
import { until } from '../rig.ts';
import { begin, endAll, NODES, server } from './begin.ts';

afterEach(endAll);

/** HOTRUN_EDITS is the long form, as in edits.test.ts. */
const EDITS = Math.min(Number(process.env.HOTRUN_EDITS ?? 20), 100);
const AN_EDIT_MS = 6000;
const COUNT = 100;

const source = (nth: number, value: number): string => {
  const children = [1, 2].map((child) => 2 * nth + child).filter((child) => child < COUNT);
  const imports = children.map((child) => `import { sum as sum${child} } from './m${child}.ts';\n`).join('');
  return `${imports}const own: number = ${value};
export const sum: number = [own${children.map((child) => `, sum${child}`).join('')}].reduce((a, b) => a + b, 0);
`;
};
const path = (nth: number): string => `src/m${nth}.ts`;
const APP = {
  'package.json': '{ "type": "module" }',
  'src/server.ts': server(`import { sum } from './m0.ts';`, 'sum'),
  ...Object.fromEntries(Array.from({ length: COUNT }, (_, nth) => [path(nth), source(nth, 1)])),
};

describe.each(NODES)('on Node $version', ({ node }) => {
  test(
    `${EDITS} edits here and there, as soon as the answer is seen or as soon as two standbys wait`,
    async () => {
      const { project, hotrun, answers, quit } = await begin(APP, { node });
      const values = Array.from({ length: COUNT }, () => 1);
      const total = (): string => String(values.reduce((a, b) => a + b, 0));
      const random = randomOf(4711);
      await answers(total());
      for (let nth = 0; nth < EDITS; nth++) {
        // The same few again and again, as people do; now and then another.
        const at = Math.floor(random() * (random() < 0.7 ? 4 : COUNT));
        values[at] = Math.floor(random() * 1000);
        if (random() < 0.15) {
          project.write(path(at), 'const own: = 1;\n');
          await hotrun.seen(new RegExp(`m${at}\\.ts`));
        }
        if (random() < 0.15) {
          project.remove(path(at));
          project.replace(path(at), source(at, values[at] as number));
        } else project.write(path(at), source(at, values[at] as number));
        await answers(total());
        // hotrun, its guardian, the app and what waits; esbuild's service is there once it was needed.
        if (random() < 0.5) await until('what waits', () => hotrun.processes().length >= 5);
      }
      await quit();
    },
    30_000 + EDITS * AN_EDIT_MS,
  );

  test('a module that is imported anew, and one that is not imported any more', async () => {
    const { project, answers, quit } = await begin(APP, { node });
    await answers('100');
    project.write('src/new.ts', 'export const more: number = 1000;\n');
    project.write(path(99), `import { more } from './new.ts';\nexport const sum: number = more;\n`);
    await answers('1099');
    project.write('src/new.ts', 'export const more: number = 2000;\n');
    await answers('2099');
    project.write(path(99), 'export const sum: number = 5;\n');
    await answers('104');
    project.write(path(7), source(7, 11));
    await answers('114');
    await quit();
  });

  test('nothing of it is run before its turn, and each module once in a generation', async () => {
    const ran = (nth: number): string => `import '${nth % 9 ? `./m${nth - 1}.ts` : './log.ts'}';
${nth % 10 === 3 ? `import './m${(nth + 7) % COUNT}.ts';\n` : ''}${nth % 20 === 5 ? 'await 0;\n' : ''}log('m${nth}');\n`;
    const files = Object.fromEntries(Array.from({ length: COUNT }, (_, nth) => [path(nth), ran(nth)]));
    const all = Array.from({ length: COUNT }, (_, nth) => `import './m${nth}.ts';`).join('\n');
    const { project, hotrun, answers, quit } = await begin(
      {
        'package.json': '{ "type": "module" }',
        // First: what was written last is taken for being edited, and with it all that imports it.
        'src/log.ts': `import { appendFileSync } from 'node:fs';
globalThis.log = (name: string) => appendFileSync('ran.txt', \`\${process.env.HOTRUN_GENERATION ?? 'early'} \${name}\\n\`);\n`,
        ...files,
        'src/word.ts': `export const word: string = 'one';\n`,
        'src/server.ts': server(`${all}\nimport { word } from './word.ts';`, 'word'),
      },
      { node },
    );
    await answers('one');
    for (const word of ['two', 'three', 'four']) {
      // hotrun, its guardian, esbuild's service, the app, and both that wait.
      await until('what waits', () => hotrun.processes().length === 6);
      project.write('src/word.ts', `export const word: string = '${word}';\n`);
      await answers(word);
    }
    const lines = project.read('ran.txt').trim().split('\n');
    expect(lines.filter((line) => line.startsWith('early'))).toEqual([]);
    const first = lines.filter((line) => line.startsWith('1 ')).map((line) => line.slice(2));
    expect([...first].sort()).toEqual(
      Object.keys(files)
        .map((file) => file.slice(4, -3))
        .sort(),
    );
    const last = lines.at(-1)?.split(' ')[0];
    expect(lines.filter((line) => line.startsWith(`${last} `)).map((line) => line.slice(`${last} `.length))).toEqual(
      first,
    );
    await quit();
  });

  test('a missing export is found before the old generation is told to stop', async () => {
    const { project, hotrun, answers, ask, quit } = await begin(APP, { node });
    await answers('100');
    project.write(path(50), source(50, 2));
    await answers('101');
    await until('what waits', () => hotrun.processes().length >= 5);
    project.write(path(50), 'export const none = 1;\n');
    await hotrun.seen(/does not provide an export named 'sum'/);
    expect(await ask()).toBe('101');
    project.write(path(50), source(50, 3));
    await answers('102');
    await quit();
  });
});
