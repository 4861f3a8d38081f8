/** People in a picture. */
import type { DecodingOf } from '../graph/decoding.ts';
import type { Pair } from '../graph/ops.ts';
import type { PictureSource } from '../images/picture-source.ts';
import type { Pose, PoseKeypointName } from './keypoints.ts';
import { decodePose } from './movenet.ts';
import { decodePoses, decodeSinglePose } from './posenet.ts';
import { decodingOf, see, type TaskModel, type TaskOptions } from './task.ts';

export interface PoseOptions extends Omit<TaskOptions, 'labels'> {
  /** People at most; default: as the file says, or 5. MoveNet finds one. */
  readonly maxPoses?: number | undefined;
  /** Least score of a keypoint that begins a pose (PoseNet); default: as the file says, or 0.5. */
  readonly minScore?: number | undefined;
  /** The picture shows one person: each keypoint is where it is most likely, whatever the others are (PoseNet). */
  readonly single?: boolean | undefined;
}

/** A person in a picture. */
export interface PosedPerson {
  /** 0 … 1. */
  readonly score: number;
  /** The 17 keypoints of COCO in the order of `poseKeypoints`; x and y in pixels of the picture, from its top left. */
  readonly keypoints: readonly {
    readonly name: PoseKeypointName;
    readonly x: number;
    readonly y: number;
    readonly score: number;
  }[];
}

const estimator = {
  model: 'pose estimator',
  takes: 'MoveNet (single pose), PoseNet or BodyPix, in TensorFlow Lite or TensorFlow.js',
};

/**
 * The people in a picture, the best first, by a model whose file says how its outputs are decoded (`Graph.decoding`).
 * Throws `UsageError` where the model is no pose estimator or the picture does not fit, `InvalidResultError` where it gives
 * NaN.
 */
export async function pose(
  model: TaskModel,
  picture: PictureSource,
  options: PoseOptions = {},
): Promise<PosedPerson[]> {
  const decoding = decodingOf(model.graph, estimator, ['movenet', 'posenet']);
  const { outputs, toPixels } = await see(model, picture, options);
  const [, height, width] = model.graph.inputs[0]!.shape;
  return decode(decoding, outputs, [height, width], options).map(({ score, keypoints }) => ({
    score,
    keypoints: keypoints.map(({ name, score: own, ...place }) => {
      const { x, y } = toPixels(place);
      return { name, x, y, score: own };
    }),
  }));
}

function decode(
  decoding: DecodingOf<'movenet' | 'posenet'>,
  outputs: Readonly<Record<string, Float32Array>>,
  input: Pair,
  { maxPoses, minScore, single }: PoseOptions,
): Pose[] {
  const output = (name: string) => outputs[name]!;
  if (decoding.kind === 'movenet') {
    const { centre, keypoints, regression, offsets, size } = decoding;
    const heads = {
      centre: output(centre),
      keypoints: output(keypoints),
      regression: output(regression),
      offsets: output(offsets),
    };
    const found = decodePose(heads, size);
    return [{ score: found.reduce((sum, { score }) => sum + score, 0) / found.length, keypoints: found }];
  }
  const { heatmaps, offsets, forward, backward } = decoding;
  const heads = {
    heatmaps: output(heatmaps),
    offsets: output(offsets),
    forward: output(forward),
    backward: output(backward),
  };
  if (single) return [decodeSinglePose(heads, { ...decoding, input })];
  const chosen = { maxPoses: maxPoses ?? decoding.maxPoses, minScore: minScore ?? decoding.minScore };
  return decodePoses(heads, { ...decoding, input, ...chosen });
}
