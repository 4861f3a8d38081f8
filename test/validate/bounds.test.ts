/**
 * The bounds against float32 arithmetic done here in several orders: every error must stay within, and a mistake must
 * not.
 */
import { describe, expect, test } from 'vitest';
import { halfWeights } from '../../src/graph/half-weights.ts';
import type { Activation, ConvTranspose2d, Node, Resize, Shape } from '../../src/graph/ops.ts';
import { runNode, type Tensor } from '../../src/reference/index.ts';
import { roundToFloat16, runWithBound } from '../../src/validate/bounds.ts';
import { checkBounds } from '../../src/validate/check-bounds.ts';
import { base, conv, pooling, random, seeded, tensor } from '../reference/nodes.ts';

const f = Math.fround;

/** Sums in float32: forwards, backwards, pairwise, in eight interleaved shares. */
const orders: Record<string, (terms: readonly number[]) => number> = {
  forwards: (terms) => terms.reduce((a, b) => f(a + b)),
  backwards: (terms) => terms.reduceRight((a, b) => f(a + b)),
  pairwise: function pairwise(terms): number {
    if (terms.length < 2) return terms[0] ?? 0;
    const half = terms.length >> 1;
    return f(pairwise(terms.slice(0, half)) + pairwise(terms.slice(half)));
  },
  shares: (terms) => {
    const shares = new Float32Array(8);
    terms.forEach((term, i) => {
      shares[i % 8]! += term;
    });
    return shares.reduce((a, b) => f(a + b));
  },
};

/** As the shaders' prelude has them, each operation rounded; the exponential made as wrong as WGSL allows. */
function activate32(activation: Activation, x: number): number {
  const relu6 = (value: number) => Math.min(Math.max(value, 0), 6);
  switch (activation) {
    case 'none':
      return x;
    case 'relu':
      return Math.max(x, 0);
    case 'relu6':
      return relu6(x);
    case 'hard-sigmoid':
      return f(relu6(f(x + 3)) / 6);
    case 'hard-swish':
      return f(x * f(relu6(f(x + 3)) / 6));
    case 'sigmoid': {
      const clamped = Math.min(Math.max(x, -80), 80);
      const exponential = f(Math.exp(-clamped) * (1 + (3 + 2 * Math.abs(clamped)) * 2 ** -24));
      return f(1 / f(1 + exponential));
    }
  }
}

const activations: Activation[] = ['none', 'relu', 'relu6', 'hard-swish', 'hard-sigmoid', 'sigmoid'];

/** A pointwise convolution of one pixel, with bias and residual, in float32. */
function pointwise32(node: ReturnType<typeof conv>, input: Tensor, residual: Tensor, sum: (terms: number[]) => number) {
  return Float32Array.from({ length: node.outChannels }, (_, k) => {
    const terms = [...input.data].map((x, c) => f(x * node.weights[c * node.outChannels + k]!));
    return f(activate32(node.activation, sum([...terms, node.bias![k]!])) + residual.data[k]!);
  });
}

describe.each(activations)('a sum of K products, %s', (activation) => {
  test.each([1, 3, 27, 130, 960])('K = %i in every order', (k) => {
    const node = conv([1, 1], 64, random([1, 1, k, 64], k).data, {
      bias: random([1, 1, 1, 64], 2).data,
      inputs: ['a', 'r'],
      activation,
    });
    const [input, residual] = [random([1, 1, 1, k], 3), random([1, 1, 1, 64], 4)];
    const { output, bound, probable } = runWithBound(node, [input, residual]);
    for (const [order, sum] of Object.entries(orders)) {
      const check = checkBounds(pointwise32(node, input, residual, sum), output.data, bound, probable);
      expect(check, order).toMatchObject({ ok: true });
    }
    for (const [i, b] of bound.entries()) expect(b).toBeGreaterThanOrEqual(probable[i]!);
  });
});

test('the bound of a sum is (K + 2)·u·M and the rounding of the reference', () => {
  // Products 2, −3 and bias 4: M = 9, y = 3; K + 1 roundings.
  const node = conv([1, 1], 1, [1, -1], { bias: Float32Array.of(4) });
  const { output, bound, probable } = runWithBound(node, [tensor([1, 1, 1, 2], [2, 3])]);
  expect([...output.data]).toEqual([3]);
  expect(bound[0]! * 2 ** 24).toBeCloseTo(3 * 9 + 3, 3);
  expect(probable[0]! * 2 ** 24).toBeCloseTo(Math.sqrt(3) * 9 + 3, 3);
});

test.each(Object.entries(orders))('a transposed convolution, %s', (_, sum) => {
  const [input, weights] = [random([1, 3, 4, 9], 6), random([3, 3, 9, 2], 7).data];
  const bias = random([1, 1, 1, 2], 8).data;
  const node: ConvTranspose2d = {
    ...{ ...base, op: 'conv-transpose2d', weights, bias, kernel: [3, 3], stride: [2, 2], dilation: [1, 1] },
    ...{ crop: [1, 1], size: [5, 7], outChannels: 2, activation: 'relu' },
  };
  const actual = Float32Array.from({ length: 70 }, (_, i) => {
    const [y, x, k] = [Math.floor(i / 14) + 1, (Math.floor(i / 2) % 7) + 1, i % 2];
    const terms = [bias[k]!];
    for (let pixel = 0; pixel < 12; pixel++) {
      const [ky, kx] = [y - 2 * Math.floor(pixel / 4), x - 2 * (pixel % 4)];
      if (ky < 0 || ky > 2 || kx < 0 || kx > 2) continue;
      for (let c = 0; c < 9; c++) terms.push(f(input.data[pixel * 9 + c]! * weights[((ky * 3 + kx) * 9 + c) * 2 + k]!));
    }
    return Math.max(0, sum(terms));
  });
  expectWithin(node, [input], actual);
});

test('1 % of the largest weight is seen', () => {
  const node = conv([3, 3], 4, random([3, 3, 8, 4], 1).data);
  const input = random([1, 6, 6, 8], 2);
  const { output, bound, probable } = runWithBound(node, [input]);
  const weights = node.weights.slice();
  weights[weights.indexOf(Math.max(...weights))]! *= 1.01;
  const wrong = runNode({ ...node, weights }, [input]);
  expect(checkBounds(wrong.data, output.data, bound, probable).ok).toBe(false);
});

test('a value that was never written is seen', () => {
  const node = conv([1, 1], 2, [1, 2]);
  const { output, bound, probable } = runWithBound(node, [tensor([1, 1, 1, 1], [1])]);
  expect(checkBounds(Float32Array.of(1, Number.NaN), output.data, bound, probable)).toMatchObject({
    ok: false,
    unwritten: 1,
  });
});

/** Runs the check for float32 results made from the reference's own inputs. */
function expectWithin(node: Node, inputs: readonly Tensor[], actual: Float32Array): void {
  const { output, bound, probable } = runWithBound(node, inputs);
  expect(output.data).toEqual(runNode(node, inputs).data);
  expect(checkBounds(actual, output.data, bound, probable)).toMatchObject({ ok: true });
}

describe('other operations in float32', () => {
  const input = random([2, 5, 7, 3], 5);
  const scaled: Tensor = { ...input, data: input.data.map((x) => 8 * x) };

  test.each(activations)('activation %s', (activation) => {
    const actual = scaled.data.map((x) => activate32(activation, x));
    expectWithin({ ...base, op: 'activation', activation }, [scaled], actual);
    const far = tensor([1, 1, 1, 6], [-200, -90, -80.5, 80.5, 90, 200]);
    expectWithin(
      { ...base, op: 'activation', activation },
      [far],
      far.data.map((x) => activate32(activation, x)),
    );
  });

  test.each(activations)('add and multiply, then %s', (activation) => {
    const other = random(input.shape, 6);
    const sums = scaled.data.map((x, i) => activate32(activation, f(x + other.data[i]!)));
    expectWithin({ ...base, op: 'add', activation }, [scaled, other], sums);
    const products = scaled.data.map((x, i) => activate32(activation, f(x * other.data[i]!)));
    expectWithin({ ...base, op: 'multiply', activation }, [scaled, other], products);
  });

  test('multiply by a broadcast gate', () => {
    const gate = random([2, 1, 1, 3], 7);
    const products = input.data.map((x, i) => f(x * gate.data[3 * Math.floor(i / (5 * 7 * 3)) + (i % 3)]!));
    expectWithin({ ...base, op: 'multiply', activation: 'none' }, [input, gate], products);
  });

  test('affine and batch-norm, the latter as one product and one sum', () => {
    const [scale, shift, mean] = [8, 9, 10].map((seed) => random([1, 1, 1, 3], seed).data);
    const affine: Node = { ...base, op: 'affine', scale: scale!, shift: shift! };
    expectWithin(
      affine,
      [input],
      input.data.map((x, i) => f(f(x * scale![i % 3]!) + shift![i % 3]!)),
    );
    // A mean far from zero, so that the offset cancels.
    const far = mean!.map((m) => 1000 + m);
    const variance = Float32Array.of(0.1, 0.2, 0.3);
    const node: Node = { ...base, op: 'batch-norm', scale: scale!, shift: shift!, mean: far, variance, epsilon: 1e-3 };
    const near: Tensor = { ...input, data: input.data.map((x) => 1000 + x) };
    const factor = (c: number) => scale![c]! / Math.sqrt(variance[c]! + 1e-3);
    const actual = near.data.map((x, i) => {
      const c = i % 3;
      return f(f(x * f(factor(c))) + f(shift![c]! - far[c]! * factor(c)));
    });
    expectWithin(node, [near], actual);
  });

  test('l2-normalize', () => {
    const actual = input.data.map((x, i) => {
      const pixel = 3 * Math.floor(i / 3);
      const sum = [0, 1, 2].reduce((so, c) => f(so + f(input.data[pixel + c]! ** 2)), 0);
      return f(x / f(Math.sqrt(sum)));
    });
    expectWithin({ ...base, op: 'l2-normalize', epsilon: 1e-6 }, [input], actual);
  });

  test('prelu', () => {
    const slope = random([1, 1, 1, 3], 8).data;
    const actual = input.data.map((x, i) => (x < 0 ? f(x * slope[i % 3]!) : x));
    expectWithin({ ...base, op: 'prelu', slope }, [input], actual);
  });

  test.each(Object.entries(orders))('mean over all pixels, %s', (_, sum) => {
    const actual = Float32Array.from({ length: 6 }, (_, i) => {
      const [n, c] = [Math.floor(i / 3), i % 3];
      const values = Array.from({ length: 35 }, (_, pixel) => input.data[(n * 35 + pixel) * 3 + c]!);
      return f(sum(values) / 35);
    });
    expectWithin({ ...base, op: 'global-average-pool' }, [input], actual);
  });

  test('softmax, with an exponential as wrong as WGSL allows', () => {
    const logits = tensor(
      [1, 1, 2, 100],
      Array.from({ length: 200 }, seeded(11)).map((x) => 30 * x),
    );
    const actual = new Float32Array(200);
    for (const pixel of [0, 100]) {
      const values = logits.data.subarray(pixel, pixel + 100);
      const maximum = values.reduce((a, b) => Math.max(a, b));
      const exponentials = [...values].map((x, i) => {
        const v = f(x - maximum);
        return f(Math.exp(v) * (1 + (i % 2 ? 1 : -1) * (3 + 2 * Math.abs(v)) * 2 ** -24));
      });
      const sum = orders.forwards!(exponentials);
      for (const [i, e] of exponentials.entries()) actual[pixel + i] = f(e / sum);
    }
    expectWithin({ ...base, op: 'softmax' }, [logits], actual);
  });

  test('softmax of far logits: exponentials that are flushed to zero', () => {
    const logits = tensor([1, 1, 1, 3], [0, -88, -1e30]);
    expectWithin({ ...base, op: 'softmax' }, [logits], Float32Array.of(1, 0, 0));
  });

  test.each([
    ['align', 13, 11],
    ['half-pixel', 224, 97],
    ['half-pixel', 3, 4],
    ['asymmetric', 31, 10],
  ] as [Resize['corners'], number, number][])('bilinear resize %s to %i × %i', (corners, height, width) => {
    const node: Node = { ...base, op: 'resize', mode: 'bilinear', size: [height, width], corners };
    expectWithin(node, [input], bilinear32(input, [2, height, width, 3], corners));
  });

  test('copies and maxima are exact, but for subnormals', () => {
    const padding = { top: 1, left: 0, bottom: 0, right: 2 };
    const nodes: Node[] = [
      { ...base, op: 'pad', padding },
      { ...base, op: 'reshape', shape: [1, 1, 1, 210] },
      { ...base, op: 'resize', mode: 'nearest', size: [3, 3], corners: 'align' },
      pooling('max', [2, 2], [1, 1]),
    ];
    const halves: Tensor = { ...input, data: input.data.map(roundToFloat16) };
    for (const node of nodes) {
      expect(runWithBound(node, [input]).bound.every((b) => b === 2 ** -126)).toBe(true);
      expect(runWithBound(node, [halves], { output: 'f16' }).bound.every((b) => b === 2 ** -126)).toBe(true);
    }
  });
});

/** As resize.wgsl does it. */
function bilinear32(input: Tensor, shape: Shape, corners: Resize['corners']): Float32Array {
  const [, inHeight, inWidth, channels] = input.shape;
  const [batch, height, width] = shape;
  const at = (o: number, length: number, outputs: number) => {
    const step = corners === 'align' ? (length - 1) / (outputs - 1) : length / outputs;
    const start = corners === 'half-pixel' ? step / 2 - 0.5 : 0;
    const coordinate = Math.min(Math.max(f(f(o * f(step)) + f(start)), 0), length - 1);
    const low = Math.floor(coordinate);
    return { low, high: Math.min(low + 1, length - 1), t: f(coordinate - low) };
  };
  const mix = (a: number, b: number, t: number) => f(f(a * f(1 - t)) + f(b * t));
  const out: number[] = [];
  for (let n = 0; n < batch; n++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const [row, column] = [at(y, inHeight, height), at(x, inWidth, width)];
        for (let c = 0; c < channels; c++) {
          const source = (py: number, px: number) => input.data[((n * inHeight + py) * inWidth + px) * channels + c]!;
          const upper = mix(source(row.low, column.low), source(row.low, column.high), column.t);
          const lower = mix(source(row.high, column.low), source(row.high, column.high), column.t);
          out.push(mix(upper, lower, row.t));
        }
      }
    }
  }
  return Float32Array.from(out);
}

describe('float16 storage', () => {
  test('weights are rounded, and the bound holds the store', () => {
    // 1 + 2^-11 + 2^-20 is nearer to 1 + 2^-10 than to 1.
    const node = conv([1, 1], 1, [1 + 2 ** -11 + 2 ** -20]);
    const input = tensor([1, 1, 1, 1], [1]);
    const { output, bound } = runWithBound(node, [input], { weights: 'f16', output: 'f16' });
    expect(output.data[0]).toBe(1 + 2 ** -10);
    expect(bound[0]).toBeGreaterThan(2 ** -11);
    expect(bound[0]).toBeLessThan(2 ** -11 * 1.01);
    expect(runWithBound(node, [input]).bound[0]).toBeLessThan(2 ** -21);
  });

  test('a store that rounds to nearest stays within', () => {
    const node = conv([1, 1], 8, random([1, 1, 27, 8], 1).data.map(roundToFloat16));
    const input = random([1, 9, 9, 27], 2);
    const halves: Tensor = { ...input, data: input.data.map(roundToFloat16) };
    const { output, bound, probable } = runWithBound(node, [halves], { weights: 'f16', output: 'f16' });
    const actual = output.data.map(roundToFloat16);
    expect(checkBounds(actual, output.data, bound, probable)).toMatchObject({ ok: true });
  });

  test.each([
    [0, 0],
    [1, 1],
    [-0.1, -0.0999755859375],
    // Ties to even: between 2048 and 2050, between 2050 and 2052.
    [2049, 2048],
    [2051, 2052],
    [65504, 65504],
    [65519, 65504],
    [65520, Number.POSITIVE_INFINITY],
    [-1e6, Number.NEGATIVE_INFINITY],
    // Subnormal: multiples of 2^-24, the tie at 2^-25 to zero.
    [2 ** -24, 2 ** -24],
    [2 ** -25, 0],
    [3 * 2 ** -25, 2 ** -23],
    [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
    [Number.NaN, Number.NaN],
  ])('%d rounds to %d', (value, expected) => {
    expect(roundToFloat16(value)).toBe(expected);
  });
});

describe('layers in halves', () => {
  /** GPUs may take for zero what is smaller. */
  const h = (x: number) => {
    const half = roundToFloat16(x);
    return Math.abs(half) < 2 ** -14 ? 0 : half;
  };

  /** As shaders/fragments/half-sums.wgsl has it, of float32 inputs: one output channel of one pixel. */
  function inHalves(
    x: readonly number[],
    weights: readonly number[],
    scale: number,
    bias: number,
    fused: boolean,
  ): number {
    let sum = 0;
    for (let from = 0; from < x.length; from += 8) {
      const some = x.slice(from, from + 8);
      const range = f(Math.max(f(Math.max(...some.map(Math.abs)) / 160), 1));
      const shrink = f(1 / range);
      let part = 0;
      some.forEach((value, i) => {
        const product = h(f(value * shrink)) * h(weights[from + i]!);
        part = fused ? h(product + part) : h(h(product) + part);
      });
      sum = f(f(part * range) + sum);
    }
    return f(f(sum * scale) + bias);
  }

  const draw = seeded(7);
  const values = (length: number, range: number) => Float32Array.from({ length }, () => draw() * range);

  test.each([1, 1e-3, 200, 1e6, 1e30])(
    'inputs to %d: rounded as halves are, within the bound and not far below',
    (range) => {
      let most = 0;
      for (let round = 0; round < 20; round++) {
        const [inputs, outputs] = [8 * (1 + (round % 12)), 5];
        const weights = values(inputs * outputs, 10 ** ((round % 7) - 3));
        const node = conv([1, 1], outputs, weights, { bias: values(outputs, 1) });
        const input: Tensor = { shape: [1, 1, 1, inputs], data: values(inputs, range) };
        const { output, bound } = runWithBound(node, [input], { weights: 'f16', halves: true });
        const { scales, values: scaled } = halfWeights(node.weights, outputs);
        for (let o = 0; o < outputs; o++) {
          const column = Array.from({ length: inputs }, (_, i) => scaled[i * outputs + o]!);
          const found = inHalves([...input.data], column, scales[o]!, node.bias![o]!, round % 2 === 0);
          const share = Math.abs(found - output.data[o]!) / bound[o]!;
          expect(share).toBeLessThanOrEqual(1);
          most = Math.max(most, share);
        }
      }
      // Of small inputs the bound is what zeros in the place of such numbers may cost.
      expect(most).toBeGreaterThan(range < 1 ? 1e-4 : 0.02);
    },
  );

  test('float32 sums keep bounds a hundredth of theirs; an output that is exchanged for its neighbour leaves them', () => {
    const node = conv([1, 1], 4, values(64 * 4, 1));
    const input: Tensor = { shape: [1, 1, 1, 64], data: values(64, 1) };
    const { output, bound } = runWithBound(node, [input], { halves: true });
    const whole = runWithBound(node, [input]);
    for (let o = 0; o < 4; o++) expect(whole.bound[o]! * 100).toBeLessThan(bound[o]!);
    const exchanged = output.data.map((_, o) => output.data[(o + 1) % 4]!);
    expect(checkBounds(exchanged, output.data, bound, bound).ok).toBe(false);
  });
});
