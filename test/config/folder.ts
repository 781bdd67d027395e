import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';

/** Makes a folder with these files (a value that is no string is written as JSON) for the running test. Gives its path. */
export function folder(files: Readonly<Record<string, unknown>>): string {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'hotrun-config-')));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) {
    const file = join(path, name);
    mkdirSync(name.endsWith('/') ? file : dirname(file), { recursive: true });
    if (!name.endsWith('/')) writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  }
  return path;
}
