/** What is left out as git would, compared with git itself. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openGitignore } from '../../src/watch/gitignore.ts';
import { Bench, text } from './bench.ts';

const hasGit = spawnSync('git', ['--version']).status === 0;

let top: string;
const troubles: string[] = [];
beforeEach(() => {
  top = realpathSync(mkdtempSync(join(tmpdir(), 'hotrun-git-')));
  troubles.length = 0;
  // The lists of whoever runs the tests are not theirs.
  vi.stubEnv('GIT_CONFIG_NOSYSTEM', '1');
  vi.stubEnv('GIT_CONFIG_GLOBAL', join(top, 'gitconfig'));
  vi.stubEnv('XDG_CONFIG_HOME', join(top, 'xdg'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(top, { recursive: true, force: true });
});

function write(name: string, content = ''): string {
  const file = join(top, name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
  return file;
}

/** Those of `files` that are left out, as the rules ask it: from the top down. */
function leftOut(root: string, files: readonly string[]): string[] {
  const { ignores } = openGitignore(join(top, root), (sentence) => troubles.push(sentence));
  return files.filter((file) =>
    file.split('/').some((_, at, names) => {
      const path = join(top, 'repo', ...names.slice(0, at + 1));
      return ignores(path, at < names.length - 1);
    }),
  );
}

const FILES = [
  'a.sql',
  'a.log',
  'keep.log',
  'gen/a.sql',
  'gen/keep/a.sql',
  'deep/gen/a.sql',
  'app/a.tmp',
  'app/b.tmp',
  'app/local/a.sql',
  'app/views/a.html',
  'app/views/b.html',
  'app/out/a.sql',
  'lib/a.bak',
  'lib/a.orig',
  'späß/ä.sql',
];

describe.skipIf(!hasGit)('nested, negated, in info/exclude and in the list of the user', () => {
  beforeEach(() => {
    execFileSync('git', ['init', '-q', join(top, 'repo')]);
    write('repo/.gitignore', '*.log\n!keep.log\n/gen/\nout\nspäß\n# a comment\n*.html\n');
    write('repo/gen/.gitignore', '!keep\n!a.sql\n');
    write('repo/app/.gitignore', '*.tmp\n!b.tmp\nlocal/\n!/out\n');
    write('repo/app/views/.gitignore', '!a.html\n');
    write('repo/.git/info/exclude', '*.bak\n');
    for (const file of FILES) write(`repo/${file}`);
  });
  const sayGit = () =>
    spawnSync('git', ['-c', 'core.quotePath=off', 'check-ignore', '--no-index', ...FILES], {
      cwd: join(top, 'repo'),
      encoding: 'utf8',
    })
      .stdout.trim()
      .split('\n')
      .sort();

  it('is what git says, also for a project that is not at the top', () => {
    write('xdg/git/ignore', '*.orig\n');
    const told = sayGit();
    expect(told).toHaveLength(9);
    expect(leftOut('repo', FILES).sort()).toEqual(told);
    expect(leftOut('repo/app', FILES).sort()).toEqual(told);
    expect(troubles).toEqual([]);
  });

  it('is what git says, with core.excludesFile', () => {
    write('xdg/git/ignore', '*.sql\n');
    write('gitconfig', `[include]\npath = more\n`);
    write('more', `[core]\nexcludesFile = ${join(top, 'mine')}\n`);
    write('mine', 'lib\n');
    const told = sayGit();
    expect(told).toContain('lib/a.orig');
    expect(leftOut('repo', FILES).sort()).toEqual(told);
  });

  it('is what git says, in a worktree', () => {
    const git = (...args: string[]) => execFileSync('git', ['-C', join(top, 'repo'), ...args], { stdio: 'pipe' });
    git('-c', 'user.name=x', '-c', 'user.email=x@x', 'commit', '-q', '--allow-empty', '-m', 'x');
    git('worktree', 'add', '-q', join(top, 'tree'));
    const { ignores } = openGitignore(join(top, 'tree'), (sentence) => troubles.push(sentence));
    expect([ignores(join(top, 'tree/a.bak'), false), ignores(join(top, 'tree/a.sql'), false)]).toEqual([true, false]);
  });
});

describe('.ignore', () => {
  it('has its say before .gitignore, without a repository too', () => {
    write('repo/.gitignore', '*.sql\n*.tmp\n');
    write('repo/.ignore', '!a.sql\n*.log\n');
    write('repo/app/.gitignore', '!a.tmp\n*.sql\n');
    const files = ['a.sql', 'b.sql', 'a.log', 'app/a.sql', 'app/a.tmp', 'app/b.tmp', 'app/a.log'];
    expect(leftOut('repo', files)).toEqual(['b.sql', 'a.log', 'app/b.tmp', 'app/a.log']);
  });
});

it('a list that cannot be read is told, and has no say', () => {
  mkdirSync(join(top, 'repo/.gitignore'), { recursive: true });
  expect(leftOut('repo', ['a.sql'])).toEqual([]);
  expect(troubles).toEqual([expect.stringMatching(/^Cannot read .*\.gitignore \(EISDIR\), .*\.$/)]);
});

it('a glob follows what the lists say, as they change', async () => {
  const bench = new Bench();
  try {
    bench.write('.gitignore', '*.gen.sql\n');
    const [plain, generated] = ['db/a.sql', 'db/a.gen.sql'].map((name) => bench.write(name, text()));
    const save = () => ['db/a.sql', 'db/a.gen.sql'].map((name) => bench.write(name, text()));
    await bench.open({ watch: ['**/*.sql'] });
    expect(await bench.told(save)).toEqual([plain]);
    await bench.told(() => bench.write('db/.ignore', '!a.gen.sql\na.sql\n'));
    expect(await bench.told(save)).toEqual([generated]);
    await bench.told(() => rmSync(bench.path('db/.ignore')));
    expect(await bench.told(save)).toEqual([plain]);
  } finally {
    await bench.close();
  }
});
