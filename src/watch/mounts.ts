/** Which file systems tell nothing of what is changed on their other side. */
import { readFileSync } from 'node:fs';
import { below } from './rules.ts';

/**
 * Network and host folders of virtual machines and containers, as /proc/mounts calls them:
 *
 *     WSL's /mnt                       9p, drvfs, virtiofs
 *     Docker Desktop, Rancher, Podman  fakeowner, fuse.grpcfuse, fuse.osxfs, virtiofs, 9p, fuse.sshfs
 *     Lima, Colima, OrbStack           virtiofs, 9p, fuse.sshfs
 *     VirtualBox, Parallels, VMware    vboxsf, prl_fs, fuse.prl_fsd, vmhgfs, fuse.vmhgfs-fuse
 *     Vagrant                          these, nfs, smb3, and fuse.bindfs over nfs
 *     buckets (gcsfuse, s3fs, rclone)  fuse, fuse.gcsfuse and so on
 *
 * fuseblk is a disk (NTFS).
 */
const FAR =
  /^(?:nfs\d?|cifs|smb\d|smbfs|9p|v9fs|drvfs|virtiofs|fakeowner|grpcfuse|osxfs|vboxsf|prl_(?:fs|vzfs)|vmhgfs|hgfs|afs|auristorfs|ceph|lustre|gpfs|beegfs|glusterfs|ocfs2|gfs2|davfs|coda|ncpfs|fuse(?:\..+)?)$/;
/** What goes by fuse, or has no disk of its own in /proc/filesystems, and is on this side. */
const NEAR =
  /^(?:fuse\.(?:fuse-overlayfs|mergerfs|gocryptfs|encfs|cryfs|portal)|tmpfs|ramfs|rootfs|devtmpfs|hugetlbfs|overlay|aufs|shiftfs|zfs|ubifs|jffs2|bcachefs|ecryptfs|lxfs|wslfs|autofs|proc|sysfs)$/;

/** The type of the far file system that a folder (a real path) lies on, or null. */
export type FarOf = (folder: string) => string | null;

/**
 * `table`: the text of /proc/mounts, `systems`: that of /proc/filesystems; '' where there is none. A type that has no disk
 * and is none we know has its files elsewhere: nothing but the type tells it, for what is written on this side is heard.
 */
export function farIn(table: string, systems: string): FarOf {
  const diskless = new Set(systems.split('\n').flatMap((line) => /^nodev\s+(\S+)/.exec(line)?.[1] ?? []));
  const isFar = (type: string): boolean => (FAR.test(type) || diskless.has(type)) && !NEAR.test(type);
  const mounts = table.split('\n').flatMap((line) => {
    const [, point = '', type = ''] = line.split(' ');
    if (type === '') return [];
    const folder = point.replace(/\\([0-7]{3})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 8)));
    return [{ folder, type }];
  });
  if (!mounts.some(({ type }) => isFar(type))) return () => null;
  // A later mount hides an earlier one on the same folder.
  mounts.reverse().sort((a, b) => b.folder.length - a.folder.length);
  return (path) => {
    const type = mounts.find(({ folder }) => below(folder, path) !== null)?.type ?? '';
    return isFar(type) ? type : null;
  };
}

export const farFromHere = (): FarOf => farIn(readProc('mounts'), readProc('filesystems'));

function readProc(name: string): string {
  try {
    return readFileSync(`/proc/${name}`, 'utf8');
  } catch {
    // Another system than Linux, or no /proc: nothing is known, and events are trusted.
    return '';
  }
}
