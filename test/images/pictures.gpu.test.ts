import { describe, expect, it } from 'vitest';
import { enginePage } from '../support/engine-page.ts';
import { browsers } from '../support/suite.ts';

describe.each(browsers)('pictures of every kind in %s', (browser) => {
  it.each([
    ['whole', {}],
    ['a region, turned', { region: [5.5, 3, 30, 40.2], rotate: 90 }],
  ])('become the same tensor, %s', async (_, rule) => {
    const page = await enginePage(browser);
    const results = await page.call<Record<string, { gpu: number; cpu: number | null }>>(
      '/test/images/pictures-in-page.ts',
      'compareKinds',
      { rule, alpha: false },
    );
    for (const [kind, { gpu, cpu }] of Object.entries(results)) {
      expect(gpu, `${kind} on the GPU`).toBeLessThanOrEqual(1);
      expect(cpu ?? 0, `${kind} on the CPU`).toBeLessThanOrEqual(1);
    }
    expect(Object.keys(results).length).toBe(12);
  });
});

it('frames of video as they are, which no browser here has, are read by a shader that Dawn compiles', async () => {
  const page = await enginePage('chrome');
  expect(await page.call('/test/images/pictures-in-page.ts', 'compileExternal')).toBe('compiled');
});
