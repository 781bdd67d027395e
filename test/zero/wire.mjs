// One connection, as bare as it gets: what is sent is what the test says, and what comes back is read strictly. Nothing is
// ever tried again. For the tests and for client.mjs, which is a process of its own.
import net from 'node:net';

const LIMIT_MS = 20_000;

/** @param {number} port of 127.0.0.1 */
export function openWire(port) {
  const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
  /** What is unread, within a store that grows by doubling; and how much there has to be before it is worth a look. */
  let bytes = Buffer.alloc(0);
  let store = Buffer.alloc(0);
  let needed = 0;
  let over = null;
  /** Calls of `answer` and `read` that wait, in order. */
  const waiting = [];
  const serve = () => {
    if (bytes.length < needed && over === null) return;
    while (waiting.length > 0) {
      const [first] = waiting;
      let found;
      try {
        found = first.take();
      } catch (error) {
        over = error.message;
        socket.destroy();
      }
      if (found === undefined && over === null) return;
      waiting.shift();
      clearTimeout(first.timer);
      if (found === undefined) first.reject(new Error(over));
      else first.resolve(found);
    }
  };
  const wait = (what, take) =>
    quietly((resolve, reject) => {
      const timer = setTimeout(() => finish(`TIMEOUT: no ${what}`), LIMIT_MS);
      waiting.push({ take, resolve, reject, timer });
      serve();
    });
  const ended = new Promise((resolve) => {
    socket.once('close', () => resolve(over));
  });
  const finish = (how) => {
    over ??= how;
    socket.destroy();
    serve();
  };
  const take = (count) => {
    const found = bytes.subarray(0, count);
    bytes = bytes.subarray(count);
    return found;
  };
  const append = (part) => {
    const length = bytes.length + part.length;
    let start = bytes.byteOffset - store.byteOffset;
    if (start + length > store.length) {
      // What was taken before is still somebody's: never moved, never overwritten.
      store = Buffer.alloc(2 * length);
      bytes.copy(store);
      start = 0;
    }
    part.copy(store, start + bytes.length);
    bytes = store.subarray(start, start + length);
  };
  socket.on('data', (part) => {
    append(part);
    serve();
  });
  socket.on('end', () => finish('END'));
  socket.on('error', (error) => finish(error.code ?? error.message));
  socket.on('close', () => finish('CLOSED'));

  return {
    socket,
    ended,
    connected: quietly((resolve, reject) => {
      socket.once('connect', () => resolve(socket.localPort));
      void ended.then((how) => reject(new Error(how)));
    }),
    /** What is here, and unread. */
    get unread() {
      return bytes.length;
    },
    send: (data) => socket.write(data),
    get(path = '/') {
      socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
      return this.answer();
    },
    /** The next response. Rejects with how the connection ended. */
    answer: () =>
      wait('answer', () => {
        const found = parse(bytes);
        needed = found.answer ? 0 : found.length;
        if (found.answer) take(found.length);
        return found.answer;
      }),
    /** So many bytes. */
    read: (count) =>
      wait(`${count} bytes`, () => {
        needed = bytes.length < count ? count : 0;
        return bytes.length < count ? undefined : take(count);
      }),
    close: () => finish('closed by the test'),
  };
}

/** A promise that may be waited for later, or never: a test that has failed already reports that. */
function quietly(run) {
  const promise = new Promise(run);
  promise.catch(() => {});
  return promise;
}

/** The response at the beginning of `bytes` and its length; or without it, how many bytes there must be at least. */
function parse(bytes) {
  const at = bytes.indexOf('\r\n\r\n');
  if (at < 0) return { length: 0 };
  const [first, ...lines] = bytes.subarray(0, at).toString('latin1').split('\r\n');
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(first)?.[1] ?? fault(first));
  const headers = {};
  for (const line of lines) {
    const [, name, value] = /^([^:]+): *(.*)$/.exec(line) ?? fault(line);
    headers[name.toLowerCase()] = value;
  }
  const start = at + 4;
  const whole = (length, body) => ({ length, answer: { status, headers, body } });
  // A 408 of Node's own has no length either: it ends the connection.
  if (status === 101 || status === 204 || status === 408) return whole(start, bytes.subarray(0, 0));
  if (headers['content-length'] !== undefined) {
    const end = start + Number(headers['content-length']);
    return bytes.length < end ? { length: end } : whole(end, bytes.subarray(start, end));
  }
  if (headers['transfer-encoding'] !== 'chunked') fault(`no length: ${lines.join(', ')}`);
  const parts = [];
  for (let from = start; ; ) {
    const line = bytes.indexOf('\r\n', from);
    if (line < 0) return { length: 0 };
    const size = Number.parseInt(bytes.subarray(from, line).toString('latin1'), 16);
    const end = line + 2 + size;
    if (bytes.length < end + 2) return { length: end + 2 };
    if (bytes.subarray(end, end + 2).toString('latin1') !== '\r\n') fault('a chunk without an end');
    if (size === 0) return whole(end + 2, Buffer.concat(parts));
    parts.push(bytes.subarray(line + 2, end));
    from = end + 2;
  }
}

function fault(what) {
  throw new Error(`not HTTP: ${JSON.stringify(what)}`);
}
