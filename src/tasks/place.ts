import { UsageError } from '../errors.ts';
import type { ImageRule } from '../graph/graph.ts';
import type { Pair } from '../graph/ops.ts';
import { type AxisPlan, regionOf, resamplePlan } from '../images/resample.ts';

/** A place on the network's input, as fractions of its height and width from the top left: 0 … 1 inside. */
export interface Place {
  readonly y: number;
  readonly x: number;
}

/** Height and width of a tensor of `channels` channels with `length` elements: `size`, or a square. */
export function gridOf(what: string, length: number, channels: number, size: Pair | undefined): Pair {
  const side = Math.round(Math.sqrt(length / channels));
  const grid: Pair = size ?? [side, side];
  if (grid[0] * grid[1] * channels !== length || length === 0) {
    const expected = size ? `${size[0]} · ${size[1]} · ${channels}` : `a square grid of ${channels} channels`;
    throw new UsageError(`${what} has ${length} values, expected ${expected}`);
  }
  return grid;
}

/**
 * The same place on the picture from which `rule` made the input, as fractions of the picture's height and width.
 * `picture` and `input`: height and width in pixels. Throws `UsageError` where a size is none.
 */
export function placeOnPicture({ y, x }: Place, picture: Pair, rule: ImageRule, input: Pair): Place {
  const { vertical, horizontal } = resamplePlan(picture, rule, input);
  const along = (axis: AxisPlan, fraction: number) =>
    (axis.start + (fraction * axis.output - 0.5 - axis.first) * axis.step) / axis.input;
  const down = along(vertical, y);
  const across = rule.flip ? 1 - along(horizontal, x) : along(horizontal, x);
  const { left, top, width, height } = regionOf(picture, rule);
  const turned = { 0: [down, across], 90: [1 - across, down], 180: [1 - down, 1 - across], 270: [across, 1 - down] };
  const [y0, x0] = turned[rule.rotate ?? 0] as [number, number];
  return { y: (top + y0 * height) / picture[0], x: (left + x0 * width) / picture[1] };
}
