// The apps that are measured: each answers any request with its marker, which an edit changes.
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export const FIXTURES = ['hello', 'express', 'large'];

/**
 * @param typescript otherwise JavaScript, the same without its types
 * @param modules of the fixture large
 * @param packages that its entry imports, made up, each with 100 functions that it calls when it is loaded
 */
export function makeFixture(fixture, { typescript, folder, modules = 800, packages = 0 }) {
  const dir = mkdtempSync(join(folder, `${fixture}-`));
  const ending = typescript ? 'ts' : 'js';
  const type = (text) => (typescript ? text : '');
  const put = (file, text) => {
    mkdirSync(dirname(join(dir, file)), { recursive: true });
    writeFileSync(join(dir, file), text);
  };
  const marker = (nth) => `export const marker${type(': string')} = 'm${nth}';\n`;
  put('package.json', '{ "type": "module" }\n');
  put(`src/marker.${ending}`, marker(0));
  if (packages === 0) symlinkSync(join(folder, 'deps/node_modules'), join(dir, 'node_modules'));
  const names = Array.from({ length: packages }, (_, nth) => `package${nth}`);
  for (const name of names) {
    put(
      `node_modules/${name}/package.json`,
      JSON.stringify({ name, version: '1.0.0', type: 'module', exports: './index.js' }),
    );
    const functions = Array.from(
      { length: 100 },
      (_, nth) => `function f${nth}(a) { return a.map((each) => each * ${nth} + ${name.length}); }\n`,
    );
    put(
      `node_modules/${name}/index.js`,
      `${functions.join('')}export const sum = [${functions.map((_, nth) => `f${nth}`)}].map((each) => each([1, 2, 3])[0]);\n`,
    );
  }
  const imports = names.map((name) => `import { sum as ${name} } from '${name}';\nvoid ${name};\n`).join('');
  const listen = `.listen(Number(process.env.PORT), '127.0.0.1');\n`;
  if (fixture === 'express') {
    put(
      `src/server.${ending}`,
      `import express from 'express';
import { z } from 'zod';
import { pino } from 'pino';
import { DateTime } from 'luxon';
import { buildSchema } from 'graphql';
import lodash from 'lodash';
import { marker } from './marker.${ending}';
export const parts${type(': unknown[]')} = [pino({ level: 'warn' }), z.object({ a: z.string() }), DateTime.now(), buildSchema('type Query { a: Int }'), lodash.chunk([1], 1)];
const app = express();
app.use((_request, response) => { response.type('text').send(marker); });
app${listen}`,
    );
  } else {
    const from = fixture === 'large' ? './m0' : './marker';
    put(
      `src/server.${ending}`,
      `${imports}import { createServer } from 'node:http';
import { marker } from '${from}.${ending}';
createServer((_request, response) => { response.end(marker); })${listen}`,
    );
  }
  if (fixture === 'large')
    for (let nth = 0; nth < modules; nth++) {
      const children = [1, 2, 3].map((child) => 3 * nth + child).filter((child) => child < modules);
      const isLast = nth === modules - 1;
      const lines = children.map((child) => `import { marker as marker${child} } from './m${child}.${ending}';\n`);
      const functions = Array.from(
        { length: 12 },
        (_, each) =>
          `export function f${each}(rows${type(': Row[]')}, by = ${each})${type(': number')} {\n  return rows.filter(({ id }) => id % ${each + 2} === by).length;\n}\n`,
      );
      const own = isLast ? 'last' : children.length > 0 ? children.map((child) => `marker${child}`).join(' + ') : `''`;
      put(
        `src/m${nth}.${ending}`,
        `${lines.join('')}${isLast ? `import { marker as last } from './marker.${ending}';\n` : ''}${type('interface Row { id: number }\n')}${functions.join('')}export const marker${type(': string')} = ${own};\n`,
      );
    }
  let edits = 0;
  return {
    dir,
    entry: `src/server.${ending}`,
    /** Saves as editors do, by a rename over the file. The new marker. */
    edit() {
      const draft = `${dir}.draft`;
      writeFileSync(draft, marker(++edits));
      renameSync(draft, join(dir, `src/marker.${ending}`));
      return `m${edits}`;
    },
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
}
