/** The rules of the house, read from the tree itself. Where one of them hurts, change ARCHITECTURE.md first. */
import { homedir } from 'node:os';
import { describe, expect, test } from 'vitest';
import { type Key, keys } from '../src/config/keys.ts';
import { code, files, type Import, INTERNAL, importsOf, manifest, packageOf, sources, text } from './tree.ts';

/** What every room may import beside its own files. */
const SHARED = ['src/errors.ts', 'src/supervisor/words.ts', 'src/config/config.ts'];
/** The contract between hotrun and what runs in the app's process. */
const MESSAGES = 'src/runtime/messages.ts';
/** The files beside the rooms, and what each may import of them. */
const TOP: Readonly<Record<string, RegExp>> = {
  'src/cli.ts': /^src\/(errors|session|build\/codecache|child\/(outset|own)|config\/(argv|read)|terminal\/index)\.ts$/,
  'src/telling.ts': /^src\/(errors|notebook|build\/format|config\/config|supervisor\/words|terminal\/index)\.ts$/,
  'src/session.ts':
    /^src\/(errors|notebook|project|settings|telling|config\/config|(child|supervisor|terminal|watch)\/\w+)\.ts$/,
  'src/project.ts':
    /^src\/(config\/config|supervisor\/words|build\/folder|(build|terminal|typecheck|watch)\/index)\.ts$/,
  'src/settings.ts': /^src\/(errors|config\/config)\.ts$/,
  'src/notebook.ts': /^src\/(supervisor\/words|terminal\/index)\.ts$/,
  'src/index.ts': /^src\/config\/keys\.ts$/,
  'src/errors.ts': /^$/,
};

const roomOf = (file: string): string | undefined => /^src\/(\w+)\//.exec(file)?.[1];
const imports = sources.flatMap(importsOf);
const shown = ({ from, to }: Import): string => `${from} imports ${to}`;
const parent = sources.filter((file) => roomOf(file) !== 'runtime');

test('the tree was found, and its imports', () => {
  expect(sources.length).toBeGreaterThan(40);
  expect(imports.length).toBeGreaterThan(sources.length);
  expect(imports.filter(({ to }) => to.startsWith('src/')).map(({ to }) => to)).toEqual(
    expect.arrayContaining([...SHARED, MESSAGES, 'src/watch/index.ts']),
  );
  for (const { from, to } of imports.filter(({ to }) => to.startsWith('src/')))
    expect(sources, `${from} imports it`).toContain(to);
});

describe('imports', () => {
  test('rooms never import one another', () => {
    const strays = imports.filter(({ from, to }) => {
      const room = roomOf(from);
      if (room === undefined || !to.startsWith('src/') || roomOf(to) === room) return false;
      return !SHARED.includes(to) && to !== MESSAGES;
    });
    expect(strays.map(shown)).toEqual([]);
  });

  test('what runs in the app’s process imports node: and its own files, nothing else', () => {
    const strays = imports.filter(
      ({ from, to }) =>
        roomOf(from) === 'runtime' && roomOf(to) !== 'runtime' && !to.startsWith('node:') && !INTERNAL.test(to),
    );
    expect(strays.map(shown)).toEqual([]);
  });

  test('only one file knows what is inside of node', () => {
    const users = imports.filter(({ to }) => INTERNAL.test(to)).map(({ from }) => from);
    expect([...new Set(users)]).toEqual(['src/runtime/internals.ts']);
  });

  test('hotrun imports of it only the messages, and only those', () => {
    const strays = imports.filter(
      ({ from, to }) => roomOf(from) !== 'runtime' && roomOf(to) === 'runtime' && to !== MESSAGES,
    );
    expect(strays.map(shown)).toEqual([]);
  });

  test('the supervisor is pure: it imports its own files and errors.ts, and no module of node', () => {
    const strays = imports.filter(
      ({ from, to }) => roomOf(from) === 'supervisor' && roomOf(to) !== 'supervisor' && to !== 'src/errors.ts',
    );
    expect(strays.map(shown)).toEqual([]);
  });

  test('files that call themselves pure do no I/O', () => {
    const pure = sources.filter((file) =>
      /^\s*(?:\/\*\*|\*).*\bPURE\b|^\s*\*.*\bPure:/m.test(text(file).slice(0, 600)),
    );
    expect(pure).toEqual(expect.arrayContaining(['src/terminal/lines.ts', 'src/watch/rules.ts']));
    // node:module is how a package is loaded without the cost of an import.
    const harmless = new Set(['node:path', 'node:util', 'node:module']);
    const strays = imports.filter(({ from, to }) => pure.includes(from) && to.startsWith('node:') && !harmless.has(to));
    expect(strays.map(shown)).toEqual([]);
  });

  test('the files beside the rooms: bin -> cli -> session -> rooms', () => {
    const top = sources.filter((file) => roomOf(file) === undefined);
    expect(top).toEqual(Object.keys(TOP).sort());
    const strays = imports.filter(({ from, to }) => to.startsWith('src/') && TOP[from]?.test(to) === false);
    expect(strays.map(shown)).toEqual([]);
    expect(code('bin/hotrun.js').trim().split('\n').at(-1)).toBe("require('../dist/cli.cjs');");
  });

  test('node’s own modules are named with node:, files with .ts', () => {
    const bare = imports.filter(
      ({ to }) => packageOf(to) === undefined && !/^(node:|internal\/|src\/.*\.ts$)/.test(to),
    );
    expect(bare.map(shown)).toEqual([]);
  });

  test('every package that is used is a dependency, and every dependency is used', () => {
    const used = new Set(imports.map(({ to }) => packageOf(to)).filter((name) => name !== undefined));
    expect([...used].sort()).toEqual(Object.keys(manifest.dependencies).sort());
  });
});

test('only cli.ts exits and handles signals', () => {
  const calls = /\bprocess\s*\.\s*(?:exit|exitCode|abort|on|once|addListener|prependListener|prependOnceListener)\b/;
  expect(parent.filter((file) => calls.test(code(file)))).toEqual(['src/cli.ts']);
});

test('no file has more than 400 lines', () => {
  const long = files
    .filter((file) => !file.endsWith('package-lock.json'))
    .map((file) => ({ file, lines: text(file).split('\n').length - 1 }))
    .filter(({ lines }) => lines > 400);
  expect(long).toEqual([]);
});

test('no file is called utils, helpers or common', () => {
  expect(files.filter((file) => /(^|\/)(utils?|helpers?|common|misc)\b/i.test(file))).toEqual([]);
});

test('no file names a path of somebody’s machine or a package registry', () => {
  // `me` and `u` are nobody.
  const places = /(?<![\w.~*-])\/(?:root|work|tmp(?=\/)|home\/(?!me\b|u\b)|Users\/(?!me\b|u\b))(?=[/'"`\s]|\w)/;
  const registry = /\bregistry\.(?:npmjs|yarnpkg|npmmirror)\b|\b(?:npm\.pkg|artifactory|verdaccio|jfrog)\b/;
  const home = homedir();
  const found = files
    .filter((file) => file !== 'test/house.test.ts')
    .flatMap((file) =>
      text(file)
        .split('\n')
        .map((line, index) => ({ at: `${file}:${index + 1}`, line }))
        .filter(
          ({ line }) => places.test(line) || registry.test(line) || (home.length > 1 && line.includes(`${home}/`)),
        ),
    );
  expect(found).toEqual([]);
});

test('package-lock.json says nothing of where packages came from', () => {
  const locks = files.filter((file) => file.endsWith('package-lock.json'));
  expect(locks).toContain('package-lock.json');
  for (const lock of locks) expect(text(lock), lock).not.toContain('"resolved"');
  expect(text('.npmrc')).toContain('omit-lockfile-registry-resolved=true');
});

test('no test is alone or still to be written', () => {
  const tests = files.filter((file) => file.endsWith('.test.ts') && file !== 'test/house.test.ts');
  expect(tests.filter((file) => /\b(?:test|it|describe)\.(?:only|todo)\b/.test(text(file)))).toEqual([]);
});

describe('README.md', () => {
  const readme = text('README.md');
  /** Lines of the shell, without comments. */
  const commands = [...readme.matchAll(/^```sh\n(.*?)^```$/gms)].flatMap(([, block = '']) =>
    block.split('\n').filter((line) => line !== '' && !line.startsWith('#')),
  );
  const all = [...commands, ...[...readme.matchAll(/`((?:npm|npx) [^`]+)`/g)].map(([, command = '']) => command)];

  test('has the two commands, each in a block of its own', () => {
    expect(readme).toContain('```sh\nnpm install && npx hotrun fixtures/http/server.ts\n```');
    expect(readme).toContain('```sh\nnpm cit\n```');
  });

  test('its commands are those of package.json', () => {
    // `dev` is what it tells the reader to write.
    const scripts = ['dev', ...Object.keys(manifest.scripts)];
    const ran = all.flatMap((command) => [...command.matchAll(/\bnpm run (?:-\S+ )*(\S+)/g)].map(([, name]) => name));
    expect(scripts).toEqual(expect.arrayContaining(ran));
    for (const [, name] of all.flatMap((command) => [...command.matchAll(/\bnpx (\S+)/g)]))
      expect(Object.keys(manifest.bin)).toContain(name);
    // What makes the two commands work on a fresh clone.
    expect(manifest.scripts).toMatchObject({ prepare: 'node scripts/build.mjs', pretest: 'node scripts/build.mjs' });
    expect(manifest.scripts.test).toBe('vitest run');
  });

  test('the files that it names are there', () => {
    const named = [...readme.matchAll(/(?:\]\(|[`\s])((?:fixtures|scripts|src|test)\/[\w./-]*\w)/g)].map(
      ([, file = '']) => file,
    );
    expect(named).toContain('fixtures/http/server.ts');
    const there = named.filter((file) => file.startsWith('fixtures') || file.startsWith('scripts'));
    for (const file of there)
      expect(
        files.some((known) => known === file || known.startsWith(`${file}/`)),
        file,
      ).toBe(true);
    for (const [, file = ''] of readme.matchAll(/\]\(([\w.]+)\)/g)) expect(files).toContain(file);
  });

  test('tells every key with its default and its flags', () => {
    const section = /^## The rc file\n(.*?)^## /ms.exec(readme)?.[1] ?? '';
    const cells = [...section.matchAll(/^\| `.*$/gm)].map(([row]) => row.split('|').map((cell) => cell.trim()));
    const rows = new Map(
      cells.map(([, name = '', first = '', flags = '']) => [name.replaceAll('`', ''), { first, flags }]),
    );
    expect([...rows.keys()].sort()).toEqual(keys.map(({ name }) => name as string).sort());
    for (const key of keys satisfies readonly Key[] as readonly Key[]) {
      const { first = '', flags = '' } = rows.get(key.name) ?? {};
      const said = /`(.*)`/.exec(first)?.[1];
      expect(said === undefined ? null : JSON.parse(said), key.name).toEqual(key.default);
      const wanted = (key.flags ?? []).flatMap(({ short, long, value }) => [
        ...(short ? [`\`${short}\``] : []),
        value ? `\`${long} ${value}\`` : `\`${long}\``,
      ]);
      expect(flags, key.name).toBe(wanted.join(', '));
    }
  });
});

describe('ARCHITECTURE.md', () => {
  const architecture = text('ARCHITECTURE.md');
  const named = new Set(
    [...architecture.matchAll(/`((?:src|bin|scripts|test|fixtures)\/[\w./-]+\.\w+)`/g)].map(([, file]) => file),
  );

  test('names every source file', () => {
    expect(sources.filter((file) => !named.has(file))).toEqual([]);
  });

  test('names no file that is not there', () => {
    expect([...named].filter((file) => !files.includes(file ?? ''))).toEqual([]);
  });
});

test('the version and the license say the same everywhere', () => {
  expect(/^## (\S+)/m.exec(text('CHANGELOG.md'))?.[1]).toBe(manifest.version);
  expect(JSON.parse(text('package-lock.json')).version).toBe(manifest.version);
  expect(text('README.md')).toContain(`hotrun-${manifest.version}.tgz`);
  expect(manifest.license).toBe('MIT');
  expect(text('LICENSE')).toMatch(/^MIT License\n\nCopyright \(c\) \d{4} the hotrun authors\n/);
});
