import { describe, expect } from 'vitest';
import { browsers } from '../support/suite.ts';
import { describeBench } from './bench-cases.ts';
import { trialValue } from './trial-value.ts';

describe.each(browsers)('values of trials', (browser) => {
  describeBench(browser, ({ most, half }, { x, whole }) => {
    expect([...x]).toEqual([...x].map((_, i) => trialValue(i, most, 1)));
    // Networks' inputs are never halves, which do not hold 4095 units.
    if (!half) expect([...whole.x!]).toEqual([...x].map((_, i) => trialValue(i, 4096, 1)));
    expect(whole.y).toEqual(whole.x);
    if (x.length > 100) expect([Math.min(...x) < 0, Math.max(...x) > 0]).toEqual([true, true]);
  });
});
