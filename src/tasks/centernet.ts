/** CenterNet's heads → boxes. */
import type { ImageRule } from '../graph/graph.ts';
import { plainImage } from '../graph/image-rule.ts';
import type { Pair } from '../graph/ops.ts';
import { type Detection, overlap } from './box.ts';
import { gridOf } from './place.ts';

/** Pictures for CenterNet: pixels 0 … 255 as they are, squashed. */
export const detectImage: ImageRule = plainImage;

/** CenterNet's two heads, NHWC, batch 1. */
export interface DetectionHeads {
  /** `[1, h, w, classes]`: how likely a cell is the centre of an object, 0 … 1. */
  readonly heatmap: Float32Array;
  /** `[1, h, w, 4]`: from a cell to the left, top, right and bottom side, in pixels of the network's input. */
  readonly distances: Float32Array;
}

export interface CenterNetOptions {
  /** The heads' height and width; a square unless given. */
  readonly size?: Pair | undefined;
  /** Pixels of the network's input a cell; default 4. */
  readonly stride?: number;
  /** Default 100. */
  readonly maxDetections?: number;
  /** Default 0. */
  readonly minScore?: number;
  /** A box that shares more than this (intersection over union) with a better one is dropped; default 1: none is. */
  readonly maxOverlap?: number;
  /** Names of the classes, such as `cocoLabels`. */
  readonly labels?: readonly string[];
}

/**
 * Boxes, the best first: cells whose value is the largest of the 3×3 around it in their class (Zhou et al. 2019, "Objects
 * as Points", section 4), with the distances to four sides of Liu et al. 2020, "Training-Time-Friendly Network for
 * Real-Time Object Detection", section 3. Equal scores keep the order in memory.
 *
 * Throws `UsageError` where the heads' lengths do not fit.
 */
export function decodeDetections({ heatmap, distances }: DetectionHeads, options: CenterNetOptions = {}): Detection[] {
  const { size, stride = 4, maxDetections = 100, minScore = 0, maxOverlap = 1, labels } = options;
  const [height, width] = gridOf('the distances', distances.length, 4, size);
  const classes = Math.round(heatmap.length / (height * width));
  gridOf('the heatmap', heatmap.length, classes, [height, width]);
  const best = peaks(heatmap, height, width, classes, minScore)
    .sort((a, b) => heatmap[b]! - heatmap[a]! || a - b)
    .slice(0, maxOverlap < 1 ? undefined : maxDetections);
  const kept: Detection[] = [];
  for (const at of best) {
    if (kept.length === maxDetections) break;
    const index = at % classes;
    const cell = Math.floor(at / classes);
    const [x, y] = [(cell % width) * stride, Math.floor(cell / width) * stride];
    const [left, top, right, bottom] = distances.subarray(4 * cell, 4 * cell + 4) as unknown as Sides;
    const detection: Detection = {
      index,
      label: labels?.[index] ?? null,
      score: heatmap[at]!,
      top: (y - top) / (height * stride),
      left: (x - left) / (width * stride),
      bottom: (y + bottom) / (height * stride),
      right: (x + right) / (width * stride),
    };
    if (kept.every((other) => overlap(other, detection) <= maxOverlap)) kept.push(detection);
  }
  return kept;
}

type Sides = readonly [left: number, top: number, right: number, bottom: number];

/** Places in memory of the values that no neighbour of their class surpasses. */
function peaks(heatmap: Float32Array, height: number, width: number, classes: number, minScore: number): number[] {
  const found: number[] = [];
  for (let y = 0; y < height; y++) {
    const [top, bottom] = [Math.max(0, y - 1), Math.min(height - 1, y + 1)];
    for (let x = 0; x < width; x++) {
      const [left, right] = [Math.max(0, x - 1), Math.min(width - 1, x + 1)];
      for (let c = 0; c < classes; c++) {
        const at = (y * width + x) * classes + c;
        const value = heatmap[at]!;
        if (!(value > 0 && value >= minScore)) continue;
        let largest = value;
        for (let row = top; row <= bottom; row++) {
          for (let column = left; column <= right; column++) {
            largest = Math.max(largest, heatmap[(row * width + column) * classes + c]!);
          }
        }
        if (largest === value) found.push(at);
      }
    }
  }
  return found;
}
