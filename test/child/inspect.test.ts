import { expect, test } from 'vitest';
import { splitInspect } from '../../src/child/inspect.ts';

const at = (host: string, port: number, how: 'run' | 'wait' | 'pause' = 'run') => ({
  host,
  port,
  wait: how !== 'run',
  pause: how === 'pause',
});

test.each([
  [['--no-warnings'], null],
  [['--inspect'], at('127.0.0.1', 9229)],
  [['--inspect=9230'], at('127.0.0.1', 9230)],
  [['--inspect=0.0.0.0'], at('0.0.0.0', 9229)],
  [['--inspect=0.0.0.0:9231'], at('0.0.0.0', 9231)],
  [['--inspect=[::1]:9231'], at('::1', 9231)],
  [['--inspect-wait=9232'], at('127.0.0.1', 9232, 'wait')],
  [['--inspect-brk'], at('127.0.0.1', 9229, 'pause')],
  [['--inspect', '--inspect-port=9233'], at('127.0.0.1', 9233)],
  [['--inspect-port=9233', '--inspect'], at('127.0.0.1', 9233)],
  [['--inspect-port=9233'], null],
  [['--inspect-port', '9233', '--inspect'], at('127.0.0.1', 9233)],
  [['--inspect_brk', '--inspect=9234'], at('127.0.0.1', 9234, 'pause')],
])('%j', (args, inspect) => {
  const nodeArgs = ['--no-deprecation', ...args.filter((arg) => !/inspect|^\d+$/.test(arg))];
  expect(splitInspect(['--no-deprecation', ...args])).toEqual({ inspect, nodeArgs, nodeOptions: '' });
  expect(splitInspect([], ['--no-deprecation', ...args].join(' '))).toEqual({
    inspect,
    nodeArgs: [],
    nodeOptions: nodeArgs.join(' '),
  });
});

test('NODE_OPTIONS stay as they are, but for the flags; arguments count after them', () => {
  const odd = '  --require "./a file.cjs"   --title="a \\" --inspect" ';
  expect(splitInspect([], odd)).toEqual({ inspect: null, nodeArgs: [], nodeOptions: odd });
  expect(splitInspect(['--inspect=9300'], `${odd} "--inspect-wait=[::1]:9301" -C x`)).toEqual({
    inspect: at('::1', 9300, 'wait'),
    nodeArgs: [],
    nodeOptions: '--require "./a file.cjs" --title="a \\" --inspect" -C x',
  });
});
