/** Where the system does not tell of saves: by its limits, because they are made on the other side of a mount, or by wish. */
import { spawnSync } from 'node:child_process';
import { utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  answers,
  closeAll,
  freePort,
  HOTRUN,
  launch,
  makeProject,
  markerSource,
  type Project,
  SERVER,
  start,
} from '../rig.ts';

let project: Project;
let env: Record<string, string>;
let port: number;
beforeEach(async () => {
  project = makeProject(SERVER);
  port = await freePort();
  env = { PORT: String(port) };
});
afterEach(async () => {
  await closeAll();
  project.close();
});

test.each([['--poll'], ['--poll', '50'], ['--poll=50ms']])('%s %s looks at the files', async (...args) => {
  const hotrun = start(project, [...args, 'src/server.ts'], { env });
  await hotrun.seen(/ready in/);
  for (const marker of ['m1', 'm2']) {
    project.replace('src/marker.ts', markerSource(marker));
    await answers(port, marker);
  }
  expect(hotrun.stderr()).not.toContain('looked at');
});

// A user namespace has limits and mounts of its own; where the system does not give us one, there is nothing to try it in.
const limited = ['unshare', '-U', '-r', 'sh', '-c', 'echo 1 > /proc/sys/user/max_inotify_watches && exec "$@"', 'sh'];
test.skipIf(spawnSync(limited[0] as string, [...limited.slice(1), 'true']).status !== 0)(
  'beyond the limit of watches the files are looked at, and one sentence says so',
  async () => {
    const hotrun = launch(project, [...limited, process.execPath, HOTRUN, 'src/server.ts'], { env });
    await answers(port, 'm0');
    await hotrun.seen(/limit of watches is used up, .* looked at every 500 ms instead/);
    for (const marker of ['m1', 'm2']) {
      project.write('src/marker.ts', markerSource(marker));
      await answers(port, marker);
    }
    expect(hotrun.stderr().match(/looked at/g)).toHaveLength(1);
  },
);

// What is written into the lower layer of an overlay is seen in it, and no event is.
const overlay = (dir: string, merged: string): string[] => {
  const script = 'mount -t overlay overlay -o "lowerdir=$1" "$2" && cd "$2" && shift 2 && exec "$@"';
  return ['unshare', '-U', '-r', '-m', 'sh', '-c', script, 'sh', `${dir}:${dir}`, merged];
};
test.skipIf(spawnSync('unshare', ['-U', '-r', '-m', 'true']).status !== 0)(
  'a change that nothing was told of is noticed when a reload is asked for, and the next one by itself',
  async () => {
    const merged = join(project.dir, '../merged');
    project.write('../merged/.keep', '');
    project.write('../empty/.keep', '');
    const under = overlay(project.dir, merged);
    under[under.length - 2] = `${project.dir}:${join(project.dir, '../empty')}`;
    const hotrun = launch(project, [...under, process.execPath, HOTRUN, 'src/server.ts'], { env });
    await answers(port, 'm0');
    await hotrun.seen(/ready in/);
    const earlier = (seconds: number): void => {
      writeFileSync(project.path('src/marker.ts'), markerSource(`m${seconds}`));
      utimesSync(project.path('src/marker.ts'), Date.now() / 1000 - seconds, Date.now() / 1000 - seconds);
    };
    // The first may be seen because it is made before anything is listened to.
    for (const seconds of [30, 20]) {
      earlier(seconds);
      hotrun.kill('SIGUSR2');
      await answers(port, `m${seconds}`);
    }
    await hotrun.seen(/marker\.ts has changed, and the system has told nothing of it/);
    earlier(10);
    await answers(port, 'm10');
  },
);
