import { describe, expect, it } from 'vitest';
import type { EnginePage } from '../../src/cli/engine-page.ts';
import { enginePage } from '../support/engine-page.ts';
import { browsers, suite } from '../support/suite.ts';

const module = '/test/device/growth-in-page.ts';

const cycles = suite === 'full' ? 200 : 12;

/** Inferences; only Chromium tells of its heap. */
const countsOf = (browser: string) =>
  suite === 'full' ? [1000, 10_000] : browser === 'chrome' ? [100, 500] : [50, 100];

/** Bytes of the page's heap after a collection; only Chromium tells. */
async function heapOf({ page }: EnginePage): Promise<number> {
  const session = await page.createCDPSession();
  try {
    await session.send('HeapProfiler.collectGarbage');
    return (await session.send('Runtime.getHeapUsage')).usedSize;
  } finally {
    await session.detach();
  }
}

describe.each(browsers)('memory in %s', (browser) => {
  const [few, many] = countsOf(browser) as [number, number];
  it(`after ${many} inferences is what it was after ${few}, and none after dispose`, async () => {
    const page = await enginePage(browser);
    const heap = async () => (browser === 'chrome' ? heapOf(page) : 0);
    await page.call(module, 'begin', { id: 'v1-0.25-128' });
    const before = { gpu: await page.call<number>(module, 'infer', { count: few }), heap: await heap() };
    const after = { gpu: await page.call<number>(module, 'infer', { count: many - few }), heap: await heap() };
    expect(after.gpu).toBe(before.gpu);
    expect(after.heap).toBeLessThanOrEqual(before.heap + 1e6);
    expect(await page.call(module, 'end')).toBe(0);
    process.stdout.write(
      `${browser}: ${after.gpu} bytes of the GPU; heap ${before.heap} bytes after ${few} inferences, ${after.heap} after ${many}\n`,
    );
  });

  it(`${cycles} models loaded and disposed of leave none`, async () => {
    expect(await (await enginePage(browser)).call(module, 'cycles', { count: cycles })).toBe(0);
  });
});
