import { describe, expect, it } from 'vitest';
import { enginePage } from '../support/engine-page.ts';
import { browsers } from '../support/suite.ts';
import { convCase } from './conv-cases.ts';
import type { Spread } from './non-finite-in-page.ts';

/** Places outside the picture, of which the nearest inside is a corner that the output itself does not read. */
const cases = [
  ['dilated', convCase({ size: [8, 9], cin: 4, cout: 8, kernel: [3, 3], dilation: [2, 2], padding: [2, 2, 2, 2] })],
  ['normal', convCase({ size: [7, 6], cin: 8, cout: 4, kernel: [3, 3], padding: [1, 1, 1, 1] })],
  ['picture', convCase({ size: [9, 9], cin: 3, cout: 8, kernel: [3, 3], padding: [0, 0, 1, 1], stride: [2, 2] })],
  ['depthwise', convCase({ size: [9, 8], cin: 8, cout: 8, groups: 8, kernel: [3, 3], padding: [1, 1, 1, 1] })],
  ['grouped', convCase({ size: [6, 6], cin: 8, cout: 8, groups: 2, kernel: [3, 3], padding: [1, 1, 1, 1] })],
] as const;

describe.each(browsers)('an element that is no number in %s', (browser) => {
  it.each(cases)('changes only the outputs of a %s convolution that read it', async (_, testCase) => {
    const [, height, width] = testCase.inputs[0]!;
    const page = await enginePage(browser);
    const kernels = new Set<string>();
    for (const value of ['NaN', 'Infinity']) {
      for (const at of [
        [0, 0],
        [height - 1, width - 1],
      ]) {
        const found = await page.call<Spread[]>('/test/kernels/non-finite-in-page.ts', 'spread', {
          testCase,
          at,
          value,
        });
        for (const { kernel, touched } of found) {
          kernels.add(kernel);
          expect(touched, `${kernel}, ${value} at ${at}`).toBe(0);
        }
      }
    }
    expect(kernels.size).toBeGreaterThan(0);
  });
});
