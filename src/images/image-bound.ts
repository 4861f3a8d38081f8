import type { ImageRule } from '../graph/graph.ts';
import type { Pair } from '../graph/ops.ts';
import { channelWeights, checkRule, constant } from './image-to-tensor.ts';
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
 * - A weight's argument: a difference, and a division (2.5 ULP = 5u) by a rounded width:
 *   δ' = (δ + u·(support + 1)) / width + γ(6)·(radius + 1).
 * - The weight: the filter's largest slope (1; 25/18 for the cubic, at 5/9) times δ', and its own roundings (γ(2) for
 *   the triangle; γ(7)·24 for the cubic in Horner's form, 24 = ½·8 + 2.5·4 + 4·2 + 2). So e for each weight; a pixel
 *   that enters or leaves the support does so with a weight below e.
 * - With n pixels, A = Σ|w| and S = Σw on each axis, the numerator is off by at most
 *   255·[(A_y + n_y·e_y)(A_x + n_x·e_x)(1 + γ(n_y·n_x + 5)) − A_y·A_x], the denominator by the same without 255 (a sum of
 *   fewer roundings), and the quotient by (ΔN + |v|·ΔD) / (S_y·S_x − ΔD) + γ(5)·|v|, |v| ≤ 255·A_y·A_x / (S_y·S_x).
 * - Then · scale + offset, each rounded: γ(4) of |v·scale| + |offset|. Luma's constants are in the 5 above.
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

/** Of the weights of one output pixel along one axis: their number, sums, and the error of each. */
interface WeightErrors {
  readonly count: number;
  readonly sum: number;
  readonly absolute: number;
  readonly each: number;
}

/** Null where the pixel is black. */
function weightErrors(axis: AxisPlan, filter: ImageRule['filter'], o: number): WeightErrors | null {
  if (o < axis.first || o >= axis.first + axis.length) return null;
  const { centre, from, to } = taps(axis, o);
  let sum = 0;
  let absolute = 0;
  for (let p = from; p <= to; p++) {
    const weight = filterWeight(filter, (p + 0.5 - centre) / axis.width);
    sum += weight;
    absolute += Math.abs(weight);
  }
  const radius = axis.support / axis.width;
  const centreError = gamma(3) * ((o - axis.first) * axis.step + Math.abs(axis.start));
  const argument = (centreError + u * (axis.support + 1)) / axis.width + gamma(6) * (radius + 1);
  const each = filter === 'bilinear' ? argument + gamma(2) : (25 / 18) * argument + 24 * gamma(7);
  // One pixel more at either end may come within the support.
  return { count: to - from + 3, sum, absolute, each };
}

/** Largest |weighted mean|, and the error of it. */
function meanError(row: WeightErrors, column: WeightErrors): { most: number; error: number } {
  const absolute = row.absolute * column.absolute;
  const disturbed = (row.absolute + row.count * row.each) * (column.absolute + column.count * column.each);
  const sumError = disturbed * (1 + gamma(row.count * column.count + 5)) - absolute;
  const sum = row.sum * column.sum;
  const most = (255 * absolute) / sum;
  return { most, error: (255 * sumError + most * sumError) / (sum - sumError) + gamma(5) * most };
}
