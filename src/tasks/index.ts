/** What networks beyond classifiers mean: plain functions from their output tensors to keypoints and boxes. */
export { type Box3d, box3dEdges, box3dImage, decodeBox3d } from './box3d.ts';
export { cocoLabels } from './coco.ts';
export {
  type Box,
  type Detection,
  type DetectionHeads,
  type DetectOptions,
  decodeDetections,
  detectImage,
  overlap,
} from './detect.ts';
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
