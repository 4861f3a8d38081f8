import { describe, expect, test } from 'vitest';
import type { Activation, Node, Resize } from '../../src/graph/ops.ts';
import { runNode } from '../../src/reference/index.ts';
import { base, counting, pooling, tensor } from './nodes.ts';

const row = (...values: number[]) => tensor([1, 1, values.length, 1], values);
const run = (node: Node, ...inputs: Parameters<typeof runNode>[1]) => [...runNode(node, inputs).data];

describe('activations', () => {
  const values = (activation: Activation, ...x: number[]) => run({ ...base, op: 'activation', activation }, row(...x));

  test('hard-swish x · relu6(x + 3) / 6', () => {
    // 1 · 4/6, −1 · 2/6, 2.5 · 5.5/6.
    const expected = [0, 0, 0, -1 / 3, 0, 2 / 3, (2.5 * 5.5) / 6, 3, 7];
    expect(values('hard-swish', -5, -3, 0, -1, -0, 1, 2.5, 3, 7)).toEqual(expected.map((x) => expect.closeTo(x, 6)));
  });

  test('hard-sigmoid relu6(x + 3) / 6', () => {
    expect(values('hard-sigmoid', -4, -3, 0, 1.5, 3, 9)).toEqual([0, 0, 0.5, 0.75, 1, 1]);
  });

  test('relu and relu6', () => {
    expect(values('relu', -1, 0.5, 100)).toEqual([0, 0.5, 100]);
    expect(values('relu6', -1, 0.5, 100)).toEqual([0, 0.5, 6]);
  });

  test('sigmoid, at both ends without NaN', () => {
    // 1 / (1 + 1/3) at ln 3.
    const expected = [0, 0.25, 0.5, 0.75, 1];
    expect(values('sigmoid', -1e30, -Math.log(3), 0, Math.log(3), 1e30)).toEqual(
      expected.map((x) => expect.closeTo(x, 6)),
    );
  });

  test('none', () => {
    expect(values('none', -1.5, 2)).toEqual([-1.5, 2]);
  });
});

describe('windowed pooling', () => {
  const picture = counting([1, 3, 3, 1]);

  test('maximum and mean of 2 × 2 windows', () => {
    expect(run(pooling('max', [2, 2], [1, 1]), picture)).toEqual([5, 6, 8, 9]);
    // (1 + 2 + 4 + 5) / 4.
    expect(run(pooling('average', [2, 2], [1, 1]), picture)).toEqual([3, 4, 6, 7]);
  });

  test('stride 2 drops what does not fill a window', () => {
    expect(run(pooling('max', [2, 2], [2, 2]), picture)).toEqual([5]);
  });

  test('the maximum ignores padded places, even where all values are negative', () => {
    const padding = { top: 0, left: 1, bottom: 0, right: 1 };
    expect(run(pooling('max', [1, 2], [1, 1], { padding }), row(-3, -1, -2))).toEqual([-3, -1, -1, -2]);
  });

  test('the mean counts padded places only where told to', () => {
    const padding = { top: 0, left: 1, bottom: 0, right: 1 };
    expect(run(pooling('average', [1, 2], [1, 1], { padding }), row(2, 4))).toEqual([2, 3, 4]);
    expect(run(pooling('average', [1, 2], [1, 1], { padding, countPadding: true }), row(2, 4))).toEqual([1, 3, 2]);
  });

  test('channels are apart', () => {
    // Channel 0: 1 3, channel 1: 2 4.
    expect(run(pooling('average', [1, 2], [1, 1]), counting([1, 1, 2, 2]))).toEqual([2, 3]);
  });
});

test('global average: (1 + 3 + 5 + 7) / 4 and (2 + 4 + 6 + 8) / 4, then the second image', () => {
  const { shape, data } = runNode({ ...base, op: 'global-average-pool' }, [counting([2, 2, 2, 2])]);
  expect(shape).toEqual([2, 1, 1, 2]);
  expect([...data]).toEqual([4, 5, 12, 13]);
});

describe('softmax', () => {
  const softmax: Node = { ...base, op: 'softmax' };

  test('of ln 1, ln 2, ln 5 is 1/8, 2/8, 5/8', () => {
    const values = run(softmax, tensor([1, 1, 1, 3], [0, Math.log(2), Math.log(5)]));
    expect(values).toEqual([0.125, 0.25, 0.625].map((x) => expect.closeTo(x, 6)));
  });

  test('large logits do not overflow', () => {
    expect(run(softmax, tensor([1, 1, 1, 3], [3e38, 3e38, -3e38]))).toEqual([0.5, 0.5, 0]);
    expect(run(softmax, tensor([1, 1, 1, 2], [-1e30, -1e30]))).toEqual([0.5, 0.5]);
  });

  test('each pixel by itself', () => {
    expect(run(softmax, tensor([1, 1, 2, 2], [1, 1, 0, 1000]))).toEqual([0.5, 0.5, 0, 1]);
  });
});

describe('elementwise', () => {
  const add: Node = { ...base, op: 'add', activation: 'none' };
  const multiply: Node = { ...base, op: 'multiply', activation: 'none' };

  test('equal shapes', () => {
    expect(run(add, row(1, 2), row(10, -20))).toEqual([11, -18]);
    expect(run(multiply, row(1, 2), row(10, -20))).toEqual([10, -40]);
  });

  test('an activation after', () => {
    expect(run({ ...add, activation: 'relu' } as Node, row(1, 2), row(10, -20))).toEqual([11, 0]);
    expect(run({ ...multiply, activation: 'relu6' } as Node, row(1, 2), row(10, -20))).toEqual([6, 0]);
  });

  test('a vector for each image is broadcast over its pixels', () => {
    const gate = tensor([2, 1, 1, 2], [1, 10, 100, 1000]);
    expect(run(multiply, counting([2, 1, 2, 2]), gate)).toEqual([1, 20, 3, 40, 500, 6000, 700, 8000]);
    expect(run(add, counting([2, 1, 2, 2]), gate)).toEqual([2, 12, 4, 14, 105, 1006, 107, 1008]);
  });

  test('one vector is broadcast over the images', () => {
    expect(run(multiply, counting([2, 1, 1, 2]), tensor([1, 1, 1, 2], [1, 10]))).toEqual([1, 20, 3, 40]);
  });

  test('affine per channel and for all', () => {
    const affine = { ...base, op: 'affine', scale: Float32Array.of(2, 3), shift: Float32Array.of(1, -1) } as const;
    expect(run(affine, counting([1, 1, 2, 2]))).toEqual([3, 5, 7, 11]);
    expect(run({ ...affine, scale: Float32Array.of(2) }, counting([1, 1, 2, 2]))).toEqual([3, 3, 7, 7]);
  });

  test('l2-normalize: vectors of length 1, but for what is shorter than epsilon', () => {
    const normalize = { ...base, op: 'l2-normalize', epsilon: 0.5 } as const;
    const found = run(normalize, tensor([1, 1, 2, 2], [3, -4, 0.125, 0.0625]));
    [0.6, -0.8, 0.25, 0.125].forEach((value, i) => {
      expect(found[i]).toBeCloseTo(value, 6);
    });
  });

  test('prelu per channel and for all; a slope above 1 and below 0 too', () => {
    const prelu = { ...base, op: 'prelu', slope: Float32Array.of(0.5, -2) } as const;
    expect(run(prelu, tensor([1, 1, 2, 2], [3, 3, -4, -4]))).toEqual([3, 3, -2, 8]);
    expect(run({ ...prelu, slope: Float32Array.of(1.5) }, tensor([1, 1, 1, 3], [-2, 0, 2]))).toEqual([-3, 0, 2]);
  });

  test('batch-norm: (x − mean) / √(variance + ε) · scale + shift', () => {
    // (5 − 1) / √(3 + 1) · 3 + 2 = 8; (0 − 2) / √(0 + 1) · 1 − 1 = −3.
    const node: Node = {
      ...base,
      op: 'batch-norm',
      scale: Float32Array.of(3, 1),
      shift: Float32Array.of(2, -1),
      mean: Float32Array.of(1, 2),
      variance: Float32Array.of(3, 0),
      epsilon: 1,
    };
    expect(run(node, tensor([1, 1, 1, 2], [5, 0]))).toEqual([8, -3]);
  });

  test('clip, with an open end', () => {
    expect(run({ ...base, op: 'clip', min: -1, max: 2 }, row(-5, 0, 5))).toEqual([-1, 0, 2]);
    expect(run({ ...base, op: 'clip', min: 0, max: Number.POSITIVE_INFINITY }, row(-5, 5))).toEqual([0, 5]);
  });
});

describe('resize', () => {
  const resize = (corners: Resize['corners'], width: number, mode: Resize['mode'] = 'bilinear'): Node => ({
    ...base,
    op: 'resize',
    size: [1, width],
    mode,
    corners,
  });

  test('2 → 4, the three corner rules', () => {
    // Coordinates 0 1/3 2/3 1; −1/4 1/4 3/4 5/4 clamped to [0, 1]; 0 1/2 1 3/2 clamped.
    expect(run(resize('align', 4), row(0, 12))).toEqual([0, expect.closeTo(4, 5), expect.closeTo(8, 5), 12]);
    expect(run(resize('half-pixel', 4), row(0, 12))).toEqual([0, 3, 9, 12]);
    expect(run(resize('asymmetric', 4), row(0, 12))).toEqual([0, 6, 12, 12]);
  });

  test('4 → 2 shrinks', () => {
    // 0, 3; 1/2, 5/2; 0, 2.
    expect(run(resize('align', 2), row(0, 10, 20, 30))).toEqual([0, 30]);
    expect(run(resize('half-pixel', 2), row(0, 10, 20, 30))).toEqual([5, 25]);
    expect(run(resize('asymmetric', 2), row(0, 10, 20, 30))).toEqual([0, 20]);
  });

  test('to one pixel', () => {
    expect(run(resize('align', 1), row(1, 2, 6))).toEqual([1]);
    expect(run(resize('half-pixel', 1), row(1, 2, 6))).toEqual([2]);
  });

  test('both axes', () => {
    // Centres of a 2 × 2 → 1 × 1 half-pixel: the mean of all four.
    const node: Node = { ...base, op: 'resize', size: [1, 1], mode: 'bilinear', corners: 'half-pixel' };
    expect(run(node, tensor([1, 2, 2, 1], [1, 2, 4, 9]))).toEqual([4]);
  });

  test('nearest', () => {
    // Align: 0 2/3 4/3 2 rounded; half-pixel: ⌊3/8⌋ ⌊9/8⌋ ⌊15/8⌋ ⌊21/8⌋; asymmetric: ⌊0⌋ ⌊3/4⌋ ⌊6/4⌋ ⌊9/4⌋.
    expect(run(resize('align', 4, 'nearest'), row(1, 2, 3))).toEqual([1, 2, 2, 3]);
    expect(run(resize('half-pixel', 4, 'nearest'), row(1, 2, 3))).toEqual([1, 2, 2, 3]);
    expect(run(resize('asymmetric', 4, 'nearest'), row(1, 2, 3))).toEqual([1, 1, 2, 3]);
  });

  test('nearest rounds halves up', () => {
    // Align 4 → 3: coordinate 3/2.
    expect(run(resize('align', 3, 'nearest'), row(1, 2, 3, 4))).toEqual([1, 3, 4]);
  });
});

describe('shapes', () => {
  test('reshape keeps the order, and does not share memory', () => {
    const input = counting([1, 2, 1, 3]);
    const { shape, data } = runNode({ ...base, op: 'reshape', shape: [1, 1, 1, 6] }, [input]);
    expect(shape).toEqual([1, 1, 1, 6]);
    expect([...data]).toEqual([1, 2, 3, 4, 5, 6]);
    expect(data.buffer).not.toBe(input.data.buffer);
  });

  test('transpose', () => {
    const { shape, data } = runNode({ ...base, op: 'transpose', permutation: [0, 3, 1, 2] }, [counting([1, 2, 2, 3])]);
    expect(shape).toEqual([1, 3, 2, 2]);
    expect([...data]).toEqual([1, 4, 7, 10, 2, 5, 8, 11, 3, 6, 9, 12]);
    const turned = runNode({ ...base, op: 'transpose', permutation: [2, 0, 3, 1] }, [counting([1, 2, 3, 1])]);
    expect(turned.shape).toEqual([3, 1, 1, 2]);
    expect([...turned.data]).toEqual([1, 4, 2, 5, 3, 6]);
    const twice: Node = { ...base, op: 'transpose', permutation: [0, 1, 1, 2] };
    expect(() => runNode(twice, [counting([1, 2, 3, 1])])).toThrow(
      /permutation is \[0,1,1,2\], expected each of 0 to 3/,
    );
  });

  test('pad', () => {
    const padding = { top: 1, left: 2, bottom: 0, right: 1 };
    const { shape, data } = runNode({ ...base, op: 'pad', padding }, [counting([1, 1, 1, 2])]);
    expect(shape).toEqual([1, 2, 4, 2]);
    expect([...data]).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 0, 0]);
  });

  test('concat joins channels in order', () => {
    const node: Node = { ...base, op: 'concat' };
    const inputs = [counting([1, 1, 2, 1]), tensor([1, 1, 2, 2], [10, 20, 30, 40]), tensor([1, 1, 2, 1], [7, 8])];
    const { shape, data } = runNode(node, inputs);
    expect(shape).toEqual([1, 1, 2, 4]);
    expect([...data]).toEqual([1, 10, 20, 7, 2, 30, 40, 8]);
  });

  test.each([
    [0, [3, 2, 2, 1], [1, 2, 3, 4, 10, 20, 30, 40, 50, 60, 70, 80], [2, 2, 2, 1]],
    [1, [1, 5, 2, 1], [1, 2, 3, 4, 10, 20, 30, 40, 50, 60], [1, 3, 2, 1]],
    [2, [1, 2, 3, 1], [1, 2, 10, 3, 4, 20], [1, 2, 1, 1]],
  ] as const)('concat along axis %i', (axis, shape, expected, second) => {
    const [n, h, w, c] = second;
    const tens = Array.from({ length: n * h * w * c }, (_, i) => 10 * (i + 1));
    const joined = runNode({ ...base, op: 'concat', axis }, [counting([1, 2, 2, 1]), tensor(second, tens)]);
    expect(joined.shape).toEqual(shape);
    expect([...joined.data]).toEqual(expected);
  });
});
