/** PoseNet's heads → the keypoints of everybody in a picture. */
import type { Pair } from '../graph/ops.ts';
import { type Pose, type PoseKeypoint, poseKeypoints } from './keypoints.ts';
import { gridOf } from './place.ts';

/** PoseNet's heads, NHWC, batch 1; offsets in pixels of the input, first y of every one, then x. */
export interface PoseNetHeads {
  /** `[1, h, w, 17]`: logits of a cell's being near a keypoint. */
  readonly heatmaps: Float32Array;
  /** `[1, h, w, 34]`: from a cell to each keypoint near it. */
  readonly offsets: Float32Array;
  /** `[1, h, w, 32]`: from a keypoint to the one that follows it along each of the 16 limbs. */
  readonly forward: Float32Array;
  /** The way back. One tensor of 64 channels may be both: `forward`, then `backward`. */
  readonly backward: Float32Array;
}

export interface PoseNetOptions {
  /** The heads' height and width; a square unless given. */
  readonly size?: Pair | undefined;
  /** Pixels of the network's input from cell to cell. */
  readonly stride: number;
  /** Height and width of the network's input; default: cells lie on its outermost pixels. */
  readonly input?: Pair | undefined;
  /** Default 5. */
  readonly maxPoses?: number | undefined;
  /** Least score of a keypoint from which a pose is begun; default 0.5. */
  readonly minScore?: number | undefined;
  /** Least score of a pose; default 0. */
  readonly minPoseScore?: number | undefined;
  /** Within so many pixels of the input a keypoint is that of a better pose; default 20. */
  readonly radius?: number | undefined;
}

/** The limbs in the order of the displacements' channels: the tree of Papandreou et al. 2018, "PersonLab", figure 2. */
const limbs: readonly Pair[] = [
  ...([
    [0, 1],
    [1, 3],
    [0, 2],
    [2, 4],
    [0, 5],
    [5, 7],
    [7, 9],
    [5, 11],
  ] as const),
  ...([
    [11, 13],
    [13, 15],
    [0, 6],
    [6, 8],
    [8, 10],
    [6, 12],
    [12, 14],
    [14, 16],
  ] as const),
];

/** Times that a place is moved by the offsets there, after a displacement. */
const refinements = 5;

/** A place in cells, and the logit there. */
interface Found {
  readonly y: number;
  readonly x: number;
  readonly logit: number;
}

/**
 * Everybody in the picture, the best first: PersonLab's fast greedy decoding (Papandreou et al. 2018, section 3.1.2) as
 * the operator `PosenetDecoderOp` of Coral has it.
 *
 * Candidates are cells whose heatmap no neighbour surpasses, moved by their offsets. The best that lies near no same
 * keypoint of a pose so far begins a pose. From its best keypoint whose neighbours are not found yet, a displacement leads
 * along each limb, then five times the offset at the place, all read bilinearly; a keypoint's score is the sigmoid of the
 * heatmap there. At last keypoints near the same one of a better pose count nothing to their pose's score.
 *
 * Throws `UsageError` where a head has another length.
 */
export function decodePoses(heads: PoseNetHeads, options: PoseNetOptions): Pose[] {
  const { maxPoses = 5, minScore = 0.5, minPoseScore = 0, radius = 20, stride } = options;
  const map = new Heads(heads, options);
  const near = (a: Found, b: Found) => Math.hypot(a.y - b.y, a.x - b.x) * stride <= radius;
  const poses: Found[][] = [];
  for (const { keypoint, ...root } of map.candidates(minScore)) {
    if (poses.length === maxPoses) break;
    if (poses.some((pose) => near(pose[keypoint]!, root))) continue;
    const pose = map.poseFrom(keypoint, root);
    if (scoreOf(pose) >= minPoseScore) poses.push(pose);
  }
  const ordered = poses.sort((a, b) => scoreOf(b) - scoreOf(a));
  return ordered
    .map((pose, i) => {
      const own = (found: Found, k: number) => !ordered.slice(0, i).some((better) => near(better[k]!, found));
      return map.described(pose, scoreOf(pose, own));
    })
    .filter(({ score }) => score >= minPoseScore)
    .sort((a, b) => b.score - a.score);
}

/**
 * One person: each keypoint where its heatmap is largest, moved by the offset there. For pictures that show nobody else.
 * Throws `UsageError` as `decodePoses` does.
 */
export function decodeSinglePose(
  heads: PoseNetHeads,
  options: Pick<PoseNetOptions, 'size' | 'stride' | 'input'>,
): Pose {
  const map = new Heads(heads, options);
  const pose = poseKeypoints.map((_, k) => map.largest(k));
  return map.described(pose, scoreOf(pose));
}

const sigmoid = (logit: number): number => 1 / (1 + Math.exp(-logit));

/** The mean score of the keypoints, where those that are not `own` have none. */
const scoreOf = (pose: readonly Found[], own: (found: Found, k: number) => boolean = () => true): number =>
  pose.reduce((sum, found, k) => sum + (own(found, k) ? sigmoid(found.logit) : 0), 0) / pose.length;

const clamp = (value: number, most: number): number => Math.min(Math.max(value, 0), most);

class Heads {
  readonly #heads: PoseNetHeads;
  readonly #size: Pair;
  readonly #stride: number;
  readonly #input: Pair;

  constructor(heads: PoseNetHeads, { size, stride, input }: Pick<PoseNetOptions, 'size' | 'stride' | 'input'>) {
    this.#heads = heads;
    this.#size = gridOf('the heatmaps', heads.heatmaps.length, poseKeypoints.length, size);
    gridOf('the offsets', heads.offsets.length, 2 * poseKeypoints.length, this.#size);
    const both = heads.forward === heads.backward ? 2 : 1;
    gridOf('the forward displacements', heads.forward.length, both * 2 * limbs.length, this.#size);
    gridOf('the backward displacements', heads.backward.length, both * 2 * limbs.length, this.#size);
    this.#stride = stride;
    this.#input = input ?? [(this.#size[0] - 1) * stride + 1, (this.#size[1] - 1) * stride + 1];
  }

  /** Cells that may be keypoints, moved by their offsets, the best first; of equals the first in memory. */
  candidates(minScore: number): readonly (Found & { readonly keypoint: number })[] {
    const [height, width] = this.#size;
    const count = poseKeypoints.length;
    const { heatmaps } = this.#heads;
    const found: (Found & { keypoint: number })[] = [];
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        for (let keypoint = 0; keypoint < count; keypoint++) {
          const logit = heatmaps[(y * width + x) * count + keypoint]!;
          if (sigmoid(logit) >= minScore && this.#isPeak(y, x, keypoint, logit)) {
            found.push({ ...this.#moved(y, x, logit, keypoint), keypoint });
          }
        }
      }
    }
    return found.sort((a, b) => b.logit - a.logit);
  }

  #isPeak(y: number, x: number, keypoint: number, logit: number): boolean {
    const [height, width] = this.#size;
    for (let row = Math.max(0, y - 1); row <= Math.min(height - 1, y + 1); row++) {
      for (let column = Math.max(0, x - 1); column <= Math.min(width - 1, x + 1); column++) {
        const other = this.#heads.heatmaps[(row * width + column) * poseKeypoints.length + keypoint]!;
        if (other > logit) return false;
      }
    }
    return true;
  }

  /** The cell of the largest value, moved by its offset. */
  largest(keypoint: number): Found {
    const { heatmaps } = this.#heads;
    let best = keypoint;
    for (let at = keypoint; at < heatmaps.length; at += poseKeypoints.length) {
      if (heatmaps[at]! > heatmaps[best]!) best = at;
    }
    const cell = Math.floor(best / poseKeypoints.length);
    const width = this.#size[1];
    return this.#moved(Math.floor(cell / width), cell % width, heatmaps[best]!, keypoint);
  }

  #moved(y: number, x: number, logit: number, keypoint: number): Found {
    return { ...this.#by(this.#heads.offsets, { y, x }, keypoint, poseKeypoints.length), logit };
  }

  /** All keypoints of the person to whom one belongs. */
  poseFrom(keypoint: number, root: Found): Found[] {
    const { forward, backward, heatmaps } = this.#heads;
    const logitAt = (place: { y: number; x: number }, k: number) =>
      this.#sampled(heatmaps, place.y, place.x, k, poseKeypoints.length);
    const open = [{ ...root, logit: logitAt(root, keypoint), keypoint }];
    const pose: Found[] = [];
    let known = 0;
    while (known < poseKeypoints.length) {
      open.sort((a, b) => b.logit - a.logit);
      const { keypoint: from, ...found } = open.shift()!;
      if (pose[from]) continue;
      pose[from] = found;
      known++;
      limbs.forEach(([parent, child], limb) => {
        if (from !== parent && from !== child) return;
        const target = from === parent ? child : parent;
        if (pose[target]) return;
        const both = forward === backward;
        const tensor = from === parent ? forward : backward;
        const first = both && from === child ? 2 * limbs.length : 0;
        let place = this.#by(tensor, found, first + limb, limbs.length, (both ? 4 : 2) * limbs.length);
        for (let i = 0; i < refinements; i++) {
          place = this.#by(this.#heads.offsets, place, target, poseKeypoints.length);
        }
        open.push({ ...place, logit: logitAt(place, target), keypoint: target });
      });
    }
    return pose;
  }

  /** A place moved by what a tensor holds there: y in `channel`, x in the channel `apart` further on. */
  #by(tensor: Float32Array, { y, x }: { y: number; x: number }, channel: number, apart: number, channels = 2 * apart) {
    const [height, width] = this.#size;
    return {
      y: clamp(y + this.#sampled(tensor, y, x, channel, channels) / this.#stride, height - 1),
      x: clamp(x + this.#sampled(tensor, y, x, channel + apart, channels) / this.#stride, width - 1),
    };
  }

  /** Bilinear, between the four cells around a place inside the grid. */
  #sampled(tensor: Float32Array, y: number, x: number, channel: number, channels: number): number {
    const [top, left, bottom, right] = [Math.floor(y), Math.floor(x), Math.ceil(y), Math.ceil(x)];
    const at = (row: number, column: number) => tensor[(row * this.#size[1] + column) * channels + channel]!;
    const along = (row: number) => at(row, left) * (1 - (x - left)) + at(row, right) * (x - left);
    return along(top) * (1 - (y - top)) + along(bottom) * (y - top);
  }

  described(pose: readonly Found[], score: number): Pose {
    const keypoints = pose.map(
      ({ y, x, logit }, k): PoseKeypoint => ({
        name: poseKeypoints[k]!,
        // The centre of the pixel that a cell lies on.
        y: (y * this.#stride + 0.5) / this.#input[0],
        x: (x * this.#stride + 0.5) / this.#input[1],
        score: sigmoid(logit),
      }),
    );
    return { score, keypoints };
  }
}
