/** Clients that go on while an app is reloaded: what they got, and what they did not. Nothing is ever tried again. */
import net from 'node:net';
import type tls from 'node:tls';

/** A client waits that long before it calls it a failure, in ms. */
const LIMIT_MS = 20_000;

export type Where = net.NetConnectOpts | (() => net.Socket | tls.TLSSocket);

const open = (where: Where): net.Socket => (typeof where === 'function' ? where() : net.connect(where));

/** The body of the answer that the text begins with, what follows it, and whether it is the last one. */
function readAnswer(text: string): { body: string; rest: string; isLast: boolean } | undefined {
  const at = text.indexOf('\r\n\r\n') + 4;
  const length = /^content-length: (\d+)\r$/im.exec(text.slice(0, at));
  if (at < 4 || !text.startsWith('HTTP/1.1 200 ') || !length) return undefined;
  const end = at + Number(length[1]);
  const isLast = /^connection: close\r$/im.test(text.slice(0, at));
  return text.length < end ? undefined : { body: text.slice(at, end), rest: text.slice(end), isLast };
}

/** One GET over a connection of its own. The body, or `failed CODE`. */
export function ask(where: Where, path = '/'): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const socket = open(where);
    const end = (answer: string): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    const timer = setTimeout(() => end('failed TIMEOUT'), LIMIT_MS);
    socket.setEncoding('latin1');
    socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
    socket.on('data', (part: string) => {
      text += part;
    });
    socket.on('end', () => {
      const found = readAnswer(text);
      const status = /^HTTP\/1\.1 (\d+) /.exec(text)?.[1] ?? '200';
      if (found?.rest === '') end(found.body);
      else end(status === '200' ? `failed CUT ${JSON.stringify(text)}` : `failed ${status}`);
    });
    socket.on('error', (error: NodeJS.ErrnoException) => end(`failed ${error.code ?? error.message}`));
  });
}

export interface Along {
  /** Waits for the answers that are due; all of them in the order of their requests. */
  stop(): Promise<string[]>;
}

/** Asks over fresh connections, `atOnce` at a time, without a pause. */
export function askAlong(where: Where, atOnce = 2): Along {
  const answers: string[] = [];
  let isOver = false;
  const loop = async (): Promise<void> => {
    while (!isOver) {
      const at = answers.push('') - 1;
      answers[at] = await ask(where);
    }
  };
  const loops = Array.from({ length: atOnce }, loop);
  return {
    async stop() {
      isOver = true;
      await Promise.all(loops);
      return answers;
    },
  };
}

/** How often each failure occurred. */
export function failed(answers: readonly string[]): Record<string, number> {
  const count: Record<string, number> = {};
  for (const answer of answers) if (answer.startsWith('failed')) count[answer] = (count[answer] ?? 0) + 1;
  return count;
}

/** A keep-alive connection by hand: one request at a time. */
export interface Line {
  /** The body of the answer, or `failed CODE`. */
  ask(path?: string): Promise<string>;
  /** The server has said that it takes no more requests here. */
  readonly isOver: boolean;
  readonly socket: net.Socket;
}

export function openLine(where: Where): Line {
  const socket = open(where);
  let text = '';
  let isOver = false;
  let take: ((answer: string) => void) | undefined;
  const give = (answer: string): void => {
    const taker = take;
    take = undefined;
    taker?.(answer);
  };
  socket.setEncoding('latin1');
  socket.on('data', (part: string) => {
    text += part;
    const found = readAnswer(text);
    if (!found) return;
    text = found.rest;
    isOver ||= found.isLast;
    give(found.body);
  });
  socket.on('end', () => {
    isOver = true;
    give('failed END');
  });
  socket.on('error', (error: NodeJS.ErrnoException) => give(`failed ${error.code ?? error.message}`));
  return {
    socket,
    get isOver() {
      return isOver;
    },
    ask: (path = '/') =>
      new Promise((resolve) => {
        take = resolve;
        socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
      }),
  };
}
