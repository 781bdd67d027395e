/** PURE: node's inspector flags, which the runtime carries out at the right moment instead of node at its start. */
import type { Inspect } from '../runtime/messages.ts';

/** lib/internal/options: the defaults of --inspect. */
const HOST = '127.0.0.1';
const PORT = 9229;

const FLAG = /^--(?:inspect(?:-(brk|wait))?|(?:inspect|debug)-port)(?:=(.*))?$/;

/** Takes them out of node's arguments. `inspect` is null where nothing asks for the inspector. */
export function splitInspect(nodeArgs: readonly string[]): { inspect: Inspect | null; rest: readonly string[] } {
  const rest: string[] = [];
  let inspect: Inspect | null = null;
  let place = { host: HOST, port: PORT };
  for (const arg of nodeArgs) {
    const found = FLAG.exec(arg);
    if (!found) {
      rest.push(arg);
      continue;
    }
    const [, kind, value] = found;
    if (value) place = placeOf(value, place);
    if (/^--(?:inspect|debug)-port/.test(arg)) continue;
    inspect = { ...place, wait: kind !== undefined, pause: kind === 'brk' };
  }
  return { inspect: inspect && { ...inspect, ...place }, rest };
}

/** `9230`, `0.0.0.0`, `0.0.0.0:9230` or `[::1]:9230`. */
function placeOf(value: string, before: { host: string; port: number }): { host: string; port: number } {
  if (/^\d+$/.test(value)) return { ...before, port: Number(value) };
  const [, host = '', port] = /^(.*?)(?::(\d+))?$/.exec(value) ?? [];
  return {
    host: host.replace(/^\[(.*)\]$/, '$1') || before.host,
    port: port === undefined ? before.port : Number(port),
  };
}
