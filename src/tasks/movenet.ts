/** MoveNet's heads → the keypoints of one person. */
import { UsageError } from '../errors.ts';
import type { ImageRule } from '../graph/graph.ts';
import { plainImage } from '../graph/image-rule.ts';
import type { Pair } from '../graph/ops.ts';
import { type PoseKeypoint, poseKeypoints } from './keypoints.ts';
import { gridOf } from './place.ts';

/** Pictures for MoveNet: pixels 0 … 255 as they are, letterboxed, as its model card says. */
export const poseImage: ImageRule = { ...plainImage, fit: 'letterbox' };

/** MoveNet's four heads, NHWC, batch 1. */
export interface PoseHeads {
  /** `[1, h, w, 1]`: how likely a cell is the centre of a person, 0 … 1. */
  readonly centre: Float32Array;
  /** `[1, h, w, 17]`: how likely a cell holds a keypoint, 0 … 1. */
  readonly keypoints: Float32Array;
  /** `[1, h, w, 34]`: from a person's centre to each keypoint, y and x, in cells. */
  readonly regression: Float32Array;
  /** `[1, h, w, 34]`: from a cell to the keypoint in it, y and x, in cells. */
  readonly offsets: Float32Array;
}

/**
 * The heads among the outputs of a MoveNet that was cut before its decoding, told by their names and lengths. Throws
 * `UsageError` where one is missing.
 */
export function poseHeads(outputs: Readonly<Record<string, Float32Array>>): PoseHeads {
  const names = Object.keys(outputs);
  const missing = (what: string): never => {
    throw new UsageError(`no ${what} among the outputs ${names.join(', ') || '(none)'}; expected MoveNet's heads`);
  };
  const named = (part: string) => outputs[names.find((name) => name.includes(part)) ?? missing(part)]!;
  const [regression, offsets] = [named('kpt_regress'), named('kpt_offset')];
  const ofChannels = (channels: number) =>
    names.find((name) => outputs[name]!.length * 34 === channels * offsets.length);
  const centre = outputs[ofChannels(1) ?? missing('centre heatmap of one channel')]!;
  const keypoints = outputs[ofChannels(17) ?? missing('keypoint heatmap of 17 channels')]!;
  return { centre, keypoints, regression, offsets };
}

/**
 * The 17 keypoints of the person nearest to the middle of the picture.
 *
 * The centre is the cell that is most likely one, weighted by 1 / (distance to the middle + 1.8); from it the regression
 * leads to where each keypoint is expected; the keypoint is the cell of the largest heatmap value / (distance to the
 * expected place + 1.8), moved by its offset. Distances are in cells. (The decoding inside
 * `movenet/singlepose/lightning/4`; heads as in Zhou et al. 2019, "Objects as Points", section 4.2.)
 *
 * `size`: the heads' height and width; a square unless given. Throws `UsageError` where a head has another length.
 */
export function decodePose(heads: PoseHeads, size?: Pair): PoseKeypoint[] {
  const [height, width] = gridOf('the centre heatmap', heads.centre.length, 1, size);
  const count = poseKeypoints.length;
  const grid: Pair = [height, width];
  gridOf('the keypoint heatmap', heads.keypoints.length, count, grid);
  gridOf('the regression', heads.regression.length, 2 * count, grid);
  gridOf('the offsets', heads.offsets.length, 2 * count, grid);
  const centre = best(heads.centre, grid, 1, 0, height / 2, width / 2);
  return poseKeypoints.map((name, k): PoseKeypoint => {
    const y = Math.floor(centre / width) + heads.regression[centre * 2 * count + 2 * k]!;
    const x = (centre % width) + heads.regression[centre * 2 * count + 2 * k + 1]!;
    const cell = best(heads.keypoints, grid, count, k, y, x);
    return {
      name,
      y: (Math.floor(cell / width) + heads.offsets[cell * 2 * count + 2 * k]!) / height,
      x: ((cell % width) + heads.offsets[cell * 2 * count + 2 * k + 1]!) / width,
      score: heads.keypoints[cell * count + k]!,
    };
  });
}

/** The cell of the largest value of a channel, weighted by nearness to a place; the first of equals. */
function best(
  values: Float32Array,
  [height, width]: Pair,
  channels: number,
  channel: number,
  y: number,
  x: number,
): number {
  let [found, largest] = [0, -Infinity];
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const cell = row * width + column;
      const value = values[cell * channels + channel]! / (Math.hypot(row - y, column - x) + 1.8);
      if (value > largest) [found, largest] = [cell, value];
    }
  }
  return found;
}
