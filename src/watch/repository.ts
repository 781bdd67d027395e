/** Where the repository that a folder is in keeps what concerns us. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

export interface Repository {
  /** The folder that holds `.git`. */
  readonly top: string;
  /** Of this worktree or submodule. */
  readonly own: string;
  /** Of all worktrees. */
  readonly common: string;
}

/** Null where there is none, or none that can be read. What `.git` says of folders that are gone is believed. */
export function repositoryOf(folder: string): Repository | null {
  const git = join(folder, '.git');
  if (!existsSync(git)) return dirname(folder) === folder ? null : repositoryOf(dirname(folder));
  try {
    if (statSync(git).isDirectory()) return { top: folder, own: git, common: git };
    const own = resolve(
      folder,
      readFileSync(git, 'utf8')
        .replace(/^gitdir: /, '')
        .trim(),
    );
    const common = join(own, 'commondir');
    return { top: folder, own, common: existsSync(common) ? resolve(own, readFileSync(common, 'utf8').trim()) : own };
  } catch {
    // Not ours to read: git itself would refuse too, and says so.
    return null;
  }
}
