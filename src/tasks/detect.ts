/** Objects in a picture. */
import type { DecodingOf } from '../graph/decoding.ts';
import type { PictureSource } from '../images/picture-source.ts';
import type { Detection } from './box.ts';
import { decodeDetections } from './centernet.ts';
import { decodeSsd } from './ssd.ts';
import { decodingOf, see, type TaskModel, type TaskOptions } from './task.ts';

export interface DetectOptions extends TaskOptions {
  /** Boxes at most; default: as the file says, or 100. */
  readonly maxDetections?: number | undefined;
  /** Default: as the file says, or 0. */
  readonly minScore?: number | undefined;
  /** A box that shares more than this (intersection over union) with a better one is dropped; default: as the file says. */
  readonly maxOverlap?: number | undefined;
}

/** An object in a picture. */
export interface DetectedBox {
  readonly index: number;
  /** From the labels; null without. */
  readonly label: string | null;
  readonly score: number;
  /** In pixels of the picture, from its top left; a box may reach beyond the picture. */
  readonly box: readonly [x: number, y: number, width: number, height: number];
}

const detector = {
  model: 'detector',
  takes:
    'SSD with TFLite_Detection_PostProcess (TensorFlow Lite), or SSD of the Object Detection API or CenterNet (TensorFlow.js)',
};

/**
 * The objects in a picture, the best first, by a model whose file says how its outputs are decoded (`Graph.decoding`).
 * Throws `UsageError` where the model is no detector or the picture does not fit, `InvalidResultError` where it gives NaN.
 */
export async function detect(
  model: TaskModel,
  picture: PictureSource,
  options: DetectOptions = {},
): Promise<DetectedBox[]> {
  const decoding = decodingOf(model.graph, detector, ['ssd', 'centernet']);
  const { outputs, toPixels } = await see(model, picture, options);
  return decode(decoding, outputs, given({ ...options, labels: options.labels ?? model.graph.labels })).map(
    (detection) => {
      const { index, label, score, top, left, bottom, right } = detection;
      // A rule may turn or mirror the picture: two corners stay corners, not which.
      const [a, b] = [toPixels({ y: top, x: left }), toPixels({ y: bottom, x: right })];
      const box = [Math.min(a.x, b.x), Math.min(a.y, b.y), Math.abs(a.x - b.x), Math.abs(a.y - b.y)] as const;
      return { index, label, score, box };
    },
  );
}

function decode(
  decoding: DecodingOf<'ssd' | 'centernet'>,
  outputs: Readonly<Record<string, Float32Array>>,
  options: Given,
): Detection[] {
  switch (decoding.kind) {
    case 'ssd':
      return decodeSsd(
        { boxes: outputs[decoding.boxes]!, scores: outputs[decoding.scores]! },
        { ...decoding, ...options },
      );
    case 'centernet': {
      const heads = { heatmap: outputs[decoding.heatmap]!, distances: outputs[decoding.distances]! };
      return decodeDetections(heads, { size: decoding.size, stride: decoding.stride, ...options });
    }
  }
}

type Given = { readonly [K in 'maxDetections' | 'minScore' | 'maxOverlap' | 'labels']?: NonNullable<DetectOptions[K]> };

/** Without what is left undefined, which would cover what the file says. */
const given = ({ maxDetections, minScore, maxOverlap, labels }: DetectOptions): Given =>
  Object.fromEntries(
    Object.entries({ maxDetections, minScore, maxOverlap, labels }).filter(([, value]) => value !== undefined),
  );
