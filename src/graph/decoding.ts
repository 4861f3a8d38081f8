import type { Pair } from './ops.ts';

/**
 * SSD (Liu et al. 2016, "SSD: Single Shot MultiBox Detector", section 2), decoded and suppressed as TensorFlow Lite's
 * `TFLite_Detection_PostProcess` and the Object Detection API do: `src/tasks/ssd.ts` has the formulas.
 */
export interface SsdDecoding {
  readonly kind: 'ssd';
  /** The output with four numbers for each anchor: y, x, height, width, relative to the anchor. */
  readonly boxes: string;
  /** The output with a score for each anchor and class; columns for the background come first. */
  readonly scores: string;
  /** Whether the scores are logits, each the logarithm of odds by itself; else they are taken as they are. */
  readonly logits: boolean;
  /** y, x, height, width of each anchor, centres and sizes as fractions of the input. */
  readonly anchors: readonly number[];
  /** By what the four numbers of a box are divided. */
  readonly scales: readonly [y: number, x: number, height: number, width: number];
  /** Without the background. */
  readonly classes: number;
  readonly maxDetections: number;
  /** Classes that one anchor may stand for where suppression is not by class. */
  readonly maxClassesPerDetection: number;
  /** Boxes kept of each class where suppression is by class; null: it is not, a box suppresses those of other classes. */
  readonly maxPerClass: number | null;
  readonly minScore: number;
  /** A box that shares more than this (intersection over union) with a better one is suppressed. */
  readonly maxOverlap: number;
}

/** CenterNet (Zhou et al. 2019, "Objects as Points"): `src/tasks/centernet.ts`. */
export interface CenterNetDecoding {
  readonly kind: 'centernet';
  /** The output `[1, h, w, classes]` of how likely a cell is the centre of an object. */
  readonly heatmap: string;
  /** The output `[1, h, w, 4]` of distances from a cell to the four sides. */
  readonly distances: string;
  /** Height and width of both, in cells. */
  readonly size: Pair;
  /** Pixels of the input a cell. */
  readonly stride: number;
}

/** MoveNet (single pose): `src/tasks/movenet.ts`. */
export interface MoveNetDecoding {
  readonly kind: 'movenet';
  /** The outputs `[1, h, w, 1]`, `[1, h, w, 17]`, `[1, h, w, 34]`, `[1, h, w, 34]`. */
  readonly centre: string;
  readonly keypoints: string;
  readonly regression: string;
  readonly offsets: string;
  /** Height and width of all four, in cells. */
  readonly size: Pair;
}

/** PoseNet, and BodyPix, which segments people too: `src/tasks/posenet.ts`. */
export interface PoseNetDecoding {
  readonly kind: 'posenet';
  /** The output `[1, h, w, 17]` of logits. */
  readonly heatmaps: string;
  /** The output `[1, h, w, 34]` of short-range offsets. */
  readonly offsets: string;
  /** The outputs `[1, h, w, 32]` of displacements along limbs, or one of `[1, h, w, 64]`. */
  readonly forward: string;
  readonly backward: string;
  /** Height and width of all, in cells. */
  readonly size: Pair;
  /** Pixels of the input a cell. */
  readonly stride: number;
  readonly maxPoses: number;
  /** Of a keypoint that begins a pose, and of a pose. */
  readonly minScore: number;
  readonly minPoseScore: number;
  /** Pixels of the input within which a keypoint is that of a better pose. */
  readonly radius: number;
  /** BodyPix: the outputs `[1, h, w, 1]` and `[1, h, w, 24]`, logits of people and of their parts. */
  readonly people: string | null;
  readonly parts: string | null;
}

/** A score for each class and pixel, or of the foreground alone: `src/tasks/mask.ts`. */
export interface SegmentationDecoding {
  readonly kind: 'segmentation';
  /** The output `[1, h, w, classes]`; of one channel it is the foreground's. */
  readonly scores: string;
  readonly size: Pair;
  readonly classes: number;
  /** Whether cells lie as the pixels of a smaller picture do, or the outermost on the input's outermost pixels. */
  readonly corners: 'half-pixel' | 'align';
  /** Whether the score of the foreground is a logit; those of classes are compared alone. */
  readonly logits: boolean;
}

/**
 * What the outputs of a network are where its file ends in a decoder, which is not run on the GPU, and how they are
 * decoded. Plain data that names the graph's outputs; `mobilenet-webgpu/tasks` decodes.
 */
export type Decoding = SsdDecoding | CenterNetDecoding | MoveNetDecoding | PoseNetDecoding | SegmentationDecoding;

/** The decoding of one kind: `DecodingOf<'ssd'>` is `SsdDecoding`. */
export type DecodingOf<K extends Decoding['kind']> = Extract<Decoding, { kind: K }>;
