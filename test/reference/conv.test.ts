import { describe, expect, test } from 'vitest';
import { samePadding } from '../../src/graph/shapes.ts';
import { runNode } from '../../src/reference/index.ts';
import { base, conv, counting, tensor } from './nodes.ts';

const ones = (length: number) => new Float32Array(length).fill(1);

describe('normal convolution', () => {
  test('a 2 × 2 kernel over a 3 × 3 picture', () => {
    //  1 2 3
    //  4 5 6   kernel 1 2 / 3 4:  1·1 + 2·2 + 4·3 + 5·4 = 37, and so on.
    //  7 8 9
    const { shape, data } = runNode(conv([2, 2], 1, [1, 2, 3, 4]), [counting([1, 3, 3, 1])]);
    expect(shape).toEqual([1, 2, 2, 1]);
    expect([...data]).toEqual([37, 47, 67, 77]);
  });

  test('channels: weights are [ky][kx][cin][cout]', () => {
    // Pixel (1, 2, 3); output 0 takes 1·1 + 2·10 + 3·100, output 1 takes 1·2 + 2·20 + 3·200; biases 1000 and −1000.
    const node = conv([1, 1], 2, [1, 2, 10, 20, 100, 200], { bias: Float32Array.of(1000, -1000) });
    expect([...runNode(node, [tensor([1, 1, 1, 3], [1, 2, 3])]).data]).toEqual([1321, -358]);
  });

  test('a batch: each image by itself', () => {
    const { data } = runNode(conv([1, 2], 1, [1, -1]), [tensor([2, 1, 3, 1], [1, 2, 4, 10, 20, 50])]);
    expect([...data]).toEqual([-1, -2, -10, -30]);
  });

  test('kernels and strides that differ by axis', () => {
    // Rows 0 and 2 of the picture, columns (0, 1, 2) and (2, 3, 4); sums of three neighbours.
    const { shape, data } = runNode(conv([1, 3], 1, ones(3), { stride: [2, 2] }), [counting([1, 3, 5, 1])]);
    expect(shape).toEqual([1, 2, 2, 1]);
    expect([...data]).toEqual([6, 12, 36, 42]);
  });

  test('padding on one side only shifts the picture', () => {
    // One column of zeros on the left: the window [x − 1, x] of 1 2 3 with weights 10, 1.
    const node = conv([1, 2], 1, [10, 1], { padding: { top: 0, left: 1, bottom: 0, right: 0 } });
    expect([...runNode(node, [counting([1, 1, 3, 1])]).data]).toEqual([1, 12, 23]);
    const right = conv([1, 2], 1, [10, 1], { padding: { top: 0, left: 0, bottom: 0, right: 1 } });
    expect([...runNode(right, [counting([1, 1, 3, 1])]).data]).toEqual([12, 23, 30]);
  });

  test('padding of every side, each different', () => {
    const padding = { top: 2, left: 1, bottom: 0, right: 3 };
    const { shape, data } = runNode(conv([1, 1], 1, [5], { padding }), [tensor([1, 1, 1, 1], [2])]);
    expect(shape).toEqual([1, 3, 5, 1]);
    expect([...data]).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 10, 0, 0, 0]);
  });

  test('at stride 2 and an even size TensorFlow pads (0, 1) where PyTorch pads (1, 1)', () => {
    // 1 2 3 4, a kernel of three ones. SAME: 1+2+3 and 3+4+0. PyTorch: 0+1+2 and 2+3+4.
    const input = counting([1, 1, 4, 1]);
    const padding = samePadding([1, 4], [1, 3], [1, 2]);
    expect(padding).toEqual({ top: 0, left: 0, bottom: 0, right: 1 });
    const same = runNode(conv([1, 3], 1, ones(3), { stride: [1, 2], padding }), [input]);
    expect([...same.data]).toEqual([6, 7]);
    const symmetric = { top: 0, left: 1, bottom: 0, right: 1 };
    const torch = runNode(conv([1, 3], 1, ones(3), { stride: [1, 2], padding: symmetric }), [input]);
    expect([...torch.data]).toEqual([3, 9]);
  });

  test('dilation 2 takes every second pixel', () => {
    // 1·1 + 3·10 + 5·100, then 2, 4, 6.
    const node = conv([1, 3], 1, [1, 10, 100], { dilation: [1, 2] });
    expect([...runNode(node, [counting([1, 1, 6, 1])]).data]).toEqual([531, 642]);
  });

  test('dilation, stride and padding together', () => {
    // Vertical, kernel taps at −1, 2 and 1, 4 and 3, 6 of 1 2 3 4 5 (outside: 0) with weights 1, 10.
    const node = conv([2, 1], 1, [1, 10], {
      dilation: [3, 1],
      stride: [2, 1],
      padding: { top: 1, left: 0, bottom: 2, right: 0 },
    });
    expect([...runNode(node, [counting([1, 5, 1, 1])]).data]).toEqual([30, 52, 4]);
  });

  test('sums are float64: a small term survives between two large ones', () => {
    const node = conv([1, 1], 1, [1, 1, 1]);
    expect([...runNode(node, [tensor([1, 1, 1, 3], [2 ** 30, 0.25, -(2 ** 30)])]).data]).toEqual([0.25]);
  });
});

describe('groups', () => {
  test('depthwise: a kernel for each channel', () => {
    // Channel 0 is 1 3, weights 1, 10; channel 1 is 2 4, weights 100, 1000.
    const node = conv([1, 2], 2, [1, 100, 10, 1000], { groups: 2 });
    expect([...runNode(node, [counting([1, 1, 2, 2])]).data]).toEqual([31, 4200]);
  });

  test('a multiplier of 2: outputs 0, 1 of channel 0, outputs 2, 3 of channel 1', () => {
    const node = conv([1, 1], 4, [1, 10, 100, 1000], { groups: 2 });
    expect([...runNode(node, [tensor([1, 1, 1, 2], [2, 3])]).data]).toEqual([2, 20, 300, 3000]);
  });

  test('two groups of two inputs and one output', () => {
    // weights [cin / groups = 2][cout = 2]: output 0 = 1·a + 3·b, output 1 = 2·c + 4·d.
    const node = conv([1, 1], 2, [1, 2, 3, 4], { groups: 2 });
    expect([...runNode(node, [tensor([1, 1, 1, 4], [1, 10, 100, 1000])]).data]).toEqual([31, 4200]);
  });
});

describe('what comes after the sum', () => {
  test('bias, then the activation, then the residual', () => {
    // max(−5 + 2, 0) + 7 = 7; max(1 + 2, 0) + 8 = 11: the residual is not rectified and not in the relu.
    const node = conv([1, 1], 1, [1], { bias: Float32Array.of(2), activation: 'relu', inputs: ['a', 'r'] });
    const inputs = [tensor([1, 1, 2, 1], [-5, 1]), tensor([1, 1, 2, 1], [7, 8])];
    expect([...runNode(node, inputs).data]).toEqual([7, 11]);
  });

  test('relu6 caps', () => {
    const node = conv([1, 1], 1, [2], { activation: 'relu6' });
    expect([...runNode(node, [tensor([1, 1, 3, 1], [-1, 2, 4])]).data]).toEqual([0, 4, 6]);
  });
});

describe('fully connected', () => {
  test('flattens NHWC as it lies; weights are [in][out]', () => {
    // (1, 2, 3, 4) · columns (1, 1, 1, 1) and (1, 10, 100, 1000), biases −3, 1.
    const node = {
      ...base,
      op: 'fully-connected',
      weights: Float32Array.of(1, 1, 1, 10, 1, 100, 1, 1000),
      bias: Float32Array.of(-3, 1),
      outFeatures: 2,
      activation: 'none',
    } as const;
    const { shape, data } = runNode(node, [counting([1, 2, 1, 2])]);
    expect(shape).toEqual([1, 1, 1, 2]);
    expect([...data]).toEqual([7, 4322]);
  });

  test('a batch, no bias, an activation, and the count', () => {
    const node = {
      ...base,
      op: 'fully-connected',
      weights: Float32Array.of(1, -1),
      bias: null,
      outFeatures: 1,
      activation: 'relu',
    } as const;
    const counter = { multiplications: 0 };
    const { data } = runNode(node, [tensor([2, 1, 1, 2], [3, 1, 1, 3])], { counter });
    expect([...data]).toEqual([2, 0]);
    expect(counter.multiplications).toBe(4);
  });
});
