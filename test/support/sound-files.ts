/** Small sound files of every format. */
import { readFileSync } from 'node:fs';
import { writeOnnx } from '../../bench/writers/onnx.ts';
import { writeTflite } from '../../bench/writers/tflite.ts';
import { buildArchitecture } from '../../src/architectures/index.ts';
import type { Graph } from '../../src/graph/graph.ts';
import { loadGraph, type ModelFiles } from '../../src/loaders/index.ts';
import { stateOf, writeState } from './safetensors-models.ts';
import { writeTfjs } from './tfjs-writer.ts';

const saved = new Uint8Array(readFileSync('test/loaders/saved-model/saved-model-v1.safetensors'));

/** A file, where damage counts most: weights behind it mean nothing to a loader; and what lies beside it. */
export interface Sound extends ModelFiles {
  readonly damageable?: number;
}

const weights = (...shape: number[]) => ({ shape, values: new Float32Array(shape.reduce((a, b) => a * b)).fill(0.5) });

function graphModel(): Sound {
  const conv = { strides: { ints: [1, 2, 2, 1] }, padding: { s: 'SAME' }, data_format: { s: 'NHWC' } };
  const { bytes, shard } = writeTfjs({
    inputs: { x: { shape: [1, 8, 8, 3] } },
    weights: { w: weights(3, 3, 3, 4), b: weights(4), axes: { shape: [2], values: [1, 2], dtype: 'int32' } },
    nodes: [
      { name: 'c', op: 'Conv2D', input: ['x', 'w'], attr: conv },
      { name: 'd', op: 'BiasAdd', input: ['c', 'b'] },
      { name: 'r', op: 'Relu6', input: ['d'] },
      { name: 'm', op: 'Mean', input: ['r', 'axes'], attr: { keep_dims: { b: true } } },
    ],
  });
  return { name: 'model.json', bytes, read: async () => shard };
}

function layersModel(): Sound {
  const layers = [
    ['Conv2D', { name: 'c', batch_input_shape: [null, 8, 8, 3], filters: 4, kernel_size: [3, 3], activation: 'relu' }],
    ['GlobalAveragePooling2D', { name: 'p' }],
    ['Dense', { name: 'd', units: 2, activation: 'softmax' }],
  ].map(([class_name, config]) => ({ class_name, config }));
  const shapes = { 'c/kernel': [3, 3, 3, 4], 'c/bias': [4], 'd/kernel': [4, 2], 'd/bias': [2] };
  const list = Object.entries(shapes).map(([name, shape]) => ({ name, shape, dtype: 'float32' }));
  const json = {
    format: 'layers-model',
    modelTopology: { class_name: 'Sequential', config: { name: 's', layers } },
    weightsManifest: [{ paths: ['w.bin'], weights: list }],
  };
  const shard = new Uint8Array(4 * (108 + 4 + 8 + 2));
  return { name: 'model.json', bytes: new TextEncoder().encode(JSON.stringify(json)), read: async () => shard };
}

function checkpoint(): Sound {
  const bytes = writeState(stateOf(buildArchitecture('v1-0.25-32', { classes: 3 }), 'v1', 'transformers'));
  return { name: 'model.safetensors', bytes, damageable: 8 + new DataView(bytes.buffer).getUint32(0, true) };
}

const small = (): Promise<Graph> => loadGraph({ name: 'small', bytes: saved });

/** By the names of their formats. */
export const soundFiles: Readonly<Record<string, () => Promise<Sound> | Sound>> = {
  ONNX: async () => ({ name: 'model.onnx', bytes: writeOnnx(await small()) }),
  'TensorFlow Lite': async () => ({ name: 'model.tflite', bytes: writeTflite(await small()) }),
  'TensorFlow.js graph model': graphModel,
  'TensorFlow.js layers model': layersModel,
  safetensors: checkpoint,
  'saved model': () => ({ name: 'saved.safetensors', bytes: saved }),
};
