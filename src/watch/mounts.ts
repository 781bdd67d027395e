/** Which file systems tell nothing of what is changed on their other side. */
import { readFileSync } from 'node:fs';
import { below } from './rules.ts';

/** Network and host folders of virtual machines and containers, as /proc/mounts calls them: WSL's /mnt is 9p or drvfs. */
const FAR =
  /^(?:nfs\d?|cifs|smb\d|smbfs|9p|v9fs|drvfs|virtiofs|fakeowner|vboxsf|prl_(?:fs|vzfs)|vmhgfs|hgfs|afs|ceph|lustre|gpfs|beegfs|glusterfs|davfs|coda|ncpfs|fuse\..+)$/;
/** What goes by fuse and is on this side. */
const NEAR = /^fuse\.(?:fuse-overlayfs|mergerfs|gocryptfs|encfs|cryfs|ecryptfs|bindfs|portal)$/;

/** The type of the far file system that a folder (a real path) lies on, or null. */
export type FarOf = (folder: string) => string | null;

/** `table`: the text of /proc/mounts, '' where there is none. */
export function farIn(table: string): FarOf {
  const mounts = table.split('\n').flatMap((line) => {
    const [, point = '', type = ''] = line.split(' ');
    if (type === '') return [];
    const folder = point.replace(/\\([0-7]{3})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 8)));
    return [{ folder, type }];
  });
  if (!mounts.some(({ type }) => FAR.test(type))) return () => null;
  // A later mount hides an earlier one on the same folder.
  mounts.reverse().sort((a, b) => b.folder.length - a.folder.length);
  return (path) => {
    const type = mounts.find(({ folder }) => below(folder, path) !== null)?.type ?? '';
    return FAR.test(type) && !NEAR.test(type) ? type : null;
  };
}

export function readMounts(): string {
  try {
    return readFileSync('/proc/mounts', 'utf8');
  } catch {
    // Another system than Linux, or no /proc: nothing is known, and events are trusted.
    return '';
  }
}
