/** Where no events come, all is looked at: by hand, on far file systems, and beyond the system's limits. */
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { farIn } from '../../src/watch/mounts.ts';
import { Bench, text, waysOfSaving } from './bench.ts';

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});
afterEach(() => bench.close());

describe('by polling', () => {
  it.each(Object.entries(waysOfSaving))('%s is told', async (_name, save) => {
    const file = bench.write('src/a.ts', text());
    await bench.open({ poll: 10 });
    await bench.load(file);
    for (let time = 1; time <= 5; time++) expect(await bench.told(() => save(file)), `time ${time}`).toEqual([file]);
    expect(bench.troubles).toEqual([]);
  });

  it('a folder that goes and comes back is told, and a missing file that appears', async () => {
    const file = bench.write('src/deep/a.ts', text());
    const missing = bench.path('lib/x/y.ts');
    await bench.open({ poll: 10 });
    await bench.load(file);
    bench.opened.expect([missing]);
    await bench.drained();
    for (let time = 1; time <= 3; time++) {
      expect(await bench.told(() => rmSync(bench.path('src'), { recursive: true }))).toEqual([file]);
      expect(await bench.told(() => bench.write('src/deep/a.ts', text()))).toEqual([file]);
      expect(await bench.told(() => writeFileSync(file, text()))).toEqual([file]);
      expect(await bench.told(() => bench.write('lib/x/y.ts', text()))).toEqual([missing]);
      expect(await bench.told(() => rmSync(bench.path('lib'), { recursive: true }))).toEqual([missing]);
    }
  });

  it('globs find what comes later, and links are followed', async () => {
    mkdirSync(bench.path('db'));
    const target = bench.write('else/real.sql', text());
    symlinkSync(target, bench.path('db/link.sql'));
    await bench.open({ watch: ['db/**/*.sql'], poll: 10 });
    expect(await bench.told(() => writeFileSync(target, text()))).toEqual([bench.path('db/link.sql')]);
    expect(await bench.told(() => bench.write('db/x/a.sql', text()))).toEqual([bench.path('db/x/a.sql')]);
    expect(await bench.told(() => bench.write('db/x/a.txt', text()))).toEqual([]);
    expect(await bench.told(() => renameSync(bench.path('db/x'), bench.path('x')))).toEqual([bench.path('db/x/a.sql')]);
  });
});

describe('a far file system', () => {
  const table = `/dev/sda1 / ext4 rw 0 0
C:\\134 /mnt/c 9p rw,aname=drvfs 0 0
tmpfs /mnt/c/near tmpfs rw 0 0
host:/x /home/u/my\\040files nfs4 rw 0 0
sshfs#x /far fuse.sshfs rw 0 0
overlay /near fuse.fuse-overlayfs rw 0 0
bucket /bucket fuse rw 0 0
/dev/sdb1 /ntfs fuseblk rw 0 0
overlay /container overlay rw 0 0
elsewhere /elsewhere nextfs rw 0 0
`;
  const systems = 'nodev\ttmpfs\n\text4\n\tfuseblk\nnodev\toverlay\nnodev\tnextfs\nnodev\tfuse\n';
  it.each([
    ['/mnt/c/app/src', '9p'],
    ['/mnt/c', '9p'],
    ['/mnt/cc', null],
    ['/mnt/c/near/x', null],
    ['/home/u/my files/app', 'nfs4'],
    ['/home/u', null],
    ['/far/x', 'fuse.sshfs'],
    ['/near/x', null],
    ['/bucket/x', 'fuse'],
    ['/ntfs/x', null],
    ['/container/app', null],
    // Of no table: it has no disk.
    ['/elsewhere/app', 'nextfs'],
  ])('%s is on %s', (folder, type) => {
    expect(farIn(table, systems)(folder)).toBe(type);
  });
  it.each([
    'fakeowner fuse.grpcfuse fuse.osxfs virtiofs drvfs',
    'vboxsf prl_fs fuse.prl_fsd vmhgfs fuse.vmhgfs-fuse',
    'nfs nfs4 cifs smb3 afs ceph fuse.sshfs fuse.gcsfuse fuse.bindfs',
  ])('is %s', (types) => {
    for (const type of types.split(' ')) expect(farIn(`x /x ${type} rw 0 0`, '')('/x/app'), type).toBe(type);
  });
  it('is none where there is no table', () => {
    expect(farIn('', '')('/mnt/c')).toBe(null);
  });
});
