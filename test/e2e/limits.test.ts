/** A limit of open files that is too low for hotrun itself: one sentence names it and the remedy. */
import { afterEach, describe, expect, test } from 'vitest';
import { closeAll, HOTRUN, launch, makeProject, SERVER } from '../rig.ts';
import { NODES } from './begin.ts';

afterEach(closeAll);

// Node itself ends below 23; what is refused first, the app's process, esbuild's or a file of ours, differs by version.
const LIMITS = [24, 26, 28];

describe.skipIf(process.platform === 'win32').each(NODES)('node $version', ({ node }) => {
  test.each(LIMITS)('ulimit -n %i', async (limit) => {
    const project = makeProject(SERVER);
    const run = `ulimit -n ${limit}; exec "$0" "$@"`;
    const argv = ['/bin/sh', '-c', run, node ?? process.execPath, HOTRUN, 'src/server.ts'];
    const hotrun = launch(project, argv, { env: { PORT: '0' } });
    await hotrun.seen(/the limit of open files is used up: raise it in this shell with "ulimit -n 4096"|ready in/);
    hotrun.kill('SIGINT');
    const { code } = await hotrun.ended;
    expect([1, 130]).toContain(code);
    expect(hotrun.stderr()).not.toMatch(/bug in hotrun|^ {4}at /m);
    project.close();
  });
});
