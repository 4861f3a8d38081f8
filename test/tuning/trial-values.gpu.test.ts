import { describe, expect } from 'vitest';
import { browsers } from '../support/suite.ts';
import { describeBench } from './bench-cases.ts';

/** As the shader has it. */
function value(index: number, most: number, seed: number): number {
  let z = (Math.imul(index, 0x9e3779b9) + seed) >>> 0;
  z = Math.imul(z ^ (z >>> 16), 0x85ebca6b) >>> 0;
  z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35) >>> 0;
  return ((((z ^ (z >>> 16)) >>> 0) % (2 * most + 1)) - most) / 4096;
}

describe.each(browsers)('values of trials', (browser) => {
  describeBench(browser, ({ most }, { x, whole }) => {
    expect([...x]).toEqual([...x].map((_, i) => value(i, most, 1)));
    expect([...whole.x!]).toEqual([...x].map((_, i) => value(i, 4096, 1)));
    expect(whole.y).toEqual(whole.x);
    if (x.length > 100) expect([Math.min(...x) < 0, Math.max(...x) > 0]).toEqual([true, true]);
  });
});
