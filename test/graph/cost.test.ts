import { describe, expect, it } from 'vitest';
import { normalConvolution, separableConvolution } from '../../demo/learn/graphs.ts';
import { layerCosts, networkCost, separableRatio } from '../../src/graph/cost.ts';
import type { Graph } from '../../src/graph/graph.ts';
import type { Conv2d, Node } from '../../src/graph/ops.ts';
import { seededInputs } from '../../src/graph/random-inputs.ts';
import { noPadding } from '../../src/graph/shapes.ts';
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

it('counts a fused block whose residual comes from elsewhere as its parts', () => {
  const pointwise = (name: string, inputs: string[]): Conv2d => ({
    op: 'conv2d',
    name,
    inputs,
    output: name,
    weights: new Float32Array(16).fill(0.25),
    bias: null,
    kernel: [1, 1],
    stride: [1, 1],
    dilation: [1, 1],
    padding: noPadding,
    groups: 1,
    outChannels: 4,
    activation: 'none',
  });
  const depthwise: Conv2d = {
    ...pointwise('depthwise', ['before']),
    weights: new Float32Array(36).fill(1 / 9),
    kernel: [3, 3],
    padding: { top: 1, left: 1, bottom: 1, right: 1 },
    groups: 4,
  };
  const parts = [depthwise, pointwise('project', ['depthwise', 'input'])];
  const inputs = [{ name: 'input', shape: [1, 5, 5, 4] as const }];
  const graph = (nodes: readonly Node[]) => ({
    name: 'block',
    inputs,
    outputs: [{ name: 'output', tensor: 'project' }],
    nodes: [pointwise('before', ['input']), ...nodes],
  });
  const block: Node = { op: 'fused', name: 'project', inputs: ['before', 'input'], output: 'project', parts };
  expect(networkCost(graph([block]))).toEqual(networkCost(graph(parts)));
  expect(layerCosts(graph([block])).map(({ multiplications }) => multiplications)).toEqual([400, 900 + 400]);
});

it('does not count a pointwise convolution twice where two depthwise ones reach it', () => {
  const lesson = { size: 6, kernel: 3, inChannels: 3, outChannels: 5 };
  const separable = separableConvolution(lesson);
  const [depthwise, pointwise] = separable.nodes as [Conv2d, Conv2d];
  const twice: Graph = {
    ...separable,
    nodes: [
      depthwise,
      { ...depthwise, name: 'second', output: 'second' },
      { op: 'multiply', name: 'product', inputs: ['depthwise', 'second'], output: 'product', activation: 'none' },
      { ...pointwise, inputs: ['product'] },
    ],
  };
  expect(networkCost(twice)).toMatchObject({ macs: 2 * 432 + 240, macsWithNormalConvolutions: 2160 + 432 });
});

it('rounds to the known ratios', () => {
  expect(separableRatio(5, 3)).toBeCloseTo(0.311, 3);
  expect(separableRatio(512, 3)).toBeCloseTo(1 / 9, 2);
});
