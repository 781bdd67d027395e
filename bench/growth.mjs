// How the time of a reload grows with the app, and what dominates: `npm run bench:growth`. Each row is the median of the
// same edit, by hotrun's own --timings: ms between one step and the next, and the answer as a client sees it.
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { makeFixture } from './fixtures.mjs';
import { steps } from './measures.mjs';

const { values } = parseArgs({
  options: { edits: { type: 'string', default: '9' }, node: { type: 'string', default: process.execPath } },
});
const hotrun = fileURLToPath(new URL('../bin/hotrun.js', import.meta.url));
const STEPS = ['heard', 'read', 'transformed', 'sent', 'linked', 'drained', 'gone', 'started', 'listening', 'ready'];
const ROWS = [
  ...[100, 800, 3200].map((modules) => ({ name: `${modules} modules`, fixture: 'large', modules })),
  ...[1, 10, 60].map((packages) => ({ name: `${packages} packages`, fixture: 'hello', packages })),
];

console.log(`| | answered | ${STEPS.join(' | ')} |`);
console.log(`|---|---:|${STEPS.map(() => '---:').join('|')}|`);
for (const { name, fixture, ...size } of ROWS) {
  const folder = mkdtempSync(join(os.tmpdir(), 'hotrun-growth-'));
  try {
    const app = makeFixture(fixture, { typescript: true, folder, ...size });
    const command = [values.node, hotrun, '--timings=json', app.entry];
    const { answered, marks } = await steps({ app, command }, Number(values.edits));
    const cells = STEPS.map((step, nth) => (marks[step] - (marks[STEPS[nth - 1]] ?? 0)).toFixed(1));
    console.log(`| ${name} | ${answered.toFixed(1)} | ${cells.join(' | ')} |`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
