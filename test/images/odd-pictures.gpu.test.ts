import { describe, expect, it } from 'vitest';
import { enginePage } from '../support/engine-page.ts';
import { oddPictures } from '../support/odd-pictures.ts';
import { browsers } from '../support/suite.ts';

describe.each(browsers)('picture files of uncommon kinds in %s', (browser) => {
  it('have the colours that commands see', async () => {
    const page = await enginePage(browser);
    const seen = await page.call<number[][]>('/test/images/orientation-in-page.ts', 'firstPixels', {
      files: oddPictures,
    });
    for (const [i, { kind, colour }] of oddPictures.entries()) {
      for (let c = 0; c < 3; c++)
        expect(Math.abs(seen[i]![c]! - colour[c]!), `${kind}: ${seen[i]}`).toBeLessThanOrEqual(2);
    }
  });
});
