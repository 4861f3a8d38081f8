/**
 * How far a float32 GPU may be from the reference, for each output element: derived, worst-case, and free of the order
 * in which a kernel sums.
 *
 * The tools are those of Higham, "Accuracy and Stability of Numerical Algorithms", 2nd edition, sections 2.2 and 3.1. A
 * rounding is a factor 1 + δ, |δ| ≤ u = 2^-24; n of them in a row change a value by at most the share
 * γ(n) = n·u / (1 − n·u). In a sum of n terms in any order, each term passes at most n − 1 additions.
 *
 * What the WGSL specification grants (section "Floating Point Accuracy"): + − × and fma are correctly rounded; a
 * division is within 2.5 ULP, that is 5u, as one ULP is at most 2u of the value; exp(x) is within 3 + 2·|x| ULP; min,
 * max, clamp and copies are exact; subnormals may be flushed to zero; sums and products may be reassociated and fused.
 * It leaves the direction of rounding open; u supposes to nearest, which is what adapters do.
 *
 * Every bound further holds
 * - u·|y| for the reference's own rounding to float32 (its float64 sums are off by 2^-29 of the GPU's bound at most),
 * - 2^-126 for each operation whose operand or result may have been flushed, times what it is multiplied by,
 * - where a layer computes in halves (`StorageOptions.halves`), what `halfSums` says,
 * - where the output is stored as halves, 2^-11 of the value (at least 2^-25) for the store. Operands are taken as the
 *   GPU holds them: the caller passes input tensors as read back, weights are rounded here.
 */
import { UsageError } from '../errors.ts';
import { halfWeights, MOST_INPUT, MOST_TERMS, MOST_WEIGHT, TERMS } from '../graph/half-weights.ts';
import type { Integer } from '../graph/integers.ts';
import {
  type Activation,
  type Conv2d,
  type ConvTranspose2d,
  type FullyConnected,
  type Fused,
  type Node,
  type Pool,
  type Resize,
  writtenBy,
} from '../graph/ops.ts';
import { activate, finish } from '../reference/activation.ts';
import { partner } from '../reference/binary.ts';
import { convolve } from '../reference/conv.ts';
import { layOut } from '../reference/conv-transpose.ts';
import { matrixProduct } from '../reference/fully-connected.ts';
import { runNode, type Tensor } from '../reference/index.ts';
import { sourceCoordinate } from '../reference/resize.ts';
import { checkedShape } from '../reference/tensor.ts';

/** How the GPU stores tensors and weights. */
export type Storage = 'f32' | 'f16';

export interface StorageOptions {
  /** Of the weights of normal convolutions and fully connected layers; the others' stay float32. */
  readonly weights?: Storage;
  /** Of what is written. */
  readonly output?: Storage;
  /** Products are halves, and short sums of them; of a convolution or a fully connected layer. */
  readonly halves?: boolean;
  /** Of what these read first. */
  readonly input?: Storage;
}

export interface Bounded {
  /** Of the reference. */
  readonly output: Tensor;
  /** Most |gpu − output| of each element: past it, something is wrong. */
  readonly bound: Float32Array;
  /** The same with √n in place of n roundings, as if they were independent: for reports, not a limit. */
  readonly probable: Float32Array;
}

/** Unit roundoff of float32, to nearest. */
const u = 2 ** -24;

/** Smallest normal float32: what a flush to zero loses at most. */
const smallest = 2 ** -126;

/** 2.5 ULP, in units of u. */
const division = 5;

/** Covers the float64 arithmetic here and in the reference, and the rounding of the bound to float32. */
const slack = 1 + 2 ** -20;

/** Unit roundoff of halves. */
const halfUnit = 2 ** -11;

/** The share by which n roundings in a row change a value: γ(n), or γ(√n) for the probable error; to float32 unless given. */
type Roundings = (n: number, unit?: number) => number;

const worstCase: Roundings = (n, unit = u) => (n * unit) / (1 - n * unit);
const probableCase: Roundings = (n, unit) => worstCase(Math.sqrt(n), unit);

/** |computed − exact| for element i of a node's output, before it is stored. */
type ErrorOf = (i: number, gamma: Roundings) => number;

/**
 * Runs the node on the reference, with bounds for a GPU that was given the same inputs. With `weights` 'f16', they are
 * rounded to float16 first, as the GPU holds them. Throws as `runNode` does.
 */
export function runWithBound(node: Node, inputs: readonly Tensor[], options: StorageOptions = {}): Bounded {
  if (node.op === 'fused') return fusedWithBounds(node, inputs, options).get(node.output)!;
  const { output = 'f32' } = options;
  const stored = asStored(node, options);
  const shape = checkedShape(stored, inputs);
  const { data, error } = evaluate(stored, inputs, shape, options);
  const bound = new Float32Array(data.length);
  const probable = new Float32Array(data.length);
  for (let i = 0; i < data.length; i++) {
    bound[i] = withStore(error?.(i, worstCase), data[i]!);
    probable[i] = withStore(error?.(i, probableCase), data[i]!);
  }
  return { output: { shape, data }, bound, probable };

  /** With the reference's rounding and the store; a copy has no rounding but the store's, and may flush a subnormal. */
  function withStore(computed: number | undefined, y: number): number {
    if (computed === undefined) return smallest + (output === 'f16' ? Math.abs(roundToFloat16(y) - y) : 0);
    const magnitude = Math.abs(y) + computed;
    return (computed + u * Math.abs(y) + (output === 'f16' ? 2 ** -11 * magnitude + 2 ** -25 : 0)) * slack;
  }
}

interface Evaluated {
  readonly data: Float32Array;
  /** Null for a copy or a choice among inputs, which is exact. */
  readonly error: ErrorOf | null;
}

/** Integers are exact, but where a real number lies so near the middle of two that a rounding of the quotient decides. */
function integerError({ body }: Integer, { data }: Tensor): ErrorOf | null {
  switch (body.kind) {
    case 'quantise':
      return (i, gamma) => {
        const steps = Math.abs(data[i]! / body.scale);
        const middle = Math.abs((steps % 1) - 0.5);
        return middle <= gamma(3) * steps ? 1 : 0;
      };
    case 'dequantise':
      return (i, gamma) => gamma(1) * Math.abs((data[i]! - body.zeroPoint) * body.scale) + smallest;
    default:
      return null;
  }
}

function evaluate(
  node: Node,
  inputs: readonly Tensor[],
  shape: Tensor['shape'],
  options: StorageOptions = {},
): Evaluated {
  const input = inputs[0]!;
  const computed = () => runNode(node, inputs).data;
  switch (node.op) {
    case 'conv2d': {
      const taps = node.kernel[0] * node.kernel[1] * (input.shape[3] / node.groups);
      const sums = convolve(node, input, shape);
      const magnitudes = convolve(absoluteNode(node), absolute(input), shape);
      return weightedSums(node, input, sums, magnitudes, taps, inputs[1]?.data, options);
    }
    case 'conv-transpose2d': {
      // Of a dense kernel every stride-th tap of an axis meets an output pixel.
      const met = (axis: 0 | 1) => Math.ceil(node.kernel[axis] / (node.dilation[axis] === 1 ? node.stride[axis] : 1));
      const sums = layOut(node, input, shape);
      const magnitudes = layOut(absoluteNode(node), absolute(input), shape);
      return weightedSums(node, input, sums, magnitudes, met(0) * met(1) * input.shape[3]);
    }
    case 'fully-connected': {
      const taps = input.data.length / input.shape[0];
      const sums = matrixProduct(node, input);
      const magnitudes = matrixProduct(absoluteNode(node), absolute(input));
      return weightedSums(node, input, sums, magnitudes, taps, undefined, options);
    }
    case 'add':
    case 'multiply': {
      const other = inputs[1]!;
      const at = partner(input, other);
      const pair = (combine: (a: number, b: number) => number) =>
        Float64Array.from(input.data, (a, i) => combine(a, other.data[at(i)]!));
      const isAdd = node.op === 'add';
      return epilogue({
        sums: pair((a, b) => (isAdd ? a + b : a * b)),
        magnitudes: pair((a, b) => (isAdd ? Math.abs(a) + Math.abs(b) : Math.abs(a * b))),
        roundings: 1,
        flushed: flushed(1, largest(input.data), largest(other.data)),
        activation: node.activation,
      });
    }
    case 'affine': {
      const of = (constants: Float32Array, i: number) => constants[constants.length === 1 ? 0 : i % input.shape[3]]!;
      const terms = (combine: (product: number, shift: number) => number) =>
        Float64Array.from(input.data, (x, i) => combine(x * of(node.scale, i), of(node.shift, i)));
      return epilogue({
        sums: terms((product, shift) => product + shift),
        magnitudes: terms((product, shift) => Math.abs(product) + Math.abs(shift)),
        roundings: 2,
        flushed: flushed(1, largest(input.data), largest(node.scale)),
        activation: 'none',
      });
    }
    case 'batch-norm': {
      // The GPU runs x · factor + offset with the two rounded from float64: three roundings of either term. The
      // reference subtracts the mean first; 2^-26 of the terms of the offset covers float64's roundings of both.
      const factor = Float64Array.from(node.scale, (s, c) => s / Math.sqrt(node.variance[c]! + node.epsilon));
      const magnitudes = Float64Array.from(input.data, (x, i) => {
        const c = i % input.shape[3];
        const centring = node.mean[c]! * factor[c]!;
        const offset = node.shift[c]! - centring;
        const cancelled = Math.abs(centring) + Math.abs(node.shift[c]!);
        return Math.abs(x * factor[c]!) + Math.abs(offset) + 2 ** -26 * cancelled;
      });
      const lost = flushed(1, largest(input.data), largest(factor));
      return { data: computed(), error: (i, gamma) => gamma(3) * magnitudes[i]! + lost };
    }
    case 'activation': {
      const sums = Float64Array.from(input.data);
      const magnitudes = sums.map(Math.abs);
      return epilogue({ sums, magnitudes, roundings: 0, flushed: flushed(1, 3, 1), activation: node.activation });
    }
    case 'pool': {
      const exact = node.kind === 'max';
      return { data: computed(), error: exact ? null : meanError(node, inputs, node.kernel[0] * node.kernel[1]) };
    }
    case 'global-average-pool':
      return { data: computed(), error: meanError(node, inputs, input.shape[1] * input.shape[2]) };
    case 'sum-tiles': {
      const magnitudes = runNode(node, [absolute(input)]).data;
      const most = node.tile[0] * node.tile[1];
      const lost = flushed(most, largest(input.data), 1);
      return { data: computed(), error: (i, gamma) => gamma(most) * magnitudes[i]! + lost };
    }
    case 'softmax':
      return softmaxError(input, computed());
    case 'prelu': {
      const data = computed();
      const lost = flushed(1, largest(input.data), Math.max(1, largest(node.slope)));
      return { data, error: (i, gamma) => gamma(1) * Math.abs(data[i]!) + lost };
    }
    case 'l2-normalize': {
      // A root halves the share of its operand's error; it is one over a reciprocal root, which is within 2 ULP. Squares that
      // are flushed change the length by √K · 2^-63 at most, which is at least epsilon.
      const data = computed();
      const channels = input.shape[3];
      const lost = (Math.sqrt(channels) * 2 ** -63) / node.epsilon;
      const roundings = Math.ceil(channels / 2) + 4 + 2 * division;
      return { data, error: (i, gamma) => (gamma(roundings) + lost) * Math.abs(data[i]!) + smallest };
    }
    case 'clip':
      return { data: computed(), error: () => smallest };
    case 'integer':
      return { data: computed(), error: integerError(node, input) };
    case 'resize':
      return { data: computed(), error: node.mode === 'nearest' ? null : bilinearError(node, input, shape) };
    case 'reshape':
    case 'transpose':
    case 'pad':
    case 'concat':
    case 'fused':
      return { data: computed(), error: null };
  }
}

/**
 * As `runWithBound`, of inputs that are themselves off by up to their bounds: what a node computes is off by its own bound,
 * and by what its inputs are off by, as far as that comes through (`through`). The own bound is taken at the exact input;
 * 2^-8 of the error that comes through covers what the inexact one adds to it, as γ(K + 3) is below 2^-9 for K < 30,000.
 * Throws as `runNode` does, and `UsageError` for operations of which it is not known what comes through.
 */
export function runWithErrors(node: Node, inputs: readonly Bounded[], options: StorageOptions = {}): Bounded {
  const values = inputs.map(({ output }) => output);
  const { output, bound, probable } = runWithBound(node, values, options);
  const stored = asStored(node, options);
  const add = (mine: Float32Array, errors: readonly Float32Array[]) => {
    const more = through(stored, values, errors, output.shape);
    return mine.map((b, i) => b + (1 + 2 ** -8) * more[i]!);
  };
  const of = (kind: 'bound' | 'probable') => inputs.map((input) => input[kind]);
  return { output, bound: add(bound, of('bound')), probable: add(probable, of('probable')) };
}

/** A tensor that is off by nothing. */
export function exact(tensor: Tensor): Bounded {
  const none = new Float32Array(tensor.data.length);
  return { output: tensor, bound: none, probable: none };
}

/**
 * Parts one after another (`runWithErrors`), by the name of what they write. Only what the node writes is stored. Throws
 * as `runNode` does.
 */
export function fusedWithBounds(
  node: Fused,
  inputs: readonly Tensor[],
  { weights = 'f32', output = 'f32' }: StorageOptions = {},
): Map<string, Bounded> {
  const written = new Set(writtenBy(node));
  const tensors = new Map(node.inputs.map((name, i) => [name, exact(inputs[i]!)]));
  for (const part of node.parts) {
    const operands = part.inputs.map((name) => tensors.get(name)!);
    const stored = { weights, output: written.has(part.output) ? output : 'f32' } as const;
    tensors.set(part.output, runWithErrors(part, operands, stored));
  }
  return tensors;
}

/**
 * What errors of a node's inputs make of its output, at most. Σ|w| of the places that a sum reads, times the largest
 * slope of the activation (3/2 for hard-swish, at most 1 for the others); a residual's error as it is; of a product
 * (a + δ)(b + ε) − ab = aε + bδ + δε.
 */
function through(
  part: Node,
  inputs: readonly Tensor[],
  errors: readonly Float32Array[],
  shape: Tensor['shape'],
): ArrayLike<number> {
  const source: Tensor = { shape: inputs[0]!.shape, data: errors[0]! };
  const slope = 'activation' in part && part.activation === 'hard-swish' ? 1.5 : 1;
  switch (part.op) {
    case 'conv2d': {
      const sums = convolve({ ...absoluteNode(part), bias: null }, source, shape);
      return sums.map((sum, i) => slope * sum + (errors[1]?.[i] ?? 0));
    }
    case 'fully-connected':
      return matrixProduct({ ...absoluteNode(part), bias: null }, source).map((sum) => slope * sum);
    case 'global-average-pool':
    case 'sum-tiles':
      return runNode(part, [source]).data;
    case 'multiply': {
      const [a, b] = [inputs[0]!, inputs[1]!];
      const at = partner(a, b);
      return Float64Array.from(
        a.data,
        (value, i) =>
          slope *
          (Math.abs(value) * errors[1]![at(i)]! +
            Math.abs(b.data[at(i)]!) * errors[0]![i]! +
            errors[0]![i]! * errors[1]![at(i)]!),
      );
    }
    default:
      throw new UsageError(`node "${part.name}" (${part.op}): no bound is derived for inputs that are off`);
  }
}

/**
 * K products and a bias: each product is rounded once and passes at most K additions, so K + 1 roundings of
 * M = Σ|w·x| + |bias| (Higham, section 3.1, equation 3.3). `epilogue` adds the residual's and the activation's.
 */
function weightedSums(
  node: Conv2d | ConvTranspose2d | FullyConnected,
  input: Tensor,
  sums: Float64Array,
  magnitudes: Float64Array,
  taps: number,
  residual?: Float32Array,
  options: StorageOptions = {},
): Evaluated {
  const lost = flushed(taps, largest(input.data), largest(node.weights));
  const halved = options.halves && node.op !== 'conv-transpose2d';
  return epilogue({
    sums,
    magnitudes,
    // In halves a scale is one factor more, and a range, and the bias one term.
    roundings: taps + (halved ? 4 : 1),
    flushed: halved ? halfSums(node, input, magnitudes, taps, lost, options) : lost,
    activation: node.activation,
    residual,
  });
}

/**
 * What products and short sums in halves are off by (src/graph/half-weights.ts): weights are taken as halves hold them, and
 * their scales are powers of two, so that
 * - an input that is not stored as a half is rounded to one, after a product with a reciprocal in float32;
 * - a product is rounded, and passes one addition for each term of its short sum: 8, or 16 at most of a depthwise
 *   convolution's taps or of a row of a picture;
 * - an input, a product and a sum below 2^-14, in units of scale and range, may be flushed to zero: 2^-14 each, the input's
 *   times the largest weight.
 * The float32 sum of them is off by its own roundings of what it adds, for which 2^-6 of them are 1 + γ(18).
 */
function halfSums(
  node: Conv2d | FullyConnected,
  input: Tensor,
  magnitudes: Float64Array,
  taps: number,
  lost: number,
  { input: stored = 'f32' }: StorageOptions,
): (i: number, gamma: Roundings) => number {
  const outputs = node.op === 'conv2d' ? node.outChannels : node.outFeatures;
  // These weights are rounded: the largest of an output may have become 8, of half that scale.
  const scales = halfWeights(node.weights, outputs).scales.map((scale) => 2 * scale);
  const depthwise = node.op === 'conv2d' && node.groups > 1;
  const terms = Math.min(taps, depthwise || input.shape[3] < 4 ? MOST_TERMS : TERMS);
  const range = stored === 'f32' ? Math.max(1, largest(input.data) / MOST_INPUT) : 1;
  const underflow = taps * (MOST_WEIGHT + 2) * 2 ** -14 * range;
  return (i, gamma) => {
    const o = i % outputs;
    const products = magnitudes[i]! - Math.abs(node.bias?.[o] ?? 0);
    const rounded =
      gamma(terms + 1 + (stored === 'f32' ? 1 : 0), halfUnit) + (stored === 'f32' ? worstCase(division + 1) : 0);
    return (rounded * products + underflow * scales[o]!) * (1 + 2 ** -6) + lost;
  };
}

/** A sum, what it was summed from, and what is done to it after. */
interface Sums {
  /** Exact values before the activation. */
  readonly sums: Float64Array;
  /** Sums of the terms' absolute values, and the roundings that a term passes. */
  readonly magnitudes: Float64Array;
  readonly roundings: number;
  /** What flushing costs, and computing in halves. */
  readonly flushed: number | ((i: number, gamma: Roundings) => number);
  readonly activation: Activation;
  readonly residual?: Float32Array | undefined;
}

/**
 * activation(sum) + residual. Without an activation the residual is one more term of the sum, in any order; after one
 * it is one more rounding of the result.
 */
function epilogue({ sums, magnitudes, roundings, flushed: lost, activation, residual }: Sums): Evaluated {
  const data = finish(sums, activation, residual);
  const error: ErrorOf = (i, gamma) => {
    const flushed = typeof lost === 'number' ? lost : lost(i, gamma);
    const magnitude = magnitudes[i]!;
    if (!residual) return activationError(activation, sums[i]!, magnitude, roundings, flushed, gamma);
    if (activation === 'none') return gamma(roundings + 1) * (magnitude + Math.abs(residual[i]!)) + flushed;
    const activated = activationError(activation, sums[i]!, magnitude, roundings, flushed, gamma);
    return activated + u * (Math.abs(data[i]!) + activated);
  };
  return { data, error };
}

/**
 * |computed − exact| of activation(z), where z was computed from terms of the given magnitude with the given roundings.
 * The error e of z comes through times the function's largest slope; then come the function's own operations.
 *
 * - relu, relu6: slope 1, exact.
 * - hard-sigmoid: slope 1/6; x + 3 may be reassociated with the sum, so one rounding more and 3 more to round; the
 *   division, which a product with 1/6 rounded does not exceed.
 * - hard-swish: slope 3/2 (at 3); the same, and a product.
 * - sigmoid 1 / (1 + e^-x): slope 1/4. Relative to the result s: the exponential's 2u·(3 + 2|x|) counts by its share
 *   1 − s of the denominator; a sum and the division. Kernels clamp x to ±80, which costs e^-80.
 */
function activationError(
  activation: Activation,
  z: number,
  magnitude: number,
  roundings: number,
  flushed: number,
  gamma: Roundings,
): number {
  const y = activate(activation, z);
  switch (activation) {
    case 'none':
    case 'relu':
    case 'relu6':
      return gamma(roundings) * magnitude + flushed;
    case 'hard-sigmoid': {
      const e = (gamma(roundings + 1) * (magnitude + 3) + flushed) / 6;
      return e + worstCase(division) * (y + e);
    }
    case 'hard-swish': {
      const e = 1.5 * (gamma(roundings + 1) * (magnitude + 3) + flushed);
      return e + worstCase(division + 1) * (Math.abs(y) + e);
    }
    case 'sigmoid': {
      const e = gamma(roundings) * magnitude + flushed;
      const exponent = Math.min(Math.abs(z) + e, 80);
      const share = Math.min(1 - y + e / 4, 1) * 2 * u * (3 + 2 * exponent) + worstCase(1 + division);
      return e / 4 + ((y + e / 4) * share) / (1 - share) + Math.exp(-80) + flushed;
    }
  }
}

/** A mean of n: each value passes n − 1 additions and the division; M = mean of |x|. */
function meanError(
  node: Node & { op: Pool['op'] | 'global-average-pool' },
  inputs: readonly Tensor[],
  n: number,
): ErrorOf {
  const magnitudes = runNode(node, inputs.map(absolute)).data;
  const lost = flushed(n, 1, 1);
  return (i, gamma) => gamma(n - 1 + division) * magnitudes[i]! + lost;
}

/**
 * p = e^v / S, v = x − m, S = Σ e^v over n channels. Relative to e^v, the exponential is off by
 * ρ = (6 + 4|v|)·u of its own and |v|·u from the rounding of v; S by Σ ρ·e^v / S and n − 1 additions; then the division.
 * An exponential that is flushed, or too small for a float, costs 2^-126 of a sum that is at least 1.
 */
function softmaxError({ data: logits, shape: [, , , channels] }: Tensor, data: Float32Array): Evaluated {
  const maxima = new Float64Array(data.length / channels).fill(Number.NEGATIVE_INFINITY);
  for (let i = 0; i < data.length; i++) {
    const pixel = Math.floor(i / channels);
    maxima[pixel] = Math.max(maxima[pixel]!, logits[i]!);
  }
  // Where ρ is near a half, e^v is long zero.
  const rho = (i: number) => Math.min(u * (6 + 5 * Math.abs(logits[i]! - maxima[Math.floor(i / channels)]!)), 0.5);
  const sumErrors = new Float64Array(maxima.length);
  for (let i = 0; i < data.length; i++) sumErrors[Math.floor(i / channels)]! += rho(i) * data[i]!;
  const lost = smallest * (channels + 4);
  return {
    data,
    error(i, gamma) {
      const share = rho(i) + sumErrors[Math.floor(i / channels)]! + gamma(channels - 1 + division);
      return (data[i]! * share) / (1 - Math.min(share, 0.5)) + lost;
    },
  };
}

/**
 * Source coordinates are o · step + start with both constants rounded: off by δ = γ(3)·(o·step + |start|) before they
 * are clamped. Bilinear interpolation is continuous and changes along an axis by at most the largest difference D of
 * neighbours there, among the pixels within δ: δ_y·D_y + δ_x·D_x. Two interpolations a·(1 − t) + b·t, in any of their
 * equivalent forms, round a weight, a product and a sum each: γ(6) of the largest |pixel|, twice for the forms that
 * subtract (a + (b − a)·t).
 */
function bilinearError(node: Resize, input: Tensor, shape: Tensor['shape']): ErrorOf {
  const [, inHeight, inWidth] = input.shape;
  const [, height, width, channels] = shape;
  const rows = Array.from({ length: height }, (_, o) => reach(node.corners, o, inHeight, height));
  const columns = Array.from({ length: width }, (_, o) => reach(node.corners, o, inWidth, width));
  return (i) => {
    const c = i % channels;
    const x = Math.floor(i / channels) % width;
    const y = Math.floor(i / (channels * width)) % height;
    const image = Math.floor(i / (channels * width * height));
    const [row, column] = [rows[y]!, columns[x]!];
    const source = (py: number, px: number) => input.data[((image * inHeight + py) * inWidth + px) * channels + c]!;
    let [most, vertical, horizontal] = [0, 0, 0];
    for (let py = row.from; py <= row.to; py++) {
      for (let px = column.from; px <= column.to; px++) {
        const value = source(py, px);
        most = Math.max(most, Math.abs(value));
        if (py > row.from) vertical = Math.max(vertical, Math.abs(value - source(py - 1, px)));
        if (px > column.from) horizontal = Math.max(horizontal, Math.abs(value - source(py, px - 1)));
      }
    }
    return row.error * vertical + column.error * horizontal + 2 * worstCase(6) * most + flushed(4, most, 1);
  };
}

/** Error of a source coordinate, and the pixels that interpolation there may touch. */
function reach(corners: Resize['corners'], o: number, input: number, output: number) {
  const start = sourceCoordinate(corners, 0, input, output);
  const coordinate = sourceCoordinate(corners, o, input, output);
  const error = worstCase(3) * (coordinate - start + Math.abs(start));
  const clamp = (p: number) => Math.min(Math.max(p, 0), input - 1);
  return { error, from: clamp(Math.floor(coordinate - error)), to: clamp(Math.floor(coordinate + error) + 1) };
}

/** What is lost where operands or results of n products and sums are flushed to zero. */
const flushed = (n: number, largestA: number, largestB: number): number =>
  smallest * (4 * n + 16) * (1 + largestA + largestB);

function largest(values: ArrayLike<number>): number {
  let most = 0;
  for (let i = 0; i < values.length; i++) most = Math.max(most, Math.abs(values[i]!));
  return most;
}

const absolute = ({ shape, data }: Tensor): Tensor => ({ shape, data: data.map(Math.abs) });

const absoluteNode = <N extends Conv2d | ConvTranspose2d | FullyConnected>(node: N): N => ({
  ...node,
  weights: node.weights.map(Math.abs),
  bias: node.bias?.map(Math.abs) ?? null,
});

/** The weights that kernels store in the plan's precision; those of depthwise and grouped convolutions stay float32. */
function withRoundedWeights<N extends Node>(node: N): N {
  return (node.op === 'conv2d' && node.groups === 1) || node.op === 'conv-transpose2d' || node.op === 'fully-connected'
    ? { ...node, weights: node.weights.map(roundToFloat16) }
    : node;
}

/** A node with its weights as the GPU holds them. */
function asStored<N extends Node>(node: N, { weights = 'f32', halves }: StorageOptions): N {
  if (halves && (node.op === 'conv2d' || node.op === 'fully-connected')) {
    const outputs = node.op === 'conv2d' ? node.outChannels : node.outFeatures;
    const { scales, values } = halfWeights(node.weights, outputs);
    return { ...node, weights: values.map((value, i) => roundToFloat16(value) * scales[i % outputs]!) };
  }
  return weights === 'f16' ? withRoundedWeights(node) : node;
}

/** The nearest float16 (IEEE 754 binary16), ties to even; past 65504 by half a step or more, infinite. */
export function roundToFloat16(x: number): number {
  if (!Number.isFinite(x)) return x;
  const exponent = Math.max(Math.floor(Math.log2(Math.abs(x))), -14);
  const step = 2 ** (exponent - 10);
  // Adding 1.5 · 2^52 leaves no place for a fraction, so that float64 rounds to a whole number, ties to even.
  const whole = 1.5 * 2 ** 52;
  const rounded = (x / step + whole - whole) * step;
  return Math.abs(rounded) > 65504 ? Math.sign(x) * Number.POSITIVE_INFINITY : rounded;
}
