import { expect, it } from 'vitest';
import { enginePage } from '../support/engine-page.ts';

it.each(['chrome', 'firefox'] as const)('a saved model gives the same bits in %s', async (browser) => {
  const page = await enginePage(browser);
  const result = await page.call('/test/loaders/saved-model-in-page.ts', 'saveAndOpen', { id: 'v3-small-0.5-64' });
  expect(result).toEqual({ same: true, outputs: ['logits'], nodes: true, fusedIsRight: true });
});
