import { describe, expect, it } from 'vitest';
import { freshEnginePage } from '../support/engine-page.ts';
import { browsers, suite } from '../support/suite.ts';
import type { tuneMarked, tuningMemory } from './memory-in-page.ts';

const module = '/test/tuning/memory-in-page.ts';

/** What a page may not be kept from for longer: a frame. */
const FRAME_MS = 16;

interface TraceEvent {
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  readonly ts: number;
  readonly tdur?: number;
  readonly args?: { readonly name?: string };
}

/** CPU milliseconds of the tasks of a page's main thread between the marks of `tuneMarked`, the longest first. */
function tasksOf(trace: Uint8Array): number[] {
  const { traceEvents: events } = JSON.parse(new TextDecoder().decode(trace)) as { traceEvents: TraceEvent[] };
  const mark = (name: string) => events.find((event) => event.name === name)!;
  const [start, end] = [mark('tuning starts'), mark('tuning ends')];
  return events
    .filter(({ name, pid, tid, ts, tdur }) => {
      return (
        /RunTask$/.test(name) && pid === start.pid && tid === start.tid && ts >= start.ts && ts <= end.ts && tdur! > 0
      );
    })
    .map(({ tdur }) => tdur! / 1000)
    .sort((a, b) => b - a);
}

// A measurement of CPU time: of the longest suite, as a machine that does other things has slower caches.
it.for(['v2-1.0-224', 'v2-1.0-1024'])(
  'tuning %s keeps a page from nothing for longer than a frame',
  { timeout: 1_800_000 },
  async (id, { skip }) => {
    skip(suite !== 'full', 'CPU time is measured by "npm run test:full"');
    const page = await freshEnginePage('chrome');
    try {
      await page.page.tracing.start({ categories: ['toplevel', 'devtools.timeline', 'blink.user_timing'] });
      await page.call<Awaited<ReturnType<typeof tuneMarked>>>(module, 'tuneMarked', { id, budgetMs: 4000 });
      const tasks = tasksOf((await page.page.tracing.stop())!);
      process.stderr.write(`${id}: the longest tasks took ${tasks.slice(0, 5).map((ms) => ms.toFixed(1))} ms\n`);
      expect(tasks.length).toBeGreaterThan(20);
      expect(tasks[0]).toBeLessThanOrEqual(FRAME_MS);
    } finally {
      await page.close();
    }
  },
);

const MiB = 2 ** 20;

describe.each(browsers)('in %s', (browser) => {
  it('tuning takes at most 64 MiB beside the network itself', { timeout: 1_800_000 }, async () => {
    const page = await freshEnginePage(browser);
    try {
      const large = suite === 'full';
      const { own, peak, after, complete, refused, layers } = await page.call<Awaited<ReturnType<typeof tuningMemory>>>(
        module,
        'tuningMemory',
        large ? { id: 'v2-1.0-1024', budgetMs: 240_000 } : { id: 'v2-1.0-512', budgetMs: 5000 },
      );
      expect(peak - own).toBeLessThanOrEqual(64 * MiB);
      expect(after - own).toBeLessThanOrEqual(MiB);
      expect(refused).toEqual([]);
      expect(layers.length).toBeGreaterThan(0);
      if (large) expect(complete).toBe(true);
    } finally {
      await page.close();
    }
  });
});
