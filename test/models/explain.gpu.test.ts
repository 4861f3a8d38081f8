/** Class activation maps of a real classifier on two photographs side by side. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { enginePage, engineServer } from '../support/engine-page.ts';
import { modelFolder, needModels } from '../support/real-models.ts';
import { browsers } from '../support/suite.ts';
import type { Explained } from './explain-in-page.ts';

const photographs = {
  burger: ['burger.jpg', 'cheeseburger'],
  cat: ['cat.bmp', 'Egyptian cat'],
  parrot: ['parrot.jpg', 'macaw'],
};
type Name = keyof typeof photographs;

describe.each(browsers)('maps of the quantised V2 in %s', (browser) => {
  needModels();

  it.each([
    ['burger', 'parrot', 0.85],
    ['cat', 'burger', 0.7],
    ['parrot', 'cat', 0.7],
  ] as const)('%s beside %s: each class on its own half, either way round', async (left, right, least) => {
    const labels = readFileSync(join(modelFolder, 'imagenet_labels.txt'), 'utf8').trim().split('\n');
    const page = await enginePage(browser);
    const address = (await engineServer()).lend('imagenet', modelFolder);
    for (const [pair, limit] of [
      [[left, right], least],
      // The halves exchanged, the maps are too. Counted in the 7 × 7 places, those of the middle column halved, shares are
      // within 0.02 of these, and grey bars change the middle places most where they are drawn (at 113 of 224 pixels on
      // average): what is left on the other half is the network's own, 0.16 of the burger right of the parrot.
      [[right, left], 0.7],
    ] as const) {
      const { shares, differences } = await page.call<Explained>(
        '/test/models/explain-in-page.ts',
        'explainSideBySide',
        {
          model: `${address}/mobilenet_v2_1.0_224_quant.tflite`,
          pictures: pair.map((name: Name) => `${address}/${photographs[name][0]}`),
          classes: pair.map((name: Name) => labels.findIndex((label) => label.includes(photographs[name][1]!))),
        },
      );
      const figures = differences.map(({ found, bound }) => `${found.toExponential(1)} of ${bound.toExponential(1)}`);
      process.stdout.write(
        `${pair.join('|')}, ${browser}: shares ${shares.map((share) => share.toFixed(3))}; ${figures}\n`,
      );
      for (const share of shares) expect(share).toBeGreaterThanOrEqual(limit);
      for (const { found, bound } of differences) expect(found).toBeLessThanOrEqual(bound);
    }
  });
});
