/** What the quantiser writes is what LiteRT.js runs: one of each operator, within the roundings of the operators. */
import { expect, test } from 'vitest';
import type { Graph, Node } from '../../src/index.ts';
import { loadGraph } from '../../src/loaders/index.ts';
import { runPasses } from '../../src/passes/index.ts';
import { runGraph } from '../../src/reference/index.ts';
import { liteRtOutputs } from './litert.ts';
import { normalisedMeanSquareError, randomValues } from './oracles.ts';
import { quantised, uniform } from './quantiser.ts';

const none = { top: 0, left: 0, bottom: 0, right: 0 };
const conv = (name: string, input: string, from: number, to: number, more: object = {}): Node => ({
  op: 'conv2d',
  name,
  inputs: [input],
  output: name,
  weights: randomValues(from * to, name.length, -1, 1),
  bias: randomValues(to, name.length + 1, -0.5, 0.5),
  kernel: [1, 1],
  stride: [1, 1],
  dilation: [1, 1],
  padding: none,
  groups: 1,
  outChannels: to,
  activation: 'none',
  ...more,
});

const graph: Graph = {
  name: 'all',
  inputs: [{ name: 'x', shape: [1, 8, 8, 4] }],
  outputs: [{ name: 'y', tensor: 'y' }],
  nodes: [
    conv('a', 'x', 4, 8, { activation: 'relu6' }),
    conv('bb', 'x', 4, 4, { activation: 'hard-swish' }),
    { op: 'concat', name: 'c', inputs: ['a', 'bb'], output: 'c' },
    {
      op: 'pool',
      name: 'd',
      inputs: ['c'],
      output: 'd',
      kind: 'max',
      kernel: [2, 2],
      stride: [2, 2],
      padding: none,
      countPadding: false,
    },
    { op: 'prelu', name: 'e', inputs: ['d'], output: 'e', slope: randomValues(12, 5, -0.5, 0.5) },
    { op: 'resize', name: 'f', inputs: ['e'], output: 'f', size: [8, 8], mode: 'bilinear', corners: 'half-pixel' },
    { op: 'global-average-pool', name: 'g', inputs: ['f'], output: 'g' },
    conv('hhhh', 'g', 12, 12, { activation: 'sigmoid' }),
    { op: 'multiply', name: 'i', inputs: ['f', 'hhhh'], output: 'i', activation: 'none' },
    { op: 'add', name: 'y', inputs: ['i', 'c'], output: 'y', activation: 'relu' },
  ],
};

const example = (seed: number) => randomValues(8 * 8 * 4, seed, -1, 1);

test.each(['ranges', 'operators'] as const)('activations as %s', async (activations) => {
  const examples = Array.from({ length: 8 }, (_, i) => example(i));
  const files = await quantised(graph, examples, [
    { type: 'int8', activations, ends: 'floats' },
    { type: 'uint8', activations, ends: 'floats' },
  ]);
  const x = example(50);
  const real = runGraph(graph, { x }).y!.data;
  for (const { bytes } of files) {
    const expected = (await liteRtOutputs(bytes, { x: { dims: [1, 8, 8, 4], data: x } })).y!.data;
    const found = runGraph(runPasses(await loadGraph({ name: 'all.tflite', bytes })), { x }).y!.data;
    expect(normalisedMeanSquareError(expected, real)).toBeLessThan(0.005);
    expect(normalisedMeanSquareError(found, expected)).toBeLessThan(0.005);
  }
});

test('zero is a whole number of every range', () => {
  expect(uniform('uint8', { low: 0, high: 6 })).toEqual({
    scales: [Math.fround(6 / 255)],
    zeroPoints: [0],
    dimension: 0,
  });
  // Between −1 and 0: the scale is rounded to float32.
  expect(uniform('int8', { low: -1, high: 1 }).zeroPoints).toEqual([-1]);
  expect(uniform('int8', { low: 0, high: 0 })).toEqual({ scales: [1], zeroPoints: [-128], dimension: 0 });
});
