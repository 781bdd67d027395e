// Node's own http client: a keep-alive agent, and connections for one request each.
import http from 'node:http';
import { run } from './tally.mjs';

const port = Number(process.argv[2]);
const counts = { busy: 6, thoughtful: 20, fresh: 1 };
const agents = {
  busy: new http.Agent({ keepAlive: true, maxSockets: counts.busy }),
  thoughtful: new http.Agent({ keepAlive: true, maxSockets: counts.thoughtful }),
  fresh: false,
};
run('a', counts, (kind, name) => {
  return new Promise((resolve, reject) => {
    const request = http.get({ port, host: '127.0.0.1', path: `/${name}`, agent: agents[kind] }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part) => {
        text += part;
      });
      response.on('error', reject);
      response.on('end', () =>
        response.statusCode === 200 ? resolve(text) : reject(new Error(`status ${response.statusCode}`)),
      );
    });
    request.on('error', reject);
  });
});
