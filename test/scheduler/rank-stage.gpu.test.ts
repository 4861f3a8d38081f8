import { describe, expect, it } from 'vitest';
import { enginePage } from '../support/engine-page.ts';
import { browsers } from '../support/suite.ts';

const id = 'v1-0.25-64';

describe.each(browsers)('ranked classes in %s', (browser) => {
  const call = async <T>(name: string, argument?: unknown): Promise<T> =>
    (await enginePage(browser)).call<T>('/test/scheduler/ranked-in-page.ts', name, argument);

  it.each([
    ['10 of 10 classes: 80 bytes', { classes: 10, top: 10 }, 80],
    ['5 of 1001 classes: 40 bytes', { classes: 1001, top: 5 }, 40],
    ['64 of 1001 classes: 512 bytes', { classes: 1001, top: 64 }, 512],
    ['the embedding beside 5 classes: 1024 + 40 bytes', { classes: 1001, top: 5, embedding: true }, 1064],
  ])('%s, in one pass and one submit, nothing made when warm', async (_, argument, bytes) => {
    expect(await call('countClassify', { id, ...argument })).toEqual({
      copied: bytes,
      mapped: bytes,
      // Beside the plan's: one for the picture, one for the classes.
      dispatches: 2,
      submits: 1,
      passes: 1,
      created: 0,
      pipelines: 0,
    });
  });

  it('a picture of the size of the input goes straight into the first convolution', async () => {
    const found = await call('countClassify', { id, classes: 1001, top: 5, size: 64 });
    expect(found).toMatchObject({ copied: 40, dispatches: 1, submits: 1, passes: 1, created: 0 });
    // Four classes' dispatches, and two for the pictures that are resized.
    expect(await call('takingTurns', { id })).toEqual({ dispatches: 6, created: 0 });
  });

  it('more than 64 classes are read whole', async () => {
    const found = await call('countClassify', { id, classes: 1001, top: 65 });
    expect(found).toMatchObject({ copied: 4016, dispatches: 1, submits: 1, created: 0 });
  });

  it.each([
    ['logits', 10, false, 10, 'float32'],
    ['logits', 1001, false, 5, 'float32'],
    ['probabilities', 1001, true, 5, 'float32'],
    ['one class', 1, false, 1, 'float32'],
    ['probabilities', 10, true, 10, 'float16-storage'],
    ['logits, of a picture that is not resized,', 1001, false, 5, 'float32', 64],
    ['probabilities, of a picture that is not resized,', 10, true, 10, 'float16-storage', 64],
  ] as const)(
    '%s of %i classes, as the whole output has them',
    async (_, classes, probabilities, top, precision, size: number = 20) => {
      const argument = { id, classes, probabilities, top, precision, size };
      const found = await call<Record<string, unknown>>('rankedAndSorted', argument);
      expect(found.indices).toHaveLength(Math.min(top, classes));
      expect(found.indices).toEqual(found.expected);
      expect(found.fromAll).toEqual(found.indices);
      expect(found.classesOfAll).toBe(classes);
      expect(found.difference).toBeLessThan(1e-5);
      expect(found.fromAllDifference).toBeLessThan(1e-6);
    },
  );

  it('classifications that overlap give what each gives alone, in order', async () => {
    const { same, order, distinct } = await call<Record<string, unknown>>('overlappedClassify', { id });
    expect(same).toEqual([true, 'stopped by the test', true, true, true, true, true, true, true]);
    expect(order).toEqual([0, 2, 3, 4, 5, 6, 7, 8]);
    expect(distinct).toBe(9);
  });

  it.each([20, 64])(
    'keeps three classifications of %i pixels a side in flight, and makes nothing for them',
    async (size) => {
      expect(await call('atOnce', { id, size })).toEqual({ first: 3, submitted: 5, created: 0 });
    },
  );

  it.each(['webgpu', 'reference'] as const)('a score that is NaN is an error, %s', async (device) => {
    const said = expect.stringMatching(/^InvalidResultError: damaged: scores of output "y" are NaN/);
    expect(await call('notANumber', { device })).toEqual([said, said]);
  });

  it('takes any number of classes, outputs of several places, and says when it is disposed of', async () => {
    const { lengths, places, said } = await call<{
      lengths: number[];
      places: { length: number; sum: number; ordered: boolean };
      said: string;
    }>('unusual', { id });
    expect(lengths).toEqual([1, 64, 65, 70, 70, 2]);
    expect(places).toMatchObject({ length: 48, ordered: true });
    expect(places.sum).toBeCloseTo(1, 4);
    expect(said).toMatch(/^UsageError: .*disposed of/);
  });
});
