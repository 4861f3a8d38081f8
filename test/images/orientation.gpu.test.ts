import { describe, expect, it } from 'vitest';
import { enginePage } from '../support/engine-page.ts';
import { orientations, orientedPicture } from '../support/oriented-jpeg.ts';
import { browsers } from '../support/suite.ts';

describe.each(browsers)('a photograph in %s is upright', (browser) => {
  it.each(orientations)('with Orientation %i', async (orientation) => {
    const page = await enginePage(browser);
    for (const order of ['little', 'big'] as const) {
      const { jpeg, ...seen } = orientedPicture(orientation, order);
      expect(await page.call('/test/images/orientation-in-page.ts', 'decodeInPage', jpeg)).toEqual([seen, seen, seen]);
    }
  });
});
