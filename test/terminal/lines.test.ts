import { describe, expect, it } from 'vitest';
import type { Fault } from '../../src/errors.ts';
import type { Fact, Reason } from '../../src/terminal/facts.ts';
import { lines, type View } from '../../src/terminal/lines.ts';

const cwd = '/home/me/app';
const plain: View = { cwd, colors: false, columns: 80, level: 'normal' };

const start: Reason = { kind: 'start', program: 'src/server.ts' };
const saved: Reason = { kind: 'saved', files: ['/home/me/app/src/route.ts'] };
const phases = [
  { name: 'build', ms: 2.4 },
  { name: 'link', ms: 31 },
  { name: 'stop', ms: 4 },
  { name: 'start', ms: 34 },
] as const;
const ports = ['http://localhost:3000', '0.0.0.0:3001'];
const started = { type: 'ready', gen: 1, first: true, reason: start, totalMs: 180, phases, ports } satisfies Fact;
const reloaded = { type: 'ready', gen: 7, first: false, reason: saved, totalMs: 71, phases, ports } satisfies Fact;
const fault: Fault = {
  text: 'Expected ";" but found "foo"',
  file: '/home/me/app/src/route.ts',
  line: 12,
  column: 13,
  length: 3,
  source: 'const b = 2 foo;',
};
const code = (n: number) => ({ code: n, signal: null });
const killed = { code: null, signal: 'SIGSEGV' } as const;
const run = { gen: 3, afterMs: 1234, serving: false };

interface Row {
  readonly name: string;
  readonly fact: Fact;
  /** Per level; a missing one says what the level below says. */
  readonly quiet: readonly string[];
  readonly normal?: readonly string[];
  readonly verbose?: readonly string[];
}

const buildFailed = [
  '[hotrun] src/route.ts changed: build failed',
  'src/route.ts:12:13: Expected ";" but found "foo"',
  '  12 | const b = 2 foo;',
  '     |             ^^^',
  '[hotrun] the running version is not touched',
];

const table: Row[] = [
  {
    name: 'started',
    fact: { type: 'started', program: 'src/server.ts', node: 'v20.20.2' },
    quiet: [],
    verbose: ['[hotrun] src/server.ts on node v20.20.2'],
  },
  {
    name: 'building by itself',
    fact: { type: 'building', reason: saved, command: null },
    quiet: [],
    verbose: ['[hotrun] src/route.ts changed: building'],
  },
  {
    name: 'building by a command',
    fact: { type: 'building', reason: { kind: 'restart' }, command: 'go generate &&\n  go build ./cmd/api\n' },
    quiet: [],
    normal: ['[hotrun] asked to reload: running go generate && go build ./cmd/api'],
  },
  {
    name: 'same',
    fact: { type: 'same', files: ['src/a.ts', 'src/b.ts'] },
    quiet: [],
    verbose: ['[hotrun] src/a.ts and src/b.ts saved: nothing differs from what runs'],
  },
  {
    name: 'ready for the first time',
    fact: started,
    quiet: [],
    normal: ['[hotrun] src/server.ts ready in 180 ms on http://localhost:3000, 0.0.0.0:3001'],
    verbose: [
      '[hotrun] src/server.ts ready in 180 ms on http://localhost:3000, 0.0.0.0:3001, build 2, link 31, stop 4, start 34, generation 1',
    ],
  },
  {
    name: 'ready for the first time, without a port',
    fact: { ...started, ports: [] },
    quiet: [],
    normal: ['[hotrun] src/server.ts ready in 180 ms'],
    verbose: ['[hotrun] src/server.ts ready in 180 ms, build 2, link 31, stop 4, start 34, generation 1'],
  },
  {
    name: 'ready for the first time, after a mended start',
    fact: { ...started, reason: saved, ports: ['http://localhost:3000'], phases: phases.slice(0, 1) },
    quiet: [],
    normal: ['[hotrun] src/route.ts changed: ready in 180 ms on http://localhost:3000, build 2'],
    verbose: ['[hotrun] src/route.ts changed: ready in 180 ms on http://localhost:3000, build 2, generation 1'],
  },
  {
    name: 'ready again',
    fact: reloaded,
    quiet: [],
    normal: ['[hotrun] src/route.ts changed: ready in 71 ms, build 2, link 31, stop 4, start 34'],
    verbose: [
      '[hotrun] src/route.ts changed: ready in 71 ms on http://localhost:3000, 0.0.0.0:3001, build 2, link 31, stop 4, start 34, generation 7',
    ],
  },
  {
    name: 'ready again, slowly, by hand',
    fact: { ...reloaded, reason: { kind: 'restart' }, totalMs: 1249, phases: [{ name: 'stop', ms: 1151 }], ports: [] },
    quiet: [],
    normal: ['[hotrun] asked to reload: ready in 1.2 s, stop 1.2 s'],
    verbose: ['[hotrun] asked to reload: ready in 1.2 s, stop 1.2 s, generation 7'],
  },
  {
    name: 'failed',
    fact: { type: 'failed', reason: saved, serving: true, faults: [fault] },
    quiet: buildFailed,
  },
  {
    name: 'failed at the start',
    fact: { type: 'failed', reason: start, serving: false, faults: [{ text: 'No loader for ".css"' }] },
    quiet: [
      '[hotrun] src/server.ts: build failed',
      'No loader for ".css"',
      '[hotrun] nothing runs; waiting for a change',
    ],
  },
  {
    name: 'failed build command',
    fact: {
      type: 'failed',
      reason: { kind: 'saved', files: ['main.go'] },
      serving: true,
      faults: [{ text: 'go build ended with exit code 1', output: '# api\r\n  ./main.go:12:3: undefined: foo\n\n' }],
    },
    quiet: [
      '[hotrun] main.go changed: build failed',
      'go build ended with exit code 1',
      '# api',
      '  ./main.go:12:3: undefined: foo',
      '[hotrun] the running version is not touched',
    ],
  },
  {
    name: 'many faults',
    fact: {
      type: 'failed',
      reason: saved,
      serving: true,
      faults: [1, 2, 3, 4, 5, 6, 7].map((line) => ({ text: 'wrong', file: 'a.ts', line })),
    },
    quiet: [
      '[hotrun] src/route.ts changed: build failed',
      ...[1, 2, 3, 4, 5].map((line) => `a.ts:${line}: wrong`),
      'and 2 more',
      '[hotrun] the running version is not touched',
    ],
    verbose: [
      '[hotrun] src/route.ts changed: build failed',
      ...[1, 2, 3, 4, 5, 6, 7].map((line) => `a.ts:${line}: wrong`),
      '[hotrun] the running version is not touched',
    ],
  },
  {
    name: 'refused',
    fact: {
      type: 'refused',
      reason: saved,
      serving: true,
      faults: [
        {
          text: "SyntaxError: The requested module './x.ts' does not provide an export named 'y'",
          file: '/home/me/app/src/route.ts',
          line: 1,
          column: 10,
          source: "import { y } from './x.ts';",
        },
      ],
    },
    quiet: [
      '[hotrun] src/route.ts changed: cannot be loaded',
      "src/route.ts:1:10: SyntaxError: The requested module './x.ts' does not provide an export named 'y'",
      "  1 | import { y } from './x.ts';",
      '    |          ^',
      '[hotrun] the running version is not touched',
    ],
  },
  {
    name: 'refused, because it has ended',
    fact: { type: 'refused', reason: start, serving: false, faults: [], ending: code(9) },
    quiet: [
      '[hotrun] src/server.ts: crashed with exit code 9 while it was loading',
      '[hotrun] nothing runs; waiting for a change',
    ],
  },
  {
    name: 'crashed',
    fact: { type: 'crashed', ...run, ending: code(1) },
    quiet: ['[hotrun] crashed with exit code 1, waiting for a change'],
    verbose: ['[hotrun] crashed with exit code 1, generation 3, after 1.2 s, waiting for a change'],
  },
  {
    name: 'crashed by a signal',
    fact: { type: 'crashed', ...run, ending: killed },
    quiet: ['[hotrun] ended by SIGSEGV, waiting for a change'],
    verbose: ['[hotrun] ended by SIGSEGV, generation 3, after 1.2 s, waiting for a change'],
  },
  {
    name: 'broken',
    fact: { type: 'broken', ...run, ending: code(1) },
    quiet: ['[hotrun] crashed with exit code 1 before it was ready, waiting for a change'],
    verbose: ['[hotrun] crashed with exit code 1 before it was ready, generation 3, after 1.2 s, waiting for a change'],
  },
  {
    name: 'broken, beside the one that serves',
    fact: { type: 'broken', ...run, ending: killed, afterMs: 70, serving: true },
    quiet: ['[hotrun] ended by SIGSEGV before it was ready, the running version is not touched'],
    verbose: [
      '[hotrun] ended by SIGSEGV before it was ready, generation 3, after 70 ms, the running version is not touched',
    ],
  },
  {
    name: 'done before it was ready',
    fact: { type: 'broken', ...run, ending: code(0) },
    quiet: [],
    normal: ['[hotrun] ended with exit code 0, waiting for a change'],
    verbose: ['[hotrun] ended with exit code 0, generation 3, after 1.2 s, waiting for a change'],
  },
  {
    name: 'ended',
    fact: { type: 'ended', ...run, ending: code(0), afterMs: 59_960 },
    quiet: [],
    normal: ['[hotrun] ended with exit code 0, waiting for a change'],
    verbose: ['[hotrun] ended with exit code 0, generation 3, after 1 min, waiting for a change'],
  },
  {
    name: 'listening after it was ready',
    fact: { type: 'listening', port: 'http://localhost:3000', afterMs: 1234 },
    quiet: [],
    normal: ['[hotrun] listening on http://localhost:3000 after 1.2 s'],
  },
  {
    name: 'stopping slowly',
    fact: { type: 'stopping-slow', afterMs: 500, connections: 3, quitting: false },
    quiet: [],
    normal: ['[hotrun] still stopping after 500 ms, waiting for 3 connections'],
  },
  {
    name: 'stopping slowly, for one connection, at the end',
    fact: { type: 'stopping-slow', afterMs: 500, connections: 1, quitting: true },
    quiet: [],
    normal: ['[hotrun] still stopping after 500 ms, waiting for 1 connection; Ctrl-C again kills it'],
  },
  {
    name: 'stopping slowly, nobody knows why',
    fact: { type: 'stopping-slow', afterMs: 500, connections: 0, quitting: false },
    quiet: [],
    normal: ['[hotrun] still stopping after 500 ms'],
  },
  {
    name: 'escalated',
    fact: { type: 'escalated', signal: 'SIGTERM', afterMs: 5003 },
    quiet: ['[hotrun] still there after 5 s: SIGTERM sent'],
  },
  {
    name: 'stuck',
    fact: { type: 'stuck', afterMs: 8000 },
    quiet: ['[hotrun] still there after 8 s, although SIGKILL was sent: waiting for it to end'],
  },
  { name: 'quitting', fact: { type: 'quitting' }, quiet: [], verbose: ['[hotrun] stopping'] },
  {
    name: 'trouble',
    fact: { type: 'trouble', sentence: 'src/ cannot be watched: ENOSPC.' },
    quiet: ['[hotrun] src/ cannot be watched: ENOSPC.'],
  },
  {
    name: 'why a save counts',
    fact: {
      type: 'why saved',
      changes: [
        { file: `${cwd}/src/a.ts`, rule: 'loaded' },
        { file: `${cwd}/views/b.html`, rule: 'watch' },
      ],
    },
    quiet: ['[hotrun] src/a.ts counts: the app loads it', '[hotrun] views/b.html counts: a glob of "watch" matches it'],
  },
  {
    name: 'what a standby loads',
    fact: {
      type: 'why loaded',
      packages: ['express', '@scope/a'],
      of: 5,
      ms: 812,
      stop: { file: `${cwd}/src/app.ts`, because: 'imports ./instrument.ts for its effects' },
      modules: 740,
    },
    quiet: [
      '[hotrun] the standby loads express, @scope/a: 2 of 5 packages, whose 812 ms no reload waits for; no more, for src/app.ts imports ./instrument.ts for its effects',
      '[hotrun] another standby loads 740 modules that are not being edited',
    ],
  },
  {
    name: 'what a standby loads, if nothing',
    fact: { type: 'why loaded', packages: [], of: 0, ms: 0, stop: null, modules: 0 },
    quiet: ['[hotrun] the standby loads no package'],
  },
  {
    name: 'an event',
    fact: { type: 'trace', of: 'event', what: { type: 'drained', gen: 2 }, ignored: false },
    quiet: ['[hotrun] event {"type":"drained","gen":2}'],
  },
  {
    name: 'an event that was ignored',
    fact: { type: 'trace', of: 'event', what: { type: 'saved' }, ignored: true },
    quiet: ['[hotrun] ignored {"type":"saved"}'],
  },
  {
    name: 'an action',
    fact: { type: 'trace', of: 'action', what: { type: 'exit', code: 130 } },
    quiet: ['[hotrun] action {"type":"exit","code":130}'],
  },
  {
    name: 'a usage error',
    fact: { type: 'usage', sentence: '.hotrc: "entri" is no key; did you mean "entry"?' },
    quiet: ['[hotrun] .hotrc: "entri" is no key; did you mean "entry"?'],
  },
];

describe('lines', () => {
  for (const { name, fact, quiet, normal = quiet, verbose = normal } of table) {
    it(name, () => {
      expect(lines(fact, { ...plain, level: 'quiet' })).toEqual(quiet);
      expect(lines(fact, { ...plain, level: 'normal' })).toEqual(normal);
      expect(lines(fact, { ...plain, level: 'verbose' })).toEqual(verbose);
    });
  }

  it('shows a bug with its stack and its cause', () => {
    const error = new TypeError('no such gen', { cause: new Error('the reason') });
    const [first, second, ...rest] = lines({ type: 'bug', error }, { ...plain, level: 'quiet' });
    expect(first).toBe('[hotrun] this is a bug in hotrun; please report it with the lines that follow');
    expect(second).toBe('TypeError: no such gen');
    expect(rest.join('\n')).toContain('lines.test.ts');
    expect(rest.join('\n')).toContain('the reason');
  });

  it('shows what was thrown and is no error', () => {
    expect(lines({ type: 'bug', error: 'odd' }, plain)[1]).toBe("'odd'");
  });
});

describe('colours', () => {
  const colored = { ...plain, colors: true };
  const paint = (open: number, text: string, close: number) => `\x1b[${open}m${text}\x1b[${close}m`;
  const mark = paint(2, '[hotrun]', 22);

  it('shows the way to the new answer', () => {
    const green = paint(32, 'ready in 71 ms', 39);
    expect(lines(reloaded, colored)).toEqual([
      `${mark} src/route.ts changed: ${green}${paint(2, ', build 2, link 31, stop 4, start 34', 22)}`,
    ]);
  });

  it('leaves no empty colours behind', () => {
    expect(lines({ ...started, ports: ['http://localhost:3000'] }, colored)).toEqual([
      `${mark} src/server.ts ${paint(32, 'ready in 180 ms', 39)} on ${paint(36, 'http://localhost:3000', 39)}`,
    ]);
  });

  it('points at a fault', () => {
    expect(lines({ type: 'failed', reason: saved, serving: true, faults: [fault] }, colored)).toEqual([
      `${mark} src/route.ts changed: ${paint(31, 'build failed', 39)}`,
      `${paint(1, 'src/route.ts:12:13', 22)}: Expected ";" but found "foo"`,
      `${paint(2, '  12 |', 22)} const b = 2 foo;`,
      `${paint(2, '     |', 22)}             ${paint(31, '^^^', 39)}`,
      `${mark} the running version is not touched`,
    ]);
  });

  it('tells a crash from an end', () => {
    expect(lines({ type: 'crashed', ...run, ending: code(1) }, colored)).toEqual([
      `${mark} ${paint(31, 'crashed with exit code 1', 39)}, waiting for a change`,
    ]);
    expect(lines({ type: 'ended', ...run, ending: code(0) }, colored)).toEqual([
      `${mark} ended with exit code 0, waiting for a change`,
    ]);
  });

  it('is the same text without its colours', () => {
    for (const { fact } of table) {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what a colour begins with.
      const bare = lines(fact, { ...colored, level: 'verbose' }).map((line) => line.replace(/\x1b\[\d+m/g, ''));
      expect(bare).toEqual(lines(fact, { ...plain, level: 'verbose' }));
    }
  });
});
