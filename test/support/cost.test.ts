import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { cheaply, costOf } from './cost.ts';

const fill = (megabytes: number) => new Uint8Array(megabytes * 2 ** 20).fill(1).length;

test('a peak is seen though the process had a higher one before', async ({ skip }) => {
  skip(!existsSync('/proc/self/clear_refs'), '/proc/self/clear_refs is not there');
  await costOf(() => fill(200));
  const { cost } = await costOf(() => fill(110));
  expect(cost.peakMegabytes).toBeGreaterThan(105);
  expect(cost.peakMegabytes).toBeLessThan(140);
  await expect(cheaply(() => fill(110))).rejects.toThrow('MB at the peak');
});

test('garbage of before does not hide a peak', async () => {
  const objects = () => Array.from({ length: 1_500_000 }, (_, i) => ({ i })).length;
  objects();
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
  const { cost: waiting } = await costOf(() => new Promise((done) => setTimeout(done, 300)));
  expect(waiting.cpuSeconds).toBeLessThan(0.25);
});
