import { expect, test } from 'vitest';
import { layerCosts } from '../../src/graph/cost.ts';
import type { Graph } from '../../src/graph/graph.ts';
import type { ConvTranspose2d, Pair } from '../../src/graph/ops.ts';
import { type Counter, runGraph, runNode } from '../../src/reference/index.ts';
import { base, conv, counting, random, tensor } from './nodes.ts';

const transposed = (
  kernel: Pair,
  size: Pair,
  weights: ArrayLike<number>,
  options: Partial<Omit<ConvTranspose2d, 'op' | 'kernel' | 'size' | 'weights'>> = {},
): ConvTranspose2d => ({
  ...base,
  op: 'conv-transpose2d',
  kernel,
  size,
  weights: Float32Array.from(weights),
  bias: null,
  stride: [2, 2],
  dilation: [1, 1],
  crop: [0, 0],
  outChannels: 1,
  activation: 'none',
  ...options,
});

test('a 2 × 2 kernel at stride 2 lays each pixel on a square of its own', () => {
  const { shape, data } = runNode(transposed([2, 2], [4, 4], [1, 10, 100, 1000]), [counting([1, 2, 2, 1])]);
  expect(shape).toEqual([1, 4, 4, 1]);
  expect([...data]).toEqual([1, 10, 2, 20, 100, 1000, 200, 2000, 3, 30, 4, 40, 300, 3000, 400, 4000]);
});

test('where kernels overlap, products add up', () => {
  // 1 2 3 laid out a step apart with the kernel 1 10 100.
  const node = transposed([1, 3], [1, 5], [1, 10, 100], { stride: [1, 1] });
  expect([...runNode(node, [counting([1, 1, 3, 1])]).data]).toEqual([1, 12, 123, 230, 300]);
  // Of which the first is left out, and one further than there is sees the bias alone.
  const cropped = { ...node, crop: [0, 1] as const, size: [1, 4] as const };
  expect([...runNode(cropped, [counting([1, 1, 3, 1])]).data]).toEqual([12, 123, 230, 300]);
  const wider = transposed([1, 2], [1, 6], [1, 10], { stride: [3, 3], bias: Float32Array.of(5) });
  expect([...runNode(wider, [counting([1, 1, 2, 1])]).data]).toEqual([6, 15, 5, 7, 25, 5]);
});

test('dilation spreads the kernel, weights are [ky][kx][cin][cout], and the activation comes last', () => {
  const node = transposed([1, 2], [1, 3], [1, 2, 10, 20, 3, 4, 30, 40], {
    dilation: [1, 2],
    outChannels: 2,
    bias: Float32Array.of(0, -30),
    activation: 'relu',
  });
  // Pixel (1, 1): tap 0 gives 1 + 10 and 2 + 20, tap 1, two further, 3 + 30 and 4 + 40.
  expect([...runNode(node, [tensor([1, 1, 1, 2], [1, 1])]).data]).toEqual([11, 0, 0, 0, 33, 14]);
});

test('is the transpose of the convolution: ⟨conv(a), b⟩ = ⟨a, transposed(b)⟩', () => {
  const padding = { top: 1, left: 0, bottom: 1, right: 2 };
  const weights = random([3, 3, 4, 5], 3).data;
  const forward = conv([3, 3], 5, weights, { stride: [2, 3], dilation: [1, 2], padding });
  const a = random([2, 8, 11, 4], 1);
  const there = runNode(forward, [a]);
  const b = random(there.shape, 2);
  // Weights of the way back: inputs and outputs exchanged.
  const back = new Float32Array(weights.length);
  for (let tap = 0; tap < 9; tap++) {
    for (let i = 0; i < 4; i++)
      for (let o = 0; o < 5; o++) back[(tap * 5 + o) * 4 + i] = weights[(tap * 4 + i) * 5 + o]!;
  }
  const node = transposed([3, 3], [8, 11], back, {
    stride: [2, 3],
    dilation: [1, 2],
    crop: [padding.top, padding.left],
    outChannels: 4,
  });
  const dot = (x: Float32Array, y: Float32Array) => x.reduce((sum, v, i) => sum + v * y[i]!, 0);
  expect(dot(a.data, runNode(node, [b]).data)).toBeCloseTo(dot(there.data, b.data), 4);
});

test('costs what is counted, and what does not fit is refused', () => {
  const node = transposed([3, 2], [7, 8], random([3, 2, 4, 5], 1).data, { outChannels: 5, crop: [1, 1] });
  const graph: Graph = {
    name: 'g',
    inputs: [{ name: 'a', shape: [2, 4, 4, 4] }],
    outputs: [{ name: 'b', tensor: 'b' }],
    nodes: [node],
  };
  const counter: Counter = { multiplications: 0 };
  runGraph(graph, { a: random([2, 4, 4, 4], 2).data }, { counter });
  expect(layerCosts(graph)[0]).toMatchObject({
    kind: 'transposed',
    multiplications: counter.multiplications,
    parameters: 120,
    shape: [2, 7, 8, 5],
  });
  expect(counter.multiplications).toBe(2 * 16 * 6 * 20);
  const bad = (change: Partial<ConvTranspose2d>) => () =>
    layerCosts({ ...graph, nodes: [{ ...node, ...change } as ConvTranspose2d] });
  expect(bad({ weights: new Float32Array(3) })).toThrow(/weights has 3 values, expected 120/);
  expect(bad({ crop: [9, 0] })).toThrow(/does not fit the input/);
  expect(bad({ size: [10, 8] })).toThrow(/output of \[10,8\] behind \[1,1\] does not fit the input/);
  expect(bad({ size: [0, 8] })).toThrow(/expected whole numbers ≥ 1/);
  expect(bad({ crop: [-1, 0] })).toThrow(/expected whole numbers ≥ 0/);
});
