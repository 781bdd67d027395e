/** The child room: generations from their preparation to their end, and what outlives them. */
import type { CommandLine, Config } from '../config/config.ts';
import type { Generation } from '../supervisor/words.ts';
import { type Job, prepareCommand, runCommand } from './command.ts';
import { readEnvironment } from './envfiles.ts';
import { type Host, type Run, unprepared } from './generation.ts';
import type { Guardian } from './guardian.ts';
import { type Foresight, isNode, type Launched, type NodeConfig } from './launch.ts';
import { type Booted, bootNode } from './node.ts';
import { type Outset, openOutset } from './outset.ts';
import { openStandby } from './standby.ts';
import { openUnavailable } from './unavailable.ts';

export type { Job } from './command.ts';
export type { Answers, Host } from './generation.ts';
export type { Outset } from './outset.ts';

export interface Child {
  prepare(gen: Generation): void;
  /** Kills a generation that has run nothing. */
  discard(gen: Generation): void;
  activate(gen: Generation): void;
  drain(gen: Generation): void;
  signal(gen: Generation, signal: NodeJS.Signals): void;
  /** Nobody serves, and nobody is about to: requests are answered with 503 and this text until the next activation. */
  unavailable(text: string): void;
  /** Relays a change of the terminal's size. */
  resized(): void;
  /** Other packages or variables may be there: what waits is booted anew. */
  renew(): void;
  /** The same of what packages hold: that counts for a generation that a standby is about to become as well. */
  refresh(): void;
  /** From now on generations are made by these settings; those that live, and their sockets, stay. */
  reopen(config: Config): void;
  /** Ends other process groups too, if hotrun dies. */
  readonly guard: Pick<Guardian, 'watch' | 'forget'>;
  /** Runs a build command. */
  run(command: CommandLine): Job;
  close(): Promise<void>;
}

type CommandConfig = Config & { readonly program: { readonly kind: 'command' } };

/** @param outset made for these settings; null: there is none */
export function openChild(first: Config, host: Host, outset: Outset | null): Child {
  let config = first;
  const runs = new Map<Generation, Run>();
  /** Generations that a standby has become and that are not prepared yet: makes them of a new process. */
  const remake = new Map<Generation, () => Run>();
  const { held, ledger, guardian, desk, take } = outset ?? openOutset();
  /** Processes that are as good as gone: the kernel clears them away. */
  const leaving = new Set<Promise<void>>();
  const firstRung = (listens: (signal: NodeJS.Signals) => boolean): number =>
    config.ladderIsChosen
      ? 0
      : Math.max(
          config.ladder.findIndex(({ signal }) => listens(signal)),
          0,
        );
  /** `isReplaced`: another process has taken this one's place, and nobody wants to know of its end. */
  const hostOf = (isReplaced: () => boolean): Host => ({
    ...host,
    get answers() {
      return host.answers;
    },
    emit(event) {
      if (isReplaced()) return;
      if (event.type === 'gone') runs.delete(event.gen);
      if (event.type === 'gone' || event.type === 'refused' || event.type === 'prepared') remake.delete(event.gen);
      if (event.type === 'ready' || event.type === 'refused') standby?.want();
      host.emit(event);
    },
  });
  const boot = (config: NodeConfig, foresight: Foresight | null, launched: Launched | null) => {
    let isReplaced = false;
    const own = hostOf(() => isReplaced);
    const means = { config, ledger, held, guardian, desk, host: own, firstRung, ...sockets };
    const booted: Booted = bootNode(means, foresight, launched);
    const environment = JSON.stringify(readEnvironment(config.envFiles));
    return {
      ...booted,
      isCurrent: () => booted.isCurrent() && JSON.stringify(readEnvironment(config.envFiles)) === environment,
      replace() {
        isReplaced = true;
        booted.kill();
      },
    };
  };
  const sockets = {
    onSocket: () => standby?.want(),
    onLeaving(over: Promise<void>) {
      leaving.add(over);
      void over.then(() => leaving.delete(over));
    },
    async released() {
      await Promise.all([left, ...leaving, standby?.discard(), unavailable?.gone()]);
      standby?.want();
    },
    isAlone: () => runs.size <= 1,
  };
  const standbyOf = (config: Config) =>
    isNode(config) && config.standby
      ? openStandby(
          async () => (readEnvironment(config.envFiles).fault === null ? host.answers.foresight() : null),
          (foresight) => boot(config, foresight, null),
          ledger,
        )
      : null;
  let standby = standbyOf(config);
  /** The standbys of older settings are gone. */
  let left: Promise<unknown> = Promise.resolve();
  const prepareNode = (gen: Generation, config: NodeConfig): Run => {
    const waiting = standby?.take();
    const booted = waiting ?? boot(config, null, take());
    const run = booted.assign(gen);
    const again = (): Run => {
      remake.delete(gen);
      booted.replace();
      const instead = prepareNode(gen, config);
      runs.set(gen, instead);
      return instead;
    };
    if (waiting) remake.set(gen, again);
    const activate = (): void => {
      if (ledger.count === booted.count) return run.activate();
      // Its predecessor listened after this one was spawned: the socket can reach a new process only.
      again().activate();
    };
    const signal = (signal: NodeJS.Signals): void => {
      remake.delete(gen);
      run.signal(signal);
    };
    return { ...run, activate, signal };
  };
  const unavailable = isNode(config)
    ? openUnavailable({ config, ledger, held, guardian, desk, firstRung, ...sockets })
    : null;
  return {
    prepare(gen) {
      const plain = hostOf(() => false);
      const { fault } = readEnvironment(config.envFiles);
      if (fault !== null) runs.set(gen, unprepared(gen, fault, plain));
      else if (isNode(config)) runs.set(gen, prepareNode(gen, config));
      else runs.set(gen, prepareCommand(gen, config as CommandConfig, guardian, plain, firstRung));
    },
    discard: (gen) => runs.get(gen)?.signal('SIGKILL'),
    activate(gen) {
      unavailable?.stop();
      runs.get(gen)?.activate();
    },
    renew: () => standby?.renew(),
    refresh() {
      standby?.renew();
      for (const again of [...remake.values()]) again();
    },
    reopen(next) {
      config = next;
      left = Promise.all([left, standby?.close()]);
      standby = standbyOf(config);
    },
    unavailable: (text) => unavailable?.start(text),
    drain: (gen) => runs.get(gen)?.drain(),
    signal: (gen, signal) => runs.get(gen)?.signal(signal),
    resized() {
      for (const run of runs.values()) run.resized();
    },
    guard: guardian,
    run: (command) => runCommand(command, config, guardian),
    async close() {
      take()?.child.kill('SIGKILL');
      held.close();
      ledger.close();
      await Promise.all([left, ...leaving, standby?.close(), unavailable?.close()]);
      desk.close();
      await guardian.close();
    },
  };
}
