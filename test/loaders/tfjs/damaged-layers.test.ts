/** Damaged and hostile layers models: each ends in a typed error that names layer or weight, within seconds and 100 MB. */
import { beforeAll, describe, expect, test } from 'vitest';
import { MobileNetError } from '../../../src/errors.ts';
import { loadGraph, type ModelFiles } from '../../../src/loaders/index.ts';
import { cheaply } from '../../support/cost.ts';
import { randomValues } from '../../support/oracles.ts';

type Json = Readonly<Record<string, unknown>>;

interface Spec {
  readonly topology: unknown;
  readonly weights: Readonly<Record<string, readonly number[]>>;
  /** Other entries of weightsManifest's list of weights, after `weights`. */
  readonly more?: readonly object[];
  /** Bytes of the shard; as many as the weights take unless given. */
  readonly bytes?: number;
  readonly paths?: readonly string[];
  readonly fill?: number;
}

function filesOf({ topology, weights, more = [], bytes, paths = ['w.bin'], fill = 0.5 }: Spec): ModelFiles {
  const list = Object.entries(weights).map(([name, shape]) => ({ name, shape, dtype: 'float32' }));
  const elements = list.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
  const shard = new Uint8Array(new Float32Array(elements).fill(fill).buffer);
  const read = async () => (bytes === undefined ? shard : new Uint8Array(bytes));
  const json = {
    format: 'layers-model',
    modelTopology: topology,
    weightsManifest: [{ paths, weights: [...list, ...more] }],
  };
  return { name: 'model.json', bytes: new TextEncoder().encode(JSON.stringify(json)), read };
}

async function errorOf(files: ModelFiles): Promise<MobileNetError | null> {
  try {
    await loadGraph(files);
    return null;
  } catch (error) {
    if (error instanceof MobileNetError) return error;
    throw new Error('an error that is not typed', { cause: error });
  }
}

async function refused(files: ModelFiles, message: RegExp, code = 'model-format'): Promise<void> {
  const error = await cheaply(() => errorOf(files));
  expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
}

const layer = (class_name: string, name: string, config: Json = {}): Json => ({
  class_name,
  config: { name, ...config },
});
const sequential = (...layers: readonly unknown[]): Json => ({
  class_name: 'Sequential',
  config: { name: 's', layers },
});
const shape = { batch_input_shape: [null, 8, 8, 3] };
const conv = (config: Json = {}) => layer('Conv2D', 'c', { ...shape, filters: 4, kernel_size: [3, 3], ...config });
const dense = layer('Dense', 'd', { units: 2 });
const pool = layer('GlobalAveragePooling2D', 'p');
const sound = { 'c/kernel': [3, 3, 3, 4], 'c/bias': [4], 'd/kernel': [4, 2], 'd/bias': [2] };
const small: Spec = { topology: sequential(conv(), pool, dense), weights: sound };
/** One layer after the image. */
const one = (class_name: string, config: Json = {}, weights: Spec['weights'] = {}): Spec => ({
  topology: sequential(layer('InputLayer', 'x', shape), layer(class_name, 'y', config)),
  weights,
});

const call = (class_name: string, name: string, from: readonly unknown[], config: Json = {}): Json => ({
  class_name,
  name,
  config: { name, ...config },
  inbound_nodes: from.length > 0 ? [from] : [],
});
const functional = (layers: readonly Json[], output: unknown = ['y', 0, 0], name = 'm'): Json => ({
  class_name: 'Functional',
  name,
  config: { name, layers, input_layers: [['x', 0, 0]], output_layers: [output] },
});
const input = call('InputLayer', 'x', [], { batch_input_shape: [null, 4] });
const graph = (layers: readonly Json[], output?: unknown): Spec => ({
  topology: functional([input, ...layers], output),
  weights: {},
});

beforeAll(async () => {
  expect(await errorOf(filesOf(small))).toBeNull();
  expect(await errorOf(filesOf(graph([call('ReLU', 'y', [['x', 0, 0, {}]])])))).toBeNull();
});

describe('the file', () => {
  test('cut anywhere', async () => {
    const files = filesOf(small);
    for (let length = 1; length < files.bytes.length; length += 3) {
      expect((await errorOf({ ...files, bytes: files.bytes.subarray(0, length) }))?.code).toBe('model-format');
    }
  });

  test('any byte altered: a graph or a typed error', async () => {
    const files = filesOf(small);
    const random = randomValues(files.bytes.length * 2, 4, 32, 127);
    let refusals = 0;
    for (let i = 0; i < random.length; i++) {
      const bytes = files.bytes.slice();
      bytes[i % bytes.length] = random[i]!;
      if (await errorOf({ ...files, bytes })) refusals++;
    }
    expect(refusals).toBeGreaterThan(files.bytes.length / 2);
  });
});

describe('weights', () => {
  const without = (name: string) => Object.fromEntries(Object.entries(sound).filter(([key]) => key !== name));
  const cases: [string, Spec, RegExp][] = [
    ['missing', { ...small, weights: without('d/kernel') }, /layer "d": weight "d\/kernel" is not in weightsManifest/],
    [
      'of another shape',
      { ...small, weights: { ...sound, 'c/kernel': [3, 3, 4, 3] } },
      /layer "c": weight "c\/kernel" has the shape \[3,3,4,3\], expected \[3,3,3,4\]/,
    ],
    [
      'of whole numbers',
      { ...small, weights: without('d/bias'), more: [{ name: 'd/bias', shape: [2], dtype: 'int32' }], bytes: 4 * 122 },
      /layer "d": weight "d\/bias" holds integers/,
    ],
    ['in a shard cut short', { ...small, bytes: 100 }, /weight "c\/kernel" .* which has 100: truncated/],
    ['in a shard too long', { ...small, bytes: 10_000 }, /take 488 bytes, and the file has 10000/],
    [
      'stated twice',
      { ...small, more: [{ name: 'c/bias', shape: [0], dtype: 'float32' }] },
      /has two weights named "c\/bias"/,
    ],
    [
      'that could be one of two',
      { ...small, weights: { ...without('c/bias'), 'a/c/bias': [4], 'b/c/bias': [4] } },
      /layer "c": weight "c\/bias" could be any of a\/c\/bias, b\/c\/bias/,
    ],
    ['that are no numbers', { ...small, fill: Number.NaN }, /node "c" \(Conv2D\): weights\[0\] is NaN/],
    ['outside the folder', { ...small, paths: ['../w.bin'] }, /"..\/w.bin", which climbs out of the folder/],
    [
      'of negative variance',
      {
        ...one(
          'BatchNormalization',
          {},
          { 'y/gamma': [3], 'y/beta': [3], 'y/moving_mean': [3], 'y/moving_variance': [3] },
        ),
        fill: -1,
      },
      /node "y" \(BatchNormalization\): has the variance -1 in channel 0/,
    ],
  ];
  for (const [name, spec, message] of cases) test(name, () => refused(filesOf(spec), message));
});

describe('settings', () => {
  const cases: [string, Spec, RegExp][] = [
    ['filters below zero', { ...small, topology: sequential(conv({ filters: -4 })) }, /layer "c": filters is -4/],
    [
      'a thousand million filters',
      { ...small, topology: sequential(conv({ filters: 1e9 })) },
      /expected \[3,3,3,1000000000\]/,
    ],
    [
      'a kernel larger than its image',
      { ...small, topology: sequential(conv({ kernel_size: 1e9 })) },
      /layer "c": weight/,
    ],
    [
      'a stride of zero',
      { ...small, topology: sequential(conv({ strides: [0, 1] })) },
      /layer "c": strides is \[0,1\]/,
    ],
    ['three strides', { ...small, topology: sequential(conv({ strides: [1, 1, 1] })) }, /one or two whole numbers/],
    [
      'a dilation that is text',
      { ...small, topology: sequential(conv({ dilation_rate: '1' })) },
      /dilation_rate is "1"/,
    ],
    [
      'groups that do not divide',
      { ...small, topology: sequential(conv({ groups: 2 })) },
      /groups is 2, expected a divisor of 3/,
    ],
    [
      'a bias that is a number',
      { ...small, topology: sequential(conv({ use_bias: 1 })) },
      /use_bias is 1, expected true or/,
    ],
    ['an activation that is a number', { ...small, topology: sequential(conv({ activation: 7 })) }, /activation is 7/],
    ['a data format of nobody', { ...small, topology: sequential(conv({ data_format: 'x' })) }, /data_format is "x"/],
    ['an axis out of range', one('BatchNormalization', { axis: 7 }), /layer "y": axis is 7, expected an axis of 4/],
    ['padding below zero', one('ZeroPadding2D', { padding: [-1, 0] }), /layer "y": padding is \[-1,0\]/],
    ['padding beyond memory', one('ZeroPadding2D', { padding: 1e9 }), /output of node "y" .* sizes are damaged/],
    ['upsampling beyond memory', one('UpSampling2D', { size: [1e6, 1e6] }), /output of node "y" .* sizes are damaged/],
    ['pooling by more than there is', one('MaxPooling2D', { pool_size: 9 }), /output of node "y" .*\[1,0,0,3\]/],
    ['a shape that does not fit', one('Reshape', { target_shape: [5, 5] }), /"y" \(Reshape\): cannot reshape/],
    ['two open sizes', one('Reshape', { target_shape: [-1, -1] }), /target_shape is \[-1,-1\], expected sizes/],
    ['an order that is none', one('Permute', { dims: [1, 1, 2] }), /layer "y": dims is \[1,1,2\]/],
    ['a scale that is text', one('Rescaling', { scale: 'half' }), /layer "y": scale is "half", expected numbers/],
    ['one tensor to join', one('Concatenate'), /"y" \(Concatenate\): joins 1 tensors/],
  ];
  for (const [name, spec, message] of cases) test(name, () => refused(filesOf(spec), message));

  const unsupported: [string, Spec, RegExp][] = [
    ['an unknown layer', one('LSTM', { units: 4 }), /node "y" \(LSTM\): the layer is not one that this engine runs/],
    [
      'an unknown activation',
      one('Activation', { activation: 'gelu' }),
      /"y" \(Activation\): has the activation "gelu"/,
    ],
    [
      'causal padding',
      { ...small, topology: sequential(conv({ padding: 'causal' })) },
      /"c" \(Conv2D\): has the padding/,
    ],
    [
      'a leaking ReLU with a largest value',
      one('ReLU', { negative_slope: 0.1, max_value: 6 }),
      /"y" \(ReLU\): has a slope below zero/,
    ],
    ['cubic upsampling', one('UpSampling2D', { interpolation: 'bicubic' }), /"y" \(UpSampling2D\): interpolates by/],
  ];
  for (const [name, spec, message] of unsupported) test(name, () => refused(filesOf(spec), message, 'unsupported-op'));
});

describe('topology', () => {
  const relu = (name: string, from: unknown) => call('ReLU', name, [from]);
  const cases: [string, Spec, RegExp][] = [
    ['a class of its own', { topology: layer('Encoder', 'e'), weights: {} }, /is of the class "Encoder", expected Seq/],
    ['no layers', { topology: sequential(), weights: {} }, /model "s" \(Sequential\) has no layers/],
    [
      'layers that are no list',
      { topology: layer('Sequential', 's', { layers: 5 }), weights: {} },
      /"s" .* has no layers/,
    ],
    [
      'a layer without a name',
      { topology: sequential({ class_name: 'ReLU', config: {} }), weights: {} },
      /layer 0 of "s" has no/,
    ],
    ['a layer that is a number', { topology: sequential(5), weights: {} }, /layer 0 of "s" has no class_name/],
    [
      'a shape that is text',
      { ...small, topology: sequential(conv({ batch_input_shape: 'x' })) },
      /input "c_input" has the shape "x"/,
    ],
    [
      'a shape of fractions',
      { ...small, topology: sequential(conv({ batch_input_shape: [1, 0.5, 8, 3] })) },
      /has the shape \[1,0.5,8,3\]/,
    ],
    [
      'six dimensions',
      { ...small, topology: sequential(conv({ batch_input_shape: [1, 1, 1, 1, 8, 3] })) },
      /has 6 dimensions/,
    ],
    [
      'an image beyond memory',
      { ...small, topology: sequential(conv({ batch_input_shape: [1, 1e6, 1e6, 3] })) },
      /sizes are damaged/,
    ],
    [
      'a cycle',
      graph([relu('a', ['b', 0, 0]), relu('b', ['a', 0, 0]), relu('y', ['b', 0, 0])]),
      /has a cycle: layer "[ab]"/,
    ],
    ['a layer that is not there', graph([relu('y', ['gone', 0, 0])]), /"y" that reads call 0 of the layer "gone"/],
    ['a call that is not there', graph([relu('y', ['x', 3, 0])]), /"y" that reads call 3 of the layer "x"/],
    ['a tensor that is not there', graph([relu('y', ['x', 0, 1])]), /"y" that reads tensor 1 of "x"/],
    [
      'an output that is not there',
      graph([relu('y', ['x', 0, 0])], ['z', 0, 0]),
      /an output that reads call 0 of the layer "z"/,
    ],
    ['two layers of one name', graph([relu('y', ['x', 0, 0]), relu('y', ['x', 0, 0])]), /two layers named "y"/],
    ['references that are numbers', graph([call('ReLU', 'y', [1, 2])]), /layer "y" whose inbound_nodes are damaged/],
    [
      'an input that is none of the model',
      graph([call('InputLayer', 'z', []), relu('y', ['z', 0, 0])]),
      /InputLayer "z", which is none/,
    ],
    [
      'two inputs of a layer that takes one',
      graph([
        call('ReLU', 'y', [
          ['x', 0, 0],
          ['x', 0, 0],
        ]),
      ]),
      /"y" \(ReLU\): has 2 inputs/,
    ],
    [
      'tensors that do not fit',
      graph([
        call('Dense', 'd', [['x', 0, 0]], { units: 3 }),
        call('Add', 'y', [
          ['x', 0, 0],
          ['d', 0, 0],
        ]),
      ]),
      /layer "d": weight "d\/kernel" is not/,
    ],
  ];
  for (const [name, spec, message] of cases) test(name, () => refused(filesOf(spec), message));

  test('a hundred thousand layers', () => {
    const layers = Array.from({ length: 100_000 }, (_, i) => layer('ReLU', `r${i}`));
    return refused(
      filesOf({
        topology: sequential(layer('InputLayer', 'x', { batch_input_shape: [1, 4] }), ...layers),
        weights: {},
      }),
      /unfolds to more than 20000 layers/,
    );
  });

  test('models a thousand deep', () => {
    let topology: Json = sequential(layer('InputLayer', 'x', { batch_input_shape: [1, 4] }), layer('ReLU', 'y'));
    for (let i = 0; i < 1000; i++) topology = sequential(topology);
    return refused(filesOf({ topology, weights: {} }), /nests models more than 16 deep/);
  });

  test('a setting nested a hundred thousand deep', () => {
    const files = filesOf({ topology: sequential(conv({ batch_input_shape: 'DEEP' })), weights: {} });
    const deep = '['.repeat(100_000) + ']'.repeat(100_000);
    const text = new TextDecoder().decode(files.bytes).replace('"DEEP"', deep);
    return refused(
      { ...files, bytes: new TextEncoder().encode(text) },
      /input "c_input" has the shape nested too deeply/,
    );
  });

  test('models that call each other twice, fourteen deep', () => {
    let inner = functional([input, relu('y', ['x', 0, 0])], ['y', 0, 0], 'm0');
    for (let i = 1; i < 15; i++) {
      const nested = { ...inner, inbound_nodes: [[['x', 0, 0]], [[`m${i - 1}`, 1, 0]]] };
      inner = functional([input, nested], [`m${i - 1}`, 2, 0], `m${i}`);
    }
    return refused(filesOf({ topology: inner, weights: {} }), /unfolds to more than 20000 layers/);
  });

  test('a large layer that is called a thousand times', () => {
    const square = layer('Dense', 'd', { units: 1000, use_bias: false });
    const nodes = Array.from({ length: 1000 }, (_, i) => [[i === 0 ? 'x' : 'd', Math.max(0, i - 1), 0]]);
    const start = call('InputLayer', 'x', [], { batch_input_shape: [1, 1000] });
    const topology = functional([start, { ...square, name: 'd', inbound_nodes: nodes }], ['d', 999, 0]);
    return refused(
      filesOf({ topology, weights: { 'd/kernel': [1000, 1000] } }),
      /"d" \(Dense\): makes constants far larger/,
    );
  });

  test('names of prototypes are names like others', async () => {
    const topology = functional(
      [input, relu('__proto__', ['x', 0, 0]), relu('constructor', ['__proto__', 0, 0])],
      [...['constructor', 0, 0]],
    );
    expect(await errorOf(filesOf({ topology, weights: {} }))).toBeNull();
  });
});
