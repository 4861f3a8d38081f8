import { existsSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { cheaply, collectGarbage, costOf, memory } from './cost.ts';

const fill = (megabytes: number) => new Uint8Array(megabytes * 2 ** 20).fill(1).length;

/** Other threads hand freed pages back by and by: until the process has not shrunk for a while. */
async function settle(): Promise<void> {
  let least = Number.POSITIVE_INFINITY;
  for (let attempt = 0, still = 0; attempt < 100 && still < 4; attempt++) {
    collectGarbage();
    await wait(20);
    const now = memory('VmRSS');
    still = now > least - 0.25 ? still + 1 : 0;
    least = Math.min(least, now);
  }
}

const tells = existsSync('/proc/self/clear_refs');

test('a peak is seen though the process had a higher one before', async ({ skip }) => {
  skip(!tells, '/proc/self/clear_refs is not there');
  await costOf(() => fill(250));
  await settle();
  const { cost } = await costOf(() => fill(120));
  expect(cost.peakMegabytes).toBeGreaterThan(110);
  expect(cost.peakMegabytes).toBeLessThan(150);
  await expect(cheaply(() => fill(120))).rejects.toThrow('MB at the peak');
});

test('garbage of before does not hide a peak', async () => {
  const objects = () => Array.from({ length: 1_500_000 }, (_, i) => ({ i })).length;
  objects();
  if (tells) await settle();
  const { cost } = await costOf(objects);
  if (cost.peakMegabytes !== null) expect(cost.peakMegabytes).toBeGreaterThan(20);
});

test('time is that of the work', async () => {
  const { result, cost } = await costOf(() => {
    let sum = 0;
    for (let i = 0; i < 3e8; i++) sum += i % 7;
    return sum;
  });
  expect(result).toBeGreaterThan(0);
  expect(cost.cpuSeconds).toBeGreaterThan(0.05);
  const { cost: waiting } = await costOf(() => wait(300));
  expect(waiting.cpuSeconds).toBeLessThan(0.25);
});
