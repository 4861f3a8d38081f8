/**
 * What networks beyond classifiers say of a picture: `detect` in pixels of the picture, and plain functions from output
 * tensors to keypoints and boxes.
 */
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
export { type Place, placeOnPicture } from './place.ts';
export {
  decodePose,
  type PoseHeads,
  type PoseKeypoint,
  type PoseKeypointName,
  poseHeads,
  poseImage,
  poseKeypoints,
} from './pose.ts';
export { decodeSsd, type SsdHeads, type SsdOptions } from './ssd.ts';
export type { TaskModel, TaskOptions } from './task.ts';
