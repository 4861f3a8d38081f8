import type { ImageRule } from '../graph/graph.ts';
import type { Pair } from '../graph/ops.ts';
import { checkPicture, checkRule, constant, type Picture } from './picture.ts';
import { type AxisPlan, filterWeight, resamplePlan, taps } from './resample.ts';

export type { Picture };

/** Luma of Rec. 601 from gamma-coded red, green and blue, as PIL's "L" and most datasets have it. */
export const luma = [0.299, 0.587, 0.114] as const;

/** For each channel of the tensor the weights of red, green and blue. */
export function channelWeights(channels: ImageRule['channels']): readonly (readonly [number, number, number])[] {
  const [red, green, blue] = [[1, 0, 0] as const, [0, 1, 0] as const, [0, 0, 1] as const];
  if (channels === 'grey') return [luma];
  return channels === 'rgb' ? [red, green, blue] : [blue, green, red];
}

/**
 * The input tensor of a picture: `[1, size[0], size[1], channels]` as dense NHWC float32, in float64 until the end.
 *
 * Each channel (red, green, blue, or their luma) is resampled as `resample.ts` says; black outside a letterboxed
 * picture is pixel value 0; then value = pixel · scale[channel] + offset[channel], where a list of one is for all.
 * Alpha is ignored: pixels are taken as they are, not blended with a background.
 *
 * Throws `UsageError` where the picture's data does not have its size, or where the rule does not give `channels`.
 */
export function imageToTensor(picture: Picture, rule: ImageRule, size: Pair, channels: number): Float32Array {
  checkPicture(picture);
  checkRule(rule, channels);
  const { vertical, horizontal, turn, filter } = resamplePlan([picture.height, picture.width], rule, size);
  const rows = axisWeights(vertical, filter);
  const columns = axisWeights(horizontal, filter);
  const mixes = channelWeights(rule.channels);
  const tensor = new Float32Array(size[0] * size[1] * channels);

  // Each row of the turned picture at the output's width, red, green, blue.
  const narrowed = new Float64Array(vertical.input * size[1] * 3);
  for (let y = 0; y < vertical.input; y++) {
    for (let x = 0; x < size[1]; x++) {
      const { from, weights } = columns[x]!;
      for (let colour = 0; colour < 3; colour++) {
        let sum = 0;
        for (let i = 0; i < weights.length; i++) {
          sum += weights[i]! * picture.data[(turn.origin + y * turn.row + (from + i) * turn.column) * 4 + colour]!;
        }
        narrowed[(y * size[1] + x) * 3 + colour] = sum;
      }
    }
  }

  for (let y = 0; y < size[0]; y++) {
    const { from, weights } = rows[y]!;
    for (let x = 0; x < size[1]; x++) {
      const pixel = [0, 0, 0];
      for (let colour = 0; colour < 3; colour++) {
        for (let i = 0; i < weights.length; i++) {
          pixel[colour]! += weights[i]! * narrowed[((from + i) * size[1] + x) * 3 + colour]!;
        }
      }
      for (const [c, [red, green, blue]] of mixes.entries()) {
        const value = red * pixel[0]! + green * pixel[1]! + blue * pixel[2]!;
        tensor[(y * size[1] + x) * channels + c] = value * constant(rule.scale, c) + constant(rule.offset, c);
      }
    }
  }
  return tensor;
}

/** Normalised weights of each output pixel of an axis for the picture's pixels from `from` on; none where black. */
function axisWeights(axis: AxisPlan, filter: ImageRule['filter']): { from: number; weights: number[] }[] {
  return Array.from({ length: axis.output }, (_, o) => {
    if (o < axis.first || o >= axis.first + axis.length) return { from: 0, weights: [] };
    const { centre, from, to } = taps(axis, o);
    const weights = [];
    for (let p = from; p <= to; p++) weights.push(filterWeight(filter, (p + 0.5 - centre) / axis.width));
    const sum = weights.reduce((a, b) => a + b, 0);
    return { from, weights: weights.map((weight) => weight / sum) };
  });
}
