// A client in a process of its own: a request over a fresh connection every 2 ms, none of them tried again, until its
// stdin ends. Then it asks once more, waits for the answers that are due and prints, for each request in the order of
// their start, the body of the answer or { failed }.
import net from 'node:net';

const EVERY_MS = 2;
const LIMIT_MS = 20_000;
const port = Number(process.argv[2]);
const answers = [];
let due = 0;
let asking = true;

function ask() {
  const at = answers.push(null) - 1;
  due++;
  let text = '';
  const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
  const end = (answer) => {
    if (answers[at] !== null) return;
    answers[at] = answer;
    clearTimeout(timer);
    socket.destroy();
    due--;
    finish();
  };
  const timer = setTimeout(() => end({ failed: 'TIMEOUT' }), LIMIT_MS);
  socket.setEncoding('latin1');
  socket.on('connect', () => socket.write('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'));
  socket.on('data', (part) => {
    text += part;
  });
  socket.on('end', () => {
    const found = /^HTTP\/1\.1 200 [\s\S]*?^content-length: (\d+)[\s\S]*?\r\n\r\n([\s\S]*)$/im.exec(text);
    end(found && Number(found[1]) === found[2].length ? found[2] : { failed: `CUT ${JSON.stringify(text)}` });
  });
  socket.on('error', (error) => end({ failed: error.code ?? error.message }));
}

function finish() {
  if (asking || due > 0) return;
  process.stdout.write(JSON.stringify(answers));
}

const clock = setInterval(ask, EVERY_MS);
process.stdin.resume().on('end', () => {
  clearInterval(clock);
  ask();
  asking = false;
});
