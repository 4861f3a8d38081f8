import { describe, expect, it } from 'vitest';
import { enginePage } from '../support/engine-page.ts';
import { browsers } from '../support/suite.ts';
import type { tuneMeanwhile, tuneProbability, tuneTwice } from './in-page.ts';

type Twice = Awaited<ReturnType<typeof tuneTwice>>;
type Meanwhile = Awaited<ReturnType<typeof tuneMeanwhile>>;
type Probability = Awaited<ReturnType<typeof tuneProbability>>;

describe.each(browsers)('the tuner in %s', (browser) => {
  const call = async <T>(name: string, argument: unknown) =>
    (await enginePage(browser)).call<T>('/test/tuning/in-page.ts', name, argument);

  it('measures every layer, remembers it, and gives the same outputs within bounds', async () => {
    const { reports, differences, stored } = await call<Twice>('tuneTwice', { id: 'v2-0.35-32' });
    const [first, second] = reports;
    expect(Math.max(...differences)).toBeLessThan(1e-10);
    expect(first).toMatchObject({ complete: true, remembered: 0, validated: true });
    expect(first!.layers).toBeGreaterThan(10);
    expect(first!.progress.at(-1)).toBe(first!.layers);
    for (const tried of first!.tried) expect(tried.length).toBeGreaterThan(1);
    expect(first!.tried.flat().filter(({ reason }) => reason?.includes('bound'))).toEqual([]);
    expect(stored).toBe(1);
    expect(second).toMatchObject({ complete: true, layers: 0, remembered: first!.layers, validated: true });
    expect(second!.kernels).toEqual(first!.kernels);
  });

  it('measures layers in halves on values that these sum exactly', async ({ skip }) => {
    if (browser === 'chrome') skip('no shader-f16 in chrome');
    const { reports, differences } = await call<Twice>('tuneTwice', { id: 'v2-0.35-32', precision: 'float16' });
    // Another order of float32 sums has some halves rounded the other way.
    expect(Math.max(...differences)).toBeLessThan(1e-5);
    for (const report of reports) expect(report).toMatchObject({ complete: true, validated: true });
    const tried = reports[0]!.tried.flat();
    expect(tried.filter(({ reason }) => reason?.includes('bound'))).toEqual([]);
    expect(tried.filter(({ kernel }) => kernel.startsWith('half/')).length).toBeGreaterThan(tried.length / 2);
  });

  it.each([['text'], [{ engine: 'another', tuned: {} }], [{ tuned: { a: 1 } }]])(
    'drops the cache %j',
    async (corrupt) => {
      const { reports } = await call<Twice>('tuneTwice', { id: 'v1-0.25-32', corrupt });
      for (const report of reports) expect(report).toMatchObject({ remembered: 0, validated: true });
    },
  );

  it('begins after the first result, lets runs through, stops when told', async () => {
    const result = await call<Meanwhile>('tuneMeanwhile', { id: 'v2-0.35-32' });
    expect(result).toMatchObject({ started: true, outcome: 'AbortError', works: 1 });
    expect(result.disposed).toContain('was disposed of');
    expect(Math.max(...result.differences)).toBeLessThan(1e-10);
  });

  it('takes up kernels that round a probability near zero otherwise', async () => {
    const { kernels, other, p, nmse } = await call<Probability>('tuneProbability', undefined);
    expect(kernels).toEqual([other]);
    expect(p).toBeGreaterThan(1e-5);
    expect(p).toBeLessThan(1e-4);
    // More than outputs of other kinds may differ by.
    expect(nmse).toBeGreaterThan(1e-10);
  });
});
