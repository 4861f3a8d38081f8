import type { ImageRule } from '../graph/graph.ts';
import type { Pair } from '../graph/ops.ts';
import { channelWeights } from './image-to-tensor.ts';
import { checkRule, constant } from './picture.ts';
import { type AxisPlan, filterWeight, resamplePlan, taps } from './resample.ts';

/** Unit roundoff of float32, rounding to nearest. */
const u = 2 ** -24;

/** γ(n) = n·u / (1 − n·u): n roundings in a row change a value by at most this share (Higham 2002, lemma 3.1). */
const gamma = (n: number): number => (n * u) / (1 - n * u);

/**
 * The most by which a float32 evaluation of `resample.ts`'s formula on the GPU may differ from `imageToTensor`, for each
 * element, whatever the picture. The GPU holds the plan's numbers, the luma and the rule's constants as float32, sums
 * weights and products w(y)·w(x)·pixel in any order, and divides once.
 *
 * - centre(o): start and step rounded, a product, a sum: δ = γ(3)·((o − first)·step + |start|).
 * - A weight's argument: a difference, and a product with a rounded 1 / width:
 *   δ' = (δ + u·(support + 1)) / width + γ(2)·(radius + 1).
 * - The weight: the filter's slope times δ', and its own roundings; `filterError`. A pixel that enters or leaves the
 *   support by a hair is one of those beside it. E is the sum of these errors along an axis.
 * - With A = Σ|w| and S = Σw on each axis, the products w(y)·w(x) are off by D = (A_y + E_y)(A_x + E_x) − A_y·A_x in all.
 *   A weighted mean v changes with a weight by (pixel − v) / Σw, so D costs at most m·D / (S_y·S_x − D), where
 *   m = 255·A_y·A_x / (S_y·S_x) bounds |v| and |pixel − v|.
 * - Sums of n_y·n_x products: γ(n_y·n_x + 6) of (255 + m)·(A_y + E_y)(A_x + E_x), the numerator's and the denominator's
 *   share; luma's constants and products are in the 6, and the product 255·t of a texture's value. The last division: 5u.
 * - Then · scale + offset, each rounded: γ(4) of |v·scale| + |offset|.
 */
export function imageBound(picture: Pair, rule: ImageRule, size: Pair, channels: number): Float32Array {
  checkRule(rule, channels);
  const { vertical, horizontal, filter } = resamplePlan(picture, rule, size);
  const rows = Array.from({ length: size[0] }, (_, y) => weightErrors(vertical, filter, y));
  const columns = Array.from({ length: size[1] }, (_, x) => weightErrors(horizontal, filter, x));
  const mixes = channelWeights(rule.channels);
  const bound = new Float32Array(size[0] * size[1] * channels);
  for (const [y, row] of rows.entries()) {
    for (const [x, column] of columns.entries()) {
      const { most, error } = row && column ? meanError(row, column) : { most: 0, error: 0 };
      for (const c of mixes.keys()) {
        const scale = Math.abs(constant(rule.scale, c));
        const rounding = gamma(4) * ((most + error) * scale + Math.abs(constant(rule.offset, c)));
        // 2^-120 for results that are flushed to zero; the factor for this array's own rounding.
        bound[(y * size[1] + x) * channels + c] = (error * scale + rounding + 2 ** -120) * (1 + 2 ** -20);
      }
    }
  }
  return bound;
}

/** Of the weights of one output pixel along one axis: their number, Σw, Σ|w| and the sum of their errors. */
interface WeightErrors {
  readonly count: number;
  readonly sum: number;
  readonly absolute: number;
  readonly error: number;
}

/** Null where the pixel is black. */
function weightErrors(axis: AxisPlan, filter: ImageRule['filter'], o: number): WeightErrors | null {
  if (o < axis.first || o >= axis.first + axis.length) return null;
  const { centre, from, to } = taps(axis, o);
  const radius = axis.support / axis.width;
  const centreError = gamma(3) * ((o - axis.first) * axis.step + Math.abs(axis.start));
  const argumentError = (centreError + u * (axis.support + 1)) / axis.width + gamma(2) * (radius + 1);
  let sum = 0;
  let absolute = 0;
  let error = 0;
  for (let p = from - 1; p <= to + 1; p++) {
    const argument = (p + 0.5 - centre) / axis.width;
    error += filterError(filter, Math.abs(argument), argumentError);
    if (p < from || p > to) continue;
    const weight = filterWeight(filter, argument);
    sum += weight;
    absolute += Math.abs(weight);
  }
  return { count: to - from + 3, sum, absolute, error };
}

/**
 * |computed − exact| of f(a) where a is off by `e`. The triangle has slope 1 and rounds once. The cubic has slopes
 * 4.5a² − 5a below 1 and −1.5a² + 5a − 4 below 2, which change by at most 5 e on the way; each of its terms passes seven
 * roundings at most.
 */
function filterError(filter: ImageRule['filter'], a: number, e: number): number {
  if (filter === 'bilinear') return e + gamma(2);
  if (a < 1) return (Math.abs(4.5 * a - 5) * a + 5 * e) * e + gamma(7) * ((1.5 * a + 2.5) * a * a + 1);
  const b = Math.min(a, 2);
  return (Math.abs((-1.5 * b + 5) * b - 4) + 5 * e) * e + gamma(7) * (((0.5 * b + 2.5) * b + 4) * b + 2);
}

/** Largest |weighted mean|, and the error of it. */
function meanError(row: WeightErrors, column: WeightErrors): { most: number; error: number } {
  const exact = row.absolute * column.absolute;
  const disturbed = (row.absolute + row.error) * (column.absolute + column.error);
  const weightError = disturbed - exact;
  const rounding = gamma(row.count * column.count + 6) * disturbed;
  const sum = row.sum * column.sum;
  const most = (255 * exact) / sum;
  const error = (most * weightError + (255 + most) * rounding) / (sum - weightError - rounding);
  return { most, error: error + gamma(5) * (most + error) };
}
