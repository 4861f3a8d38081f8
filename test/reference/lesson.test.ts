/**
 * The worked example of depthwise-separable convolution: a picture of n × n pixels and n_c channels, n_c' kernels of
 * f × f. In the example n = 6, f = 3, n_c = 3, n_c' = 5, no padding: the output is 4 × 4 × 5.
 */
import { describe, expect, test } from 'vitest';
import { runNode, type Tensor } from '../../src/reference/index.ts';
import { conv, random } from './nodes.ts';

const normal = (f: number, channels: number, outputs: number, weights = random([f, f, channels, outputs], 1).data) =>
  conv([f, f], outputs, weights);

const depthwise = (f: number, channels: number) =>
  conv([f, f], channels, random([f, f, 1, channels], 2).data, { groups: channels });

const pointwise = (channels: number, outputs: number) =>
  conv([1, 1], outputs, random([1, 1, channels, outputs], 3).data);

function counted(node: ReturnType<typeof conv>, input: Tensor) {
  const counter = { multiplications: 0 };
  return { output: runNode(node, [input], { counter }), multiplications: counter.multiplications };
}

describe('6 × 6 × 3 with five 3 × 3 kernels', () => {
  const picture = random([1, 6, 6, 3], 4);

  test('a normal convolution multiplies 2160 times', () => {
    const { output, multiplications } = counted(normal(3, 3, 5), picture);
    expect(output.shape).toEqual([1, 4, 4, 5]);
    // Kernel 3 · 3 · 3, positions 4 · 4, kernels 5.
    expect(multiplications).toBe(2160);
  });

  test('depthwise 432, pointwise 240, together 672: 0.31 of the normal one', () => {
    const first = counted(depthwise(3, 3), picture);
    expect(first.output.shape).toEqual([1, 4, 4, 3]);
    expect(first.multiplications).toBe(432);
    const second = counted(pointwise(3, 5), first.output);
    expect(second.output.shape).toEqual([1, 4, 4, 5]);
    expect(second.multiplications).toBe(240);
    const ratio = (first.multiplications + second.multiplications) / 2160;
    expect(ratio).toBeCloseTo(0.3111, 4);
    // 1 / n_c' + 1 / f².
    expect(ratio).toBeCloseTo(1 / 5 + 1 / 9, 12);
  });

  test('one counter adds up over calls', () => {
    const counter = { multiplications: 0 };
    const between = runNode(depthwise(3, 3), [picture], { counter });
    runNode(pointwise(3, 5), [between], { counter });
    expect(counter.multiplications).toBe(672);
  });
});

test.each([
  { channels: 3, outputs: 5 },
  { channels: 6, outputs: 8 },
])(
  '$channels → $outputs: depthwise then pointwise is the normal convolution with w[y,x,c,k] = d[y,x,c] · p[c,k]',
  ({ channels, outputs }) => {
    const picture = random([1, 6, 6, channels], 5);
    const [d, p] = [depthwise(3, channels), pointwise(channels, outputs)];
    const composed = new Float32Array(3 * 3 * channels * outputs);
    for (let yx = 0; yx < 9; yx++) {
      for (let c = 0; c < channels; c++) {
        for (let k = 0; k < outputs; k++) {
          composed[(yx * channels + c) * outputs + k] = d.weights[yx * channels + c]! * p.weights[c * outputs + k]!;
        }
      }
    }
    const separable = runNode(p, [runNode(d, [picture])]);
    const direct = runNode(normal(3, channels, outputs, composed), [picture]);
    expect(separable.shape).toEqual([1, 4, 4, outputs]);
    expect(direct.shape).toEqual(separable.shape);
    // The composed weights and the tensor between are rounded to float32.
    for (const [i, value] of separable.data.entries()) expect(Math.abs(value - direct.data[i]!)).toBeLessThan(3e-6);
  },
);

test('6 → 8 channels: 48 weights of a 1 × 1 kernel at each of 16 positions', () => {
  const first = counted(depthwise(3, 6), random([1, 6, 6, 6], 6));
  expect(first.multiplications).toBe(3 * 3 * 4 * 4 * 6);
  const second = counted(pointwise(6, 8), first.output);
  expect(second.output.shape).toEqual([1, 4, 4, 8]);
  expect(second.multiplications).toBe(16 * 48);
});

test('512 outputs: about a ninth', () => {
  const picture = random([1, 6, 6, 3], 7);
  const first = counted(depthwise(3, 3), picture);
  const second = counted(pointwise(3, 512), first.output);
  const whole = counted(normal(3, 3, 512), picture);
  const ratio = (first.multiplications + second.multiplications) / whole.multiplications;
  expect(ratio).toBeCloseTo(1 / 512 + 1 / 9, 12);
  expect(ratio).toBeCloseTo(0.113, 3);
});

test('padded places are multiplied too, as zeros', () => {
  const node = conv([3, 3], 1, new Float32Array(9).fill(1), { padding: { top: 1, left: 1, bottom: 1, right: 1 } });
  const { output, multiplications } = counted(node, random([1, 2, 2, 1], 8));
  expect(output.shape).toEqual([1, 2, 2, 1]);
  expect(multiplications).toBe(4 * 9);
});
