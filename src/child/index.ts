/** The child room: generations from their preparation to their end, and what outlives them. */
import type { CommandLine, Config } from '../config/config.ts';
import type { Generation } from '../supervisor/words.ts';
import { type Job, prepareCommand, runCommand } from './command.ts';
import { openDesk } from './desk.ts';
import type { Host, Run } from './generation.ts';
import { openGuardian } from './guardian.ts';
import { openHeld } from './held.ts';
import type { Foresight } from './launch.ts';
import { openLedger } from './ledger.ts';
import { type Booted, bootNode } from './node.ts';
import { openStandby } from './standby.ts';
import { openUnavailable } from './unavailable.ts';

export type { Job } from './command.ts';
export type { Answers, Host } from './generation.ts';

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
  /** Other packages may be there: what waits is booted anew. */
  renew(): void;
  /** Runs a build command. */
  run(command: CommandLine): Job;
  close(): Promise<void>;
}

export function openChild(config: Config, host: Host): Child {
  const runs = new Map<Generation, Run>();
  const held = openHeld();
  const ledger = openLedger((key) => held.drop(key));
  const guardian = openGuardian();
  const desk = openDesk(guardian, host.onTrouble);
  const { program } = config;
  /** `isReplaced`: another process has taken this one's place, and nobody wants to know of its end. */
  const hostOf = (isReplaced: () => boolean): Host => ({
    ...host,
    emit(event) {
      if (isReplaced()) return;
      if (event.type === 'gone') runs.delete(event.gen);
      if (event.type === 'ready' || event.type === 'refused') standby?.want();
      host.emit(event);
    },
  });
  const boot = (
    nodeProgram: Config['program'] & { kind: 'node' },
    foresight?: Foresight,
  ): Booted & { replace(): void } => {
    let isReplaced = false;
    const own = hostOf(() => isReplaced);
    const means = { config: { ...config, program: nodeProgram }, ledger, held, guardian, desk, host: own, ...sockets };
    const booted = bootNode(means, foresight);
    return {
      ...booted,
      replace() {
        isReplaced = true;
        booted.kill();
      },
    };
  };
  const sockets = {
    onSocket: () => standby?.want(),
    async released() {
      await Promise.all([standby?.discard(), unavailable?.gone()]);
      standby?.want();
    },
    isAlone: () => runs.size <= 1,
  };
  const standby =
    program.kind === 'node' && config.standby
      ? openStandby(
          () => host.answers.foresight(),
          (foresight) => boot(program, foresight),
          ledger,
        )
      : null;
  const prepareNode = (gen: Generation, nodeProgram: Config['program'] & { kind: 'node' }): Run => {
    const booted = standby?.take() ?? boot(nodeProgram);
    const run = booted.assign(gen);
    const activate = (): void => {
      if (ledger.count === booted.count) return run.activate();
      // Its predecessor listened after this one was spawned: the socket can reach a new process only.
      booted.replace();
      const instead = prepareNode(gen, nodeProgram);
      runs.set(gen, instead);
      instead.activate();
    };
    return { ...run, activate };
  };
  const unavailable =
    program.kind === 'node'
      ? openUnavailable({ config: { ...config, program }, ledger, held, guardian, desk, ...sockets })
      : null;
  return {
    prepare(gen) {
      const run =
        program.kind === 'node'
          ? prepareNode(gen, program)
          : prepareCommand(
              gen,
              { ...config, program },
              guardian,
              hostOf(() => false),
            );
      runs.set(gen, run);
    },
    discard: (gen) => runs.get(gen)?.signal('SIGKILL'),
    activate(gen) {
      unavailable?.stop();
      runs.get(gen)?.activate();
    },
    renew: () => standby?.renew(),
    unavailable: (text) => unavailable?.start(text),
    drain: (gen) => runs.get(gen)?.drain(),
    signal: (gen, signal) => runs.get(gen)?.signal(signal),
    resized() {
      for (const run of runs.values()) run.resized();
    },
    run: (command) => runCommand(command, config.cwd, guardian),
    async close() {
      held.close();
      ledger.close();
      await Promise.all([standby?.close(), unavailable?.close()]);
      desk.close();
      await guardian.close();
    },
  };
}
