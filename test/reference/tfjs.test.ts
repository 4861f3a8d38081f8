/** The reference against TensorFlow.js's CPU backend, an independent implementation, on random odd-sized inputs. */
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Activation, Node, Pair, Shape } from '../../src/graph/ops.ts';
import { noPadding, samePadding } from '../../src/graph/shapes.ts';
import type { Tensor } from '../../src/reference/index.ts';
import { runWithBound } from '../../src/validate/bounds.ts';
import { base, conv, pooling, random } from './nodes.ts';

beforeAll(() => tf.setBackend('cpu'));
beforeAll(() => tf.engine().startScope());
afterAll(() => tf.engine().endScope());

const four = (tensor: Tensor) => tf.tensor4d(tensor.data, [...tensor.shape]);
const weightsOf = (shape: Shape, seed: number) => random(shape, seed).data;

/** TensorFlow.js sums some in float32: equal within the bound that a float32 evaluation in any order keeps. */
function expectEqual(node: Node, input: Tensor, expected: tf.Tensor): void {
  const { output, bound } = runWithBound(node, [input]);
  expect(output.shape).toEqual(expected.shape);
  const values = expected.dataSync();
  for (const [i, value] of output.data.entries()) {
    expect(Math.abs(value - values[i]!)).toBeLessThanOrEqual(bound[i]!);
  }
}

const convolutions: {
  input: Shape;
  kernel: Pair;
  stride: number;
  dilation: number;
  outputs: number;
  pad: 'same' | 'valid';
}[] = [
  { input: [1, 7, 9, 3], kernel: [3, 3], stride: 1, dilation: 1, outputs: 5, pad: 'valid' },
  { input: [2, 8, 8, 3], kernel: [3, 3], stride: 2, dilation: 1, outputs: 4, pad: 'same' },
  { input: [1, 9, 7, 2], kernel: [3, 3], stride: 2, dilation: 1, outputs: 7, pad: 'same' },
  { input: [3, 5, 6, 1], kernel: [5, 3], stride: 1, dilation: 1, outputs: 2, pad: 'same' },
  { input: [1, 11, 10, 4], kernel: [3, 3], stride: 1, dilation: 2, outputs: 3, pad: 'same' },
  { input: [1, 5, 5, 130], kernel: [1, 1], stride: 1, dilation: 1, outputs: 8, pad: 'valid' },
];

test.each(convolutions)('conv2d $input kernel $kernel stride $stride dilation $dilation $pad', (c) => {
  const input = random(c.input, 11);
  const weights = weightsOf([...c.kernel, c.input[3], c.outputs], 12);
  const bias = weightsOf([1, 1, 1, c.outputs], 13);
  const pair: Pair = [c.stride, c.stride];
  const dilation: Pair = [c.dilation, c.dilation];
  const padding = c.pad === 'same' ? samePadding([c.input[1], c.input[2]], c.kernel, pair, dilation) : noPadding;
  const node = conv(c.kernel, c.outputs, weights, { bias, stride: pair, dilation, padding });
  const filter = tf.tensor4d(weights, [...c.kernel, c.input[3], c.outputs]);
  const expected = tf.add(tf.conv2d(four(input), filter, c.stride, c.pad, 'NHWC', c.dilation), tf.tensor1d(bias));
  expectEqual(node, input, expected);
});

test.each([
  { input: [1, 7, 9, 5] as Shape, kernel: [3, 3] as Pair, stride: 1, dilation: 1, multiplier: 1, pad: 'same' as const },
  { input: [2, 8, 8, 3] as Shape, kernel: [3, 3] as Pair, stride: 2, dilation: 1, multiplier: 1, pad: 'same' as const },
  {
    input: [1, 9, 9, 4] as Shape,
    kernel: [5, 5] as Pair,
    stride: 2,
    dilation: 1,
    multiplier: 2,
    pad: 'valid' as const,
  },
  {
    input: [1, 9, 11, 3] as Shape,
    kernel: [3, 3] as Pair,
    stride: 1,
    dilation: 2,
    multiplier: 3,
    pad: 'same' as const,
  },
])('depthwise $input kernel $kernel stride $stride dilation $dilation multiplier $multiplier $pad', (c) => {
  const input = random(c.input, 21);
  const channels = c.input[3];
  const outputs = channels * c.multiplier;
  // TensorFlow's [ky][kx][channels][multiplier] is [ky][kx][1][outputs] row-major.
  const weights = weightsOf([...c.kernel, channels, c.multiplier], 22);
  const pair: Pair = [c.stride, c.stride];
  const dilation: Pair = [c.dilation, c.dilation];
  const padding = c.pad === 'same' ? samePadding([c.input[1], c.input[2]], c.kernel, pair, dilation) : noPadding;
  const node = conv(c.kernel, outputs, weights, { groups: channels, stride: pair, dilation, padding });
  const filter = tf.tensor4d(weights, [...c.kernel, channels, c.multiplier]);
  expectEqual(node, input, tf.depthwiseConv2d(four(input), filter, c.stride, c.pad, 'NHWC', c.dilation));
});

test.each([
  { input: [1, 7, 9, 3] as Shape, kernel: [3, 3] as Pair, stride: 2, pad: 'same' as const },
  { input: [2, 8, 6, 5] as Shape, kernel: [3, 2] as Pair, stride: 2, pad: 'same' as const },
  { input: [1, 9, 9, 2] as Shape, kernel: [2, 2] as Pair, stride: 1, pad: 'valid' as const },
])('average and max pool $input window $kernel stride $stride $pad', ({ input: shape, kernel, stride, pad }) => {
  const input = random(shape, 31);
  const pair: Pair = [stride, stride];
  const padding = pad === 'same' ? samePadding([shape[1], shape[2]], kernel, pair) : noPadding;
  expectEqual(pooling('average', kernel, pair, { padding }), input, tf.avgPool(four(input), [...kernel], stride, pad));
  expectEqual(pooling('max', kernel, pair, { padding }), input, tf.maxPool(four(input), [...kernel], stride, pad));
});

test.each([
  [7, 5, 13, 11],
  [9, 13, 4, 6],
  [3, 3, 3, 7],
  [5, 4, 1, 1],
])('resize %i × %i → %i × %i, every corner rule of TensorFlow', (height, width, newHeight, newWidth) => {
  const input = random([2, height, width, 3], 41);
  const size: Pair = [newHeight, newWidth];
  for (const [corners, align, half] of [
    ['align', true, false],
    ['half-pixel', false, true],
    ['asymmetric', false, false],
  ] as const) {
    const node = { ...base, op: 'resize', size, corners } as const;
    expectEqual({ ...node, mode: 'bilinear' }, input, tf.image.resizeBilinear(four(input), [...size], align, half));
  }
});

test('softmax, global average, batch-norm', () => {
  const input = random([2, 5, 3, 7], 51);
  expectEqual({ ...base, op: 'softmax' }, input, tf.softmax(four(input)));
  expectEqual({ ...base, op: 'global-average-pool' }, input, tf.mean(four(input), [1, 2], true));
  const [scale, shift, mean] = [52, 53, 54].map((seed) => weightsOf([1, 1, 1, 7], seed)) as [
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  const variance = weightsOf([1, 1, 1, 7], 55).map((v) => v * v);
  const node: Node = { ...base, op: 'batch-norm', scale, shift, mean, variance, epsilon: 0.25 };
  const [m, v, o, s] = [mean, variance, shift, scale].map((values) => tf.tensor1d(values)) as tf.Tensor1D[];
  expectEqual(node, input, tf.batchNorm(four(input), m!, v!, o, s, 0.25));
});

test('fully connected', () => {
  const input = random([2, 3, 3, 5], 61);
  const weights = weightsOf([1, 1, 45, 4], 62);
  const node: Node = { ...base, op: 'fully-connected', weights, bias: null, outFeatures: 4, activation: 'none' };
  const expected = tf.matMul(tf.tensor2d(input.data, [2, 45]), tf.tensor2d(weights, [45, 4]));
  expectEqual(node, input, tf.reshape(expected, [2, 1, 1, 4]));
});

test.each([
  ['relu', tf.relu],
  ['relu6', tf.relu6],
  ['sigmoid', tf.sigmoid],
] as [Activation, (x: tf.Tensor) => tf.Tensor][])('%s', (activation, theirs) => {
  const input = random([1, 5, 5, 3], 71);
  for (const [i, value] of input.data.entries()) input.data[i] = 10 * value;
  expectEqual({ ...base, op: 'activation', activation }, input, theirs(four(input)));
});
