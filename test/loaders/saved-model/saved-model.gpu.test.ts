import { describe, expect, it } from 'vitest';
import { enginePage } from '../../support/engine-page.ts';
import { browsers } from '../../support/suite.ts';

it.each(browsers)('a saved model gives the same bits in %s', async (browser) => {
  const page = await enginePage(browser);
  const result = await page.call('/test/loaders/saved-model/saved-model-in-page.ts', 'saveAndOpen', {
    id: 'v3-small-0.5-64',
  });
  expect(result).toEqual({ same: true, outputs: ['logits'], nodes: true, fusedIsRight: true });
});

describe.each(browsers)('a saved model that arrives by and by, in %s', (browser) => {
  it.each(['v2-0.5-64', 'v3-small-0.5-64'])('gives the same bits: %s', async (id) => {
    const page = await enginePage(browser);
    const result = await page.call('/test/loaders/saved-model/saved-model-in-page.ts', 'saveAndStream', { id });
    expect(result).toEqual({
      asFile: true,
      fromAddress: true,
      heldBack: true,
      compiledBeforeTheEnd: true,
      allFetched: true,
    });
  });
});
