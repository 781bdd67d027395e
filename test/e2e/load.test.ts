/** Promise 4: nothing refused, reset or cut, however often the app is reloaded. */
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import { launch } from '../rig.ts';
import { begin, endAll, NODES, SHAPES } from './begin.ts';

const CLIENT = fileURLToPath(new URL('client.mjs', import.meta.url));
const EDITS = 20;

afterEach(endAll);

describe.each(NODES)('on Node $version', ({ node }) => {
  test.each(SHAPES)(
    `$shape: fresh connections every 2 ms through ${EDITS} edits`,
    async ({ entry, files, marker, source }) => {
      const { project, hotrun, port, answers, quit } = await begin(
        { ...files, [marker]: source('m0') },
        { node, args: [entry] },
      );
      await hotrun.seen(/ready in/);
      const client = launch(project, [process.execPath, CLIENT, String(port)], { stdin: 'pipe' });
      for (let edit = 1; edit <= EDITS; edit++) {
        if (edit % 2) project.write(marker, source(`m${edit}`));
        else project.replace(marker, source(`m${edit}`));
        await answers(`m${edit}`);
      }
      client.child.stdin?.end();
      await client.ended;
      const told = JSON.parse(client.stdout()) as (string | { failed: string })[];
      expect(told.filter((answer) => typeof answer !== 'string')).toEqual([]);
      // One queue in the kernel, one generation at a time: who came first is not answered by newer code than who came later.
      const seen = told.map((answer) => Number(String(answer).slice(1)));
      expect(seen).toEqual([...seen].sort((a, b) => a - b));
      expect(seen.at(-1)).toBe(EDITS);
      await quit();
    },
  );
});
