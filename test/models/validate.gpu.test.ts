import { describe, expect, it } from 'vitest';
import type { PlanKind, ValidationReport } from '../../src/index.ts';
import { enginePage } from '../support/engine-page.ts';
import { browsers } from '../support/suite.ts';

describe.each(browsers)('validate in %s', (browser) => {
  const validate = async (source: string, plan: PlanKind) => {
    const page = await enginePage(browser);
    return page.call<ValidationReport>('/src/cli/validate-in-page.ts', 'validateModel', { source, plan });
  };

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
    const behind = report.layers.slice(report.layers.findIndex(({ op }) => op === 'image-to-tensor'));
    expect(behind.map(({ op }) => op)).toEqual(
      behind[1]!.name === 'stem of pixels'
        ? ['image-to-tensor', 'conv2d', 'rank-classes']
        : ['image-to-tensor', 'rank-classes'],
    );
  });
});
