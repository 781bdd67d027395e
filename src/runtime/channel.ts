/**
 * The IPC channel, made invisible. The app must see what it would see without hotrun: no `process.send`, no
 * `process.connected`, no 'message', and a process that ends when nothing is left to do.
 *
 * Measured on Node 20 to 26: `process.channel` has to stay (without it every message is dropped silently) and so has
 * `process.disconnect` (Node calls it when the channel ends). `process.connected` has to be there while Node takes the
 * acknowledgement of a handle: it ends the channel otherwise.
 */
import { CHANNEL_COMMAND, type FromGeneration, type FromWorker, type ToGeneration } from './messages.ts';

type Unmarked<Message> = Message extends unknown ? Omit<Message, 'cmd'> : never;

export interface Channel {
  send(message: Unmarked<FromGeneration>, handle?: unknown, sent?: () => void): void;
  /** While held the channel keeps the process alive. */
  hold(): void;
  release(): void;
}

export interface GenerationChannel extends Channel {
  readonly fd: number;
}

export interface WorkerChannel extends Channel {
  drained(): void;
}

interface HiddenProcess {
  _send(message: unknown, handle: unknown, options: unknown, callback: (error: Error | null) => void): boolean;
  channel: { readonly fd: number; ref(): void; unref(): void };
  on(event: 'internalMessage', listener: (message: ToGeneration & { cmd: string }, handle: unknown) => void): void;
}

export function openChannel(
  onMessage: (message: ToGeneration, handle: unknown) => void,
  lost: () => void,
): GenerationChannel {
  const hidden = process as unknown as HiddenProcess;
  const { channel } = hidden;
  const send = hidden._send.bind(process);
  channel.unref();
  // Node refs the channel when the app listens to 'message' or 'disconnect', which without us would keep nothing alive.
  // By name and text (lib/child_process.js, _forkChild; lib/internal/child_process.js, setupChannel, which flushes
  // messages of a fork's parent): other listeners there start the app's signal handlers.
  const emitter: NodeJS.EventEmitter = process;
  for (const event of ['newListener', 'removeListener'])
    for (const listener of emitter.listeners(event))
      if (/^on(?:New|Remove)Listener$/.test(listener.name) || String(listener).includes('kPendingMessages'))
        emitter.off(event, listener as () => void);
  const bare = process as unknown as Record<string, unknown>;
  delete bare.send;
  delete bare.connected;
  // Around Node's own listener, within one emit: nobody else can look in between.
  emitter.prependListener('internalMessage', () => {
    bare.connected = true;
  });
  hidden.on('internalMessage', (message, handle) => {
    delete bare.connected;
    if (message.cmd === CHANNEL_COMMAND) onMessage(message, handle);
  });
  const disconnect = (): void => lost();
  Object.defineProperty(process, 'disconnect', {
    value: disconnect,
    enumerable: false,
    configurable: true,
    writable: true,
  });
  for (const name of ['channel', '_send', '_disconnect', '_handleQueue', '_pendingMessage'])
    if (name in process) Object.defineProperty(process, name, { enumerable: false });
  return {
    fd: channel.fd,
    send(message, handle, sent) {
      send({ cmd: CHANNEL_COMMAND, ...message }, handle, { swallowErrors: true }, () => sent?.());
    },
    hold: () => channel.ref(),
    release: () => channel.unref(),
  };
}

/** That of a cluster worker: it is the app's own and stays as it is. Whether it keeps the process alive is the app's affair. */
export function openWorkerChannel(onMessage: (message: ToGeneration, handle: unknown) => void): WorkerChannel {
  const hidden = process as unknown as HiddenProcess;
  const { _send } = hidden;
  const send = (message: Unmarked<FromGeneration | FromWorker>, handle: unknown, sent?: () => void): void => {
    if (process.connected)
      _send.call(process, { cmd: CHANNEL_COMMAND, ...message }, handle, { swallowErrors: true }, () => sent?.());
    else sent?.();
  };
  hidden.on('internalMessage', (message, handle) => {
    if (message.cmd === CHANNEL_COMMAND) onMessage(message, handle);
  });
  return { send, drained: () => send({ is: 'drained' }, undefined), hold() {}, release() {} };
}
