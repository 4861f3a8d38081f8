/**
 * Damage to each operation that few networks have: the file loads as the sound one does, where the damage means nothing, or ends in
 * a typed error that names file and place, soon and in little memory.
 */
import { afterAll, describe, expect, test } from 'vitest';
import { MobileNetError } from '../../src/errors.ts';
import { inferShapes } from '../../src/graph/shapes.ts';
import { loadGraph, type ModelFiles } from '../../src/loaders/index.ts';
import { customOperators, rareOperators } from '../../src/loaders/tflite/rare-operations.ts';
import { allocated } from '../support/count-allocations.mjs';
import type { AttributeSpec, ModelSpec as OnnxSpec, TensorSpec as OnnxTensor } from '../support/onnx-writer.ts';
import {
  type Damage,
  type LayerSpec,
  layerDamage,
  onnxDamage,
  type Sound,
  tfjsDamage,
  tfliteDamage,
} from '../support/operator-damage.ts';
import type { TfjsAttribute, TfjsSpec, TfjsWeightSpec } from '../support/tfjs-writer.ts';
import { detectorModel, detectorOptions } from '../support/tflite-detector.ts';
import type { ModelSpec, OperatorSpec, TensorSpec } from '../support/tflite-writer.ts';

/** For each operation: how many files at the least, and the least share of them that must be refused. */
const LEAST_FILES = 20;
const LEAST_REFUSED = 0.75;
/** That one file may take. */
const MOST_CPU_SECONDS = 1;
const MOST_BYTES = 100e6;

const count = (dims: readonly number[]) => dims.reduce((product, d) => product * d, 1);

// TensorFlow Lite

const tensor = (name: string, ...dims: number[]): TensorSpec => ({ name, dims });
const f32 = (name: string, ...dims: number[]): TensorSpec => ({
  ...{ name, dims },
  data: new Uint8Array(new Float32Array(count(dims)).fill(0.5).buffer),
});
const i32 = (name: string, dims: readonly number[], ...values: number[]): TensorSpec => ({
  ...{ name, dims, type: 'INT32' },
  data: new Uint8Array(Int32Array.from(values).buffer),
});
/** One operator on x and constants. */
const one = (
  op: OperatorSpec['op'],
  x: readonly number[],
  constants: readonly TensorSpec[],
  y: readonly number[],
  more: Partial<OperatorSpec> = {},
): Sound<ModelSpec> => ({
  spec: {
    tensors: [tensor('x', ...x), ...constants, tensor('y', ...y)],
    operators: [{ op, inputs: ['x', ...constants.map(({ name }) => name)], output: 'y', ...more }],
  },
});
const image = [1, 4, 4, 3];
const pads = i32('pads', [4, 2], 0, 0, 1, 1, 1, 1, 0, 0);

/** MediaPipe's options: padding, width and height of the stride. */
const biased = (...options: number[]): ModelSpec => ({
  tensors: [tensor('x', 1, 4, 5, 3), f32('w', 6, 3, 3, 3), f32('b', 6), tensor('y', 1, 8, 10, 6)],
  operators: [
    {
      ...{ op: 'CUSTOM', inputs: ['x', 'w', 'b'], output: 'y' },
      custom: { code: 'Convolution2DTransposeBias', options: new Uint8Array(Int32Array.from(options).buffer) },
    },
  ],
});

/** A convolution of a picture cut into blocks. */
const spread: ModelSpec = {
  tensors: [
    ...[tensor('x', 1, 8, 8, 4), i32('block', [2], 2, 2), i32('pads', [2, 2], 2, 2, 2, 2)],
    ...[i32('back', [2], 2, 2), i32('crops', [2, 2], 0, 0, 0, 0), f32('w', 1, 3, 3, 4)],
    ...[tensor('s', 4, 6, 6, 4), tensor('c', 4, 4, 4, 4), tensor('y', 1, 8, 8, 4)],
  ],
  operators: [
    { op: 'SPACE_TO_BATCH_ND', inputs: ['x', 'block', 'pads'], output: 's' },
    { op: 'DEPTHWISE_CONV_2D', inputs: ['s', 'w'], output: 'c', options: { 0: ['byte', 1], 1: 1, 2: 1, 3: 1 } },
    { op: 'BATCH_TO_SPACE_ND', inputs: ['c', 'back', 'crops'], output: 'y' },
  ],
};

const scored: ModelSpec = {
  tensors: [tensor('x', ...image), f32('w', 3, 1, 1, 3), i32('axis', [], 3), tensor('scores', ...image)].concat(
    tensor('y', 1, 4, 4),
  ),
  operators: [
    { op: 'CONV_2D', inputs: ['x', 'w'], output: 'scores', options: { 0: ['byte', 0], 1: 1, 2: 1 } },
    { op: 'ARG_MAX', inputs: ['scores', 'axis'], output: 'y', options: { 0: ['byte', 2] } },
  ],
};

const tfliteOperators: Readonly<Record<string, Sound<ModelSpec>>> = {
  TRANSPOSE_CONV: {
    spec: {
      tensors: [
        ...[tensor('x', 1, 4, 5, 3), i32('size', [4], 1, 8, 10, 6), f32('w', 6, 3, 3, 3), f32('b', 6)],
        tensor('y', 1, 8, 10, 6),
      ],
      operators: [
        {
          ...{ op: 'TRANSPOSE_CONV', inputs: ['size', 'w', 'x', 'b'], output: 'y' },
          options: { 0: ['byte', 0], 1: 2, 2: 2, 3: ['byte', 0] },
        },
      ],
    },
  },
  TRANSPOSE: one(39, [1, 4, 5, 3], [i32('order', [4], 0, 2, 1, 3)], [1, 5, 4, 3], { optionsType: 26, options: {} }),
  PRELU: one(54, image, [f32('slopes', 1, 1, 3)], image),
  L2_NORMALIZATION: one(11, image, [], image, { optionsType: 20, options: { 0: ['byte', 0] } }),
  CONCATENATION: {
    spec: {
      tensors: [tensor('x', ...image), tensor('u', 1, 2, 4, 3), tensor('y', 1, 6, 4, 3)],
      operators: [{ op: 'CONCATENATION', inputs: ['x', 'u'], output: 'y', options: { 0: 1, 1: ['byte', 0] } }],
      inputs: ['x', 'u'],
    },
    some: [0, 1],
  },
  TILE: one('TILE', [1, 1, 1, 3], [i32('times', [4], 1, 4, 5, 1)], [1, 4, 5, 3]),
  MAXIMUM: one('MAXIMUM', image, [f32('limit')], image),
  MINIMUM: one(57, image, [f32('limit')], image),
  SUB: one(41, image, [f32('c', 3)], image, { optionsType: 28, options: { 0: ['byte', 0] } }),
  DIV: one(42, image, [f32('c', 3)], image, { optionsType: 29, options: { 0: ['byte', 0] } }),
  PAD: one('PAD', image, [pads], [1, 6, 6, 3]),
  PADV2: one(60, image, [pads, { ...f32('zero'), data: new Uint8Array(4) }], [1, 6, 6, 3]),
  RESIZE_BILINEAR: one('RESIZE_BILINEAR', image, [i32('size', [2], 8, 8)], [1, 8, 8, 3], { options: {} }),
  RESIZE_NEAREST_NEIGHBOR: one(97, image, [i32('size', [2], 8, 8)], [1, 8, 8, 3], { optionsType: 74, options: {} }),
  SPACE_TO_BATCH_ND: { spec: spread, at: 0 },
  BATCH_TO_SPACE_ND: { spec: spread },
  LEAKY_RELU: one(98, image, [], image, { optionsType: 75, options: { 0: ['float', 0.1] } }),
  ABS: one('ABS', image, [], image),
  TANH: one(28, image, [], image),
  RELU_N1_TO_1: one(20, image, [], image),
  ARG_MAX: { spec: scored },
  Convolution2DTransposeBias: {
    spec: biased(1, 2, 2),
    more: Object.fromEntries(
      [
        [0, 2, 2],
        [3, 2, 2],
        [1, 0, 2],
        [1, 2, -9],
        [1, 5000, 2],
        [2 ** 30, 2, 2],
      ].map((options) => [`options ${options}`, biased(...options)]),
    ),
  },
  TFLite_Detection_PostProcess: {
    spec: detectorModel(),
    more: Object.fromEntries(
      Object.entries(detectorOptions).flatMap(([key, value]) => {
        const { [key as keyof typeof detectorOptions]: _, ...others } = detectorOptions;
        const bad = typeof value === 'number' ? [-9, 2 ** 40, Number.NaN, 'text'] : [];
        return [
          [`no ${key}`, detectorModel({ options: others })] as const,
          ...bad.map((to) => [`${key} is ${to}`, detectorModel({ options: { ...others, [key]: to } })] as const),
        ];
      }),
    ),
  },
};

// ONNX

const full = (...dims: number[]): OnnxTensor => ({ dims, values: new Float32Array(count(dims)).fill(0.5) });
const i64 = (...values: number[]): OnnxTensor => ({ dims: [values.length], type: 'int64', values });
const ints = (...values: number[]): AttributeSpec => ({ ints: values });
const int = (value: number): AttributeSpec => ({ int: value });
const planes = [1, 4, 4, 4];
const input = (dims: readonly number[], i: number) => ({ name: 'xu'.charAt(i), type: 'float', dims }) as const;
/** One node on x and constants. */
const node = (
  op: string,
  attributes: Readonly<Record<string, AttributeSpec>> = {},
  initializers: Readonly<Record<string, OnnxTensor>> = {},
  more: Partial<OnnxSpec> & { readonly reads?: readonly string[]; readonly outputs?: readonly { name: string }[] } = {},
): Sound<OnnxSpec> => {
  const { reads = ['x', ...Object.keys(initializers)], outputs = [{ name: 'y' }], ...rest } = more;
  return {
    spec: {
      nodes: [{ op, name: 'n', inputs: reads, outputs: outputs.map(({ name }) => name), attributes }],
      inputs: [input(planes, 0)],
      ...{ outputs, initializers, ...rest },
    },
  };
};
const resampled = { mode: { string: 'linear' }, coordinate_transformation_mode: { string: 'half_pixel' } };
const grouped = { group: int(2), strides: ints(2, 2), dilations: ints(1, 1), kernel_shape: ints(3, 3) };
const bounds = { limit: full() };

const onnxOperators: Readonly<Record<string, Sound<OnnxSpec>>> = {
  'ConvTranspose of groups': node(
    'ConvTranspose',
    { ...grouped, pads: ints(1, 1, 1, 1), output_padding: ints(1, 1) },
    { w: full(4, 3, 3, 3), b: full(6) },
  ),
  'ConvTranspose to a shape': node(
    'ConvTranspose',
    { ...grouped, auto_pad: { string: 'SAME_UPPER' }, output_shape: ints(8, 8) },
    { w: full(4, 3, 3, 3), b: full(6) },
  ),
  ArgMax: {
    spec: {
      nodes: [
        { op: 'Conv', inputs: ['x', 'w'], outputs: ['scores'] },
        { op: 'ArgMax', name: 'n', inputs: ['scores'], outputs: ['y'], attributes: { axis: int(1), keepdims: int(0) } },
      ],
      inputs: [input(planes, 0)],
      outputs: [{ name: 'y' }],
      initializers: { w: full(3, 4, 1, 1) },
    },
  },
  Split: node('Split', { axis: int(1) }, { sizes: i64(2, 2) }, { outputs: [{ name: 'y' }, { name: 'z' }] }),
  Slice: {
    ...node('Slice', {}, { from: i64(1), to: i64(4), axis: i64(1), step: i64(1) }),
    free: ['from', 'to', 'step'],
  },
  LpNormalization: node('LpNormalization', { axis: int(1), p: int(2) }),
  'ReduceL2 and Div': {
    spec: {
      nodes: [
        {
          ...{ op: 'ReduceL2', name: 'n', inputs: ['x'], outputs: ['norm'] },
          attributes: { axes: ints(1), keepdims: int(1) },
        },
        { op: 'Div', inputs: ['x', 'norm'], outputs: ['y'] },
      ],
      inputs: [input(planes, 0)],
      outputs: [{ name: 'y' }],
    },
    at: 0,
  },
  Resize: node('Resize', resampled, { sizes: i64(1, 4, 8, 8) }, { reads: ['x', '', '', 'sizes'] }),
  Upsample: node(
    'Upsample',
    { mode: { string: 'nearest' } },
    { scales: { dims: [4], values: [1, 1, 2, 2] } },
    { opset: 9 },
  ),
  Transpose: node('Transpose', { perm: ints(0, 2, 3, 1) }),
  'Concat of rows': {
    ...node('Concat', { axis: int(2) }, {}, { reads: ['x', 'u'], inputs: [planes, [1, 4, 2, 4]].map(input) }),
    some: [0, 1],
  },
  PRelu: node('PRelu', {}, { slopes: full(4, 1, 1) }),
  Max: node('Max', {}, bounds),
  Min: node('Min', {}, bounds),
  Sub: node('Sub', {}, { c: full(4, 1, 1) }),
  Div: node('Div', {}, { c: full(4, 1, 1) }),
  Pad: node('Pad', { mode: { string: 'constant' } }, { pads: i64(0, 0, 1, 1, 0, 0, 1, 1) }),
};

// TensorFlow.js

const weight = (...shape: number[]): TfjsWeightSpec => ({ shape, values: new Float32Array(count(shape)).fill(0.5) });
const whole = (shape: readonly number[], ...values: number[]): TfjsWeightSpec => ({ shape, values, dtype: 'int32' });
const graph = (
  op: string,
  weights: Readonly<Record<string, TfjsWeightSpec>> = {},
  attr: Readonly<Record<string, TfjsAttribute>> = {},
  input: readonly string[] = ['x', ...Object.keys(weights)],
  inputs: TfjsSpec['inputs'] = { x: { shape: image } },
): Sound<TfjsSpec> => ({ spec: { inputs, weights, nodes: [{ name: 'y', op, input, attr }] } });
const same = { padding: { s: 'SAME' }, data_format: { s: 'NHWC' } } as const;
const blocks: TfjsSpec = {
  inputs: { x: { shape: [1, 8, 8, 4] } },
  weights: {
    ...{ block: whole([2], 2, 2), pads: whole([2, 2], 2, 2, 2, 2), back: whole([2], 2, 2), w: weight(3, 3, 4, 1) },
    crops: whole([2, 2], 0, 0, 0, 0),
  },
  nodes: [
    { name: 's', op: 'SpaceToBatchND', input: ['x', 'block', 'pads'] },
    {
      ...{ name: 'c', op: 'DepthwiseConv2dNative', input: ['s', 'w'] },
      attr: { strides: { ints: [1, 1, 1, 1] }, padding: { s: 'VALID' } },
    },
    { name: 'y', op: 'BatchToSpaceND', input: ['c', 'back', 'crops'] },
  ],
};
const corners = { align_corners: { b: false }, half_pixel_centers: { b: true } };

const tfjsOperators: Readonly<Record<string, Sound<TfjsSpec>>> = {
  Conv2DBackpropInput: graph(
    'Conv2DBackpropInput',
    { size: whole([4], 1, 8, 8, 6), w: weight(3, 3, 6, 3) },
    { strides: { ints: [1, 2, 2, 1] }, dilations: { ints: [1, 1, 1, 1] }, ...same },
    ['size', 'w', 'x'],
  ),
  Transpose: graph('Transpose', { order: whole([4], 0, 2, 1, 3) }),
  Prelu: graph('Prelu', { slopes: weight(1, 1, 3) }),
  LeakyRelu: graph('LeakyRelu', {}, { alpha: { f: 0.1 } }),
  'ConcatV2 of rows': {
    ...graph('ConcatV2', { axis: whole([], 1) }, {}, ['x', 'u', 'axis'], {
      x: { shape: image },
      u: { shape: [1, 2, 4, 3] },
    }),
    some: [0, 1],
  },
  Maximum: graph('Maximum', { limit: weight() }),
  Minimum: graph('Minimum', { limit: weight() }),
  Sub: graph('Sub', { c: weight(3) }),
  RealDiv: graph('RealDiv', { c: weight(3) }),
  Pad: graph('Pad', { pads: whole([4, 2], 0, 0, 1, 1, 1, 1, 0, 0) }),
  ResizeBilinear: graph('ResizeBilinear', { size: whole([2], 8, 8) }, corners),
  ResizeNearestNeighbor: graph('ResizeNearestNeighbor', { size: whole([2], 8, 8) }, corners),
  SpaceToBatchND: { spec: blocks, at: 0 },
  BatchToSpaceND: { spec: blocks },
  ArgMax: {
    spec: {
      inputs: { x: { shape: image } },
      weights: { w: weight(1, 1, 3, 4), axis: whole([], 3) },
      nodes: [
        {
          ...{ name: 'scores', op: 'Conv2D', input: ['x', 'w'] },
          attr: { strides: { ints: [1, 1, 1, 1] }, ...same },
        },
        { name: 'y', op: 'ArgMax', input: ['scores', 'axis'], attr: { output_type: { type: 'DT_INT64' } } },
      ],
    },
  },
};

const layers: Readonly<Record<string, LayerSpec>> = {
  Conv2DTranspose: {
    inputs: [[4, 4, 3]],
    config: { filters: 6, kernel_size: [3, 3], strides: [2, 2], padding: 'same', use_bias: true, activation: 'relu' },
    weights: { kernel: [3, 3, 6, 3], bias: [6] },
  },
  UpSampling2D: {
    inputs: [[4, 4, 3]],
    config: { size: [2, 2], interpolation: 'nearest', data_format: 'channels_last' },
  },
  PReLU: { inputs: [[4, 4, 3]], config: { shared_axes: [1, 2] }, weights: { alpha: [1, 1, 3] } },
  Permute: { inputs: [[4, 5, 3]], config: { dims: [2, 1, 3] } },
  Concatenate: {
    inputs: [
      [4, 4, 3],
      [2, 4, 3],
    ],
    config: { axis: 1 },
  },
};

const all: Readonly<Record<string, Readonly<Record<string, () => Damage>>>> = {
  'TensorFlow Lite': made(tfliteOperators, tfliteDamage),
  ONNX: made(onnxOperators, onnxDamage),
  'TensorFlow.js graph': made(tfjsOperators, tfjsDamage),
  'TensorFlow.js layers': Object.fromEntries(
    Object.entries(layers).map(([kind, spec]) => [kind, () => layerDamage(kind, spec)]),
  ),
};

function made<Spec>(table: Readonly<Record<string, Sound<Spec>>>, damage: (sound: Sound<Spec>) => Damage) {
  return Object.fromEntries(Object.entries(table).map(([name, sound]) => [name, () => damage(sound)]));
}

/** Names and shapes of inputs and outputs. */
async function shapesOf(files: ModelFiles): Promise<string> {
  const loaded = await loadGraph(files, { quantisation: true });
  const shapes = inferShapes(loaded);
  const ends = loaded.outputs.map(({ name, tensor }) => `${name} [${shapes.get(tensor)}]`);
  return [...loaded.inputs.map(({ name, shape }) => `${name} [${shape}]`), ...ends].join(', ');
}

/** What the message of an error names beside the file. */
const places = /\b(node|layer|tensor|input|output|operator|weight|attribute)s?\b/;

describe.each(Object.entries(all))('%s', (format, operations) => {
  const total = { files: 0, refused: 0, seconds: 0, bytes: 0 };

  test.each(Object.entries(operations))('%s', async (_, damage) => {
    const { sound, damaged } = damage();
    const whole = await shapesOf(sound);
    const faults: string[] = [];
    let refused = 0;
    for (const [what, files] of damaged) {
      const [before, start] = [allocated(), process.cpuUsage()];
      const result = await shapesOf(files).catch((error: unknown) => error);
      const { user, system } = process.cpuUsage(start);
      const [seconds, bytes] = [(user + system) / 1e6, allocated() - before];
      total.seconds = Math.max(total.seconds, seconds);
      total.bytes = Math.max(total.bytes, bytes);
      if (seconds > MOST_CPU_SECONDS || bytes > MOST_BYTES) faults.push(`${what}: ${seconds} s, ${bytes} bytes`);
      if (result instanceof MobileNetError) {
        refused++;
        const { message } = result;
        if (!message.startsWith(files.name) || !places.test(message)) faults.push(`${what}: no place in "${message}"`);
      } else if (result !== whole) faults.push(`${what}: ${result instanceof Error ? result.stack : result}`);
    }
    total.files += damaged.size;
    total.refused += refused;
    expect(faults).toEqual([]);
    expect(damaged.size).toBeGreaterThanOrEqual(LEAST_FILES);
    expect(refused / damaged.size, `${refused} of ${damaged.size} refused`).toBeGreaterThanOrEqual(LEAST_REFUSED);
  });

  afterAll(() => {
    expect(total.bytes).toBeGreaterThan(0);
    process.stdout.write(
      `${format}: ${Object.keys(operations).length} operations, ${total.files} damaged files, ${total.refused} refused; at most ` +
        `${total.seconds.toFixed(2)} s of CPU and ${(total.bytes / 1e3).toFixed(0)} kB allocated\n`,
    );
  });
});

test('every operator that only some TensorFlow Lite files have is among them', () => {
  const rare = [...[...rareOperators.values()].map(([name]) => name), ...customOperators.keys()];
  expect(Object.keys(tfliteOperators)).toEqual(expect.arrayContaining(rare));
});

test('allocations are counted', () => {
  const before = allocated();
  new Float32Array(200).slice();
  expect(allocated() - before).toBe(1600);
});
