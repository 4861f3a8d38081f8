import { describe, expect, it } from 'vitest';
import { enginePage } from '../support/engine-page.ts';
import { browsers } from '../support/suite.ts';
import { type BenchResult, describeBench, infinite } from './bench-cases.ts';

describe.each(browsers)('the largest difference', (browser) => {
  describeBench(browser, ({ shift, half }, { kept, again, differs }) => {
    const none = { largest: 0, finite: true };
    expect([kept, again]).toEqual([none, none]);
    expect(differs.finite).toBe(true);
    // A sum is rounded once: to a float of less than 4, or to a half.
    expect(Math.abs(differs.largest - Math.abs(shift))).toBeLessThanOrEqual(half ? 4 * 2 ** -11 : 4 * 2 ** -24);
  });

  it(`sees what is no finite number, in ${browser}`, async () => {
    const page = await enginePage(browser);
    const { kept, differs } = await page.call<BenchResult>('/test/tuning/bench-in-page.ts', 'tryBench', infinite);
    expect([kept.finite, differs.finite]).toEqual([true, false]);
  });
});
