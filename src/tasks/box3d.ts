/** Objectron's outputs → the projected corners of a box around an object. */
import { UsageError } from '../errors.ts';
import type { ImageRule } from '../graph/graph.ts';
import { plainImage } from '../graph/image-rule.ts';
import type { Pair } from '../graph/ops.ts';
import type { Place } from './place.ts';

/** Pictures for Objectron's landmark models: 0 … 1, letterboxed (box_landmark_cpu.pbtxt of MediaPipe). */
export const box3dImage: ImageRule = { ...plainImage, fit: 'letterbox', scale: [1 / 255] };

/** A box in space, seen in the picture. */
export interface Box3d {
  /** 0 … 1: whether the picture shows the object. */
  readonly score: number;
  readonly centre: Place;
  /**
   * Eight corners. Bit 2 of the index: right of the box's left side; bit 1: above its lower side; bit 0: in front of its
   * rear side (x, y and z of the object).
   */
  readonly corners: readonly Place[];
}

/** The twelve edges of a box, as pairs of indices of `corners`. */
export const box3dEdges: readonly Pair[] = [1, 2, 4].flatMap((side) =>
  [0, 1, 2, 3, 4, 5, 6, 7].flatMap((corner): Pair[] => (corner & side ? [] : [[corner, corner | side]])),
);

/**
 * `keypoints`: `[1, 18]`, x and y of the centre and of eight corners in pixels of the network's input; `score`: `[1, 1]`.
 * Order and units are those of MediaPipe's Objectron (objectron_cpu.pbtxt, box_landmark_cpu.pbtxt); its lifting of the
 * corners into space (EPnP) is not done here.
 *
 * `size`: height and width of the input, `[224, 224]` unless given. Throws `UsageError` where a length is another.
 */
export function decodeBox3d(keypoints: Float32Array, score: Float32Array, size: Pair = [224, 224]): Box3d {
  if (keypoints.length !== 18 || score.length !== 1) {
    throw new UsageError(
      `Objectron's outputs have ${keypoints.length} and ${score.length} values, expected 18 (keypoints) and 1 (score)`,
    );
  }
  const places = Array.from(
    { length: 9 },
    (_, i): Place => ({ y: keypoints[2 * i + 1]! / size[0], x: keypoints[2 * i]! / size[1] }),
  );
  return { score: score[0]!, centre: places[0]!, corners: places.slice(1) };
}
