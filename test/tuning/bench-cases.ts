import { it } from 'vitest';
import { enginePage } from '../support/engine-page.ts';
import type { BenchCase, tryBench } from './bench-in-page.ts';

export type BenchResult = Awaited<ReturnType<typeof tryBench>>;

const cases: readonly BenchCase[] = [
  { shape: [1, 1, 1, 1], half: false, most: 2048, channel: 0, shift: 0.5 },
  { shape: [2, 5, 7, 3], half: false, most: 4096, channel: 2, shift: -0.25 },
  { shape: [1, 9, 9, 8], half: false, most: 1, channel: 7, shift: 2 ** -12 },
  { shape: [1, 3, 11, 6], half: true, most: 2048, channel: 5, shift: 1 },
  // More words than invocations.
  { shape: [1, 64, 65, 16], half: false, most: 300, channel: 15, shift: 0.125 },
  { shape: [1, 64, 65, 15], half: true, most: 300, channel: 14, shift: -2 },
];

/** Has `check` look at what the bench finds in each case. */
export function describeBench(browser: 'chrome' | 'firefox', check: (given: BenchCase, found: BenchResult) => void) {
  it.each(cases)(`$shape half: $half, in ${browser}`, async (given) => {
    const page = await enginePage(browser);
    check(given, await page.call<BenchResult>('/test/tuning/bench-in-page.ts', 'tryBench', given));
  });
}

/** More than a float32 holds. */
export const infinite: BenchCase = { shape: [1, 4, 4, 5], half: false, most: 9, channel: 4, shift: 1e39 };
