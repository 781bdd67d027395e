// hotrun and its peers side by side, in one run: `npm run bench`. The peers and the packages of the fixtures are installed
// into a temporary folder, never into the repository. Prints Markdown; --write puts it into bench/RESULTS.md too.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { FIXTURES, makeFixture } from './fixtures.mjs';
import { failures, idle, latency, start, stop } from './measures.mjs';

const USAGE = `npm run bench -- [options]
  --fixture LIST  of ${FIXTURES.join(', ')} (hello,express,large)
  --tool LIST     of the tools below (all)
  --edits N       saves for each latency (8)
  --starts N      starts, the first not counted (5)
  --home FOLDER   where the peers are installed (in the temporary folder)
  --write         put the tables into bench/RESULTS.md`;
const { values } = parseArgs({
  options: {
    fixture: { type: 'string', default: 'hello,express,large' },
    tool: { type: 'string' },
    edits: { type: 'string', default: '8' },
    starts: { type: 'string', default: '5' },
    home: { type: 'string', default: join(os.tmpdir(), 'hotrun-bench') },
    write: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
if (values.help) {
  console.log(USAGE);
  process.exit();
}

const root = fileURLToPath(new URL('..', import.meta.url));
const peers = join(values.home, 'peers');
const PEERS = { nodemon: '3', tsx: '4', bun: '1' };
const PACKAGES = { express: '5', zod: '4', pino: '10', luxon: '3', graphql: '16', lodash: '4' };
install(peers, PEERS);
install(join(values.home, 'deps'), PACKAGES);

const bin = (name) => join(peers, 'node_modules/.bin', name);
const hotrun = [process.execPath, join(root, 'bin/hotrun.js')];
/** `typescript: false`: it is given the JavaScript twin of the fixture. */
const TOOLS = {
  hotrun: { command: (entry) => [...hotrun, entry], typescript: true },
  'hotrun overlap': { command: (entry) => [...hotrun, '--handover', 'overlap', entry], typescript: true },
  'bun --watch': { command: (entry) => [bin('bun'), '--watch', entry], typescript: true },
  nodemon: { command: (entry) => [bin('nodemon'), '--quiet', entry], typescript: false },
  'node --watch': { command: (entry) => [process.execPath, '--watch', entry], typescript: false },
  'tsx watch': { command: (entry) => [bin('tsx'), 'watch', entry], typescript: true },
  /** Starts node and does nothing else: no tool that is written for Node can start sooner. */
  'empty supervisor': {
    command: (entry) => [
      process.execPath,
      '-e',
      `require('child_process').spawn(process.execPath, [process.argv[1]], { stdio: 'inherit' })`,
      entry,
    ],
    typescript: false,
    only: ['start'],
  },
};
const names = values.tool ? values.tool.split(',') : Object.keys(TOOLS);

const out = [];
const say = (line = '') => {
  out.push(line);
  console.log(line);
};
say(`# hotrun and its peers side by side`);
say();
say(
  `${new Date().toISOString().slice(0, 10)}, ${os.cpus()[0]?.model} × ${os.cpus().length}, ${os.type()} ${os.release()}, Node.js ${process.version}, ${versions()}.`,
);
say(
  'Made by `npm run bench -- --write`. Times in ms, medians; in brackets, the ratio to the best peer of the same run.',
);

const SECTIONS = [
  [
    'latency',
    'From the save to the first new answer',
    (options) => latency(options, Number(values.edits)),
    (r) => r.ms,
  ],
  ['failures', 'Failed requests in six reloads, 24 clients, 12 s', failures, null],
  ['start', 'From the start to the first answer', (options) => start(options, Number(values.starts)), (r) => r.ms],
  ['idle', 'Idle for 10 s: CPU in ticks of 10 ms, memory in MiB', idle, null],
  ['stop', 'Ctrl-C: gone after, in ms; processes left', stop, null],
];
for (const [name, title, measure, figure] of SECTIONS) {
  const fixtures = values.fixture
    .split(',')
    .filter((each) => name === 'latency' || name === 'start' || each === 'hello');
  say(`\n## ${title}\n`);
  say(`| | ${fixtures.join(' | ')} |`);
  say(`|---|${fixtures.map(() => '---:').join('|')}|`);
  const rows = new Map();
  for (const tool of names) {
    const { command, typescript, only } = TOOLS[tool];
    if (only && !only.includes(name)) continue;
    const cells = [];
    for (const fixture of fixtures) {
      const app = makeFixture(fixture, { typescript, folder: values.home });
      cells.push(await measure({ app, command: command(app.entry) }).catch((error) => ({ text: error.message })));
      app.remove();
    }
    rows.set(tool, cells);
  }
  const best = fixtures.map((_, nth) =>
    Math.min(
      ...[...rows].flatMap(([tool, cells]) =>
        tool.startsWith('hotrun') || tool.startsWith('empty') || !figure ? [] : (figure(cells[nth]) ?? []),
      ),
    ),
  );
  for (const [tool, cells] of rows) {
    const shown = cells.map((cell, nth) => {
      const own = figure?.(cell);
      return own === undefined || !Number.isFinite(best[nth])
        ? cell.text
        : `${cell.text} (${(own / best[nth]).toFixed(2)})`;
    });
    say(`| ${tool} | ${shown.join(' | ')} |`);
  }
}
if (values.write) writeFileSync(join(root, 'bench/RESULTS.md'), `${out.join('\n')}\n`);

function install(folder, packages) {
  if (Object.keys(packages).every((name) => existsSync(join(folder, 'node_modules', name)))) return;
  mkdirSync(folder, { recursive: true });
  const all = Object.entries(packages).map(([name, version]) => `${name}@${version}`);
  execFileSync('npm', ['install', '--prefix', folder, '--no-audit', '--no-fund', '--loglevel=error', ...all], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

function versions() {
  return Object.keys(PEERS)
    .map((name) => {
      const file = join(peers, 'node_modules', name, 'package.json');
      return `${name} ${JSON.parse(readFileSync(file, 'utf8')).version}`;
    })
    .join(', ');
}
