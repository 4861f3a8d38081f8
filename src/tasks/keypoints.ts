import type { Place } from './place.ts';

/** The 17 keypoints of COCO (Lin et al. 2014), in the order of MoveNet's and PoseNet's channels. */
export const poseKeypoints = [
  ...['nose', 'left eye', 'right eye', 'left ear', 'right ear', 'left shoulder', 'right shoulder', 'left elbow'],
  ...['right elbow', 'left wrist', 'right wrist', 'left hip', 'right hip', 'left knee', 'right knee', 'left ankle'],
  'right ankle',
] as const;

export type PoseKeypointName = (typeof poseKeypoints)[number];

export interface PoseKeypoint extends Place {
  readonly name: PoseKeypointName;
  /** 0 … 1. */
  readonly score: number;
}

/** The keypoints of a person, in the order of `poseKeypoints`, as fractions of the network's input. */
export interface Pose {
  /** 0 … 1. */
  readonly score: number;
  readonly keypoints: readonly PoseKeypoint[];
}
