import { describe, expect, it } from 'vitest';
import type { Config } from '../../src/config/config.ts';
import { rulesOf } from '../../src/watch/rules.ts';

type Parts = Partial<Pick<Config, 'cwd' | 'root' | 'base' | 'watch' | 'ignore' | 'program' | 'build'>>;
const node = { kind: 'node', entry: '/p/main.ts', main: '/p/main.ts', nodeArgs: [], args: [] } as const;
const command = { kind: 'command', run: 'go run .' } as const;
const rules = (parts: Parts, git?: (path: string, isFolder: boolean) => boolean) =>
  rulesOf({ cwd: '/p', root: '/p', base: '/p', watch: [], ignore: [], program: node, build: null, ...parts }, git);

describe('globs', () => {
  const table: [watch: string[], file: string, isWatched: boolean][] = [
    [[], '/p/a.sql', false],
    [['**/*.sql'], '/p/a.sql', true],
    [['**/*.sql'], '/p/x/y/a.sql', true],
    [['**/*.sql'], '/p/x/y/a.ts', false],
    [['**/*.sql'], '/p/node_modules/x/a.sql', false],
    [['**/*.sql'], '/p/packages/x/node_modules/y/a.sql', false],
    [['**/*.sql'], '/p/.git/a.sql', false],
    [['**/*.sql'], '/p/.cache/a.sql', false],
    [['**/*.sql'], '/p/dist/a.sql', false],
    [['**/*.sql'], '/p/x/build/a.sql', false],
    [['**/*.sql'], '/elsewhere/a.sql', false],
    [['*.sql'], '/p/a.sql', true],
    [['*.sql'], '/p/x/a.sql', false],
    [['./x/*.sql'], '/p/x/a.sql', true],
    [['dist/**/*.sql'], '/p/dist/a.sql', true],
    [['**/dist/*.sql'], '/p/x/dist/a.sql', true],
    [['**/dist/*.sql'], '/p/node_modules/x/dist/a.sql', false],
    [['node_modules/lib/*.js'], '/p/node_modules/lib/a.js', true],
    [['.env'], '/p/.env', true],
    [['.env*'], '/p/.env.local', true],
    [['**/.env'], '/p/x/.env', true],
    [['*'], '/p/.env', false],
    [['.storybook/**'], '/p/.storybook/main.ts', true],
    [['.s*/**'], '/p/.storybook/main.ts', true],
    [['config'], '/p/config', true],
    [['config'], '/p/config/x/a.yaml', true],
    [['config/'], '/p/config/x/a.yaml', true],
    [['config'], '/p/config/.secret/.env', true],
    [['config'], '/p/config/dist/a.yaml', true],
    [['config'], '/p/config/node_modules/a/a.yaml', false],
    [['config'], '/p/configuration/a.yaml', false],
    [['config'], '/p/config/.a.yaml.swp', false],
    [['config'], '/p/config/a.yaml~', false],
    [['config'], '/p/config/4913', false],
    [['config/a.yaml~'], '/p/config/a.yaml~', true],
    [['../shared/**/*.ts'], '/shared/x/a.ts', true],
    [['/abs/*.ts'], '/abs/a.ts', true],
    [['src/[id].ts'], '/p/src/[id].ts', true],
    [['src/[id].ts'], '/p/src/i.ts', true],
    [['src/\\[id\\].ts'], '/p/src/[id].ts', true],
    [['{a,b}/*.ts'], '/p/b/x.ts', true],
    [['src/**', '!src/gen/**'], '/p/src/a.ts', true],
    [['src/**', '!src/gen/**'], '/p/src/gen/a.ts', false],
    [['src', '!src/gen'], '/p/src/gen/x/a.ts', false],
    [['src', '!**/*.md'], '/p/src/x/.a.md', false],
    [['src/**', '!src/gen/**', 'src/gen/keep.ts'], '/p/src/gen/keep.ts', true],
    [['!src/gen/**'], '/p/src/a.ts', false],
  ];
  it.each(table)('%j: %s is watched: %s', (watch, file, isWatched) => {
    expect(rules({ watch }).globbed(file)).toBe(isWatched);
  });

  it('are relative to the folder of the rc file', () => {
    const { globbed, bases } = rules({ watch: ['x/*.sql'], base: '/q' });
    expect([globbed('/q/x/a.sql'), globbed('/p/x/a.sql'), bases]).toEqual([true, false, ['/q/x']]);
  });
});

describe('folders entered', () => {
  const table: [watch: string[], folder: string, isEntered: boolean][] = [
    [['**/*.sql'], '/p', true],
    [['**/*.sql'], '/p/x/y', true],
    [['**/*.sql'], '/p/node_modules', false],
    [['**/*.sql'], '/p/.git', false],
    [['**/*.sql'], '/p/dist', false],
    [['*.sql'], '/p/x', false],
    [['x/*/a.sql'], '/p/x/y', true],
    [['x/*/a.sql'], '/p/x/y/z', false],
    [['dist/**'], '/p/dist', true],
    [['dist/**'], '/p/dist/dist', false],
    [['config'], '/p/config/.a/dist', true],
    [['config'], '/p/config/node_modules', false],
    [['{a,b/c}/*.sql'], '/p/b/c', true],
    [['**/node_modules/x/*.js'], '/p/a/node_modules', true],
  ];
  it.each(table)('%j: %s is entered: %s', (watch, folder, isEntered) => {
    expect(rules({ watch }).entered(folder)).toBe(isEntered);
  });
});

describe('ignore', () => {
  const table: [ignore: string[], file: string, isIgnored: boolean][] = [
    [['src/gen/**'], '/p/src/gen/a.ts', true],
    [['src/gen'], '/p/src/gen/x/a.ts', true],
    [['src/gen'], '/p/src/generated.ts', false],
    [['*.gen.ts'], '/p/src/x/a.gen.ts', true],
    [['gen'], '/p/src/gen/a.ts', true],
    [['gen/'], '/p/src/gen/a.ts', true],
    [['./gen'], '/p/src/gen/a.ts', false],
    [['/p/src/a.ts'], '/p/src/a.ts', true],
    [['*.ts', '!main.ts'], '/p/src/main.ts', false],
    [['src/[id].ts'], '/p/src/[id].ts', true],
  ];
  it.each(table)('%j: %s is ignored: %s', (ignore, file, isIgnored) => {
    const { loaded, missed, globbed } = rules({ ignore, watch: ['src'] });
    expect([loaded(file), missed(file), globbed(file)]).toEqual([!isIgnored, !isIgnored, !isIgnored]);
  });
});

describe('what the app loads', () => {
  it.each([
    ['/p/src/a.ts', true],
    ['/p/dist/a.js', true],
    ['/p/.hidden/a.ts', true],
    ['/elsewhere/a.ts', true],
    ['/p/node_modules/x/a.js', false],
    ['/elsewhere/node_modules/x/a.js', false],
  ])('%s is watched: %s', (file, isWatched) => {
    expect(rules({}).loaded(file)).toBe(isWatched);
  });
  it('may lie in a project that lies in a node_modules', () => {
    const { loaded } = rules({ root: '/x/node_modules/p' });
    expect([loaded('/x/node_modules/p/a.ts'), loaded('/x/node_modules/p/node_modules/a.ts')]).toEqual([true, false]);
  });
  it('is watched in node_modules once it is missing there', () => {
    expect(rules({}).missed('/p/node_modules/x/package.json')).toBe(true);
  });
});

describe('what git leaves out', () => {
  const git = (path: string) => /\/(?:gen|out)$|\.(?:sqlite|local)$|\/\.env(?:\.\w+)?$/.test(path);
  const table: [watch: string[], file: string, isWatched: boolean][] = [
    [['**/*.sql'], '/p/a.sql', true],
    [['**/*.sql'], '/p/gen/a.sql', false],
    [['**/*.sql'], '/p/gen/x/a.sql', false],
    [['data/*'], '/p/data/a.sqlite', false],
    [['data/*'], '/p/data/a.json', true],
    // The part without wildcards is believed, and so is each name that is spelled out.
    [['gen/**/*.sql'], '/p/gen/x/a.sql', true],
    [['gen/**/*.sql'], '/p/gen/x/gen/a.sql', false],
    [['**/gen/*.sql'], '/p/x/gen/a.sql', true],
    [['gen'], '/p/gen/x/a.sqlite', true],
    [['data/a.sqlite'], '/p/data/a.sqlite', true],
    // So are dotfiles that the pattern asks for.
    [['.env*'], '/p/.env.local', true],
    [['**/.env'], '/p/x/.env', true],
    [['**/.env'], '/p/out/.env', false],
  ];
  it.each(table)('%j: %s is watched: %s', (watch, file, isWatched) => {
    expect(rules({ watch }, git).globbed(file)).toBe(isWatched);
  });
  it('is not searched, unless it is named', () => {
    expect(rules({ watch: ['**/*.sql'] }, git).entered('/p/gen')).toBe(false);
    expect(rules({ watch: ['**/*.sql', 'gen/*'] }, git).entered('/p/gen')).toBe(true);
  });
  it('is what the app loads all the same', () => {
    expect(rules({}, git).loaded('/p/gen/a.ts')).toBe(true);
  });
  it('does not hold for .env files where everything is watched', () => {
    expect(rules({ program: command }, git).globbed('/p/.env.local')).toBe(true);
    expect(rules({ program: command }, git).globbed('/p/a.local')).toBe(false);
  });
});

describe('an entry that names a file', () => {
  const table: [watch: string[], ignore: string[], file: string, isWatched: boolean][] = [
    [['gen/.keep.log'], ['gen', '*.log'], '/p/gen/.keep.log', true],
    [['gen/.keep.log', '!gen'], ['gen'], '/p/gen/.keep.log', false],
    // One that names a folder does not.
    [['gen'], ['*.map'], '/p/gen/a.map', false],
    [['gen'], ['gen'], '/p/gen/a.js', false],
  ];
  it.each(table)('%j beats ignore %j: %s is watched: %s', (watch, ignore, file, isWatched) => {
    expect(rules({ watch, ignore }).globbed(file)).toBe(isWatched);
  });
});

describe('everything, for a command without globs', () => {
  const table: [file: string, isWatched: boolean][] = [
    ['/p/main.go', true],
    ['/p/cmd/api/main.go', true],
    ['/p/.env', true],
    ['/p/.vscode/settings.json', false],
    ['/p/node_modules/a.js', false],
    ['/p/x/node_modules/a.js', false],
    ['/p/.git/HEAD', false],
    ['/p/dist/a.js', false],
    ['/p/x/target/a', false],
    ['/p/vendor/a.go', false],
    ['/p/pkg/__pycache__/a.pyc', false],
    ['/p/app.log', false],
    ['/p/.main.go.swp', false],
    ['/p/main.go~', false],
    ['/p/.#main.go', false],
    ['/p/#main.go#', false],
    ['/p/main.go___jb_tmp___', false],
    ['/p/4913', false],
    ['/p/secret/a', false],
    ['/q/main.go', false],
  ];
  const git = (path: string) => path.startsWith('/p/secret');
  it.each(table)('%s is watched: %s', (file, isWatched) => {
    expect(rules({ program: command }, git).globbed(file)).toBe(isWatched);
  });
  it('is meant for a build command too, and with nothing but negations', () => {
    expect(rules({ build: 'tsc' }).isEverything).toBe(true);
    const { isEverything, globbed, entered } = rules({ program: command, watch: ['!docs'] });
    expect([isEverything, globbed('/p/a.go'), globbed('/p/docs/a.md'), entered('/p/docs')]).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });
  it('is not meant with a glob, nor for a node program', () => {
    expect([rules({ program: command, watch: ['*.go'] }).isEverything, rules({}).isEverything]).toEqual([false, false]);
  });
});
