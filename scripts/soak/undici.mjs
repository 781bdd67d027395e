// undici, as it comes with Node: its Agent is the class of the dispatcher that fetch has put in a global by its first use.
import { run } from './tally.mjs';

const port = process.argv[2];
await (await fetch(`http://127.0.0.1:${port}/`)).text();
const { constructor: Agent } = [2, 1]
  .map((version) => globalThis[Symbol.for(`undici.globalDispatcher.${version}`)])
  .find((dispatcher) => dispatcher?.constructor.name === 'Agent');
const counts = { busy: 6, thoughtful: 20 };
const dispatchers = {
  busy: new Agent({ connections: counts.busy, pipelining: 1 }),
  thoughtful: new Agent({ connections: counts.thoughtful, pipelining: 1 }),
};
run('u', counts, async (kind, name) => {
  const response = await fetch(`http://127.0.0.1:${port}/${name}`, { dispatcher: dispatchers[kind] });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`status ${response.status}`);
  return text;
});
