import { UsageError } from '../errors.ts';
import type { Pair } from '../graph/ops.ts';

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
