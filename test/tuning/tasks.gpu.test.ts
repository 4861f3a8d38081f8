import { describe, expect, it } from 'vitest';
import { freshEnginePage } from '../support/engine-page.ts';
import { browsers, suite } from '../support/suite.ts';
import { tasksBetween, traceCategories } from '../support/trace.ts';
import type { tuneMarked, tuningMemory } from './memory-in-page.ts';

const module = '/test/tuning/memory-in-page.ts';

/** What a page may not be kept from for longer: a frame. */
const FRAME_MS = 16;

// A measurement of CPU time: of the longest suite, as a machine that does other things has slower caches.
it.for(['v2-1.0-224', 'v2-1.0-1024'])(
  'tuning %s keeps a page from nothing for longer than a frame',
  { timeout: 1_800_000 },
  async (id, { skip }) => {
    skip(suite !== 'full', 'CPU time is measured by "npm run test:full"');
    const page = await freshEnginePage('chrome');
    try {
      await page.page.tracing.start({ categories: traceCategories });
      await page.call<Awaited<ReturnType<typeof tuneMarked>>>(module, 'tuneMarked', { id, budgetMs: 4000 });
      const tasks = tasksBetween((await page.page.tracing.stop())!, 'tuning starts', 'tuning ends');
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
