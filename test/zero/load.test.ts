/** Promise 4 under load: clients that never try anything again, through reload after reload. */
import { afterEach, describe, expect, test } from 'vitest';
import { app, begin, type Clients, EDITS, endAll, type Group, NODES, openClients, sized, type Zero } from './zero.ts';

afterEach(endAll);

const CLOSED_LOOP: Group = { kind: 'kept', count: 16 };
const THINKING: Group = { kind: 'kept', count: sized('THINKING', 50), think: 1000 };
const FRESH: Group = { kind: 'fresh', count: 8 };
const AGENT: Group = { kind: 'agent', count: 8 };
const SLOW: Group = { kind: 'kept', count: 4, path: '/slow' };
const SLOW_FRESH: Group = { kind: 'fresh', count: 4, path: '/slow' };

async function reloads(zero: Zero, clients: Clients, edits: number): Promise<void> {
  for (let edit = 1; edit <= edits; edit++) clients.floor(await zero.reload());
}

describe.each(NODES)('on Node $version', ({ node, version }) => {
  test.each([
    ['keep-alive, closed loop', 'sequential', [CLOSED_LOOP], EDITS],
    ['keep-alive, with pauses', 'sequential', [THINKING], EDITS / 4],
    ['fresh connections', 'sequential', [FRESH], EDITS / 4],
    ['all at once', 'sequential', [CLOSED_LOOP, THINKING, FRESH, AGENT], EDITS / 2],
    ['all at once', 'overlap', [CLOSED_LOOP, THINKING, FRESH, AGENT], EDITS / 2],
    ['a slow handler', 'sequential', [SLOW, SLOW_FRESH], EDITS / 4],
    ['a slow handler', 'overlap', [SLOW, SLOW_FRESH, CLOSED_LOOP], EDITS / 4],
  ] as const)('%s, %s: none fails', async (_name, handover, groups, edits) => {
    const zero = await begin(app(), { node, args: ['--handover', handover, 'src/server.ts'] });
    const clients = openClients(zero, groups);
    await reloads(zero, clients, edits);
    const reports = await clients.end();
    for (const [nth, { count, kind }] of groups.entries()) {
      const report = reports[nth];
      if (!report) throw new Error('a report is missing');
      expect(report.failed).toEqual([]);
      expect(report.stale).toEqual([]);
      // Never two: whoever asks after an answer of the new one gets no answer of the old one.
      if (handover === 'sequential') expect(report.older).toBe(0);
      expect(report.newest).toBe(edits);
      expect(report.requests).toBeGreaterThanOrEqual(count);
      if (kind === 'kept') expect(report.kept).toBe(count);
      if (kind === 'agent') expect(report.kept).toBeLessThanOrEqual(count);
      console.log(
        `${version} ${handover} ${kind}: ${report.requests} requests, ${edits} reloads, the longest ${Math.round(report.longestMs)} ms`,
      );
    }
    await zero.quit();
  });
});
