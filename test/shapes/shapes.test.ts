/**
 * Shapes that projects have: each program runs compiled by tsc under plain Node, and as it is under hotrun, and prints the
 * same. What tsc cannot make runnable says what it prints by itself.
 */
import { spawnSync } from 'node:child_process';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { NODES } from '../e2e/begin.ts';
import { closeAll, makeProject, type Project, start } from '../rig.ts';
import { root } from '../tree.ts';
import { flagged } from './flagged.ts';
import { odd } from './odd.ts';
import { governed } from './options.ts';
import { type Shape, shapes } from './shapes.ts';

const TSC = join(root, 'node_modules/typescript/bin/tsc');

const projects: Project[] = [];
afterAll(async () => {
  await closeAll();
  for (const project of projects) project.close();
});

function made(shape: Shape): Project {
  const project = makeProject(shape.files);
  projects.push(project);
  for (const [from, to] of Object.entries(shape.links ?? {})) symlinkSync(to, project.path(from));
  return project;
}

/** Without what differs by itself: where it is, and that TypeScript became JavaScript. */
const plainly = (text: string, project: Project): string =>
  text
    .replaceAll(project.dir, '')
    .replace(/duration_ms:? [\d.]+|\([\d.]+ms\)/g, 'N ms')
    .replace(/\.([cm]?)tsx?\b/g, '.$1js');

/** A copy of the project, compiled where it lies. */
const compiled = new Map<Shape, Project>();
function compile(shape: Shape): Project {
  let project = compiled.get(shape);
  if (!project) {
    project = made(shape);
    const { status, stdout } = spawnSync(process.execPath, [TSC, '-p', project.dir], { encoding: 'utf8' });
    if (status !== 0) throw new Error(`tsc: ${stdout}`);
    compiled.set(shape, project);
  }
  return project;
}

function plain(shape: Shape, node: string): string {
  if (shape.prints !== undefined) return shape.prints;
  const project = compile(shape);
  const entry = (shape.entry ?? 'main.ts').replace(/\.([cm]?)tsx?$/, '.$1js');
  const { stdout, stderr, status } = spawnSync(node, [...(shape.flags ?? []), entry], {
    cwd: project.dir,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`plain node ended with ${status}: ${stderr}\n${stdout}`);
  return plainly(stdout, project);
}

describe.each(NODES)('on $version', ({ node, version }) => {
  const [, major = '', minor = ''] = /^v(\d+)\.(\d+)/.exec(version) ?? [];
  const age = Number(major) + Number(minor) / 100;
  const possible = [...shapes, ...flagged, ...governed, ...odd].filter(({ from = 0 }) => age >= from);

  test.each(possible)('$name', async (shape) => {
    const wanted = plain(shape, node);
    expect(wanted).not.toBe('');
    const project = made(shape);
    const hotrun = start(project, [...(shape.flags ?? []), shape.entry ?? 'main.ts'], { node });
    await hotrun.seen(/(?:ended with exit code|crashed|cannot be loaded|build failed)/);
    const said = hotrun.stderr();
    await hotrun.close();
    expect(said).toContain('ended with exit code 0');
    expect(plainly(hotrun.stdout(), project)).toBe(wanted);
  });
});
