/**
 * A standby holds packages. When a file of one is changed in place, what comes next has it as it is on disk; the change alone
 * is no reload.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { until } from '../rig.ts';
import { type Begun, begin, ENTITLE, endAll, NODES } from './begin.ts';

afterEach(endAll);

/** What is loaded leaves a file behind, by which it is known who has. */
const note = (by: string, word: string): string =>
  `${by}.writeFileSync('loaded-by-' + process.pid + '-${word}', ''); // ${word}\n`;

interface Kind {
  readonly kind: string;
  readonly manifest: string;
  /** The file that says the word. */
  said(word: string): string;
  readonly index: string;
}
const KINDS: readonly Kind[] = [
  {
    kind: 'CommonJS',
    manifest: '{ "name": "dep", "main": "index.js" }',
    said: (word) => `${note(`require('node:fs')`, word)}exports.word = '${word}';\n`,
    index: `exports.word = require('./lib/deep/word.js').word;\n`,
  },
  {
    kind: 'ESM',
    manifest: '{ "name": "dep", "type": "module", "exports": "./index.js" }',
    said: (word) => `import fs from 'node:fs';\n${note('fs', word)}export const word = '${word}';\n`,
    index: `export { word } from './lib/deep/word.js';\n`,
  },
];
const INDEX = 'node_modules/dep/index.js';
const DEEP = 'node_modules/dep/lib/deep/word.js';
const MANIFEST = 'node_modules/dep/package.json';
const MARKER = 'src/marker.ts';
const marker = (nth: number): string => `export const marker: string = 'm${nth}';\n`;

const appOf = ({ manifest, said, index }: Kind): Record<string, string> => ({
  [MANIFEST]: manifest,
  [INDEX]: index,
  [DEEP]: said('w0'),
  [MARKER]: marker(0),
  'src/server.ts': `import { word } from 'dep';
import { createServer } from 'node:http';
import { marker } from './marker.ts';
${ENTITLE}
createServer((_request, response) => response.end(marker + ' ' + word + ' ' + process.pid)).listen(Number(process.env.PORT), '127.0.0.1');
`,
});

/** Which processes have loaded the package with this word, besides that which answers. */
async function standbys({ project, ask }: Begun, word: string): Promise<number[]> {
  const app = Number((await ask()).split(' ')[2]);
  const found = readdirSync(project.dir).flatMap((name) => {
    const [, pid, said] = /^loaded-by-(\d+)-(.*)$/.exec(name) ?? [];
    return said === word ? [Number(pid)] : [];
  });
  return found.filter((pid) => pid !== app);
}
/** Waits until one that is alive waits with the package loaded: all that it has to tell it tells before it does nothing. */
const standby = (begun: Begun, word: string): Promise<number> =>
  until(`a standby that has loaded ${word}`, async () => {
    const living = begun.hotrun.processes();
    return (await standbys(begun, word)).find((pid) => living.includes(pid));
  });
/** Whether this process has an inotify watch on the folder of the file. */
function isListenedTo(pid: number, file: string): boolean {
  const inode = `ino:${statSync(dirname(file)).ino.toString(16)} `;
  return readdirSync(`/proc/${pid}/fdinfo`).some((fd) => {
    try {
      return readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8').includes(inode);
    } catch {
      // It has just been closed.
      return false;
    }
  });
}
const answered = (begun: Begun, start: string): Promise<string> =>
  until(`an answer that begins with ${start}`, async () => {
    const body = await begun.ask();
    return body.startsWith(`${start} `) ? body : undefined;
  });

describe.each(NODES)('on Node $version', ({ node }) => {
  describe.each(KINDS)('$kind', (kind) => {
    const open = async (): Promise<Begun> => {
      const begun = await begin(appOf(kind), { node });
      await begun.hotrun.seen(/ready in/);
      await standby(begun, 'w0');
      return begun;
    };

    test('a file of a package, and an own file at once', async () => {
      const begun = await open();
      const { project, hotrun, quit } = begun;
      // The first time the folders may not be listened to yet.
      project.write(DEEP, kind.said('w1'));
      await standby(begun, 'w1');
      for (let nth = 2; nth < 6; nth++) {
        project.write(DEEP, kind.said(`w${nth}`));
        project.write(MARKER, marker(nth));
        await hotrun.seen(/ready in/);
        await answered(begun, `m${nth} w${nth}`);
        await standby(begun, `w${nth}`);
      }
      await quit();
    });

    test('alone it is no reload, and what waits then is used', async () => {
      const begun = await open();
      const { project, hotrun, ask, quit } = begun;
      const before = await ask();
      project.write(INDEX, kind.index.replaceAll('word.js', 'other.js'));
      project.write(DEEP.replace('word.js', 'other.js'), kind.said('w1'));
      const pid = await standby(begun, 'w1');
      expect(await ask()).toBe(before);
      project.write(MARKER, marker(1));
      await hotrun.seen(/ready in/);
      expect(await ask()).toBe(`m1 w1 ${pid}`);
      expect(hotrun.stderr().match(/ready in/g)).toHaveLength(2);
      await quit();
    });

    test('a restart by hand', async () => {
      const begun = await open();
      const { project, hotrun, ask, quit } = begun;
      project.write(DEEP, kind.said('w1'));
      const pid = await standby(begun, 'w1');
      hotrun.kill('SIGUSR2');
      await hotrun.seen(/ready in/);
      expect(await ask()).toBe(`m0 w1 ${pid}`);
      await quit();
    });

    test('another main file', async () => {
      const begun = await open();
      const { project, hotrun, quit } = begun;
      project.write('node_modules/dep/second.js', kind.said('w1'));
      project.write(MANIFEST, kind.manifest.replace('index.js', 'second.js'));
      await until('the end of the standby that has the other', async () => {
        const living = hotrun.processes();
        return (await standbys(begun, 'w0')).every((pid) => !living.includes(pid));
      });
      project.write(MARKER, marker(1));
      await hotrun.seen(/ready in/);
      await answered(begun, 'm1 w1');
      // The other one is loaded no more.
      const pid = await standby(begun, 'w1');
      project.write(MARKER, marker(2));
      await hotrun.seen(/ready in/);
      expect(await answered(begun, 'm2 w1')).toBe(`m2 w1 ${pid}`);
      expect(await standbys(begun, 'w0')).not.toContain(pid);
      await quit();
    });

    test('replaced by another file, and a folder that is made anew', async () => {
      const begun = await open();
      const { project, hotrun, quit } = begun;
      project.replace(DEEP, kind.said('w1'));
      await standby(begun, 'w1');
      project.remove('node_modules/dep/lib');
      await until('the end of the standby that has it', async () => {
        const living = hotrun.processes();
        return (await standbys(begun, 'w1')).every((pid) => !living.includes(pid));
      });
      project.write(DEEP, kind.said('w2'));
      await standby(begun, 'w2');
      project.write(DEEP, kind.said('w3'));
      await standby(begun, 'w3');
      project.write(MARKER, marker(1));
      await hotrun.seen(/ready in/);
      await answered(begun, 'm1 w3');
      await quit();
    });

    // Nothing is run there, so of CommonJS nothing is held. What was written last is taken for being edited, and is not there.
    test.runIf(kind.kind === 'ESM')('of a large app, in the standby that holds its modules too', async () => {
      const modules = Array.from({ length: 100 }, (_, nth) => [
        `src/m${nth}.ts`,
        `${nth === 0 ? `export { word } from 'dep';` : ''}\nexport const m${nth} = ${nth};\n`,
      ]);
      const server = `${modules.map((_, nth) => `import './m${nth}.ts';`).join('')}
import { word } from './m0.ts';
import { createServer } from 'node:http';
${ENTITLE}
createServer((_request, response) => response.end('m0 ' + word)).listen(Number(process.env.PORT), '127.0.0.1');
`;
      const args = ['--preload', 'none', 'src/server.ts'];
      const files = { ...appOf(kind), ...Object.fromEntries(modules), 'src/server.ts': server };
      const { project, hotrun, answers, quit } = await begin(files, { node, args });
      await answers('m0 w0');
      for (let nth = 1; nth < 4; nth++) {
        await until('a standby to have told what it holds', () => isListenedTo(hotrun.pid, project.path(DEEP)));
        project.write(DEEP, kind.said(`w${nth}`));
        project.write('src/server.ts', `${server}// ${nth}\n`);
        await hotrun.seen(/changed: ready in/);
        await answers(`m0 w${nth}`);
      }
      await quit();
    });

    test('where nothing is listened to', async () => {
      const begun = await begin(appOf(kind), { node, args: ['--poll', '20', 'src/server.ts'] });
      const { project, hotrun, quit } = begun;
      await hotrun.seen(/ready in/);
      for (let nth = 1; nth < 4; nth++) {
        await until('what waits', () => hotrun.processes().length >= 4);
        await standby(begun, `w${nth - 1}`);
        project.write(DEEP, kind.said(`w${nth}`));
        project.write(MARKER, marker(nth));
        await hotrun.seen(/ready in/);
        await answered(begun, `m${nth} w${nth}`);
      }
      await quit();
    });
  });
});
