/** Every way of saving a loaded file is told, the first time and the fiftieth. */
import {
  cpSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Bench, stat, text, waysOfSaving } from './bench.ts';

let bench: Bench;
let file: string;
beforeEach(async () => {
  bench = new Bench();
  file = bench.write('src/a.ts', text());
  bench.write('src/b.ts', text());
  await bench.open();
  await bench.load(file);
});
afterEach(() => bench.close());

describe('a save', () => {
  it.each(Object.entries(waysOfSaving))('%s', async (_name, save) => {
    for (let time = 1; time <= 50; time++) expect(await bench.told(() => save(file)), `time ${time}`).toEqual([file]);
  });

  it('of a file that was removed and is made again later is told twice', async () => {
    for (let time = 1; time <= 50; time++) {
      expect(await bench.told(() => rmSync(file)), `time ${time}`).toEqual([file]);
      expect(await bench.told(() => writeFileSync(file, text())), `time ${time}`).toEqual([file]);
    }
  });

  it('of a neighbour that is not loaded is not told', async () => {
    expect(await bench.told(() => bench.write('src/b.ts', text()))).toEqual([]);
  });

  it('of many files at once is told of each', async () => {
    const files = Array.from({ length: 300 }, (_, at) => bench.write(`src/many/${at}.ts`, text()));
    await bench.load(...files);
    expect(await bench.told(() => files.map((each) => writeFileSync(each, text())))).toEqual([...files].sort());
  });

  it.each(['[id].ts', '{a,b}.ts', '(group).ts', 'späß 日本.ts', '!x.ts', '*.ts', 'a b.ts', "it's.ts"])(
    'of %s is told',
    async (name) => {
      const odd = bench.write(join('src', name, name), text());
      await bench.load(odd);
      for (const save of Object.values(waysOfSaving)) expect(await bench.told(() => save(odd))).toEqual([odd]);
    },
  );

  it('of a file that has the name of its folder is told', async () => {
    const same = bench.write('same/same', text());
    await bench.load(same);
    for (let time = 1; time <= 10; time++) {
      for (const save of Object.values(waysOfSaving)) expect(await bench.told(() => save(same))).toEqual([same]);
    }
  });

  it('of a file whose content comes by another hard link is told when it is linked over', async () => {
    const other = bench.write('other.ts', text());
    const link = () => {
      linkSync(other, `${file}.new`);
      renameSync(`${file}.new`, file);
    };
    expect(await bench.told(link)).toEqual([file]);
  });
});

it('a rename that changes only the case is told of what is loaded', async () => {
  const upper = bench.path('src/A.ts');
  for (let time = 1; time <= 10; time++) {
    expect(await bench.told(() => renameSync(file, upper))).toEqual([file]);
    expect(await bench.told(() => writeFileSync(upper, text()))).toEqual(isCaseBlind() ? [file] : []);
    expect(await bench.told(() => renameSync(upper, file))).toEqual([file]);
  }
});

/** Whether the file system takes both for the same name. */
const isCaseBlind = (): boolean => statSync(bench.path('SRC'), { throwIfNoEntry: false }) !== undefined;

describe('a folder', () => {
  const remake = () => {
    rmSync(bench.path('src'), { recursive: true });
    bench.write('src/a.ts', text());
  };

  it('removed and made again at once is told, and so is the next save', async () => {
    for (let time = 1; time <= 20; time++) {
      expect(await bench.told(remake), `time ${time}`).toEqual([file]);
      expect(await bench.told(() => writeFileSync(file, text())), `time ${time}`).toEqual([file]);
    }
  });

  it('removed, and made again later, is told', async () => {
    for (let time = 1; time <= 20; time++) {
      expect(await bench.told(() => rmSync(bench.path('src'), { recursive: true })), `time ${time}`).toEqual([file]);
      expect(await bench.told(() => bench.write('src/a.ts', text())), `time ${time}`).toEqual([file]);
      expect(await bench.told(() => writeFileSync(file, text())), `time ${time}`).toEqual([file]);
    }
  });

  it('moved away, and another put in its place, is told', async () => {
    for (let time = 1; time <= 20; time++) {
      const swap = () => {
        cpSync(bench.path('src'), bench.path('copy'), { recursive: true });
        renameSync(bench.path('src'), bench.path(`old${time}`));
        renameSync(bench.path('copy'), bench.path('src'));
      };
      expect(await bench.told(swap), `time ${time}`).toEqual([file]);
      expect(await bench.told(() => writeFileSync(file, text())), `time ${time}`).toEqual([file]);
      expect(await bench.told(() => bench.write(`old${time}/a.ts`, text())), `time ${time}`).toEqual([]);
    }
  });

  it('above others is told when it is moved, and when it comes back', async () => {
    const deep = bench.write('x/y/z/deep.ts', text());
    await bench.load(deep);
    for (let time = 1; time <= 20; time++) {
      expect(await bench.told(() => renameSync(bench.path('x'), bench.path('gone')))).toEqual([deep]);
      expect(await bench.told(() => renameSync(bench.path('gone'), bench.path('x')))).toEqual([deep]);
      expect(await bench.told(() => writeFileSync(deep, text()))).toEqual([deep]);
    }
  });

  it('that is the project itself is told when it is made again', async () => {
    const main = bench.write('main.ts', text());
    await bench.load(main);
    for (let time = 1; time <= 10; time++) {
      const remakeAll = () => {
        rmSync(bench.dir, { recursive: true });
        bench.write('main.ts', text());
      };
      expect(await bench.told(remakeAll), `time ${time}`).toContain(main);
      expect(await bench.told(() => rmSync(bench.dir, { recursive: true })), `time ${time}`).toEqual([main]);
      expect(await bench.told(() => bench.write('main.ts', text())), `time ${time}`).toEqual([main]);
      expect(await bench.told(() => writeFileSync(main, text())), `time ${time}`).toEqual([main]);
    }
  });

  it('is listened to when a save is made before it is settled', async () => {
    for (let time = 1; time <= 20; time++) {
      rmSync(bench.path('src'), { recursive: true });
      bench.write('src/a.ts', text());
      const turn = new Promise((resolve) => setImmediate(resolve));
      expect(await bench.told(() => turn.then(() => writeFileSync(file, text())))).toEqual([file]);
    }
  });
});

describe('a symbolic link', () => {
  it('to a file is told when the file is saved, and when the link is changed', async () => {
    const target = bench.write('elsewhere/real.ts', text());
    const second = bench.write('elsewhere/second.ts', text());
    const link = bench.path('src/link.ts');
    symlinkSync('../elsewhere/real.ts', link);
    await bench.load(link);
    for (const save of Object.values(waysOfSaving)) expect(await bench.told(() => save(target))).toEqual([link]);
    const retarget = () => {
      symlinkSync(second, `${link}.new`);
      renameSync(`${link}.new`, link);
    };
    expect(await bench.told(retarget)).toEqual([link]);
    for (const save of Object.values(waysOfSaving)) expect(await bench.told(() => save(second))).toEqual([link]);
    expect(await bench.told(() => writeFileSync(target, text()))).toEqual([]);
  });

  it('that takes the place of a file, and a file that takes its place, are told', async () => {
    const target = bench.write('elsewhere/real.ts', text());
    for (let time = 1; time <= 5; time++) {
      const toLink = () => {
        unlinkSync(file);
        symlinkSync(target, file);
      };
      const toFile = () => {
        unlinkSync(file);
        writeFileSync(file, text());
      };
      expect(await bench.told(toLink)).toEqual([file]);
      expect(await bench.told(() => writeFileSync(target, text()))).toEqual([file]);
      expect(await bench.told(toFile)).toEqual([file]);
      expect(await bench.told(() => writeFileSync(target, text()))).toEqual([]);
      expect(await bench.told(() => writeFileSync(file, text()))).toEqual([file]);
    }
  });

  it('to a folder is told when it points elsewhere, as deployments do', async () => {
    const one = bench.write('releases/1/app.ts', text());
    const two = bench.write('releases/2/app.ts', text());
    symlinkSync('releases/1', bench.path('current'));
    const app = bench.path('current/app.ts');
    await bench.load(app);
    expect(await bench.told(() => writeFileSync(one, text()))).toEqual([app]);
    const swap = () => {
      symlinkSync('releases/2', bench.path('next'));
      renameSync(bench.path('next'), bench.path('current'));
    };
    expect(await bench.told(swap)).toEqual([app]);
    expect(await bench.told(() => writeFileSync(two, text()))).toEqual([app]);
    expect(await bench.told(() => writeFileSync(one, text()))).toEqual([]);
  });

  it('above the project is told when it points elsewhere', async () => {
    const top = dirname(bench.dir);
    for (const name of ['one', 'two']) {
      mkdirSync(join(top, name));
      writeFileSync(join(top, name, 'shared.ts'), text());
    }
    symlinkSync('one', join(top, 'lib'));
    const shared = join(top, 'lib/shared.ts');
    await bench.load(shared);
    const swap = () => {
      symlinkSync('two', join(top, 'next'));
      renameSync(join(top, 'next'), join(top, 'lib'));
    };
    expect(await bench.told(swap)).toEqual([shared]);
    expect(await bench.told(() => writeFileSync(join(top, 'two/shared.ts'), text()))).toEqual([shared]);
  });

  it('that the project itself is reached by is told when it points elsewhere', async () => {
    const top = dirname(bench.dir);
    bench.write('main.ts', text());
    cpSync(bench.dir, join(top, 'second'), { recursive: true });
    symlinkSync('project', join(top, 'alias'));
    await bench.opened.close();
    const main = join(top, 'alias/main.ts');
    await bench.open({ cwd: join(top, 'alias'), root: join(top, 'alias'), base: join(top, 'alias') });
    await bench.load(main);
    const swap = () => {
      symlinkSync('second', join(top, 'next'));
      renameSync(join(top, 'next'), join(top, 'alias'));
    };
    expect(await bench.told(swap)).toEqual([main]);
    expect(await bench.told(() => writeFileSync(join(top, 'second/main.ts'), text()))).toEqual([main]);
  });

  it('that leads round in a circle harms nothing', async () => {
    const loop = bench.path('src/loop.ts');
    symlinkSync('loop.ts', loop);
    await bench.drained();
    bench.opened.expect([loop]);
    expect(await bench.told(() => writeFileSync(file, text()))).toEqual([file]);
  });
});

describe('add', () => {
  it('tells what changed since it was read', async () => {
    const known = stat(bench.write('src/b.ts', 'before'));
    const b = bench.write('src/b.ts', 'after it');
    expect(await bench.told(() => bench.opened.add({ file: b, ...known }))).toEqual([b]);
  });

  it('tells what changed since it was read in a folder not yet listened to, by whatever way', async () => {
    for (const [at, save] of Object.values(waysOfSaving).entries()) {
      const late = bench.write(`late${at}/x.ts`, text());
      const known = stat(late);
      const add = () => {
        bench.opened.add({ file: late, ...known });
        save(late);
      };
      expect(await bench.told(add)).toEqual([late]);
    }
  });

  it('tells a write of the same length in the same tick of the clock', async () => {
    for (let time = 1; time <= 50; time++) {
      const racy = bench.write(`racy${time}/x.ts`, 'a');
      const known = stat(racy);
      writeFileSync(racy, 'b');
      expect(await bench.told(() => bench.opened.add({ file: racy, ...known }))).toEqual([racy]);
    }
  });

  it('tells a file that is gone by then', async () => {
    const known = stat(bench.write('src/b.ts'));
    rmSync(bench.path('src/b.ts'));
    const b = bench.path('src/b.ts');
    expect(await bench.told(() => bench.opened.add({ file: b, ...known }))).toEqual([b]);
    expect(await bench.told(() => writeFileSync(b, text()))).toEqual([b]);
  });

  it('is idempotent, and tells nothing of a file read again after a save', async () => {
    writeFileSync(file, text());
    await bench.drained();
    const again = { file, ...stat(file) };
    expect(await bench.told(() => [again, again, again].map((each) => bench.opened.add(each)))).toEqual([]);
    expect(bench.opened.list()).toContainEqual({ file, rule: 'loaded' });
  });

  it('leaves out node_modules and what is ignored', async () => {
    await bench.close();
    bench = new Bench();
    const files = ['node_modules/x/i.js', 'gen/a.ts', 'src/a.ts'].map((name) => bench.write(name, text()));
    await bench.open({ ignore: ['gen'] });
    await bench.load(...files);
    expect(await bench.told(() => files.map((each) => writeFileSync(each, text())))).toEqual([files[2]]);
    expect(bench.opened.list().filter((change) => change.file.startsWith(bench.dir))).toEqual([
      { file: files[2], rule: 'loaded' },
    ]);
  });
});

describe('read', () => {
  it('tells nothing of a file that is as it was, and what changed since it was read', async () => {
    const [same, written, replaced] = ['same.sql', 'written.sql', 'replaced.sql'].map((name) =>
      bench.write(`db/${name}`, 'some'),
    ) as [string, string, string];
    const read = (name: string) => bench.opened.read({ file: name, ...stat(name), since: statSync(name).ctimeMs + 1 });
    const known = stat(written);
    writeFileSync(written, 'else');
    utimesSync(written, 1, 1);
    const later = () => {
      read(same);
      bench.opened.read({ file: written, ...known, since: Date.now() + 1000 });
      // Of the same time and size, by a rename.
      bench.opened.read({ file: replaced, ...stat(replaced), since: 1 });
    };
    expect(await bench.told(later)).toEqual([replaced, written]);
    expect(await bench.told(() => writeFileSync(same, 'new'))).toEqual([same]);
  });
});

describe('expect', () => {
  it('tells a missing file that appears, and what happens to it then', async () => {
    const missing = bench.path('src/missing.ts');
    bench.opened.expect([missing]);
    await bench.drained();
    expect(bench.opened.list()).not.toContainEqual({ file: missing, rule: 'loaded' });
    for (let time = 1; time <= 20; time++) {
      expect(await bench.told(() => writeFileSync(missing, text()))).toEqual([missing]);
      expect(bench.opened.list()).toContainEqual({ file: missing, rule: 'loaded' });
      expect(await bench.told(() => rmSync(missing))).toEqual([missing]);
    }
  });

  it('tells one in folders that do not exist yet, however they come', async () => {
    const missing = bench.path('one/two/three/missing.ts');
    bench.opened.expect([missing]);
    await bench.drained();
    for (let time = 1; time <= 20; time++) {
      expect(await bench.told(() => bench.write('one/two/three/missing.ts', text())), 'at once').toEqual([missing]);
      expect(await bench.told(() => rmSync(bench.path('one'), { recursive: true }))).toEqual([missing]);
      expect(await bench.told(() => mkdirSync(bench.path('one'))), 'step by step').toEqual([]);
      expect(await bench.told(() => mkdirSync(bench.path('one/two/three'), { recursive: true }))).toEqual([]);
      expect(await bench.told(() => writeFileSync(missing, text()))).toEqual([missing]);
      expect(await bench.told(() => rmSync(bench.path('one'), { recursive: true }))).toEqual([missing]);
      bench.write('other/two/three/missing.ts', text());
      expect(await bench.told(() => renameSync(bench.path('other'), bench.path('one'))), 'whole').toEqual([missing]);
      expect(await bench.told(() => rmSync(bench.path('one'), { recursive: true }))).toEqual([missing]);
    }
  });

  it('tells one that has appeared already', async () => {
    const there = bench.write('src/there.ts', text());
    expect(await bench.told(() => bench.opened.expect([there]))).toEqual([there]);
  });

  it('tells a package that is installed', async () => {
    const missing = bench.path('node_modules/left/package.json');
    bench.opened.expect([missing]);
    await bench.drained();
    expect(await bench.told(() => bench.write('node_modules/left/package.json', '{}'))).toEqual([missing]);
  });
});

it('what is told is what is on disk: no save by another process slips by', async () => {
  // The reader keeps the content as of the last time it was told; in the end that must be the last one written.
  const { spawn } = await import('node:child_process');
  let seen = readFileSync(file, 'utf8');
  const script = `
    const fs = require('node:fs'), file = ${JSON.stringify(file)};
    for (let i = 0; i < 400; i++) {
      if (i % 3) fs.writeFileSync(file, String(i));
      else { fs.writeFileSync(file + '.t', String(i)); fs.renameSync(file + '.t', file); }
      const end = performance.now() + Math.random() * 3; while (performance.now() < end);
    }
    fs.writeFileSync(file, 'last');`;
  const reading = setInterval(() => {
    if (bench.changes.splice(0).length > 0)
      seen = statSync(file, { throwIfNoEntry: false }) ? readFileSync(file, 'utf8') : '';
  });
  const child = spawn(process.execPath, ['-e', script]);
  await new Promise((resolve) => child.once('exit', resolve));
  clearInterval(reading);
  await bench.drained();
  if (bench.changes.some((change) => change.file === file)) seen = readFileSync(file, 'utf8');
  expect(seen).toBe('last');
});
