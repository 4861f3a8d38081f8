/** A small SSD as a TensorFlow Lite file: a cell of a picture of 4 × 4 pixels is an anchor, two classes and a background. */
import { zipSync } from 'fflate';
import { encode } from 'flatbuffers/mjs/flexbuffers.js';
import { withArchive } from './tflite-archive.ts';
import { type ModelSpec, type OperatorSpec, type TensorSpec, tfliteFile } from './tflite-writer.ts';

const f32 = (values: ArrayLike<number>) => new Uint8Array(Float32Array.from(values).buffer);
const convOptions = { 0: ['byte', 0], 1: 1, 2: 1, 3: ['byte', 0], 4: 1, 5: 1 } as const;

export const detectorOptions = {
  max_detections: 5,
  max_classes_per_detection: 1,
  nms_score_threshold: 0.25,
  nms_iou_threshold: 0.5,
  num_classes: 2,
  y_scale: 10,
  x_scale: 10,
  h_scale: 5,
  w_scale: 5,
  use_regular_nms: false,
} as const;

export interface DetectorSpec {
  /** In place of the options of the operator that decodes. */
  readonly options?: Readonly<Record<string, unknown>> | Uint8Array;
  readonly anchors?: Partial<TensorSpec>;
  readonly boxes?: Partial<TensorSpec>;
  readonly scores?: Partial<TensorSpec>;
  readonly operator?: Partial<OperatorSpec>;
  readonly file?: Partial<ModelSpec>;
  readonly labels?: readonly string[];
}

/** Anchors are the cells, twice as large; where a pixel is red it is class 0, where green class 1, by 1/(1 + e^-x) of 8 · colour − 4. */
export function detectorModel({ options = detectorOptions, ...changed }: DetectorSpec = {}): ModelSpec {
  const anchors = Array.from({ length: 16 }, (_, i) => [(Math.floor(i / 4) + 0.5) / 4, ((i % 4) + 0.5) / 4, 0.5, 0.5]);
  const encoded = options instanceof Uint8Array ? options : new Uint8Array(encode(options));
  const made = (name: string, dims: readonly number[]): TensorSpec => ({ name, dims });
  return {
    tensors: [
      made('x', [1, 4, 4, 3]),
      { name: 'box weights', dims: [4, 1, 1, 3], data: f32(new Float32Array(12)) },
      made('box image', [1, 4, 4, 4]),
      { ...made('boxes', [1, 16, 4]), ...changed.boxes },
      { name: 'class weights', dims: [3, 1, 1, 3], data: f32([0, 0, 8, 8, 0, 0, 0, 8, 0]) },
      { name: 'class biases', dims: [3], data: f32([-4, -4, -4]) },
      made('class image', [1, 4, 4, 3]),
      made('logits', [1, 16, 3]),
      { ...made('scores', [1, 16, 3]), ...changed.scores },
      { name: 'anchors', dims: [16, 4], data: f32(anchors.flat()), ...changed.anchors },
      ...['found boxes', 'found classes', 'found scores', 'found'].map((name) => made(name, [1])),
    ],
    operators: [
      { op: 'CONV_2D', inputs: ['x', 'box weights'], output: 'box image', options: convOptions },
      { op: 'RESHAPE', inputs: ['box image'], output: 'boxes' },
      { op: 'CONV_2D', inputs: ['x', 'class weights', 'class biases'], output: 'class image', options: convOptions },
      { op: 'RESHAPE', inputs: ['class image'], output: 'logits' },
      { op: 14, inputs: ['logits'], output: 'scores' },
      {
        op: 'CUSTOM',
        inputs: ['boxes', 'scores', 'anchors'],
        output: 'found boxes',
        also: ['found classes', 'found scores', 'found'],
        custom: { code: 'TFLite_Detection_PostProcess', options: encoded },
        ...changed.operator,
      },
    ],
    outputs: ['found boxes', 'found classes', 'found scores', 'found'],
    ...changed.file,
  };
}

/** `detectorModel` as a file, with its labels. */
export function tfliteDetector({ labels, ...spec }: DetectorSpec = {}): Uint8Array {
  const file = tfliteFile(detectorModel(spec));
  if (!labels) return file;
  return withArchive(file, zipSync({ 'labelmap.txt': new TextEncoder().encode(`${labels.join('\n')}\n`) }));
}
