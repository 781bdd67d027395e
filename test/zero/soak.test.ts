/** The soak in short: three HTTP clients, each request once, every connection the one that it was. The long form is `npm run soak`. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { NODES } from '../e2e/begin.ts';
import { HOTRUN } from '../rig.ts';

const RELOADS = 15;
const REQUESTS = 5000;
const SECONDS = 100;

const soak = (...args: string[]): Promise<{ code: unknown; text: string }> =>
  new Promise((resolve) => {
    execFile(process.execPath, [join(HOTRUN, '../../scripts/soak.mjs'), ...args], (error, stdout, stderr) =>
      resolve({ code: error ? error.code : 0, text: stdout + stderr }),
    );
  });

describe.each(NODES)('on Node $version', ({ node }) => {
  test.each(['sequential', 'overlap'])(`${RELOADS} reloads, %s`, { timeout: 180_000 }, async (handover) => {
    const numbers = ['--reloads', RELOADS, '--requests', REQUESTS, '--seconds', SECONDS].map(String);
    const { code, text } = await soak('--node', node, '--handover', handover, ...numbers);
    console.log(text);
    expect(text).not.toMatch(/NOT AS IT SHOULD BE/);
    expect(code).toBe(0);
  });
});
