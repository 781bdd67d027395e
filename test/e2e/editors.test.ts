/** The ways editors save, as system calls in their order and with their pauses: each is one reload, time after time. */
import { copyFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { closeAll, freePort, get, makeProject, type Project, start, until } from '../rig.ts';

/** Between truncating a file and filling it, as far as that takes two turns of the editor's event loop. */
const PAUSE_MS = 4;

const beside = (file: string, name: string): string => join(dirname(file), name);

const editors: Readonly<Record<string, (file: string, text: string) => void | Promise<void>>> = {
  // It tries whether the folder may be written, with a file of this name; then backupcopy=auto and writebackup.
  vim: (file, text) => {
    writeFileSync(beside(file, '4913'), '');
    rmSync(beside(file, '4913'));
    renameSync(file, `${file}~`);
    writeFileSync(file, text);
    rmSync(`${file}~`);
  },
  'vim, with a swap file and backup': (file, text) => {
    const swap = beside(file, `.${basename(file)}.swp`);
    writeFileSync(swap, 'b0VIM');
    writeFileSync(beside(file, '4913'), '');
    rmSync(beside(file, '4913'));
    renameSync(file, `${file}~`);
    writeFileSync(file, text);
    rmSync(swap);
  },
  'vim, backupcopy=yes': (file, text) => {
    copyFileSync(file, `${file}~`);
    writeFileSync(file, text);
    rmSync(`${file}~`);
  },
  'vim, nowritebackup': (file, text) => writeFileSync(file, text),
  'JetBrains, safe write': (file, text) => {
    writeFileSync(`${file}___jb_tmp___`, text);
    renameSync(file, `${file}___jb_old___`);
    renameSync(`${file}___jb_tmp___`, file);
    rmSync(`${file}___jb_old___`);
  },
  'VS Code': async (file, text) => {
    writeFileSync(file, '');
    await after(PAUSE_MS);
    writeFileSync(file, text, { flag: 'r+' });
  },
  emacs: (file, text) => {
    renameSync(file, `${file}~`);
    writeFileSync(file, text);
    rmSync(beside(file, `.#${basename(file)}`), { force: true });
  },
  'emacs, with its auto-save file and a lock': (file, text) => {
    writeFileSync(beside(file, `#${basename(file)}#`), text);
    renameSync(file, `${file}~`);
    writeFileSync(file, text);
    rmSync(beside(file, `#${basename(file)}#`));
  },
  'Sublime Text, atomic save': (file, text) => {
    writeFileSync(`${file}.tmp`, text);
    renameSync(`${file}.tmp`, file);
  },
};

let project: Project;
let port: number;
beforeEach(async () => {
  port = await freePort();
});
afterEach(async () => {
  await closeAll();
  project.close();
});

/** @param start the how manieth it is: one that was given up before it ran is none */
const answer = (start: number, marker: string): Promise<true> =>
  until(`start ${start} with ${marker}`, async () => {
    const given = await get(port);
    if (!('body' in given) || !given.body.endsWith(` ${marker}`)) return undefined;
    expect(given.body).toBe(`${start} ${marker}`);
    return true;
  });

// All in one life of hotrun: how often the app was started tells whether each save before was one reload.
test.each([
  ['a module', 'src/marker.ts', (marker: string) => `export const marker: string = '${marker}';\n`, []],
  ['a file of a glob', 'src/marker.txt', (marker: string) => marker, ['-w', 'src/**/*.txt']],
])('each editor saves %s', async (_name, file, text, flags) => {
  const source = file.endsWith('.ts')
    ? `import { marker } from './marker.ts';`
    : `import { readFileSync } from 'node:fs';\nconst marker = readFileSync('src/marker.txt', 'utf8');`;
  project = makeProject({
    [file]: text('m0'),
    'src/server.ts': `import { appendFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
${source}
appendFileSync('starts', '.');
const start = statSync('starts').size;
createServer((_, response) => response.end(start + ' ' + marker))
  .listen(Number(process.env.PORT), '127.0.0.1');
`,
  });
  const hotrun = start(project, [...flags, 'src/server.ts'], { env: { PORT: String(port) } });
  await answer(1, 'm0');
  await hotrun.seen(/ready in/);
  let nth = 1;
  for (const [editor, save] of Object.entries(editors)) {
    for (let time = 1; time <= 2; time++) {
      nth++;
      await save(project.path(file), text(`m${nth}`));
      await answer(nth, `m${nth}`).catch((error) => {
        throw new Error(`${editor}, time ${time}: ${error.message}; ${hotrun.stderr()}`);
      });
    }
  }
});
