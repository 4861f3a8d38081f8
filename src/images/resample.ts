/**
 * How a picture is resampled to the size of an input tensor, in numbers: the one definition that both the CPU
 * (image-to-tensor.ts) and the GPU evaluate.
 *
 * Of the picture the rule's `region` is turned clockwise by `rotate`, then mirrored left to right where it says `flip`;
 * nothing is moved for that: pixel (y, x) of the turned picture is pixel number origin + y · row + x · column of the picture
 * as it lies. From here on, "the picture" is the turned region.
 *
 * A pixel is a square: pixel p of an axis spans [p, p + 1] and its centre is p + ½. Output pixel o of an axis is
 * `black` (0) unless first ≤ o < first + length. There, its centre lies in the picture at
 *
 *     centre(o) = start + (o − first) · step
 *
 * and it is the weighted mean of the pixels p of the axis, 0 ≤ p < input, with weights
 *
 *     w(o, p) = f((p + ½ − centre(o)) / width),   zero where |p + ½ − centre(o)| ≥ support = radius · width
 *
 * divided by their sum: pixels that the picture does not have take no part, they are neither zeros nor copies of the
 * edge. f is the triangle (bilinear, radius 1) or Keys' cubic convolution with a = −½ (bicubic, radius 2; Keys 1981,
 * equation 4 with the a of section III). With `antialias`, width is max(1, step), so that a shrinking filter sees every
 * pixel; without it, 1. The two axes are independent: w(oy, ox, py, px) = w(oy, py) · w(ox, px). Nothing is rounded in
 * between. This is PIL's `Image.resize(size, resample, box)` without its rounding to 8 bits.
 *
 * What start, step, first and length are is the rule's `fit` and `corners`:
 *
 * - the source rectangle is [from, from + size] on each axis: all of the picture (`stretch`, `letterbox`), or the centre
 *   of the largest rectangle of the output's aspect, times cropFraction (`crop`; for a square output, that fraction of
 *   the shorter side);
 * - the output rectangle is [first, first + length]: all of the output, or (`letterbox`) the largest of the picture's
 *   aspect, centred, in whole pixels as `tf.image.resize_with_pad` rounds them: both down;
 * - 'half-pixel': step = size / length, start = from + step / 2; 'align' (the outermost centres coincide):
 *   step = (size − 1) / (length − 1), or 0 where length is 1, start = from + ½.
 */
import { UsageError } from '../errors.ts';
import type { ImageRule } from '../graph/graph.ts';
import type { Pair } from '../graph/ops.ts';

/** One axis of a plan; lengths in pixels, see above. */
export interface AxisPlan {
  /** Pixels of the turned picture and of the output along this axis. */
  readonly input: number;
  readonly output: number;
  /** Output pixels outside [first, first + length) are black. */
  readonly first: number;
  readonly length: number;
  /** Centre in the picture of output pixel `first`, and the distance between neighbours. */
  readonly start: number;
  readonly step: number;
  /** How much the filter is widened, ≥ 1, and its half-width: radius · width. */
  readonly width: number;
  readonly support: number;
}

/** Where the pixels of the turned picture lie, see above; in pixels. */
export interface Turn {
  readonly origin: number;
  readonly row: number;
  readonly column: number;
}

export interface ResamplePlan {
  readonly vertical: AxisPlan;
  readonly horizontal: AxisPlan;
  readonly turn: Turn;
  readonly filter: ImageRule['filter'];
}

/**
 * Plans the resampling of a picture of `[height, width]` pixels to `[height, width]` outputs.
 * Throws `UsageError` where a size is not a whole number ≥ 1, cropFraction is not in (0, 1], rotate no quarter turn or
 * nothing of the picture is in the region.
 */
export function resamplePlan(stored: Pair, rule: ImageRule, output: Pair): ResamplePlan {
  for (const [what, size] of [
    ['the picture', stored],
    ['the output', output],
  ] as const) {
    if (!size.every((length) => Number.isSafeInteger(length) && length > 0)) {
      throw new UsageError(`${what} is ${size[0]} × ${size[1]} pixels, expected whole numbers ≥ 1`);
    }
  }
  if (rule.fit === 'crop' && !(rule.cropFraction > 0 && rule.cropFraction <= 1)) {
    throw new UsageError(`cropFraction is ${rule.cropFraction}, expected a number in (0, 1]`);
  }
  const { picture, turn } = turned(stored, rule);
  const source = sourceRectangle(picture, rule, output);
  const target = outputRectangle(picture, rule, output);
  const radius = rule.filter === 'bilinear' ? 1 : 2;

  const axis = (i: 0 | 1): AxisPlan => {
    const { from, size } = source[i];
    const { first, length } = target[i];
    const align = rule.corners === 'align';
    const step = align ? (length > 1 ? Math.max(0, size - 1) / (length - 1) : 0) : size / length;
    const width = rule.antialias ? Math.max(1, step) : 1;
    return {
      input: picture[i],
      output: output[i],
      first,
      length,
      start: from + (align ? 0.5 : step / 2),
      step,
      width,
      support: radius * width,
    };
  };
  return { vertical: axis(0), horizontal: axis(1), turn, filter: rule.filter };
}

/** Whether each output pixel is the picture's own at its place: nothing is resampled, cut off, added, turned or mirrored. */
export function leavesPixels({ vertical, horizontal, turn }: ResamplePlan): boolean {
  const same = ({ input, output, first, length, start, step }: AxisPlan) =>
    input === output && first === 0 && length === output && start === 0.5 && (step === 1 || length === 1);
  return same(vertical) && same(horizontal) && turn.origin === 0 && turn.column === 1 && turn.row === horizontal.input;
}

/** The rule's region of a picture of `[height, width]` pixels, in whole pixels of it. Throws `UsageError` where it is empty. */
export function regionOf([height, width]: Pair, { region = [0, 0, width, height] }: ImageRule) {
  const [left, top] = [Math.max(0, Math.floor(region[0])), Math.max(0, Math.floor(region[1]))];
  const right = Math.min(width, Math.ceil(region[0] + region[2]));
  const bottom = Math.min(height, Math.ceil(region[1] + region[3]));
  if (right > left && bottom > top) return { left, top, width: right - left, height: bottom - top };
  throw new UsageError(
    `the region [${region}] has no pixel of the picture's ${width} × ${height}: x, y, width, height`,
  );
}

/** Height and width of the turned picture, and where its pixels lie. */
function turned(stored: Pair, rule: ImageRule): { picture: Pair; turn: Turn } {
  const { rotate = 0, flip = false } = rule;
  const { left, top, width, height } = regionOf(stored, rule);
  const below = stored[1];
  const first = top * below + left;
  const [down, along] = [(height - 1) * below, width - 1];
  const turns: Readonly<Record<number, Turn>> = {
    0: { origin: first, row: below, column: 1 },
    90: { origin: first + down, row: 1, column: -below },
    180: { origin: first + down + along, row: -below, column: -1 },
    270: { origin: first + along, row: -1, column: below },
  };
  const turn = turns[rotate];
  if (!turn) throw new UsageError(`rotate is ${rotate}, expected 0, 90, 180 or 270 degrees`);
  const picture: Pair = rotate % 180 === 0 ? [height, width] : [width, height];
  const { origin, row, column } = turn;
  return { picture, turn: flip ? { origin: origin + (picture[1] - 1) * column, row, column: -column } : turn };
}

/** The filter f: 1 at 0, 0 from its radius on. */
export function filterWeight(filter: ImageRule['filter'], x: number): number {
  const a = Math.abs(x);
  if (filter === 'bilinear') return Math.max(0, 1 - a);
  if (a < 1) return (1.5 * a - 2.5) * a * a + 1;
  if (a < 2) return ((-0.5 * a + 2.5) * a - 4) * a + 2;
  return 0;
}

/** First and last pixel within the support of output pixel `o`, clipped to the picture. */
export function taps(axis: AxisPlan, o: number): { centre: number; from: number; to: number } {
  const centre = axis.start + (o - axis.first) * axis.step;
  return {
    centre,
    from: Math.max(0, Math.ceil(centre - axis.support - 0.5)),
    to: Math.min(axis.input - 1, Math.floor(centre + axis.support - 0.5)),
  };
}

type Rectangle<T> = readonly [vertical: T, horizontal: T];

function sourceRectangle(picture: Pair, rule: ImageRule, output: Pair): Rectangle<{ from: number; size: number }> {
  const [height, width] = picture;
  if (rule.fit !== 'crop') return [centred(height, height), centred(width, width)];
  const whole = Math.min(height / output[0], width / output[1]) * rule.cropFraction;
  return [centred(height, whole * output[0]), centred(width, whole * output[1])];
}

const centred = (length: number, size: number) => ({ from: (length - size) / 2, size });

function outputRectangle(picture: Pair, rule: ImageRule, output: Pair): Rectangle<{ first: number; length: number }> {
  const [height, width] = output;
  if (rule.fit !== 'letterbox') return [fitted(height, height), fitted(width, width)];
  const tall = picture[0] * width > picture[1] * height;
  return [
    fitted(height, tall ? height : (picture[0] * width) / picture[1]),
    fitted(width, tall ? (picture[1] * height) / picture[0] : width),
  ];
}

const fitted = (length: number, size: number) => ({
  first: Math.floor((length - size) / 2),
  length: Math.max(1, Math.floor(size)),
});
