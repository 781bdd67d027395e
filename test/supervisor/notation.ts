/** Events, actions and states as lines of text: so the table is written, and so the story of a broken life is told. */
import type { Step } from '../../src/supervisor/step.ts';
import type { Action, Ending, Event, State } from '../../src/supervisor/words.ts';

const ending = (word: string | undefined): Ending =>
  word?.startsWith('SIG') ? { code: null, signal: word as NodeJS.Signals } : { code: Number(word ?? 0), signal: null };

/**
 * 'saved', 'saved 110' (of a storm), 'quit 130', 'quiet 3', 'built 2 same', 'prepared 1', 'draining 1 first 1', 'overdue 1 drain',
 * 'overdue 1 rung 0', 'exited 1 SIGINT', 'gone 1 code 1': the event of that line. Throws on any other.
 */
export function event(line: string): Event {
  const [type, id, word, last] = line.split(' ');
  const gen = Number(id);
  switch (type) {
    case 'start':
    case 'restart':
      return { type };
    case 'saved':
      return id === undefined ? { type } : { type, calmMs: Number(id) };
    case 'quit':
      return { type, code: gen };
    case 'quiet':
      return { type, id: gen };
    case 'built':
      return { type, id: gen, result: word as 'ok' | 'same' | 'failed' };
    case 'prepared':
    case 'refused':
    case 'ready':
    case 'drained':
      return { type, gen };
    case 'draining':
      return { type, gen, first: Number(last) };
    case 'overdue':
      return { type, gen, rung: word === 'drain' ? -1 : Number(last) };
    case 'exited':
    case 'gone':
      return { type, gen, ...ending(word === 'code' ? last : word) };
    default:
      throw new Error(`no event is written "${line}"`);
  }
}

const showEnding = ({ code, signal }: Ending): string => signal ?? `code ${code}`;

function showEvent(e: Event): string {
  switch (e.type) {
    case 'saved':
      return e.calmMs === undefined ? 'saved' : `saved ${e.calmMs}`;
    case 'quit':
      return `quit ${e.code}`;
    case 'quiet':
      return `quiet ${e.id}`;
    case 'built':
      return `built ${e.id} ${e.result}`;
    case 'prepared':
    case 'refused':
    case 'ready':
    case 'drained':
      return `${e.type} ${e.gen}`;
    case 'draining':
      return `draining ${e.gen} first ${e.first}`;
    case 'overdue':
      return `overdue ${e.gen} ${e.rung === -1 ? 'drain' : `rung ${e.rung}`}`;
    case 'exited':
    case 'gone':
      return `${e.type} ${e.gen} ${showEnding(e)}`;
    default:
      return e.type;
  }
}

export function showAction(a: Action): string {
  switch (a.type) {
    case 'build':
    case 'cancel':
      return `${a.type} ${a.id}`;
    case 'prepare':
      return `prepare ${a.gen} of build ${a.id}`;
    case 'signal':
      return `signal ${a.gen} rung ${a.rung}`;
    case 'timer':
      return `in ${a.ms} ms: ${showEvent(a.event)}`;
    case 'exit':
      return `exit ${a.code}`;
    case 'tell': {
      const about = [
        a.gen ?? a.id,
        a.rung === undefined ? undefined : `rung ${a.rung}`,
        a.ending && showEnding(a.ending),
      ];
      return ['tell', a.what, ...about.filter((word) => word !== undefined)].join(' ');
    }
    default:
      return `${a.type} ${a.gen}`;
  }
}

/** 'building 3 forced firm' */
function showBuild({ build }: State): string {
  if (build.is === 'idle') return 'idle';
  const firm = build.is === 'building' && build.firm;
  return `${build.is} ${build.id}${build.force ? ' forced' : ''}${firm ? ' firm' : ''}`;
}

/** '1 stopping, 2 waiting' */
function showLives({ lives }: State): string {
  if (lives.size === 0) return 'nobody';
  return [...lives]
    .map(([gen, life]) => `${gen} ${life.is}${life.is === 'preparing' && life.firm ? ' firm' : ''}`)
    .join(', ');
}

/** 'saved -> building 2 | 1 running | tell building 2; build 2' */
export function showStep(e: Event, { state, actions, ignored }: Step): string {
  const then = ignored ? 'ignored' : actions.map(showAction).join('; ') || 'nothing';
  return `${showEvent(e)} -> ${showBuild(state)} | ${showLives(state)} | ${then}`;
}
