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
])('%j', (args, inspect) => {
  expect(splitInspect(['--no-deprecation', ...args])).toEqual({
    inspect,
    rest: ['--no-deprecation', ...args.filter((arg) => !/inspect/.test(arg))],
  });
});
