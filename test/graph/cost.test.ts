import { describe, expect, it } from 'vitest';
import { normalConvolution, separableConvolution } from '../../src/architectures/lesson.ts';
import { layerCosts, networkCost, separableRatio } from '../../src/graph/cost.ts';
import { seededInputs } from '../../src/random-inputs.ts';
import { type Counter, runGraph } from '../../src/reference/index.ts';
import { compareOutputs } from '../../src/validate/compare.ts';

const lessons = [
  { size: 6, kernel: 3, inChannels: 3, outChannels: 5, normal: 2160, depthwise: 432, pointwise: 240 },
  { size: 6, kernel: 3, inChannels: 6, outChannels: 8, normal: 6912, depthwise: 864, pointwise: 768 },
  { size: 5, kernel: 3, inChannels: 4, outChannels: 512, normal: 165_888, depthwise: 324, pointwise: 18_432 },
];

describe.each(lessons)('$size×$size×$inChannels, $kernel×$kernel → $outChannels channels', (lesson) => {
  const normal = normalConvolution(lesson);
  const separable = separableConvolution(lesson);

  it('costs what the definition says, by the cost model and by counting in the reference', () => {
    expect(layerCosts(normal).map(({ kind, multiplications }) => [kind, multiplications])).toEqual([
      ['normal', lesson.normal],
    ]);
    expect(layerCosts(separable).map(({ kind, multiplications }) => [kind, multiplications])).toEqual([
      ['depthwise', lesson.depthwise],
      ['pointwise', lesson.pointwise],
    ]);
    for (const graph of [normal, separable]) {
      const counter: Counter = { multiplications: 0 };
      runGraph(graph, seededInputs(graph), { counter });
      expect(counter.multiplications).toBe(networkCost(graph).macs);
    }
  });

  it('has the ratio 1/n_c′ + 1/f²', () => {
    const ratio = networkCost(separable).macs / networkCost(normal).macs;
    expect(ratio).toBeCloseTo(separableRatio(lesson.outChannels, lesson.kernel), 12);
    expect(networkCost(separable).macsWithNormalConvolutions).toBe(lesson.normal);
  });

  it('gives the same result both ways when the filter is composed', () => {
    const inputs = seededInputs(normal);
    const [a, b] = [runGraph(normal, inputs).output!, runGraph(separable, inputs).output!];
    expect(a.shape).toEqual(b.shape);
    expect(compareOutputs(a.data, b.data).nmse).toBeLessThan(1e-12);
  });
});

it('rounds to the known ratios', () => {
  expect(separableRatio(5, 3)).toBeCloseTo(0.311, 3);
  expect(separableRatio(512, 3)).toBeCloseTo(1 / 9, 2);
});
