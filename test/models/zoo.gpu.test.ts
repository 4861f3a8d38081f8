/** Real models layer by layer in the browsers. */
import { basename, dirname, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { ValidationReport } from '../../src/index.ts';
import { enginePage, engineServer } from '../support/engine-page.ts';
import { browsers, suite } from '../support/suite.ts';
import { type ZooModel, zoo } from './zoo.ts';

const models = zoo.filter(({ inBrowsers }) => inBrowsers !== false);

const rows: string[] = [];

afterAll(() => void process.stdout.write(`file, browser: normalised mean square errors\n${rows.join('\n')}\n`));

describe.each(browsers)('real models in %s', (browser) => {
  // The software adapter of Chromium has no shader-f16. What computes in halves stores them too: in the full suite all.
  const halves = { chrome: ['float16-storage'], firefox: ['float16'] } as const;
  const both = browser === 'firefox' && suite === 'full' ? (['float16-storage'] as const) : [];
  const all = ['float32', ...both, ...halves[browser]] as const;
  // The largest takes as long as the rest: one precision a browser, in the full suite all.
  const precisionsOf = ({ large }: ZooModel) =>
    large && suite !== 'full' ? ([browser === 'chrome' ? 'float32' : 'float16-storage'] as const) : all;
  const cases = models.flatMap((model) =>
    precisionsOf(model).map((precision) => [model.name, precision, model] as const),
  );

  it.each(cases)('%s, %s: every layer within its bound', async (_, precision, model) => {
    const { file, input, outputs, maxNmse, losesOnHalves, places = [] } = model;
    const folder = (await engineServer()).lend(`zoo-${zoo.indexOf(model)}`, dirname(resolve(file)));
    const page = await enginePage(browser);
    const report = await page.call<ValidationReport>('/test/models/zoo-in-page.ts', 'validateZooModel', {
      source: `${folder}/${basename(file)}`,
      precision,
      range: input.range,
    });
    const errors = report.outputs.map(({ nmse }) => nmse.toExponential(1)).join(', ');
    rows.push(`${file}, ${browser}, ${precision}: ${errors}`);
    expect(report.layers.filter(({ ok }) => !ok)).toEqual([]);
    expect(report.outputs.map(({ name }) => name)).toEqual(outputs);
    const onStorage = losesOnHalves ? 1e-4 : 1e-5;
    const most = { float32: maxNmse, 'float16-storage': onStorage, float16: 1e-2 }[precision];
    for (const { name, nmse, topEqual } of report.outputs) {
      expect(nmse, name).toBeLessThan(most);
      if (precision === 'float32' || !places.includes(name)) expect(topEqual, name).toBe(true);
    }
    expect(report.ok).toBe(precision !== 'float16-storage' || !losesOnHalves);
    expect(report.layers.length).toBeGreaterThan(25);
    expect(report.layers.every(({ maxError, bound }) => maxError <= bound)).toBe(true);
    // Something is computed, and not everything is exact.
    expect(report.layers.filter(({ maxError }) => maxError > 0).length).toBeGreaterThan(25);
  });
});
