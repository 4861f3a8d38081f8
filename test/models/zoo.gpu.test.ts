/** Real models layer by layer in the browsers. */
import { basename, dirname, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { ValidationReport } from '../../src/index.ts';
import { enginePage, engineServer } from '../support/engine-page.ts';
import { zoo } from './zoo.ts';
import type { compareHalf } from './zoo-in-page.ts';

const models = zoo.filter(({ inBrowsers }) => inBrowsers !== false);

const rows: string[] = [];

afterAll(() => void process.stdout.write(`file, browser: normalised mean square errors\n${rows.join('\n')}\n`));

describe.each(['chrome', 'firefox'] as const)('real models in %s', (browser) => {
  it.each(models.map((model) => [model.name, model] as const))('%s: every layer within its bound', async (_, model) => {
    const { file, input, outputs, maxNmse } = model;
    const folder = (await engineServer()).lend(`zoo-${zoo.indexOf(model)}`, dirname(resolve(file)));
    const page = await enginePage(browser);
    const report = await page.call<ValidationReport>('/test/models/zoo-in-page.ts', 'validateZooModel', {
      source: `${folder}/${basename(file)}`,
      plan: 'unfused',
      range: input.range,
    });
    rows.push(`${file}, ${browser}: ${report.outputs.map(({ nmse }) => nmse.toExponential(1)).join(', ')}`);
    expect(report.layers.filter(({ ok }) => !ok)).toEqual([]);
    expect(report.outputs.map(({ name }) => name)).toEqual(outputs);
    for (const { name, nmse, topEqual } of report.outputs) {
      expect(nmse, name).toBeLessThan(maxNmse);
      expect(topEqual, name).toBe(true);
    }
    expect(report.ok).toBe(true);
    expect(report.layers.length).toBeGreaterThan(25);
    expect(report.layers.every(({ maxError, bound }) => maxError <= bound)).toBe(true);
    // Something is computed, and not everything is exact.
    expect(report.layers.filter(({ maxError }) => maxError > 0).length).toBeGreaterThan(25);
  });

  it.each(models.map((model) => [model.name, model] as const))('%s on float16 storage', async (_, model) => {
    const { file, input, binary = [], classes = [], maxHalfNmse = 1e-5 } = model;
    const folder = (await engineServer()).lend(`zoo-${zoo.indexOf(model)}`, dirname(resolve(file)));
    const page = await enginePage(browser);
    type Half = Awaited<ReturnType<typeof compareHalf>>;
    const { precision, outputs } = await page.call<Half>('/test/models/zoo-in-page.ts', 'compareHalf', {
      source: `${folder}/${basename(file)}`,
      range: input.range,
      binary,
    });
    rows.push(`${file}, ${browser}, ${precision}: ${outputs.map(({ nmse }) => nmse.toExponential(1)).join(', ')}`);
    for (const { name, nmse, topEqual } of outputs) {
      const ofClasses = binary.includes(name) || classes.includes(name);
      expect(nmse, name).toBeLessThan(ofClasses ? 1e-5 : maxHalfNmse);
      // The largest of a map of distances or places means nothing.
      if (ofClasses || name === 'tower_0/keypoints') expect(topEqual, name).toBe(true);
    }
  });
});
