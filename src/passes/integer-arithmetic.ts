/**
 * What runtimes on CPUs make of sums and products of integers: XNNPACK, which TensorFlow Lite uses, and MLAS of ONNX Runtime.
 * float32 steps are rounded where theirs are.
 */

import type { IntegerAdd, IntegerMultiply, IntegerPairs, Quantisation, StoredRange } from '../graph/integers.ts';
import type { Node } from '../graph/ops.ts';
import type { StoredTensor, WeightQuantisation } from '../graph/quantisation.ts';

const { fround } = Math;

/** To the nearest whole number, halves to the even one. */
export function roundHalfEven(value: number): number {
  const rounded = Math.round(value);
  return rounded - value === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

const clamp = (value: number, [least, most]: StoredRange): number => Math.min(Math.max(value, least), most);

export const whole: StoredRange = [-128, 127];

/** The stored integer of a real number. */
export const storedOf = (x: number, { scale, zeroPoint }: Quantisation): number =>
  clamp(roundHalfEven(fround(fround(x) / scale)) + zeroPoint, whole);

/** By what a sum of products is multiplied. */
export const multiplierOf = (x: number, w: number, y: number): number => fround(fround(x * w) / y);

/** A table of 256 results of stored integers, for each of `channels`. */
export const tableOf = (f: (stored: number, channel: number) => number, channels = 1): Int8Array =>
  Int8Array.from({ length: 256 * channels }, (_, i) => f((i & 255) - 128, i >> 8));

/** `f` of the real number, in float64 and rounded to float32 once. */
export const tableOfReal = (x: Quantisation, y: Quantisation, f: (real: number) => number): Int8Array =>
  tableOf((q) => storedOf(f(fround((q - x.zeroPoint) * x.scale)), y));

export interface Arithmetic {
  /** A sum of two tensors; `sign` is −1 for a difference. */
  readonly add: (
    a: Quantisation,
    b: Quantisation,
    y: StoredTensor,
    range: StoredRange,
    sign: 1 | -1,
  ) => IntegerAdd | IntegerPairs;
  /** A product of two tensors. */
  readonly multiply: (
    a: Quantisation,
    b: Quantisation,
    y: StoredTensor,
    range: StoredRange,
  ) => IntegerMultiply | IntegerPairs;
  /** By what a sum of `count` integers is multiplied to their mean. */
  readonly mean: (x: Quantisation, y: Quantisation, count: number) => number;
  /** Whether averages of windows and bilinear interpolation are those of src/graph/integers.ts. */
  readonly windows: boolean;
  /** The same integers on another scale. */
  readonly rescale: (x: Quantisation, y: Quantisation) => Int8Array;
  /** What a node that has a function of one number computes in a way of its own; null for others. `slopes`: of a PReLU. */
  readonly table: (
    node: Node,
    x: Quantisation,
    y: Quantisation,
    slopes: WeightQuantisation | undefined,
  ) => Int8Array | null;
  /** The same where tensors are joined. */
  readonly join: (x: Quantisation, y: Quantisation) => Int8Array;
}

/** Its fixed point: src/operators/binary-elementwise-nd.c and src/microparams-init.c of XNNPACK. */
export const xnnpack: Arithmetic = {
  add: (a, b, y, range, sign) => {
    const [p, q] = [fround(a.scale / y.scale), fround(b.scale / y.scale)];
    const shift = 20 - Math.floor(Math.log2(Math.max(p, q)));
    const factor = (ratio: number) => roundHalfEven(ratio * 2 ** shift);
    return {
      kind: 'add',
      factors: [factor(p), sign * factor(q)],
      zeroPoints: [a.zeroPoint, b.zeroPoint],
      shift,
      zeroPoint: y.zeroPoint,
      range,
    };
  },
  multiply: (a, b, y, range) => ({
    kind: 'multiply',
    zeroPoints: [a.zeroPoint, b.zeroPoint],
    to: {
      multipliers: Float32Array.of(multiplierOf(a.scale, b.scale, y.scale)),
      zeroPoint: y.zeroPoint,
      range,
    },
  }),
  mean: (x, y, count) => fround(fround(x.scale / y.scale) / count),
  windows: true,
  rescale: (x, y) => {
    const ratio = fround(x.scale / y.scale);
    return tableOf(xnnpackScaled(x, y, ratio, ratio));
  },
  table: tfliteTable,
  // tensorflow/lite/kernels/internal/reference/concatenation.h, on uint8: int8 has one scale there.
  join: (x, y) => {
    const scale = fround(x.scale * fround(1 / y.scale));
    const bias = fround(-(x.zeroPoint + 128) * scale);
    return tableOf((q) => {
      const value = fround(fround((q + 128) * scale) + bias);
      return clamp(Math.sign(value) * Math.floor(Math.abs(value) + 0.5) + y.zeroPoint, whole);
    });
  },
};

/** onnxruntime/core/mlas/lib: qladd.cpp, qlmul.cpp, qlgavgpool.cpp and quantize.cpp; pairs are computed in float32. */
export const mlas: Arithmetic = {
  add: (a, b, y, range, sign) => pairsOf(a, b, y, range, (p, q) => fround(p + sign * q)),
  multiply: (a, b, y, range) => pairsOf(a, b, y, range, (p, q) => fround(p * q)),
  mean: (x, y, count) => fround(x.scale / fround(y.scale * count)),
  windows: false,
  rescale: (x, y) => tableOfReal(x, y, (real) => real),
  join: (x, y) => tableOfReal(x, y, (real) => real),
  table: () => null,
};

/** The zero point, which is that of the file, is added before the sum is rounded. */
function pairsOf(
  a: Quantisation,
  b: Quantisation,
  y: StoredTensor,
  range: StoredRange,
  f: (p: number, q: number) => number,
): IntegerPairs {
  const real = (q: number, { scale, zeroPoint }: Quantisation) => fround(scale * (q - zeroPoint));
  const shift = y.type === 'uint8' ? 128 : 0;
  const table = new Int8Array(65_536);
  for (let i = 0; i < table.length; i++) {
    const value = fround(f(real((i >> 8) - 128, a), real((i & 255) - 128, b)) / y.scale);
    table[i] = clamp(roundHalfEven(fround(value + y.zeroPoint + shift)) - shift, range);
  }
  return { kind: 'pairs', table };
}

/** What a body gives for one stored integer and a constant one. */
export function resultOf(body: IntegerAdd | IntegerMultiply | IntegerPairs, q: number, constant: number): number {
  if (body.kind === 'pairs') return body.table[256 * (q + 128) + constant + 128]!;
  const [a, b] = [q - body.zeroPoints[0], constant - body.zeroPoints[1]];
  if (body.kind === 'multiply') {
    const { multipliers, zeroPoint, range } = body.to;
    return clamp(roundHalfEven(fround(a * b * multipliers[0]!)) + zeroPoint, range);
  }
  const { factors, shift, zeroPoint, range } = body;
  const products = Math.imul(factors[0], a) + Math.imul(factors[1], b);
  return clamp(((2 ** (shift - 1) + products) >> shift) + zeroPoint, range);
}

/** Multiplied in 256ths, with another factor below zero. */
function xnnpackScaled(x: Quantisation, y: Quantisation, above: number, below: number): (q: number) => number {
  const [positive, negative] = [roundHalfEven(256 * above), roundHalfEven(256 * below)];
  return (q) => {
    const value = q - x.zeroPoint;
    return clamp(((value * (value < 0 ? negative : positive) + 128) >> 8) + y.zeroPoint, whole);
  };
}

/** What XNNPACK, and TensorFlow Lite where that does not take an operator, has for functions of one number. */
function tfliteTable(
  node: Node,
  x: Quantisation,
  y: Quantisation,
  slopes: WeightQuantisation | undefined,
): Int8Array | null {
  if (node.op === 'activation' && node.activation === 'hard-swish') return tfliteHardSwish(x, y);
  if (node.op === 'prelu' && slopes) return tflitePrelu(x, y, node.slope, slopes);
  if (node.op === 'prelu' && node.slope.length === 1) {
    const ratio = fround(x.scale / y.scale);
    return tableOf(xnnpackScaled(x, y, ratio, fround(ratio * node.slope[0]!)));
  }
  const cut = node.op === 'activation' ? node.activation : '';
  if (cut !== 'relu' && cut !== 'relu6') return null;
  const scaled = tfliteScaled(fround(x.scale / y.scale));
  const range: StoredRange = [Math.max(-128, y.zeroPoint), cut === 'relu6' ? storedOf(6, y) : 127];
  return tableOf((q) => clamp(scaled(q - x.zeroPoint) + y.zeroPoint, range));
}

/** tensorflow/lite/kernels/internal/reference/prelu.h. */
function tflitePrelu(x: Quantisation, y: Quantisation, slope: Float32Array, slopes: WeightQuantisation): Int8Array {
  const scale = slopes.scales[0]!;
  const [above, below] = [tfliteScaled(x.scale / y.scale), tfliteScaled((x.scale * scale) / y.scale)];
  const factors = Array.from(slope, (value) => Math.round(value / scale));
  return tableOf((q, channel) => {
    const value = q - x.zeroPoint;
    return clamp((value >= 0 ? above(value) : below(value * factors[channel]!)) + y.zeroPoint, whole);
  }, slope.length);
}

/** `MultiplyByQuantizedMultiplier` of TensorFlow Lite: a factor of 31 bits, rounded twice. */
function tfliteScaled(factor: number): (value: number) => number {
  let exponent = Math.floor(Math.log2(factor)) + 1;
  let m = Math.round((factor / 2 ** exponent) * 2 ** 31);
  if (m === 2 ** 31) [m, exponent] = [m / 2, exponent + 1];
  return (value) => {
    const product = BigInt(value) * BigInt(2 ** Math.max(exponent, 0)) * BigInt(m);
    const high = Number((product + 2n ** 30n) >> 31n);
    return divided(high, Math.max(-exponent, 0));
  };
}

/** By 2^bits, halves away from zero. */
function divided(value: number, bits: number): number {
  const mask = 2 ** bits - 1;
  return (value >> bits) + ((value & mask) > (mask >> 1) + (value < 0 ? 1 : 0) ? 1 : 0);
}

/** A positive number as m · 2^exponent / 2^15, with m from 2^14 to 2^15 − 1. */
function halfWord(value: number): { readonly m: number; readonly exponent: number } {
  let exponent = Math.floor(Math.log2(value)) + 1;
  let m = Math.round((value / 2 ** exponent) * 2 ** 31);
  if (m === 2 ** 31) [m, exponent] = [m / 2, exponent + 1];
  return { m: Math.min((m + 2 ** 15) >> 16, 32_767), exponent };
}

/**
 * In 16 bits: tensorflow/lite/kernels/internal/reference/hard_swish.h, which XNNPACK leaves to it. Its rounding of products is that of
 * gemmlowp's fixedpoint.h.
 */
function tfliteHardSwish(x: Quantisation, y: Quantisation): Int8Array {
  const saturated = (value: number) => Math.min(Math.max(value, -32_768), 32_767);
  const highProduct = (a: number, b: number) => Math.trunc((a * b + (a * b >= 0 ? 2 ** 14 : 1 - 2 ** 14)) / 2 ** 15);
  const fine = fround(x.scale / 128);
  const output = halfWord(fround(fine / y.scale));
  const gate = halfWord(fround(fine / fround(3 / 32_768)));
  return tableOf((q) => {
    const value = (q - x.zeroPoint) * 128;
    let open = value;
    if (gate.exponent > 0) open = saturated(open * 2 ** (gate.exponent - 1));
    open = highProduct(open, gate.m);
    if (gate.exponent > 0) open = saturated(open * 2);
    else open = divided(open, -gate.exponent);
    const product = Math.trunc((((open + 2 ** 15) >> 1) * highProduct(value, output.m)) / 2 ** 15);
    return clamp(divided(product, -output.exponent) + y.zeroPoint, whole);
  });
}
