import { describe, expect, it } from 'vitest';
import { enginePage } from '../support/engine-page.ts';
import { pngOfPixels } from '../support/odd-pictures.ts';
import { browsers } from '../support/suite.ts';
import type { compareShrunk } from './pictures-in-page.ts';

describe.each(browsers)('pictures of every kind in %s', (browser) => {
  it.each([
    ['whole', {}],
    ['a region, turned', { region: [5.5, 3, 30, 40.2], rotate: 90 }],
  ])('become the same tensor, %s', async (_, rule) => {
    const page = await enginePage(browser);
    const results = await page.call<Record<string, { gpu: number; cpu: number | null }>>(
      '/test/images/pictures-in-page.ts',
      'compareKinds',
      { rule },
    );
    for (const [kind, { gpu, cpu }] of Object.entries(results)) {
      expect(gpu, `${kind} on the GPU`).toBeLessThanOrEqual(1);
      expect(cpu ?? 0, `${kind} on the CPU`).toBeLessThanOrEqual(1);
    }
    expect(Object.keys(results).length).toBe(13);
  });
});

describe.each(browsers)('pictures with alpha in %s', (browser) => {
  it('count with their own colour, as far as the kind keeps it', async () => {
    const page = await enginePage(browser);
    const colour = [200, 100, 51];
    const alphas = [255, 128, 20, 0];
    const pictures = alphas.map((alpha) => {
      const data = Uint8Array.from({ length: 4 * 47 * 60 }, (_, i) => [...colour, alpha][i % 4]!);
      return { data, file: pngOfPixels(47, 60, data) };
    });
    const seen = await page.call<Record<string, (number[] | null)[]>[]>(
      '/test/images/pictures-in-page.ts',
      'coloursOfKinds',
      { pictures },
    );
    const asGiven = ['bytes', 'ImageData', 'rgba8unorm', 'bgra8unorm', 'rgba32float'];
    const keptByChromium = ['Blob', 'File', 'img', 'ImageBitmap with alpha apart'];
    for (const [i, alpha] of alphas.entries()) {
      expect(Object.keys(seen[i]!).length).toBe(13);
      for (const [kind, [gpu, cpu]] of Object.entries(seen[i]!)) {
        const isKept = (device: string) =>
          asGiven.includes(kind) || (device === 'GPU' && browser === 'chrome' && keptByChromium.includes(kind));
        for (const [device, values] of [['GPU', gpu] as const, ['CPU', cpu] as const]) {
          if (!values) continue;
          const expected = alpha > 0 || isKept(device) ? colour : [0, 0, 0];
          // What is stored multiplied by alpha is rounded to a level there, and comes back as 255 / alpha of them.
          const levels = isKept(device) ? 0 : alpha > 0 ? Math.ceil(127.5 / alpha) : 0;
          for (let c = 0; c < 3; c++) {
            const off = Math.abs(values[c]! - expected[c]!);
            expect(off, `${kind} of alpha ${alpha} on the ${device}: ${values}`).toBeLessThanOrEqual(levels);
          }
        }
      }
    }
  });
});

it.each(browsers)(
  'pictures that %s shrinks are nearly those of the rule, and few pixels are copied',
  async (browser) => {
    const page = await enginePage(browser);
    const rules = [
      {},
      { region: [30.5, 20, 200, 180] },
      { rotate: 90 as const, flip: true },
      { fit: 'crop' as const, cropFraction: 0.875 },
      { fit: 'letterbox' as const, region: [0, 0, 300, 100] },
    ];
    const { found, told } = await page.call<Awaited<ReturnType<typeof compareShrunk>>>(
      '/test/images/pictures-in-page.ts',
      'compareShrunk',
      { rules },
    );
    for (const [i, { off, pixels }] of found.entries()) {
      const rule = JSON.stringify(rules[i]);
      // Half a pixel of the input is some 8 levels here.
      for (const levels of off) expect(levels, rule).toBeLessThanOrEqual(6);
      // The input has 272; a crop has what lies around it too.
      expect(pixels, rule).toBeLessThanOrEqual(600);
    }
    expect(found.map(({ off }) => off.length)).toEqual(rules.map(() => 6));
    expect(told).toBe('UsageError: resize is "gpu", expected "browser" or "rule"');
  },
);

it('frames of video as they are, which no browser here has, are read by a shader that Dawn compiles', async () => {
  const page = await enginePage('chrome');
  expect(await page.call('/test/images/pictures-in-page.ts', 'compileExternal')).toBe('compiled');
});
