/**
 * The machine as a specification: after these events, that event leads to this build, these lives, these actions.
 * The ladder here is SIGINT 3 s (of which 2.4 s for the drain), SIGTERM 3 s, SIGKILL 1 s.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { initial, step } from '../../src/supervisor/step.ts';
import type { Build, Life, Rules, State } from '../../src/supervisor/words.ts';
import { event, showStep } from './notation.ts';

const sequential: Rules = {
  handover: 'sequential',
  ladder: [
    { signal: 'SIGINT', ms: 3000 },
    { signal: 'SIGTERM', ms: 3000 },
    { signal: 'SIGKILL', ms: 1000 },
  ],
  quietMs: 30,
  quietMaxMs: 500,
  stormMaxMs: 5000,
};
const overlap: Rules = { ...sequential, handover: 'overlap' };
const onlyKill: Rules = { ...sequential, ladder: [{ signal: 'SIGKILL', ms: 1000 }] };

/**
 * What happens, in words; the events before; and the step, written as in the story of a random life:
 * event -> build | lives | actions.
 */
type Row = readonly [it: string, after: readonly string[], then: string, rules?: Rules];

const none: readonly string[] = [];
const preparing = ['start', 'built 1 ok'];
const starting = [...preparing, 'prepared 1'];
/** Generation 1 serves. The next build is 2. */
const running = [...starting, 'ready 1'];
/** Generation 2 loads while 1 serves. The next build is 3. */
const loading = [...running, 'saved', 'built 2 ok'];
/** Generation 2 is prepared; in sequential handover 1 is told to leave, in overlap 2 starts beside it. */
const leaving = [...loading, 'prepared 2'];
/** A burst: build 2 is cancelled, quiet is 3, and 4 is the timer that ends the burst. */
const burst = [...running, 'saved', 'saved'];
/** The burst went on for too long: build 5 will not be cancelled. */
const firm = [...burst, 'quiet 4'];
const firmLoading = [...firm, 'built 5 ok'];
/** Overlap: generation 1 serves, 2 starts, and a newer one, 3, is prepared: 2 is told to leave. */
const crowd = [...leaving, 'saved', 'built 3 ok', 'prepared 3'];

const quietAt = (id: number) => `in 30 ms: quiet ${id}`;
const burstAt = (id: number) => `in 500 ms: quiet ${id}`;
const stop = (gen: number) => `drain ${gen}; in 2400 ms: overdue ${gen} drain; in 3000 ms: overdue ${gen} rung 0`;

/** The machine after those events, each of which must mean something, and the last step. */
function run(events: readonly string[], rules: Rules): State {
  return events.reduce((state, line) => {
    const next = step(state, event(line), rules);
    expect(next.ignored, `${line} is taken`).toBe(false);
    return next.state;
  }, initial);
}

function specify(rows: readonly Row[], usual = sequential): void {
  for (const [it, after, then, rules = usual] of rows) {
    test(it, () => {
      const before = run(after, rules);
      const [line = ''] = then.split(' -> ');
      const taken = step(before, event(line), rules);
      expect(showStep(event(line), taken)).toBe(then);
      if (taken.ignored) expect(taken.state).toBe(before);
    });
  }
}

describe('a reload', () => {
  // biome-ignore format: one row, one line
  specify([
    ['builds at the start', none, 'start -> building 1 forced | nobody | tell building 1; build 1'],
    ['starts once', ['start'], 'start -> building 1 forced | nobody | ignored'],
    ['prepares what is built', ['start'], 'built 1 ok -> idle | 1 preparing | prepare 1 of build 1'],
    ['activates what is prepared when nobody runs', preparing, 'prepared 1 -> idle | 1 starting | activate 1'],
    ['is ready', starting, 'ready 1 -> idle | 1 running | tell ready 1'],
    ['builds at once at the first save', running, 'saved -> building 2 | 1 running | tell building 2; build 2'],
    ['prepares the new one while the old one serves', [...running, 'saved'], 'built 2 ok -> idle | 1 running, 2 preparing | prepare 2 of build 2'],
    ['reloads nothing when nothing differs', [...running, 'saved'], 'built 2 same -> idle | 1 running | tell same 2'],
    ['builds by hand', running, 'restart -> building 2 forced | 1 running | tell building 2; build 2'],
    ['by hand, reloads although nothing differs', [...running, 'restart'], 'built 2 same -> idle | 1 running, 2 preparing | prepare 2 of build 2'],
  ]);
});

describe('Never two', () => {
  // biome-ignore format: one row, one line
  specify([
    ['tells the old one to leave when the new one is prepared', loading, `prepared 2 -> idle | 1 stopping, 2 waiting | ${stop(1)}`],
    ['does so too when the old one is not ready yet', [...starting, 'saved', 'built 2 ok'], `prepared 2 -> idle | 1 stopping, 2 waiting | ${stop(1)}`],
    ['does not activate when the old one has drained', leaving, 'drained 1 -> idle | 1 stopping, 2 waiting | signal 1 rung 0'],
    ['does not activate when the old process has ended and others of its group live on', [...leaving, 'drained 1'], 'exited 1 code 0 -> idle | 1 stopping, 2 waiting | ignored'],
    ['activates when the old one is gone', [...leaving, 'drained 1'], 'gone 1 SIGINT -> idle | 2 starting | activate 2'],
    ['activates when the old one has gone by itself while the new one loads', [...loading, 'gone 1 code 1'], 'prepared 2 -> idle | 2 starting | activate 2'],
    ['waits for those that a crash left behind', [...loading, 'exited 1 code 1'], 'prepared 2 -> idle | 1 stopping, 2 waiting | nothing'],
    ['replaces the one that waits by a newer one', [...leaving, 'saved', 'built 3 ok'], 'prepared 3 -> idle | 1 stopping, 2 discarded, 3 waiting | discard 2'],
    ['activates the newest only', [...leaving, 'saved', 'built 3 ok', 'prepared 3'], 'gone 1 code 0 -> idle | 2 discarded, 3 starting | activate 3'],
    ['does not wait for one that has run nothing', ['start', 'built 1 ok', 'saved', 'quiet 2', 'built 4 ok'], 'prepared 2 -> idle | 1 discarded, 2 starting | activate 2'],
    ['forgets who is gone', [...leaving, 'gone 1 code 0'], 'gone 1 code 0 -> idle | 2 starting | ignored'],
    ['does not know who was never made', running, 'gone 7 code 0 -> idle | 1 running | ignored'],
  ]);
});

describe('Never two, handover "overlap": at most one beside the one that serves', () => {
  // biome-ignore format: one row, one line
  specify([
    ['starts the new one while the old one serves', loading, 'prepared 2 -> idle | 1 running, 2 starting | activate 2'],
    ['tells the old one to leave when the new one is ready', leaving, `ready 2 -> idle | 1 stopping, 2 running | tell ready 2; ${stop(1)}`],
    ['is one again when the old one is gone', [...leaving, 'ready 2'], 'gone 1 code 0 -> idle | 2 running | nothing'],
    ['leaves the old one serving when the new one dies before it is ready', leaving, 'gone 2 code 1 -> idle | 1 running | tell broken 2 code 1'],
    ['starts the new one alone when nobody serves', preparing, 'prepared 1 -> idle | 1 starting | activate 1'],
    ['a save while the new one starts: builds, and disturbs neither', leaving, 'saved -> building 3 | 1 running, 2 starting | tell building 3; build 3'],
    ['a newer one waits until the one that starts has left', [...leaving, 'saved', 'built 3 ok'], `prepared 3 -> idle | 1 running, 2 stopping, 3 waiting | ${stop(2)}`],
    ['and starts beside the old one when it is gone', crowd, 'gone 2 code 0 -> idle | 1 running, 3 starting | activate 3'],
    ['does not take the one that is leaving for ready', crowd, 'ready 2 -> idle | 1 running, 2 stopping, 3 waiting | ignored'],
    ['a newer one waits until the old one has left', [...leaving, 'ready 2', 'saved', 'built 3 ok'], 'prepared 3 -> idle | 1 stopping, 2 running, 3 waiting | nothing'],
    ['and starts beside the one that serves', [...leaving, 'ready 2', 'saved', 'built 3 ok', 'prepared 3'], 'gone 1 code 0 -> idle | 2 running, 3 starting | activate 3'],
    ['stops a first one that is not ready, as nobody serves', [...starting, 'saved', 'built 2 ok'], `prepared 2 -> idle | 1 stopping, 2 waiting | ${stop(1)}`],
  ], overlap);
});

describe('No save is lost', () => {
  // biome-ignore format: one row, one line
  specify([
    ['a save while it builds cancels the build and waits for quiet', [...running, 'saved'], `saved -> quiet 3 | 1 running | cancel 2; ${quietAt(3)}; ${burstAt(4)}`],
    ['each further save waits for quiet anew', burst, `saved -> quiet 5 | 1 running | ${quietAt(5)}`],
    ['and anew', [...burst, 'saved'], `saved -> quiet 6 | 1 running | ${quietAt(6)}`],
    ['the quiet time of an earlier save means nothing', [...burst, 'saved'], 'quiet 3 -> quiet 5 | 1 running | ignored'],
    ['builds when it is quiet', burst, 'quiet 3 -> building 5 | 1 running | tell building 5; build 5'],
    ['the result of a build that was cancelled means nothing', [...burst, 'quiet 3'], 'built 2 ok -> building 5 | 1 running | ignored'],
    ['neither does it in the quiet time', burst, 'built 2 ok -> quiet 3 | 1 running | ignored'],
    ['a save while a generation loads throws it away', loading, `saved -> quiet 3 forced | 1 running, 2 discarded | discard 2; ${quietAt(3)}; ${burstAt(4)}`],
    ['what was thrown away is not prepared any more', [...loading, 'saved'], 'prepared 2 -> quiet 3 forced | 1 running, 2 discarded | ignored'],
    ['and is forgotten when it is gone', [...loading, 'saved'], 'gone 2 SIGKILL -> quiet 3 forced | 1 running | nothing'],
    ['a save while one waits builds at once', leaving, 'saved -> building 3 | 1 stopping, 2 waiting | tell building 3; build 3'],
    ['a save while one leaves and another starts builds at once', [...leaving, 'gone 1 code 0'], 'saved -> building 3 | 2 starting | tell building 3; build 3'],
    ['a save after a crash while others are being stopped builds at once', [...running, 'exited 1 code 1'], 'saved -> building 2 | 1 stopping | tell building 2; build 2'],
    ['the same once more starts what has crashed again', [...running, 'gone 1 code 1', 'saved'], 'built 2 same -> idle | 2 preparing | prepare 2 of build 2'],
    ['nothing differs from what waits', [...leaving, 'saved'], 'built 3 same -> idle | 1 stopping, 2 waiting | tell same 3'],
    ['by hand, then a save: still reloads', [...running, 'restart', 'saved', 'quiet 3'], 'built 5 same -> idle | 1 running, 2 preparing | prepare 2 of build 5'],
    ['by hand, while it waits for quiet: builds by force', burst, `restart -> quiet 5 forced | 1 running | ${quietAt(5)}`],
    ['by hand, while a generation loads: another one', loading, `restart -> quiet 3 forced | 1 running, 2 discarded | discard 2; ${quietAt(3)}; ${burstAt(4)}`],
  ]);
});

describe('A storm waits for quiet', () => {
  const stormAt = (id: number) => `in 5000 ms: quiet ${id}`;
  const calmAt = (id: number) => `in 110 ms: quiet ${id}`;
  const storm = [...running, 'saved 110'];
  // biome-ignore format: one row, one line
  specify([
    ['although nothing is under way', running, `saved 110 -> quiet 2 | 1 running | ${calmAt(2)}; ${stormAt(3)}`],
    ['each further save of it waits anew', storm, `saved 110 -> quiet 4 | 1 running | ${calmAt(4)}`],
    ['one that asks for less is heard', storm, `saved -> quiet 4 | 1 running | ${quietAt(4)}`],
    ['builds when it is quiet', storm, 'quiet 2 -> building 4 | 1 running | tell building 4; build 4'],
    ['builds after 5 s although it is not', [...storm, 'saved 110'], 'quiet 3 -> building 5 firm | 1 running | tell building 5; build 5'],
    ['what was begun before it was known is cancelled', [...running, 'saved'], `saved 110 -> quiet 3 | 1 running | cancel 2; ${calmAt(3)}; ${stormAt(4)}`],
    ['a burst that becomes one may last longer', burst, `saved 110 -> quiet 5 | 1 running | ${calmAt(5)}; ${stormAt(6)}`],
    ['and does not end with the burst', [...burst, 'saved 110'], 'quiet 4 -> quiet 5 | 1 running | ignored'],
    ['goes on while what was built before is loading', [...storm, 'quiet 2', 'built 4 ok'], `saved 110 -> quiet 5 forced | 1 running, 2 discarded | discard 2; ${calmAt(5)}`],
    ['by hand: shortly', storm, `restart -> quiet 4 forced | 1 running | ${quietAt(4)}`],
    ['quit', storm, `quit 130 -> idle | 1 stopping | ${stop(1)}; tell quitting`],
  ]);
});

describe('No save is lost: a burst ends', () => {
  // biome-ignore format: one row, one line
  specify([
    ['builds after 500 ms although it is not quiet', burst, 'quiet 4 -> building 5 firm | 1 running | tell building 5; build 5'],
    ['or makes firm what is being built', [...burst, 'quiet 3'], 'quiet 4 -> building 5 firm | 1 running | nothing'],
    ['or what loads', [...burst, 'quiet 3', 'built 5 ok'], 'quiet 4 -> idle | 1 running, 2 preparing firm | nothing'],
    ['means nothing when the attempt is over', [...burst, 'quiet 3', 'built 5 same'], 'quiet 4 -> idle | 1 running | ignored'],
    ['a save does not cancel a firm build', firm, 'saved -> building 5 firm | 1 running | nothing'],
    ['what it builds is firm too', firm, 'built 5 ok -> idle | 1 running, 2 preparing firm | prepare 2 of build 5'],
    ['nor does a save throw away what loads', firmLoading, 'saved -> idle | 1 running, 2 preparing firm | nothing'],
    ['but is built afterwards', [...firmLoading, 'saved'], `prepared 2 -> quiet 6 | 1 stopping, 2 waiting | ${quietAt(6)}; ${burstAt(7)}; ${stop(1)}`],
    ['also if what loaded is refused', [...firmLoading, 'saved'], `refused 2 -> quiet 6 | 1 running, 2 discarded | discard 2; tell refused 2; ${quietAt(6)}; ${burstAt(7)}`],
    ['or dies', [...firmLoading, 'saved'], `gone 2 code 1 -> quiet 6 | 1 running | tell refused 2 code 1; ${quietAt(6)}; ${burstAt(7)}`],
    ['or the firm build fails', [...firm, 'saved'], `built 5 failed -> quiet 6 | 1 running | tell failed 5; ${quietAt(6)}; ${burstAt(7)}`],
    ['or nothing differed', [...firm, 'saved'], `built 5 same -> quiet 6 | 1 running | tell same 5; ${quietAt(6)}; ${burstAt(7)}`],
    ['once only', [...firm, 'saved', 'built 5 failed', 'quiet 6'], 'built 8 failed -> idle | 1 running | tell failed 8'],
    ['by hand, even a firm build is begun again', firm, `restart -> quiet 6 forced | 1 running | cancel 5; ${quietAt(6)}; ${burstAt(7)}`],
    ['by hand, even what loads firmly', [...firmLoading, 'saved'], `restart -> quiet 6 forced | 1 running, 2 discarded | discard 2; ${quietAt(6)}; ${burstAt(7)}`],
    ['which covers what was saved meanwhile', [...firm, 'saved', 'restart', 'quiet 6'], 'built 8 failed -> idle | 1 running | tell failed 8'],
  ]);
});

describe('No save is lost: a prepared one dies while it waits, by no fault of the code', () => {
  // biome-ignore format: one row, one line
  specify([
    ['makes another', leaving, 'gone 2 SIGKILL -> building 3 forced | 1 stopping | tell building 3; build 3'],
    ['kills the others that it left behind', leaving, 'exited 2 code 1 -> building 3 forced | 1 stopping, 2 discarded | discard 2; tell building 3; build 3'],
    ['not if a newer one loads', [...leaving, 'saved', 'built 3 ok'], 'gone 2 SIGKILL -> idle | 1 stopping, 3 preparing | nothing'],
    ['nor if one is being built, which may have found no difference from the dead', [...leaving, 'saved'], 'gone 2 SIGKILL -> building 3 forced | 1 stopping | nothing'],
    ['nor if it waits for quiet', [...leaving, 'saved', 'saved'], 'gone 2 SIGKILL -> quiet 4 forced | 1 stopping | nothing'],
    ['and prepares it', [...crowd, 'saved', 'gone 3 SIGKILL'], 'built 4 same -> idle | 1 running, 2 stopping, 4 preparing | prepare 4 of build 4', overlap],
    ['waits for the old one all the same', [...leaving, 'gone 2 SIGKILL', 'built 3 ok'], 'prepared 3 -> idle | 1 stopping, 3 waiting | nothing'],
  ]);
});

describe('A broken change never takes the app down', () => {
  // biome-ignore format: one row, one line
  specify([
    ['a build that fails', [...running, 'saved'], 'built 2 failed -> idle | 1 running | tell failed 2'],
    ['a build by hand that fails', [...running, 'restart'], 'built 2 failed -> idle | 1 running | tell failed 2'],
    ['code that cannot be loaded', loading, 'refused 2 -> idle | 1 running, 2 discarded | discard 2; tell refused 2'],
    ['a process that dies while it loads', loading, 'gone 2 code 1 -> idle | 1 running | tell refused 2 code 1'],
    ['and leaves others behind', loading, 'exited 2 code 1 -> idle | 1 running, 2 discarded | discard 2; tell refused 2 code 1'],
    ['is told once', [...loading, 'refused 2'], 'exited 2 code 1 -> idle | 1 running, 2 discarded | ignored'],
    ['nothing to serve at the start', ['start'], 'built 1 failed -> idle | nobody | tell failed 1'],
    ['the next save is a new chance', ['start', 'built 1 failed'], 'saved -> building 2 | nobody | tell building 2; build 2'],
    ['what waits still has its turn', [...leaving, 'saved', 'built 3 failed'], 'gone 1 code 0 -> idle | 2 starting | activate 2'],
    ['what crashes as it starts is told, and waits for a save', starting, 'gone 1 code 1 -> idle | nobody | tell broken 1 code 1'],
    ['what crashes as it runs', running, 'gone 1 SIGSEGV -> idle | nobody | tell crashed 1 SIGSEGV'],
    ['what ends by itself', running, 'gone 1 code 0 -> idle | nobody | tell ended 1 code 0'],
  ]);
});

describe('A stop always ends', () => {
  const int = [...leaving, 'overdue 1 drain'];
  const term = [...int, 'overdue 1 rung 0'];
  const kill = [...term, 'overdue 1 rung 1'];
  const both = '1 stopping, 2 waiting';
  /** The app listens to SIGTERM, and not to SIGINT. */
  const listens = [...leaving, 'draining 1 first 1'];
  // biome-ignore format: one row, one line
  specify([
    ['SIGINT when it has drained', leaving, `drained 1 -> idle | ${both} | signal 1 rung 0`],
    ['SIGINT when the time of the drain is up', leaving, `overdue 1 drain -> idle | ${both} | signal 1 rung 0`],
    ['once: drained too late', int, `drained 1 -> idle | ${both} | ignored`],
    ['once: drained in time', [...leaving, 'drained 1'], `overdue 1 drain -> idle | ${both} | ignored`],
    ['SIGTERM when the time of SIGINT is up', int, `overdue 1 rung 0 -> idle | ${both} | in 3000 ms: overdue 1 rung 1; signal 1 rung 1; tell escalated 1 rung 1`],
    ['once', term, `overdue 1 rung 0 -> idle | ${both} | ignored`],
    ['SIGKILL when the time of SIGTERM is up', term, `overdue 1 rung 1 -> idle | ${both} | in 1000 ms: overdue 1 rung 2; signal 1 rung 2; tell escalated 1 rung 2`],
    ['says so when even that does not help', kill, `overdue 1 rung 2 -> idle | ${both} | tell stuck 1`],
    ['and waits until it is gone', [...kill, 'overdue 1 rung 2'], 'gone 1 SIGKILL -> idle | 2 starting | activate 2'],
    ['the time of one that is gone means nothing', [...int, 'gone 1 SIGINT'], 'overdue 1 rung 0 -> idle | 2 starting | ignored'],
    ['an app that listens to SIGTERM only: says so', leaving, `draining 1 first 1 -> idle | ${both} | nothing`],
    ['gets SIGTERM first', listens, `drained 1 -> idle | ${both} | signal 1 rung 1`],
    ['gets SIGTERM first when its drain is late', listens, `overdue 1 drain -> idle | ${both} | signal 1 rung 1`],
    ['does not get it again 3 s after the stop began', [...listens, 'drained 1'], `overdue 1 rung 0 -> idle | ${both} | in 3000 ms: overdue 1 rung 1`],
    ['gets SIGKILL 6 s after the stop began, as any other', [...listens, 'drained 1', 'overdue 1 rung 0'], `overdue 1 rung 1 -> idle | ${both} | in 1000 ms: overdue 1 rung 2; signal 1 rung 2; tell escalated 1 rung 2`],
    ['cannot change its mind', int, `draining 1 first 1 -> idle | ${both} | ignored`],
    ['a rung that is not there is the last one', [...leaving, 'draining 1 first 9'], `drained 1 -> idle | ${both} | signal 1 rung 2`],
    ['who is not asked to leave does not drain', running, 'draining 1 first 0 -> idle | 1 running | ignored'],
    ['and has not drained', running, 'drained 1 -> idle | 1 running | ignored'],
    ['a crash that leaves others behind: they get the ladder, without a drain', running, 'exited 1 code 1 -> idle | 1 stopping | tell crashed 1 code 1; in 3000 ms: overdue 1 rung 0; signal 1 rung 0'],
    ['as it starts', starting, 'exited 1 code 1 -> idle | 1 stopping | tell broken 1 code 1; in 3000 ms: overdue 1 rung 0; signal 1 rung 0'],
    ['as it drains: there is nothing left to drain', leaving, `exited 1 code 0 -> idle | ${both} | signal 1 rung 0`],
    ['and all of the ladder', [...running, 'exited 1 code 1'], 'overdue 1 rung 0 -> idle | 1 stopping | in 3000 ms: overdue 1 rung 1; signal 1 rung 1; tell escalated 1 rung 1'],
    ['its end is told once', [...running, 'exited 1 code 1'], 'gone 1 code 1 -> idle | nobody | nothing'],
  ]);
});

describe('A stop always ends: quit', () => {
  const quitting = [...running, 'quit 130'];
  // biome-ignore format: one row, one line
  specify([
    ['with nobody there: exits', none, 'quit 130 -> idle | nobody | exit 130'],
    ['while it builds, with nobody there: cancels, and exits', ['start'], 'quit 130 -> idle | nobody | cancel 1; exit 130'],
    ['when the app has crashed: exits', [...running, 'gone 1 code 1'], 'quit 143 -> idle | nobody | exit 143'],
    ['while the app runs: drains it', running, `quit 130 -> idle | 1 stopping | ${stop(1)}; tell quitting`],
    ['while the app starts: drains it', starting, `quit 130 -> idle | 1 stopping | ${stop(1)}; tell quitting`],
    ['and exits when it is gone', [...quitting, 'drained 1'], 'gone 1 SIGINT -> idle | nobody | exit 130'],
    ['not before', [...quitting, 'drained 1'], 'exited 1 code 0 -> idle | 1 stopping | ignored'],
    ['climbs the ladder', [...quitting, 'drained 1'], 'overdue 1 rung 0 -> idle | 1 stopping | in 3000 ms: overdue 1 rung 1; signal 1 rung 1; tell escalated 1 rung 1'],
    ['exits once', ['quit 130'], 'quit 130 -> idle | nobody | ignored'],
    ['while a build goes on beside the app: cancels it', [...running, 'saved'], `quit 130 -> idle | 1 stopping | cancel 2; ${stop(1)}; tell quitting`],
    ['while it waits for quiet: builds no more', burst, `quit 130 -> idle | 1 stopping | ${stop(1)}; tell quitting`],
    ['and when it is quiet: nothing', [...burst, 'quit 130'], 'quiet 3 -> idle | 1 stopping | ignored'],
    ['and when the burst ends: nothing', [...burst, 'quit 130'], 'quiet 4 -> idle | 1 stopping | ignored'],
    ['while a generation loads: throws it away', preparing, 'quit 130 -> idle | 1 discarded | discard 1'],
    ['and waits until it is gone', [...preparing, 'quit 130'], 'gone 1 SIGKILL -> idle | nobody | exit 130'],
    ['while one leaves and one waits: throws away the one that waits', leaving, 'quit 130 -> idle | 1 stopping, 2 discarded | discard 2; tell quitting'],
    ['nobody runs after the one that leaves', [...leaving, 'quit 130'], 'gone 1 code 0 -> idle | 2 discarded | nothing'],
    ['exits after the last', [...leaving, 'quit 130', 'gone 1 code 0'], 'gone 2 SIGKILL -> idle | nobody | exit 130'],
    ['in overlap, both are drained', leaving, `quit 130 -> idle | 1 stopping, 2 stopping | ${stop(1)}; ${stop(2)}; tell quitting`, overlap],
    ['nothing is built any more', quitting, 'saved -> idle | 1 stopping | ignored'],
    ['not even by hand', quitting, 'restart -> idle | 1 stopping | ignored'],
    ['nor started', ['quit 130'], 'start -> idle | nobody | ignored'],
    ['a build that ends late means nothing', [...running, 'saved', 'quit 130'], 'built 2 ok -> idle | 1 stopping | ignored'],
    ['a generation that is prepared late means nothing', [...preparing, 'quit 130'], 'prepared 1 -> idle | 1 discarded | ignored'],
    ['twice: SIGKILL at once', quitting, 'quit 130 -> idle | 1 stopping | signal 1 rung 2; in 1000 ms: overdue 1 rung 2'],
    ['twice, half way up the ladder', [...quitting, 'drained 1', 'overdue 1 rung 0'], 'quit 130 -> idle | 1 stopping | signal 1 rung 2; in 1000 ms: overdue 1 rung 2'],
    ['twice: the times of the lower rungs mean nothing', [...quitting, 'quit 130'], 'overdue 1 rung 0 -> idle | 1 stopping | ignored'],
    ['twice: neither does the drain', [...quitting, 'quit 130'], 'drained 1 -> idle | 1 stopping | ignored'],
    ['twice: says so when SIGKILL does not help', [...quitting, 'quit 130'], 'overdue 1 rung 2 -> idle | 1 stopping | tell stuck 1'],
    ['twice, with a ladder of SIGKILL alone: its time runs already', quitting, 'quit 130 -> idle | 1 stopping | signal 1 rung 0', onlyKill],
    ['three times: SIGKILL was sent', [...quitting, 'quit 130'], 'quit 130 -> idle | 1 stopping | nothing'],
    ['exits with the code of the first', [...quitting, 'quit 143'], 'gone 1 SIGKILL -> idle | nobody | exit 130'],
  ]);
});

test('a step leaves the state it was given as it was', () => {
  const before = run(leaving, sequential);
  const copy = structuredClone(before);
  step(before, event('gone 1 code 0'), sequential);
  expect(before).toEqual(copy);
});

test('the diagram names every life and every state of the build', () => {
  // Typed, so that a new word in words.ts has to be written here, and then in the diagram.
  const lives: Record<Life['is'], true> = {
    preparing: true,
    waiting: true,
    starting: true,
    running: true,
    stopping: true,
    discarded: true,
  };
  const builds: Record<Build['is'], true> = { idle: true, quiet: true, building: true };
  const source = readFileSync(new URL('../../src/supervisor/step.ts', import.meta.url), 'utf8');
  const diagram = source.slice(0, source.indexOf('*/'));
  // The drawn lines are indented, the prose is not.
  const drawn = diagram
    .split('\n')
    .filter((line) => line.startsWith(' *     '))
    .join('\n');
  for (const word of Object.keys({ ...lives, ...builds })) expect(drawn).toMatch(new RegExp(`\\b${word}\\b`));
});
