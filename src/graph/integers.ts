/**
 * Operations on integers of 8 bits, as runtimes on CPUs compute quantised networks: TensorFlow Lite's XNNPACK and ONNX
 * Runtime's MLAS. A graph of them holds, in each tensor that such an operation writes, the stored integers q from −128 to 127,
 * which stand for the real numbers (q − zeroPoint) · scale. What a file holds as uint8 is 128 less here, and so is its zero
 * point, so that one family of operations serves both.
 *
 * Weights are canonical, as those of the operations on real numbers (ops.ts), and hold stored integers.
 */
import type { NodeBase, Padding, Pair, Permutation, Shape } from './terms.ts';

/** real = (stored − zeroPoint) · scale; the scale is a float32, the zero point from −128 to 127. */
export interface Quantisation {
  readonly scale: number;
  readonly zeroPoint: number;
}

/** Least and most of the stored integers of a result, −128 to 127, or what a fused activation leaves of that. */
export type StoredRange = readonly [least: number, most: number];

/**
 * What becomes of a sum of products: with m = multipliers[output channel, or 0 where there is one for all],
 *
 *   stored = roundHalfEven(clamp(float32(float32(sum) · m), least − zeroPoint, most − zeroPoint)) + zeroPoint
 *
 * where both conversions round to nearest, ties to even.
 */
export interface Requantisation {
  /** float32: input scale · weight scale / output scale, in the order of operations of the runtime that is followed. */
  readonly multipliers: Float32Array;
  readonly zeroPoint: number;
  readonly range: StoredRange;
}

/** sum = bias[k] + Σ (x − inputZeroPoint) · (w − weightZeroPoint), places outside the input left out. */
export interface IntegerWeights {
  /** Stored integers, in the layout of the operation on real numbers. */
  readonly weights: Int8Array;
  /** 0 where there is a scale for each channel. */
  readonly weightZeroPoint: number;
  readonly inputZeroPoint: number;
  /** `[cout]`, or null. */
  readonly bias: Int32Array | null;
  readonly to: Requantisation;
}

/** As `Conv2d`; with inputs[1], the residual, what is stored is `residual` of the stored integers of the convolution and it. */
export interface IntegerConv2d extends IntegerWeights {
  readonly kind: 'conv2d';
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly dilation: Pair;
  readonly padding: Padding;
  readonly groups: number;
  readonly outChannels: number;
  /** Of one group, and of tensors of equal shape. */
  readonly residual?: IntegerAdd;
}

/** As `ConvTranspose2d`. */
export interface IntegerConvTranspose2d extends IntegerWeights {
  readonly kind: 'conv-transpose2d';
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly dilation: Pair;
  readonly crop: Pair;
  readonly size: Pair;
  readonly outChannels: number;
}

/** As `FullyConnected`. */
export interface IntegerFullyConnected extends IntegerWeights {
  readonly kind: 'fully-connected';
  readonly outFeatures: number;
}

/**
 * clamp(((2^(shift − 1) + factors[0] · (a − zeroPoints[0]) + factors[1] · (b − zeroPoints[1])) >> shift) + zeroPoint),
 * `>>` arithmetic; the second input may be broadcast as `Add`'s.
 */
export interface IntegerAdd {
  readonly kind: 'add';
  readonly factors: readonly [number, number];
  readonly zeroPoints: readonly [number, number];
  readonly shift: number;
  readonly zeroPoint: number;
  readonly range: StoredRange;
}

/** Of sum = (a − zeroPoints[0]) · (b − zeroPoints[1]); the second input may be broadcast as `Multiply`'s. */
export interface IntegerMultiply {
  readonly kind: 'multiply';
  readonly zeroPoints: readonly [number, number];
  readonly to: Requantisation;
}

/** table[256 · (a + 128) + b + 128], of two inputs as `Add`'s; where a runtime computes in floats. */
export interface IntegerPairs {
  readonly kind: 'pairs';
  /** 65,536 stored integers. */
  readonly table: Int8Array;
}

/** table[a + 128], or table[256 · channel + a + 128]: an activation, another scale, or a constant that is added. */
export interface IntegerLookup {
  readonly kind: 'lookup';
  /** 256 stored integers, for all channels or for each. */
  readonly table: Int8Array;
}

/**
 * The largest of a window, or its average, places outside the input left out, then cut to `range`. The average of n stored integers:
 * halves `away` from zero, (sum ± ⌊n / 2⌋) / n truncated, with the sign of the sum; `up`, ⌊(sum + ⌊n / 2⌋) / n⌋.
 */
export interface IntegerPool {
  readonly kind: 'pool';
  readonly pool: 'average' | 'max';
  readonly halves: 'away' | 'up';
  readonly window: Pair;
  readonly stride: Pair;
  readonly padding: Padding;
  readonly range: StoredRange;
}

/** Over height and width, of sum = Σ (x − inputZeroPoint): the division is in the multiplier. */
export interface IntegerMean {
  readonly kind: 'mean';
  readonly inputZeroPoint: number;
  readonly to: Requantisation;
}

/**
 * As `Resize`. Bilinear as XNNPACK's kernel: with h and v the weights of the right and the lower neighbour, in 2048ths rounded half to
 * even, t = 2048 · topLeft + (topRight − topLeft) · h and b below it alike, (2048 · t + (b − t) · v + 2^21) >> 22, `>>` arithmetic.
 * Places and weights are those of src/graph/resize-places.ts.
 */
export interface IntegerResize {
  readonly kind: 'resize';
  readonly size: Pair;
  readonly mode: 'bilinear' | 'nearest';
  readonly corners: 'align' | 'half-pixel' | 'asymmetric';
}

/** As `Concat`, each input by a table of its own as `IntegerLookup`'s; null: as it is. */
export interface IntegerConcat {
  readonly kind: 'concat';
  readonly axis: 0 | 1 | 2 | 3;
  readonly tables: readonly (Int8Array | null)[];
}

/** As `Reshape`. */
export interface IntegerReshape {
  readonly kind: 'reshape';
  readonly shape: Shape;
}

/** As `Transpose`. */
export interface IntegerTranspose {
  readonly kind: 'transpose';
  readonly permutation: Permutation;
}

/** As `Pad`, with a stored integer in place of zero. */
export interface IntegerPad {
  readonly kind: 'pad';
  readonly padding: Padding;
  readonly filler: number;
}

/** From real numbers: clamp(roundHalfEven(float32(x · float32(1 / scale))) + zeroPoint), clamped to −128 … 127. */
export interface Quantise extends Quantisation {
  readonly kind: 'quantise';
}

/** To real numbers: float32((q − zeroPoint) · scale). */
export interface Dequantise extends Quantisation {
  readonly kind: 'dequantise';
}

export type IntegerBody =
  | IntegerConv2d
  | IntegerConvTranspose2d
  | IntegerFullyConnected
  | IntegerAdd
  | IntegerMultiply
  | IntegerPairs
  | IntegerLookup
  | IntegerPool
  | IntegerMean
  | IntegerResize
  | IntegerConcat
  | IntegerReshape
  | IntegerTranspose
  | IntegerPad
  | Quantise
  | Dequantise;

export type IntegerKind = IntegerBody['kind'];

/** An operation that reads or writes stored integers. */
export interface Integer<Body extends IntegerBody = IntegerBody> extends NodeBase {
  readonly op: 'integer';
  readonly body: Body;
}

/** The body of one kind: `IntegerOf<'conv2d'>` is `IntegerConv2d`. */
export type IntegerOf<K extends IntegerKind> = Extract<IntegerBody, { kind: K }>;
