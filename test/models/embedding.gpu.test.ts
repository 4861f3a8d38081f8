import { describe, expect, it } from 'vitest';
import type { Difference } from '../../src/validate/compare.ts';
import { enginePage } from '../support/engine-page.ts';
import { browsers } from '../support/suite.ts';

describe.each(browsers)('embeddings in %s', (browser) => {
  it.each([
    ['v1-0.25-64', 'unfused', 256],
    ['v1-0.25-64', 'fused', 256],
    ['v3-small-0.5-64', 'unfused', 1024],
    ['v4-conv-small-0.35-64', 'fused', 1280],
  ] as const)(
    '%s %s: the features of the reference, the classes of a model without them',
    async (id, plan, features) => {
      const page = await enginePage(browser);
      const found = await page.call<{ embedding: Difference; features: number; classes: number[]; expected: number[] }>(
        '/test/models/embedding-in-page.ts',
        'compareEmbeddings',
        { id, plan },
      );
      expect(found.features).toBe(features);
      expect(found.embedding.nmse).toBeLessThan(1e-10);
      expect(found.classes).toEqual(found.expected);
    },
  );
});
