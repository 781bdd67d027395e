/**
 * Where the forks and worker threads of generations ask for modules: a socket of hotrun's. Each has a connection of its own,
 * for a thread may be terminated in the middle of a question.
 */
import { mkdirSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { codeOf, limitOf, messageOf } from '../errors.ts';
import type { Generation } from '../supervisor/words.ts';
import { readFrames, writeFrame } from './frames.ts';
import type { Answers } from './generation.ts';
import type { Guardian } from './guardian.ts';

/** The longest path that sockaddr_un holds on Linux and macOS, in bytes, with a zero at its end. */
const LONGEST = 103;
/** A pool may start hundreds at once; Linux caps it at somaxconn. */
const BACKLOG = 4096;

export interface Desk {
  /** For a new process. `isInspected`: a debugger may be attached. */
  place(isInspected: boolean): Place;
  /** Opens the socket, when the first process is on its way: nothing of it can ask before. */
  open(onTrouble: (sentence: string) => void): void;
  close(): void;
}

export interface Place {
  /** A folder name for the path that --require names (runtime/messages.ts), with a slash at its end; or '' for none. */
  readonly folder: string;
  /** Who answers there. Of a process that is assigned to no generation yet, too. */
  serve(answers: Answers): void;
  assign(gen: Generation): void;
  /** The process is gone. */
  leave(): void;
}

interface Taken {
  answers: Answers | undefined;
  gen: Generation | undefined;
}

export function openDesk(guardian: Guardian): Desk {
  // Nobody else's: it is made anew or not at all. To load node:crypto for a name would delay the app by 2.5 ms.
  const folder = join(tmpdir(), `hotrun-${process.pid}-${process.hrtime.bigint().toString(36)}`);
  const path = join(folder, 'ask');
  const isPossible = process.platform !== 'win32' && !path.includes('\n') && Buffer.byteLength(path) <= LONGEST;
  const places = new Map<number, Taken>();
  /** What was loaded after this file, when it was the first. */
  const together = new Map<string, Set<string>>();
  const sockets = new Set<Socket>();
  let server: Server | undefined;
  let first: Answers | undefined;
  let serial = 0;
  let isClosed = false;

  /** Without the socket Node loads what it can. */
  const open = (onTrouble: (sentence: string) => void): void => {
    if (!isPossible || isClosed || server) return;
    const fail = (error: unknown): void =>
      onTrouble(
        `Forks and workers of the app load modules as Node alone does, because ${path} cannot be listened to (${codeOf(error) ?? messageOf(error)}): ${limitOf(codeOf(error)) ?? 'set TMPDIR to a folder that can be written to'}.`,
      );
    server = createServer(serve).on('error', fail);
    try {
      mkdirSync(folder, { mode: 0o700 });
      guardian.sweep(folder);
      server.listen({ path, backlog: BACKLOG }).unref();
    } catch (error) {
      fail(error);
    }
  };

  const serve = (socket: Socket): void => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    let answers: Answers | undefined;
    let offshoot: ReturnType<Answers['offshoot']> | undefined;
    let files = new Set<string>();
    readFrames(socket, (head) => {
      if ('tell' in head && head.tell === 'offshoot') {
        const taken = places.get(head.process);
        // One that has outlived its generation is answered all the same.
        answers = taken?.answers ?? first;
        offshoot = answers?.offshoot(taken?.gen);
        if (!offshoot) socket.destroy();
        return;
      }
      if (!answers || !offshoot) return;
      if ('tell' in head) {
        if (head.tell === 'missing') return answers.missing(head.parent, head.what);
        if (head.tell !== 'loaded') return;
        for (const file of head.files) files.add(file);
        return offshoot.loaded(head.files);
      }
      switch (head.ask) {
        case 'pack': {
          const { first: name = '' } = head;
          files = together.get(name) ?? new Set();
          together.set(name, files);
          const { head: pack, body } = offshoot.pack(name, files);
          return writeFrame(socket, pack, body);
        }
        case 'load': {
          const { file } = head;
          return void offshoot.load(file).then(({ head: loaded, body }) => {
            if ('format' in loaded && loaded.format !== null) files.add(file);
            writeFrame(socket, loaded, body);
          });
        }
        case 'resolve':
          return writeFrame(socket, answers.resolve(head.specifier, head.parent), Buffer.alloc(0));
      }
    });
  };

  return {
    open,
    place(isInspected) {
      if (!isPossible) return { folder: '', serve() {}, assign() {}, leave() {} };
      const process = ++serial;
      const taken: Taken = { answers: undefined, gen: undefined };
      places.set(process, taken);
      return {
        folder: `hotrun@${encodeURIComponent(path)}@${process}${isInspected ? '@inspected' : ''}/../`,
        serve(answers) {
          first ??= answers;
          taken.answers = answers;
        },
        assign(gen) {
          taken.gen = gen;
        },
        leave: () => void places.delete(process),
      };
    },
    close() {
      isClosed = true;
      for (const socket of sockets) socket.destroy();
      // The guardian removes its folder.
      server?.close();
    },
  };
}
