/**
 * What networks beyond classifiers say of a picture: `detect` in pixels of the picture, and plain functions from output
 * tensors to keypoints and boxes.
 */

export { bodyParts } from './body-parts.ts';
export { type Box, type Detection, overlap } from './box.ts';
export { type Box3d, box3dEdges, box3dImage, decodeBox3d } from './box3d.ts';
export {
  type CenterNetOptions,
  type DetectionHeads,
  decodeDetections,
  detectImage,
} from './centernet.ts';
export { cocoLabels } from './coco.ts';
export { type DetectedBox, type DetectOptions, detect } from './detect.ts';
export {
  type ExplainedClass,
  type ExplainOptions,
  type Explanation,
  explain,
  mapOnPicture,
  withClassMaps,
} from './explain.ts';
export { type Pose, type PoseKeypoint, type PoseKeypointName, poseKeypoints } from './keypoints.ts';
export { classMask, type Framing, type ScoreGrid, scoreMask } from './mask.ts';
export { decodePose, type PoseHeads, poseHeads, poseImage } from './movenet.ts';
export { type Place, placeOnPicture } from './place.ts';
export { type PosedPerson, type PoseOptions, pose } from './pose.ts';
export { decodePoses, decodeSinglePose, type PoseNetHeads, type PoseNetOptions } from './posenet.ts';
export { type Segmentation, type SegmentedClass, type SegmentOptions, segment } from './segment.ts';
export { decodeSsd, type SsdHeads, type SsdOptions } from './ssd.ts';
export type { TaskModel, TaskOptions } from './task.ts';
