import { dirname, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { PlanKind, ValidationReport } from '../../src/index.ts';
import { enginePage, engineServer } from '../support/engine-page.ts';

const files = ['node_modules/detypify-service/train/model.onnx', 'node_modules/@vladmandic/human/models/faceres.json'];

describe.each(['chrome', 'firefox'] as const)('validate in %s', (browser) => {
  const validate = async (source: string, plan: PlanKind) => {
    const page = await enginePage(browser);
    return page.call<ValidationReport>('/src/cli/validate-in-page.ts', 'validateModel', { source, plan });
  };

  it.each(files)('%s: every layer within its bound, the outputs as those of the graph as loaded', async (file) => {
    const folder = (await engineServer()).lend(`models-${files.indexOf(file)}`, dirname(resolve(file)));
    const report = await validate(`${folder}/${file.split('/').pop()}`, 'unfused');
    expect(report.layers.filter(({ ok }) => !ok)).toEqual([]);
    expect(report.outputs.filter(({ ok }) => !ok)).toEqual([]);
    expect(report.ok).toBe(true);
    expect(report.layers.length).toBeGreaterThan(25);
    expect(report.layers.every(({ maxError, bound }) => maxError <= bound)).toBe(true);
    // Something is computed, and not everything is exact.
    expect(report.layers.filter(({ maxError }) => maxError > 0).length).toBeGreaterThan(25);
  });

  it.each([
    ['v1-0.25-96', 'fused'],
    ['v2-0.35-96', 'fused'],
    ['v3-small-0.5-96', 'unfused'],
    ['v3-small-0.5-96', 'fused'],
    ['v4-conv-small-0.35-96', 'fused'],
  ] as const)('%s %s', async (id, plan) => {
    const report = await validate(id, plan);
    expect(report.layers.filter(({ ok }) => !ok)).toEqual([]);
    expect(report.ok).toBe(true);
    expect(report.layers.some(({ op }) => op === 'fused')).toBe(plan === 'fused');
  });
});
