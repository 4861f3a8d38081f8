import { describe, expect, it } from 'vitest';
import { enginePage } from '../support/engine-page.ts';
import { signedPixels as base, perChannel } from '../support/image-rule.ts';
import { browsers } from '../support/suite.ts';
import type { ImageCase } from './image-in-page.ts';

const cases: readonly (readonly [string, ImageCase])[] = [
  ['the same size', { picture: [9, 8], size: [9, 8], rule: base }],
  ['shrunk', { picture: [60, 47], size: [16, 17], rule: base }],
  ['shrunk without antialias', { picture: [60, 47], size: [16, 17], rule: { ...base, antialias: false } }],
  ['enlarged', { picture: [7, 5], size: [16, 15], rule: base }],
  ['bicubic, shrunk', { picture: [50, 61], size: [16, 16], rule: { ...base, filter: 'bicubic' } }],
  ['bicubic, enlarged', { picture: [6, 7], size: [16, 16], rule: { ...base, filter: 'bicubic' } }],
  ['corners aligned', { picture: [30, 20], size: [16, 16], rule: { ...base, corners: 'align', antialias: false } }],
  ['cropped', { picture: [40, 60], size: [16, 16], rule: { ...base, fit: 'crop', cropFraction: 0.875 } }],
  ['letterboxed', { picture: [20, 60], size: [16, 16], rule: { ...base, fit: 'letterbox' } }],
  [
    'blue first, constants per channel',
    { picture: [20, 21], size: [8, 9], rule: { ...base, ...perChannel, channels: 'bgr' } },
  ],
  ['turned right', { picture: [20, 31], size: [16, 9], rule: { ...base, rotate: 90 } }],
  ['turned over', { picture: [9, 8], size: [9, 8], rule: { ...base, rotate: 180 } }],
  ['turned left, letterboxed', { picture: [20, 60], size: [16, 16], rule: { ...base, rotate: 270, fit: 'letterbox' } }],
  ['mirrored', { picture: [9, 8], size: [9, 8], rule: { ...base, flip: true } }],
  [
    'turned right, mirrored, cropped, bicubic',
    { picture: [40, 61], size: [16, 16], rule: { ...base, rotate: 90, flip: true, fit: 'crop', filter: 'bicubic' } },
  ],
  ['grey', { picture: [20, 21], size: [8, 9], rule: { ...base, channels: 'grey' } }],
];

describe.each(browsers)('image-to-tensor in %s', (browser) => {
  it.each(cases)('%s', async (_, imageCase) => {
    const page = await enginePage(browser);
    for (const dense of [false, true]) {
      const result = await page.call('/test/kernels/image-in-page.ts', 'runImageCase', { ...imageCase, dense });
      expect(result).toMatchObject({ ok: true, unwritten: 0, repeatable: true, dense });
    }
  });
});
