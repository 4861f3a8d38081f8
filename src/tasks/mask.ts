/** A grid of scores → the class of each pixel of a picture. */
import { UsageError } from '../errors.ts';
import type { ImageRule } from '../graph/graph.ts';
import type { Pair } from '../graph/ops.ts';
import { gridOf, placeOnPicture } from './place.ts';

/** What a mask has where the network did not see the picture: outside a crop. */
export const UNSEEN = 255;

export interface ScoreGrid {
  /** `[1, h, w, classes]`. */
  readonly scores: Float32Array;
  readonly classes: number;
  /** Height and width; a square unless given. */
  readonly size?: Pair | undefined;
  /**
   * Where cells lie on the network's input. 'half-pixel': as the pixels of a smaller picture do; 'align': the outermost on
   * its outermost pixels.
   */
  readonly corners: 'half-pixel' | 'align';
}

/** How a picture became the network's input. */
export interface Framing {
  /** Height and width of the picture. */
  readonly picture: Pair;
  readonly rule: ImageRule;
  /** Height and width of the input. */
  readonly input: Pair;
}

/**
 * The class with the largest score of each pixel of the picture, the first of equals, row by row; `UNSEEN` outside the
 * input. Scores between cells are interpolated bilinearly, beyond the outermost they are theirs. Throws `UsageError` where
 * the grid does not fit or has more than 255 classes.
 */
export function classMask(grid: ScoreGrid, framing: Framing): Uint8Array<ArrayBuffer> {
  if (grid.classes > UNSEEN) throw new UsageError(`there are ${grid.classes} classes, expected at most ${UNSEEN}`);
  const mask = new Uint8Array(framing.picture[0] * framing.picture[1]).fill(UNSEEN);
  const scores = new Float64Array(grid.classes);
  eachPixel(grid, framing, (pixel, sample) => {
    let best = 0;
    for (let c = 0; c < scores.length; c++) {
      scores[c] = sample(c);
      if (scores[c]! > scores[best]!) best = c;
    }
    mask[pixel] = best;
  });
  return mask;
}

/** The score of the only class at each pixel of the picture, interpolated as `classMask` does; NaN outside the input. */
export function scoreMask(grid: ScoreGrid, framing: Framing): Float32Array<ArrayBuffer> {
  const mask = new Float32Array(framing.picture[0] * framing.picture[1]).fill(Number.NaN);
  eachPixel(grid, framing, (pixel, sample) => {
    mask[pixel] = sample(0);
  });
  return mask;
}

function eachPixel(
  { scores, classes, size, corners }: ScoreGrid,
  { picture, rule, input }: Framing,
  visit: (pixel: number, sample: (channel: number) => number) => void,
): void {
  const [height, width] = gridOf('the scores', scores.length, classes, size);
  // From pixels of the picture to fractions of the input: the way back from three of its corners, turned round.
  const origin = placeOnPicture({ y: 0, x: 0 }, picture, rule, input);
  const [below, right] = [
    { y: 1, x: 0 },
    { y: 0, x: 1 },
  ].map((corner) => {
    const { y, x } = placeOnPicture(corner, picture, rule, input);
    return { y: y - origin.y, x: x - origin.x };
  }) as [{ y: number; x: number }, { y: number; x: number }];
  const area = below.y * right.x - below.x * right.y;
  const cellOf = (fraction: number, cells: number, pixels: number): number => {
    const cell =
      corners === 'half-pixel'
        ? fraction * cells - 0.5
        : pixels > 1
          ? ((fraction * pixels - 0.5) * (cells - 1)) / (pixels - 1)
          : 0;
    return Math.min(Math.max(cell, 0), cells - 1);
  };
  for (let row = 0; row < picture[0]; row++) {
    for (let column = 0; column < picture[1]; column++) {
      const y = (row + 0.5) / picture[0] - origin.y;
      const x = (column + 0.5) / picture[1] - origin.x;
      const down = (y * right.x - x * right.y) / area;
      const across = (x * below.y - y * below.x) / area;
      if (!(down >= 0 && down <= 1 && across >= 0 && across <= 1)) continue;
      const [cellY, cellX] = [cellOf(down, height, input[0]), cellOf(across, width, input[1])];
      const [top, left] = [Math.floor(cellY), Math.floor(cellX)];
      const [dy, dx] = [cellY - top, cellX - left];
      const at = (top * width + left) * classes;
      const [toRight, toBelow] = [dx > 0 ? classes : 0, dy > 0 ? width * classes : 0];
      visit(row * picture[1] + column, (c) => {
        const upper = scores[at + c]! * (1 - dx) + scores[at + toRight + c]! * dx;
        const lower = scores[at + toBelow + c]! * (1 - dx) + scores[at + toBelow + toRight + c]! * dx;
        return upper * (1 - dy) + lower * dy;
      });
    }
  }
}
