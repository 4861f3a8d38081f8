/** Small sound files of every format. */
import { readFileSync } from 'node:fs';
import { writeOnnx as writeGraph } from '../../bench/writers/onnx.ts';
import { buildArchitecture } from '../../src/architectures/index.ts';
import type { Graph } from '../../src/graph/graph.ts';
import type { Node } from '../../src/graph/ops.ts';
import { loadGraph, type ModelFiles } from '../../src/loaders/index.ts';
import { integerGraph } from '../../src/passes/integers.ts';
import { saveModel } from '../../src/save-model.ts';
import { writeTflite } from '../../src/writers/tflite.ts';
import { quantisedOnnx } from './onnx-quantiser.ts';
import { writeOnnx } from './onnx-writer.ts';
import { quantised } from './quantiser.ts';
import { randomValues } from './random-values.ts';
import { stateOf, writeState } from './safetensors-models.ts';
import { writeTfjs } from './tfjs-writer.ts';
import { tfliteFile } from './tflite-writer.ts';

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

/** Zeros, transposes, quantised tensors, shapes that the graph computes. */
function exportedOnnx(): Sound {
  const ints = (...values: number[]) => ({ dims: [values.length], type: 'int64', values }) as const;
  const full = (...dims: number[]) => ({ dims, values: new Array(dims.reduce((a, b) => a * b)).fill(0.5) });
  const bytes = writeOnnx({
    nodes: [
      { op: 'Pad', inputs: ['x', 'zeros'], outputs: ['p'] },
      { op: 'Transpose', inputs: ['p'], outputs: ['t'], attributes: { perm: { ints: [0, 3, 1, 2] } } },
      { op: 'QuantizeLinear', inputs: ['t', 's', 'z'], outputs: ['q'] },
      { op: 'DequantizeLinear', inputs: ['q', 's', 'z'], outputs: ['d'] },
      { op: 'Conv', inputs: ['d', 'w'], outputs: ['c'], attributes: { strides: { ints: [2, 2] } } },
      { op: 'Softmax', inputs: ['c'], outputs: ['m'], attributes: { axis: { int: 2 } } },
      { op: 'Shape', inputs: ['m'], outputs: ['shape'] },
      { op: 'Slice', inputs: ['shape', 'from', 'to'], outputs: ['batch'] },
      { op: 'Concat', inputs: ['batch', 'rest'], outputs: ['wanted'], attributes: { axis: { int: 0 } } },
      { op: 'Reshape', inputs: ['m', 'wanted'], outputs: ['f'] },
      { op: 'Resize', inputs: ['m', '', 'twice'], outputs: ['r'], attributes: { mode: { string: 'nearest' } } },
      { op: 'MatMul', inputs: ['f', 'k'], outputs: ['y'] },
      { op: 'Reshape', inputs: ['c', 'apart'], outputs: ['a'] },
      { op: 'Transpose', inputs: ['a'], outputs: ['u'], attributes: { perm: { ints: [0, 2, 1, 3, 4] } } },
      { op: 'Reshape', inputs: ['u', 'together'], outputs: ['v'] },
      { op: 'Split', inputs: ['v', 'halves'], outputs: ['g', 'h'], attributes: { axis: { int: 1 } } },
      { op: 'ReduceL2', inputs: ['h'], outputs: ['n'], attributes: { axes: { ints: [1] } } },
      { op: 'Div', inputs: ['h', 'n'], outputs: ['o'] },
      { op: 'ConvTranspose', inputs: ['o', 'l'], outputs: ['e'], attributes: { group: { int: 2 } } },
      { op: 'ArgMax', inputs: ['g'], outputs: ['i'], attributes: { axis: { int: 1 } } },
    ],
    inputs: [{ name: 'x', type: 'float', dims: [1, 6, 6, 3] }],
    outputs: [{ name: 'y' }, { name: 'r' }, { name: 'e' }, { name: 'i' }],
    initializers: {
      ...{ apart: ints(1, 2, 2, 3, 3), together: ints(1, 4, 3, 3), halves: ints(2, 2), l: full(2, 1, 2, 2) },
      ...{ zeros: ints(0, 0, 0, 0, 0, 1, 1, 0), from: ints(0), to: ints(1), rest: ints(-1) },
      ...{ s: full(1), z: { dims: [1], type: 'int8', values: [3] }, w: full(4, 3, 3, 3), k: full(36, 2) },
      twice: { dims: [4], values: [1, 1, 2, 2] },
    },
  });
  return { name: 'model.onnx', bytes };
}

/** As exporters write a network of PyTorch's, and Keras a head. */
function exportedTflite(): Sound {
  const ints = (name: string, dims: readonly number[], ...values: number[]) =>
    ({ name, dims, type: 'INT32', data: new Uint8Array(Int32Array.from(values).buffer) }) as const;
  const full = (name: string, ...dims: number[]) => {
    const values = new Float32Array(dims.reduce((a, b) => a * b)).fill(0.5);
    return { name, dims, data: new Uint8Array(values.buffer) };
  };
  const transposed = (from: string, output: string) =>
    ({ op: 39, inputs: [from, 'order'], output, optionsType: 26, options: {} }) as const;
  const bytes = tfliteFile({
    tensors: [
      ...[
        { name: 'x', dims: [1, 3, 6, 6] },
        ints('zeros', [4, 2], 0, 0, 0, 0, 0, 1, 0, 1),
        ints('order', [4], 0, 2, 3, 1),
      ],
      ...[{ name: 'p', dims: [1, 3, 7, 7] }, { name: 't', dims: [1, 7, 7, 3] }, full('planes', 4, 3, 3, 3)],
      ...[
        { name: 'w', dims: [4, 3, 3, 3] },
        { name: 'c', dims: [1, 3, 3, 4] },
        { name: 'f', dims: [1, 36] },
      ],
      ...[{ name: 'shape', dims: [4], type: 'INT32' as const }, full('d', 2, 36), { name: 'y', dims: [1, 2] }],
    ],
    operators: [
      { op: 'PAD', inputs: ['x', 'zeros'], output: 'p' },
      transposed('p', 't'),
      transposed('planes', 'w'),
      { op: 'CONV_2D', inputs: ['t', 'w'], output: 'c', options: { 0: ['byte', 1], 1: 2, 2: 2, 3: ['byte', 3] } },
      { op: 77, inputs: ['c'], output: 'shape', optionsType: 55, options: { 0: ['byte', 2] } },
      { op: 'RESHAPE', inputs: ['c', 'shape'], output: 'f' },
      { op: 'FULLY_CONNECTED', inputs: ['f', 'd'], output: 'y', options: { 0: ['byte', 0] } },
    ],
  });
  return { name: 'model.tflite', bytes };
}

const small = (): Promise<Graph> => loadGraph({ name: 'small', bytes: saved });

/** A network of two convolutions, a sum and a mean on integers. */
const layers: Graph = {
  name: 'layers',
  inputs: [{ name: 'x', shape: [1, 8, 8, 4] }],
  outputs: [{ name: 'y', tensor: 'y' }],
  nodes: [
    ...(['a', 'b'] as const).map(
      (name, i): Node => ({
        op: 'conv2d',
        name,
        inputs: [i === 0 ? 'x' : 'a'],
        output: name,
        weights: randomValues(16, i, -1, 1),
        bias: randomValues(4, i + 2, -0.5, 0.5),
        kernel: [1, 1],
        stride: [1, 1],
        dilation: [1, 1],
        padding: { top: 0, left: 0, bottom: 0, right: 0 },
        groups: 1,
        outChannels: 4,
        activation: 'none',
      }),
    ),
    { op: 'add', name: 's', inputs: ['a', 'b'], output: 's', activation: 'none' },
    { op: 'global-average-pool', name: 'y', inputs: ['s'], output: 'y' },
  ],
};
const example = () => randomValues(256, 7, -1, 1);

async function quantisedTflite(): Promise<Sound> {
  const [file] = await quantised(layers, [example()], [{ type: 'int8', activations: 'ranges', ends: 'floats' }]);
  return { name: 'model.tflite', bytes: file!.bytes };
}

async function savedOnIntegers(): Promise<Sound> {
  const graph = integerGraph(await loadGraph(await quantisedTflite(), { quantisation: true }));
  return { name: 'saved.safetensors', bytes: await saveModel(graph, {}) };
}

/** By the names of their formats. */
export const soundFiles: Readonly<Record<string, () => Promise<Sound> | Sound>> = {
  ONNX: async () => ({ name: 'model.onnx', bytes: writeGraph(await small()) }),
  'TensorFlow Lite': async () => ({ name: 'model.tflite', bytes: writeTflite(await small()) }),
  'exported ONNX': exportedOnnx,
  'exported TensorFlow Lite': exportedTflite,
  'quantised ONNX': () => ({ name: 'model.onnx', bytes: quantisedOnnx(layers, example(), 'qdq').bytes }),
  'quantised TensorFlow Lite': quantisedTflite,
  'TensorFlow.js graph model': graphModel,
  'TensorFlow.js layers model': layersModel,
  safetensors: checkpoint,
  'saved model': () => ({ name: 'saved.safetensors', bytes: saved }),
  'saved model on integers': savedOnIntegers,
};
