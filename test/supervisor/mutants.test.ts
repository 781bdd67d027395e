/** A test of the tests: machines with one thing wrong, each of which the walk has to find. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';
import { expect, test } from 'vitest';
import { Broken, type StepFunction, walk } from './world.ts';

const file = fileURLToPath(new URL('../../src/supervisor/step.ts', import.meta.url));
const source = readFileSync(file, 'utf8');
const LIVES = 8000;
const SEED = 1;

interface Mutant {
  readonly name: string;
  /** Occurs exactly once in step.ts. */
  readonly from: string;
  readonly to: string;
  readonly breaks: RegExp;
  /** For what needs a rare coincidence. */
  readonly lives?: number;
}

const mutants: readonly Mutant[] = [
  {
    name: 'runs the new one while the old one is leaving',
    from: "d.rules.handover === 'sequential' ? alive.length === 0 :",
    to: "d.rules.handover === 'sequential' ? !alive.some(isServing) :",
    breaks: /promise 1/,
  },
  {
    name: 'overlap: starts a third beside two',
    from: "alive.every((life) => life.is === 'running')",
    to: "alive.every((life) => life.is !== 'starting')",
    breaks: /promise 1/,
  },
  {
    name: 'overlap: stops the old one before the new one is ready',
    from: ": life.is === 'starting';\n    if (superseded)",
    to: ': isServing(life);\n    if (superseded)',
    breaks: /serves until the new one is ready/,
  },
  {
    name: 'forgets what was saved during a firm build',
    from: '    d.dirty = true;\n',
    to: '',
    breaks: /promise 2/,
  },
  {
    name: 'forgets a burst when its quiet time is over',
    from: "  if (d.build.is !== 'quiet' || d.build.id !== id) return false;\n  return build(d, { force: d.build.force });",
    to: "  if (d.build.is !== 'quiet' || d.build.id !== id) return false;\n  d.build = { is: 'idle' };\n  return concluded(d);",
    breaks: /promise 2/,
  },
  {
    name: 'ignores a save while somebody is leaving',
    from: '      return d.quitting === null && saved(d, false, event.calmMs);',
    to: "      return d.quitting === null && !find(d, (life) => life.is === 'stopping') && saved(d, false, event.calmMs);",
    breaks: /promise 2/,
  },
  {
    name: 'takes the result of a build that was cancelled',
    from: "  if (d.build.is !== 'building' || d.build.id !== id) return false;",
    to: "  if (d.build.is !== 'building') return false;",
    breaks: /cancelled is not taken/,
  },
  {
    name: 'cancels nothing',
    from: "  if (d.build.is === 'building') d.actions.push({ type: 'cancel', id: d.build.id });\n  if (preparing",
    to: '  if (preparing',
    breaks: /one build at a time|build that goes on/,
  },
  {
    name: 'lets a storm of saves go on for ever',
    from: "event: { type: 'quiet', id: burst } });",
    to: "event: { type: 'quiet', id: -1 } });",
    breaks: /starves nobody/,
  },
  {
    name: 'lets a storm throw away what is firm',
    from: "(life?.is === 'preparing' && life.firm);",
    to: 'false;',
    breaks: /starves nobody/,
  },
  {
    name: 'builds at once in a storm',
    from: ' && preparing === undefined && calmMs === 0)',
    to: ' && preparing === undefined)',
    breaks: /waits for quiet/,
  },
  {
    name: 'is as impatient in a storm as after a burst',
    from: 'Math.max(d.rules.quietMs, calmMs)',
    to: 'd.rules.quietMs',
    breaks: /waits for quiet/,
  },
  {
    name: 'begins the time of a storm anew with each save',
    from: 'd.burst === null || (isStorm && !d.burst.isStorm)',
    to: 'd.burst === null || isStorm',
    breaks: /starves nobody/,
  },
  {
    name: 'takes "same" for done when nobody runs',
    from: '(force || nobody)',
    to: 'force',
    breaks: /starts again what has crashed/,
  },
  {
    name: 'loses a prepared one that dies',
    from: "  return life.is === 'waiting' ? replace(d) : true;",
    to: '  return true;',
    breaks: /promise 2/,
  },
  {
    name: 'takes "same" for done when the one it was compared with has died',
    from: "  if (d.build.is !== 'idle') d.build = { ...d.build, force: true };\n  else if (",
    to: "  if (d.build.is === 'idle' && ",
    breaks: /promise 2|restart by hand/,
    lives: 200_000,
  },
  {
    name: 'waits with a prepared one whose process has ended',
    from: "  if (life?.is === 'waiting') {\n    discard(d, gen);\n    return replace(d);\n  }\n",
    to: '',
    breaks: /what has exited is not activated/,
  },
  {
    name: 'loses a restart by hand during a firm build',
    from: '  if (firm && !force) {',
    to: '  if (firm) {',
    breaks: /restart by hand/,
  },
  {
    name: 'stops what serves when a build fails',
    from: "  tell(d, result === 'same' ? 'same' : 'failed', { id });\n",
    to: "  tell(d, result === 'same' ? 'same' : 'failed', { id });\n  if (result === 'failed') for (const [gen, life] of d.lives) if (isServing(life)) stop(d, gen);\n",
    breaks: /promise 3/,
  },
  {
    name: 'waits with what was refused',
    from: "  discard(d, gen);\n  tell(d, 'refused', { gen, id: life.id });\n",
    to: "  d.lives.set(gen, { is: 'waiting', id: life.id });\n",
    breaks: /promise 3/,
  },
  {
    name: 'activates a waiting one that a newer one has replaced',
    from: '  if (older !== undefined) discard(d, older);\n',
    to: "  if (older !== undefined) d.actions.push({ type: 'discard', gen: older });\n",
    breaks: /one of a kind/,
  },
  {
    name: 'sends the signal of a rung that was skipped, and the next one again',
    from: '  if (next > life.sent) {',
    to: '  {',
    breaks: /promise 5/,
  },
  {
    name: 'does not care which signal the app listens to',
    from: '  signal(d, gen, life, life.first);',
    to: '  signal(d, gen, life, 0);',
    breaks: /does not listen/,
  },
  {
    name: 'signals again when the drain is over',
    from: "function drained(d: Draft, gen: Generation): boolean {\n  const life = d.lives.get(gen);\n  if (life?.is !== 'stopping' || life.sent >= 0) return false;",
    to: "function drained(d: Draft, gen: Generation): boolean {\n  const life = d.lives.get(gen);\n  if (life?.is !== 'stopping') return false;",
    breaks: /promise 5/,
  },
  {
    name: 'drains for ever',
    from: '  if (rung === -1) return drained(d, gen);',
    to: '  if (rung === -1 || life.sent < 0) return true;',
    breaks: /promise 5/,
  },
  {
    name: 'stays on a rung',
    from: "  d.actions.push({ type: 'timer', ms: rungAt(d, next).ms, event: { type: 'overdue', gen, rung: next } });\n",
    to: '',
    breaks: /promise 5/,
  },
  {
    name: 'hurries up the ladder',
    from: '  if (rung !== life.rung) return false;\n',
    to: '',
    breaks: /stuck is said once/,
  },
  {
    name: 'forgets the one that runs when it quits',
    from: '      else if (isServing(life)) stop(d, gen);\n',
    to: '',
    breaks: /promise 5/,
  },
  {
    name: 'leaves before everybody is gone',
    from: '    if (d.lives.size === 0) d.actions',
    to: '    if (![...d.lives.values()].some(isAlive)) d.actions',
    breaks: /left behind/,
  },
  {
    name: 'quits twice as patiently as once',
    from: '    signal(d, gen, { ...life, rung: last }, last);\n',
    to: '',
    breaks: /second quit/,
  },
  {
    name: 'waits for the drain of what has exited',
    from: '    climb(d, gen);\n  }\n  return drained(d, gen);',
    to: '    climb(d, gen);\n    return drained(d, gen);\n  }\n  return false;',
    breaks: /left behind is signalled at once/,
  },
  {
    name: 'says twice that a process is stuck',
    from: '    if (life.rung === last) continue;\n',
    to: '',
    breaks: /stuck is said once/,
  },
  {
    name: 'drains what has exited',
    from: '    climb(d, gen);\n  }\n  return drained',
    to: '    stop(d, gen);\n  }\n  return drained',
    breaks: /what has exited is not drained/,
  },
];

/** The machine of that source. */
async function machine(contents: string): Promise<StepFunction> {
  const stdin = {
    contents,
    loader: 'ts' as const,
    sourcefile: file,
    resolveDir: fileURLToPath(new URL('.', `file://${file}`)),
  };
  const { outputFiles } = buildSync({ stdin, bundle: true, write: false, format: 'esm', logLevel: 'silent' });
  const url = `data:text/javascript;base64,${Buffer.from(outputFiles[0]?.contents as Uint8Array).toString('base64')}`;
  return ((await import(/* @vite-ignore */ url)) as { step: StepFunction }).step;
}

test('the machine as it is lives through the same walk', async () => {
  expect(walk(await machine(source), { lives: LIVES, seed: SEED }).events).toBeGreaterThan(LIVES);
});

for (const { name, from, to, breaks, lives = LIVES } of mutants) {
  test(`it finds a machine that ${name}`, async () => {
    expect(source.split(from), 'the text occurs once in step.ts').toHaveLength(2);
    const mutant = await machine(source.replace(from, () => to));
    let broken: unknown;
    try {
      walk(mutant, { lives, seed: SEED });
    } catch (error) {
      broken = error;
    }
    expect(broken, 'the walk breaks a promise').toBeInstanceOf(Broken);
    expect((broken as Broken).message.split('\n', 1)[0]).toMatch(breaks);
  });
}
