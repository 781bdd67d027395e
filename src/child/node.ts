/** A generation that is a Node.js process with our runtime in it. */
import type { ChildProcess, SendHandle } from 'node:child_process';
import type { Duplex } from 'node:stream';
import { codeOf, limitOf, messageOf, never } from '../errors.ts';
import {
  CHANNEL_COMMAND,
  type FromGeneration,
  type Go,
  type Holds,
  type Question,
  type ToGeneration,
  type Told,
} from '../runtime/messages.ts';
import type { Generation } from '../supervisor/words.ts';
import type { Desk } from './desk.ts';
import { readFrames, writeFrame } from './frames.ts';
import { type Ahead, type FirstRung, type Host, type Run, tellEnd } from './generation.ts';
import type { Guardian } from './guardian.ts';
import type { Held, Receiver } from './held.ts';
import { holderOf } from './holder.ts';
import { type Foresight, type Launched, launch, type NodeConfig, QUESTION } from './launch.ts';
import type { Ledger, SocketHandle } from './ledger.ts';
import { openTree } from './tree.ts';
import { openUnused } from './unused.ts';

/** How long an app whose predecessor has listened may take from the end of its entry to its first listen, in ms. */
const LATE_MS = 5000;

/** A process that has booted, or is about to, and belongs to no generation yet. */
export interface Booted {
  /** The ledger's count when it was spawned: it has inherited the sockets of then. */
  readonly count: number;
  /** Makes it generation `gen`: what it has asked is answered from now on. */
  assign(gen: Generation): Run;
  kill(): void;
  /** What it holds of the project is still what is on disk. */
  isCurrent(): boolean;
  /** It has got as far as it can before it is assigned. */
  onWaiting(then: () => void): void;
  /** It ended before it belonged to a generation. */
  onLost(then: () => void): void;
}

/** What a generation is made with. */
export interface Means {
  readonly config: NodeConfig;
  readonly ledger: Ledger;
  readonly held: Held;
  readonly guardian: Guardian;
  readonly desk: Desk;
  readonly host: Host;
  readonly firstRung: FirstRung;
  /** The ledger has one socket more, or less. */
  onSocket(): void;
  /** Resolves when no process is left that was spawned with a socket which the ledger has closed. */
  released(): Promise<void>;
  /** No other generation lives, whose sockets they might be. */
  isAlone(): boolean;
  /** It is as good as gone, and what it held is free when this resolves. */
  onLeaving(over: Promise<void>): void;
  /** It only stands in: what it does not listen to is not given up. */
  readonly isTransient?: boolean;
}

/**
 * @param foresight for a standby
 * @param launched a process that is on its way already
 */
export function bootNode(
  {
    config,
    ledger,
    held,
    guardian,
    desk,
    host,
    firstRung,
    onSocket,
    released,
    isAlone,
    onLeaving,
    isTransient = false,
  }: Means,
  foresight: Foresight | null = null,
  launched: Launched | null = null,
): Booted {
  const { child, place } = launched ?? launch(config, { ledger, desk }, host.answers.codeCache(), foresight);
  place.serve(host.answers);
  setImmediate(() => desk.open(host.onTrouble));
  const { count } = ledger;
  const since = Date.now();
  const mayListen = ledger.sockets().length > 0;
  if (child.pid === undefined) return unstarted(child, count, host);
  const { pid } = child;
  guardian.watch(pid);
  const tree = openTree(pid, guardian);
  let assigned: Generation | null = null;
  let unanswered: ((gen: Generation) => void)[] = [];
  let lost = (): void => {};
  let isActive = false;
  let isAtGate = false;
  let wasReady = false;
  let isStopping = false;
  let holds: Holds = 'more';
  /** Its entry has been evaluated, and it is expected to listen: then it is ready. */
  let late: (() => void) | null = null;
  let lateness: NodeJS.Timeout | undefined;
  let waiting = (): void => {};
  let token: Ahead | null = null;
  /** It wanted to listen there, and somebody else does. */
  let taken: number | null = null;
  /** What a standby asks waits until it is wanted. */
  const whenAssigned = (then: (gen: Generation) => void): void => {
    if (assigned !== null) return then(assigned);
    unanswered.push(then);
  };
  const loadAhead = async (stream: Duplex): Promise<void> => {
    const { head, body, token: held } = await host.answers.ahead();
    token = held;
    writeFrame(stream, head, body);
  };
  const receiver: Receiver = {
    send({ key, spoke, handle }, sent) {
      const message: ToGeneration = { cmd: CHANNEL_COMMAND, do: 'adopt', key, spoke };
      // Typed for net.Socket and net.Server; a bare handle goes as net.Native (lib/internal/child_process.js).
      child.send(message, handle as unknown as SendHandle, { keepOpen: false }, (error) => {
        if (!error) sent();
      });
    },
  };
  /** Both have to come: it waits at the gate, and its turn. */
  const openGate = (gen: Generation): void => {
    if (!isActive || !isAtGate) return;
    isAtGate = false;
    const go: Go = { generation: gen, overlaps: config.handover === 'overlap' && !isAlone() };
    writeFrame(question, go, Buffer.alloc(0));
  };
  const checkAtGate = async (gen: Generation): Promise<void> => {
    const isFine = await host.answers.check(gen);
    isAtGate = isFine;
    host.emit({ type: isFine ? 'prepared' : 'refused', gen });
    // A generation that takes another's place is active already.
    openGate(gen);
  };
  const explain = async (gen: Generation, text: string, stack: string): Promise<void> => {
    host.onRefused(gen, text, stack);
    await host.answers.explain(gen, text, stack);
    host.emit({ type: 'refused', gen });
    writeFrame(question, {}, Buffer.alloc(0));
  };
  const answer = (stream: Duplex, gen: Generation, head: Exclude<Question, { ask: 'ahead' }>): void => {
    switch (head.ask) {
      case 'pack':
        return reply(stream, host.answers.pack(gen));
      case 'load':
        return reply(stream, host.answers.load(gen, head.file));
      case 'resolve':
        return writeFrame(stream, host.answers.resolve(head.specifier, head.parent), Buffer.alloc(0));
      case 'gate':
        return void checkAtGate(gen);
      case 'release':
        return void unused.release(head.keys).then(() => writeFrame(stream, {}, Buffer.alloc(0)));
      case 'refuse':
        return void explain(gen, head.text, head.stack);
      default:
        return never(head);
    }
  };
  const told = (gen: Generation, head: Told): void => {
    switch (head.tell) {
      case 'loaded':
        return host.onLoaded(gen, head.files);
      case 'read':
        return host.onRead(head.file, head.isWritten, head.since);
      case 'listed':
        return host.onListed(head.folders, head.since);
      case 'package':
        return host.answers.found(head.parent, head.specifier, { url: head.url, by: head.by });
      case 'missing':
        return host.answers.missing(head.parent, head.what);
      case 'closed':
        return unused.closed(head.key);
      case 'listening':
        unused.uses(head.key);
        ledger.note(head.key, head.where);
        if (!isStopping) held.receive(head.key, receiver);
        host.onListening(gen, head.where);
        return late?.();
      case 'taken':
        taken = head.port;
        return;
      case 'ready':
        wasReady = true;
        if (!isTransient) unused.started();
        return ready(gen);
      case 'draining': {
        host.onDraining(gen, head.busy);
        return host.emit({ type: 'draining', gen, first: firstRung((signal) => head.signals.includes(signal)) });
      }
      // On connections of their own, and before it was assigned.
      case 'offshoot':
      case 'preloaded':
      case 'holds':
        return;
      case 'drained':
        holds = head.holds;
        return host.emit({ type: 'drained', gen });
      default:
        return never(head);
    }
  };
  /** One that first connects to a database may not listen yet when its entry has been evaluated. */
  const ready = (gen: Generation): void => {
    late = () => {
      clearTimeout(lateness);
      late = null;
      host.emit({ type: 'ready', gen });
    };
    if (unused.used.size > 0 || !mayListen || isStopping) late();
    else lateness = setTimeout(late, LATE_MS);
  };
  const send = (message: ToGeneration, handle?: SocketHandle): void => {
    // A channel that has just closed belongs to a process that is ending.
    if (child.connected) child.send(message, handle as unknown as SendHandle, { keepOpen: false }, () => {});
  };
  const unused = openUnused({
    ledger,
    released,
    isAlone,
    isConnected: () => child.connected,
    onDrop(key) {
      send({ cmd: CHANNEL_COMMAND, do: 'drop', key });
      onSocket();
    },
  });
  const question = child.stdio[QUESTION] as Duplex;
  readFrames(question, (head) => {
    if ('ask' in head && head.ask === 'ahead') return void loadAhead(question);
    if ('tell' in head && head.tell === 'preloaded') return host.answers.preloaded(head.ms);
    if ('tell' in head && head.tell === 'holds') return host.onPackages(head.files, since);
    if ('ask' in head && assigned === null) waiting();
    whenAssigned((gen) => ('tell' in head ? told(gen, head) : answer(question, gen, head)));
  });

  // 'internalMessage' is how Node itself delivers what begins with NODE_ (lib/internal/child_process.js).
  (child as NodeJS.EventEmitter).on(
    'internalMessage',
    (message: FromGeneration & { cmd: string }, handle?: SocketHandle) => {
      if (message.cmd !== CHANNEL_COMMAND || !handle) return;
      if (message.is === 'socket') {
        ledger.adopt(message.key, handle);
        onSocket();
      } else held.put({ key: message.key, spoke: message.spoke, handle });
    },
  );
  child.on('error', () => {});
  const departure = tellEnd(child, tree, guardian, question, {
    exited(ending) {
      if (ending.code === 0) late?.();
      if (assigned === null) tree.signal('SIGKILL');
      else host.emit({ type: 'exited', gen: assigned, ...ending });
    },
    gone(ending) {
      onLeaving(departure.over);
      if (ending.code === 0) late?.();
      clearTimeout(lateness);
      place.leave();
      unused.stop();
      held.leave(receiver, true);
      // One that was stopped before it listened to anything may have been about to.
      const isDone = unused.used.size > 0 || (!isStopping && ending.code === 0);
      if (wasReady && isDone && !isTransient) ledger.release(unused.used);
      if (assigned === null) lost();
      else {
        if (taken !== null && ending.code) tellTaken(taken, host);
        host.emit({ type: 'gone', gen: assigned, ...ending });
      }
    },
  });

  return {
    count,
    kill: () => tree.signal('SIGKILL'),
    isCurrent: () => token === null || host.answers.isCurrent(token),
    onWaiting(then) {
      waiting = then;
    },
    onLost(then) {
      lost = then;
    },
    assign(gen) {
      assigned = gen;
      place.assign(gen);
      if (token) host.answers.tookAhead(gen, token);
      const asked = unanswered;
      unanswered = [];
      for (const then of asked) then(gen);
      return {
        activate() {
          isActive = true;
          openGate(gen);
        },
        drain() {
          isStopping = true;
          // What was sent before arrives before: the channel keeps its order.
          held.leave(receiver, false);
          unused.stop();
          send({ cmd: CHANNEL_COMMAND, do: 'drain' });
        },
        signal(signal) {
          tree.signal(signal);
          if (holds !== 'more') departure.hasten(signal, holds === 'files');
        },
        resized() {
          if (!isStopping) child.kill('SIGWINCH');
        },
      };
    },
  };
}

/** The app has told its error already. */
function tellTaken(port: number, host: Host): void {
  const holder = holderOf(port);
  if (holder?.pid === process.pid) return;
  const who = holder ? `${holder.command} (process ${holder.pid})` : 'another program';
  host.onTrouble(`port ${port} is taken by ${who}: end it, or have the app listen on another port`);
}

function reply(stream: Duplex, result: Promise<{ head: unknown; body: Buffer }>): void {
  void result.then(({ head, body }) => writeFrame(stream, head, body));
}

/** Node itself cannot be started: out of processes or memory. */
function unstarted(child: ChildProcess, count: number, host: Host): Booted {
  let lost = (): void => {};
  let assigned: Generation | null = null;
  let trouble: Error | undefined;
  const end = (gen: Generation, error: Error): void => {
    host.onRefused(gen, `node cannot be started: ${limitOf(codeOf(error)) ?? messageOf(error)}`, '');
    host.emit({ type: 'gone', gen, code: 126, signal: null });
  };
  child.once('error', (error) => {
    trouble = error;
    if (assigned === null) lost();
    else end(assigned, error);
  });
  return {
    count,
    kill() {},
    isCurrent: () => true,
    onWaiting() {},
    onLost(then) {
      lost = then;
    },
    assign(gen) {
      assigned = gen;
      if (trouble) end(gen, trouble);
      return { activate() {}, drain() {}, signal() {}, resized() {} };
    },
  };
}
