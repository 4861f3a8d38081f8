import { describe, expect, it } from 'vitest';
import type { ImageRule } from '../../src/graph/graph.ts';
import { convStem, stemVariants } from '../../src/kernels/conv-stem.ts';
import { enginePage } from '../support/engine-page.ts';
import { signedPixels as base, perChannel } from '../support/image-rule.ts';
import { browsers } from '../support/suite.ts';
import { type ConvSpec, convCase } from './conv-cases.ts';
import type { StemPictureCase } from './stem-picture-in-page.ts';

const stem = (spec: Partial<ConvSpec>, rule: Partial<ImageRule> = {}): StemPictureCase => ({
  testCase: convCase({
    size: [15, 16],
    cin: 3,
    cout: 8,
    kernel: [3, 3],
    stride: [2, 2],
    padding: [1, 1, 1, 1],
    ...spec,
  }),
  rule: { ...base, ...rule },
});

/** Rules that only scale a picture of the input's size. */
const cases = [
  stem({ size: [33, 35], cout: 32, padding: [0, 0, 1, 1], activation: 'relu6' }),
  stem({ size: [16, 29], cout: 6, activation: 'hard-swish' }, { channels: 'bgr' }),
  stem({ kernel: [5, 5], padding: [2, 2, 2, 2], cout: 20 }, { ...perChannel, channels: 'bgr' }),
  stem({ kernel: [7, 7], padding: [3, 3, 3, 3], cout: 16 }, perChannel),
  stem({ size: [9, 28], kernel: [7, 7], stride: [1, 1], padding: [2, 3, 4, 3] }, { ...perChannel, fit: 'letterbox' }),
  stem({ size: [6, 6], padding: [4, 5, 6, 4] }, { offset: [3], fit: 'crop' }),
  stem({ size: [1, 1], noBias: true }, { corners: 'align', scale: [1], offset: [0] }),
  stem({ size: [7, 14], stride: [1, 1] }, { filter: 'bicubic', antialias: false }),
  stem({ size: [8, 9], kernel: [1, 1], padding: [0, 0, 0, 0] }, { corners: 'align', channels: 'bgr' }),
];

describe.each(browsers)('a picture straight into the first convolution in %s', (browser) => {
  it.for([convStem, ...stemVariants].map(({ name }) => name))('%s', async (kernel, { skip }) => {
    const page = await enginePage(browser);
    const argument = { kernel, op: 'conv2d' };
    const missing = await page.call<string[]>('/test/kernels/run-case.ts', 'missingFeatures', argument);
    if (missing.length > 0) skip(`no ${missing.join(', ')} in ${browser}`);
    for (const [i, stemCase] of cases.entries()) {
      const precision = i % 3 < 2 ? 'float32' : browser === 'firefox' ? 'float16' : 'float16-packed';
      const result = await page.call('/test/kernels/stem-picture-in-page.ts', 'runStemPicture', {
        ...stemCase,
        kernel,
        precision,
        seed: 1000 * i + 1,
      });
      expect(result, JSON.stringify(stemCase)).toMatchObject({
        straight: { ok: true, unwritten: 0 },
        byTensor: { ok: true, unwritten: 0 },
        same: true,
        again: true,
        kernel,
        dispatches: [1, 2],
        created: 0,
      });
    }
  });
});
