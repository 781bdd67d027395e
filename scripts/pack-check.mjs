// Checks the package as a stranger gets it: what the tarball holds, and whether `npx hotrun src/server.ts` answers and
// reloads in an empty project. HOTRUN_TEST_NODES (a list like PATH) names further Node.js binaries to try it with.
import { execFileSync, spawn } from 'node:child_process';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const { name, version, bin, exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'hotrun-pack-')));
const project = join(folder, 'project');
/** How long a fact is waited for, in ms: only a failing check waits that long. */
const LIMIT_MS = 30_000;

/** All that may be in the package; what has no wildcard in it must be. */
const WANTED = [
  /^package\.json$/,
  /^README\.md$/,
  /^LICENSE$/,
  /^bin\/(hotrun\.js|package\.json)$/,
  /^dist\/((cli|session|terminal|chunk-\w+)\.cjs|watch\.js|index\.js)$/,
  /^dist\/hotrc\.schema\.json$/,
  /^dist\/runtime\/(start\.cjs|main\.cjs|unavailable\.cjs|offshoot\.cjs|worker\.cjs|hooks-thread\.js)$/,
  /^dist\/types\/[\w/-]+\.d\.ts$/,
];

const counts = { passed: 0, failed: 0 };
async function check(what, act) {
  try {
    const said = await act();
    counts.passed++;
    console.log(`ok    ${what}${said ? `: ${said}` : ''}`);
  } catch (error) {
    counts.failed++;
    process.exitCode = 1;
    console.log(`FAIL  ${what}: ${error instanceof Error ? error.message : error}`);
  }
}

const npm = (...args) =>
  execFileSync('npm', args, { cwd: project, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
const MiB = (bytes) => `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
const KiB = (bytes) => `${(bytes / 1024).toFixed(0)} KiB`;

/** In bytes; what is hard-linked counts once (esbuild links its binary). */
function sizeOf(path, seen = new Set()) {
  const stats = lstatSync(path);
  if (seen.has(stats.ino)) return 0;
  seen.add(stats.ino);
  if (!stats.isDirectory()) return stats.size;
  return readdirSync(path).reduce((sum, entry) => sum + sizeOf(join(path, entry), seen), 0);
}

async function until(what, look) {
  const end = performance.now() + LIMIT_MS;
  for (;;) {
    const found = look();
    if (found) return found;
    if (performance.now() > end) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Runs hotrun as `argv` in the project, edits a file, and ends it by Ctrl-C: a signal to the whole group. */
async function answersAndReloads(argv) {
  writeFileSync(join(project, 'src/text.ts'), "export const text: string = 'one';\n");
  const child = spawn(argv[0], argv.slice(1), {
    cwd: project,
    detached: true,
    env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined },
    stdio: ['ignore', 'inherit', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (part) => {
    said += part;
  });
  const ended = new Promise((resolve) => child.once('exit', (code, signal) => resolve(code ?? signal)));
  try {
    const [, url] = await until('the first start', () => /ready in .* on (http:\S+)/.exec(said));
    equal(await (await fetch(url)).text(), 'one');
    writeFileSync(join(project, 'src/text.ts'), "export const text: string = 'two';\n");
    await until('the reload', () => /src\/text\.ts changed: ready in/.exec(said));
    equal(await (await fetch(url)).text(), 'two');
    process.kill(-child.pid, 'SIGINT');
    // npx passes the signal on to itself.
    const ending = await ended;
    if (ending !== 'SIGINT') equal(ending, 130);
    await fetch(url).then(
      () => Promise.reject(new Error('the app still answers after hotrun has ended')),
      () => {},
    );
  } catch (error) {
    throw new Error(`${error.message}; hotrun said:\n${said}`);
  } finally {
    if (child.exitCode === null && child.signalCode === null) process.kill(-child.pid, 'SIGKILL');
  }
}

function equal(found, wanted) {
  if (found !== wanted) throw new Error(`got ${JSON.stringify(found)} instead of ${JSON.stringify(wanted)}`);
}

try {
  mkdirSync(join(project, 'src'), { recursive: true });
  writeFileSync(join(project, 'package.json'), '{ "private": true, "type": "module" }\n');
  writeFileSync(
    join(project, 'src/server.ts'),
    `import { createServer } from 'node:http';
import { text } from './text.ts';
createServer((_request, response: import('node:http').ServerResponse) => response.end(text)).listen(0);
`,
  );
  execFileSync(process.execPath, [join(root, 'scripts/build.mjs')], { stdio: 'inherit' });
  // What `prepare` does has just been done.
  npm('pack', '--ignore-scripts', '--silent', '--pack-destination', folder, root);
  const tarball = join(folder, `${name}-${version}.tgz`);

  await check('the tarball holds what it should', () => {
    const files = execFileSync('tar', ['-tzf', tarball], { encoding: 'utf8' })
      .trim()
      .split('\n')
      .map((file) => file.replace(/^package\//, ''));
    const stray = files.filter((file) => !WANTED.some((pattern) => pattern.test(file)));
    if (stray.length > 0) throw new Error(`and also ${stray.join(', ')}`);
    const missing = WANTED.filter((pattern) => !files.some((file) => pattern.test(file)));
    if (missing.length > 0) throw new Error(`but not ${missing.join(', ')}`);
    const named = [
      ...Object.values(bin),
      ...Object.values(exports).flatMap((to) => (typeof to === 'string' ? to : Object.values(to))),
    ];
    const absent = named.map((file) => file.replace(/^\.\//, '')).filter((file) => !files.includes(file));
    if (absent.length > 0) throw new Error(`but not ${absent.join(', ')}, which package.json names`);
    return `${files.length} files, ${KiB(statSync(tarball).size)}\n      ${files.sort().join('\n      ')}`;
  });

  await check('it installs into an empty project', () => {
    npm('install', '--no-audit', '--no-fund', '--silent', tarball);
    const packages = npm('ls', '--all', '--parseable', '--silent').trim().split('\n').slice(1);
    const own = sizeOf(join(project, 'node_modules', name));
    const all = sizeOf(join(project, 'node_modules'));
    return `${packages.length - 1} packages beside it, ${MiB(all)} in all, ${KiB(own)} of them its own`;
  });

  await check('npx hotrun --version', () => equal(npm('exec', 'hotrun', '--', '--version').trim(), version));

  await check('its types serve strict TypeScript', () => {
    writeFileSync(
      join(project, 'rc.mts'),
      "import type { RcFile } from 'hotrun';\nexport const rc: RcFile = { entry: 'src/server.ts', stop: { SIGTERM: '10s' } };\n",
    );
    const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc');
    const args = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2023', '--types', 'node'];
    const typeRoots = ['--typeRoots', join(root, 'node_modules/@types')];
    try {
      execFileSync(process.execPath, [tsc, ...args, ...typeRoots, 'rc.mts'], { cwd: project, encoding: 'utf8' });
    } catch (error) {
      throw new Error(error.stdout);
    }
  });

  await check(`npx hotrun src/server.ts answers and reloads on node ${process.versions.node}`, () =>
    answersAndReloads(['npx', 'hotrun', 'src/server.ts']),
  );
  for (const node of (process.env.HOTRUN_TEST_NODES ?? '').split(delimiter).filter(Boolean)) {
    const its = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim().slice(1);
    await check(`hotrun src/server.ts answers and reloads on node ${its}`, () =>
      answersAndReloads([node, join('node_modules', name, bin.hotrun), 'src/server.ts']),
    );
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(`package: ${counts.passed} passed, ${counts.failed} failed`);
