/** Operators of TensorFlow Lite on integers, one a file, against LiteRT.js: every byte is the same. */
import { describe, expect, test } from 'vitest';
import { UnsupportedOpError } from '../../src/errors.ts';
import { load } from '../../src/index.ts';
import { loadGraph } from '../../src/loaders/index.ts';
import { integerGraph } from '../../src/passes/integers.ts';
import { runGraph } from '../../src/reference/index.ts';
import type { FlatRecord } from '../support/flat-writer.ts';
import { liteRtOutputs } from '../support/litert.ts';
import { randomValues } from '../support/oracles.ts';
import { type OperatorSpec, type TensorSpec, tfliteFile } from '../support/tflite-writer.ts';

type Stored = 'INT8' | 'UINT8';
type Dims = readonly number[];
const least = { INT8: -128, UINT8: 0 } as const;
const count = (dims: Dims): number => dims.reduce((a, b) => a * b, 1);

/** `zeroPoint` is that of int8. */
interface Spec {
  readonly dims: Dims;
  readonly scale: number;
  readonly zeroPoint: number;
}

interface Case {
  readonly name: string;
  readonly op: OperatorSpec['op'];
  readonly options?: FlatRecord['fields'];
  readonly optionsType?: number;
  /** Tensors that are fed, in the order of the operator's inputs; constants among them have data. */
  readonly inputs: readonly (Spec | TensorSpec)[];
  readonly output: Spec;
  readonly only?: Stored;
  /** Of the operator's inputs, where it is not theirs. */
  readonly order?: readonly number[];
}

const x = (dims: Dims, scale = 0.02, zeroPoint = 3): Spec => ({ dims, scale, zeroPoint });
const ints = (name: string, values: Dims, dims: Dims = [values.length]): TensorSpec => ({
  name,
  dims,
  type: 'INT32',
  data: new Uint8Array(Int32Array.from(values).buffer),
});
/** Weights of a linear layer and its bias; `axis`: that of the outputs, which have a scale each for int8. */
const weights = (dims: Dims, axis: number, input: Spec, type: Stored, bias = true): TensorSpec[] => {
  const outputs = dims[axis]!;
  const channels = type === 'INT8' ? outputs : 1;
  const scales = Array.from(randomValues(channels, 5, 0.002, 0.02), Math.fround);
  const zero = type === 'UINT8' ? 117 : 0;
  const values = randomValues(count(dims), 9, -127, 127);
  return [
    {
      name: 'w',
      dims,
      type,
      // XNNPACK takes one scale for all of dimension 0 alone.
      axis: type === 'INT8' ? axis : 0,
      scales,
      zeroPoints: scales.map(() => zero),
      data: Uint8Array.from(values, (value) =>
        type === 'UINT8' ? Math.max(1, Math.round(value / 2) + zero) : Math.round(value) & 255,
      ),
    },
    ...(bias
      ? [
          {
            ...ints('b', Array.from(randomValues(outputs, 3, -3000, 3000), Math.round)),
            scales: scales.map((scale) => Math.fround(Math.fround(input.scale) * scale)),
            zeroPoints: scales.map(() => 0),
          },
        ]
      : []),
  ];
};
/** A constant operand. */
const constant = (dims: Dims, type: Stored, scale = 0.013): TensorSpec => ({
  name: 'c',
  dims,
  type,
  scales: [scale],
  zeroPoints: [least[type] + 140],
  data: Uint8Array.from(randomValues(count(dims), 6, 0, 255), Math.round),
});
const window = (more: FlatRecord['fields'] = {}): FlatRecord['fields'] => ({ 0: ['byte', 0], 1: 1, 2: 1, ...more });
const picture = x([1, 7, 9, 8]);

const cases = (type: Stored): Case[] => {
  const linear = (
    name: string,
    op: OperatorSpec['op'],
    input: Spec,
    shape: Dims,
    axis: number,
    options: FlatRecord['fields'],
    output: Spec,
  ): Case => ({ name, op, options, inputs: [input, ...weights(shape, axis, input, type)], output });
  const mean = (h: number, w: number, scale: number): Case => ({
    name: `mean of ${h} × ${w} to ${scale}`,
    op: 'MEAN',
    options: { 0: ['byte', 0] },
    inputs: [x([1, h, w, 5], 0.05, -11), ints('axes', [1, 2])],
    output: x([1, 5], scale, 7),
  });
  const bilinear = (name: string, from: Dims, to: readonly [number, number], align: number, half: number): Case => ({
    name: `resize bilinear ${name} ${from.slice(1, 3)} to ${to}`,
    op: 'RESIZE_BILINEAR',
    options: { 2: ['byte', align], 3: ['byte', half] },
    inputs: [x(from), ints('size', to)],
    output: x([1, ...to, from[3]!]),
  });
  const pool = (
    name: string,
    op: 'AVERAGE_POOL_2D' | 'MAX_POOL_2D',
    size: number,
    stride: number,
    fused = 0,
  ): Case => ({
    name: `${name} ${size} × ${size} by ${stride}, fused ${fused}`,
    op,
    options: { 0: ['byte', 0], 1: stride, 2: stride, 3: size, 4: size, 5: ['byte', fused] },
    inputs: [x([1, 9, 10, 5], 0.04, -20)],
    output: x([1, Math.ceil(9 / stride), Math.ceil(10 / stride), 5], 0.04, -20),
  });
  const two = (name: string, op: OperatorSpec['op'], other: Spec, optionsType: number, fused = 0): Case => ({
    name,
    op,
    options: { 0: ['byte', fused] },
    optionsType,
    inputs: [picture, other],
    output: x(picture.dims, 0.031, -9),
  });
  const single = (name: string, op: OperatorSpec['op'], from: Spec, to: Spec, more: Partial<Case> = {}): Case => ({
    name,
    op,
    inputs: [from],
    output: to,
    ...more,
  });
  const swish = (from: number, to: number, zero: number) =>
    single(`hard-swish from ${from} to ${to}`, 117, x([1, 16, 16, 4], from, zero), x([1, 16, 16, 4], to, -70));
  const all = x([1, 16, 16, 4], 0.06, -17);
  return [
    linear('convolution', 'CONV_2D', picture, [12, 3, 3, 8], 0, window({ 1: 2, 2: 2 }), x([1, 4, 5, 12], 0.3, -5)),
    linear(
      'convolution, ReLU6',
      'CONV_2D',
      picture,
      [6, 1, 1, 8],
      0,
      window({ 3: ['byte', 3] }),
      x([1, 7, 9, 6], 0.029, -100),
    ),
    linear(
      'dilated convolution',
      'CONV_2D',
      picture,
      [4, 3, 3, 8],
      0,
      window({ 3: ['byte', 1], 4: 2, 5: 2 }),
      x([1, 7, 9, 4], 0.2, 4),
    ),
    linear('grouped convolution', 'CONV_2D', picture, [6, 3, 3, 4], 0, window(), x([1, 7, 9, 6], 0.2, 4)),
    linear(
      'depthwise',
      'DEPTHWISE_CONV_2D',
      picture,
      [1, 5, 5, 8],
      3,
      window({ 3: 1, 4: ['byte', 3] }),
      x([1, 7, 9, 8], 0.05, -128),
    ),
    linear(
      'depthwise, two outputs a channel',
      'DEPTHWISE_CONV_2D',
      picture,
      [1, 3, 3, 16],
      3,
      window({ 3: 2, 4: ['byte', 0] }),
      x([1, 7, 9, 16], 0.05, 1),
    ),
    linear('fully connected', 'FULLY_CONNECTED', x([1, 120]), [10, 120], 0, { 0: ['byte', 1] }, x([1, 10], 0.4, -30)),
    {
      name: 'transposed convolution',
      op: 'TRANSPOSE_CONV',
      options: { 0: ['byte', 0], 1: 2, 2: 2 },
      inputs: [picture, ints('shape', [1, 14, 18, 6]), ...weights([6, 3, 3, 8], 0, picture, type)],
      order: [1, 2, 0, 3],
      output: x([1, 14, 18, 6], 0.3, 2),
    },
    two('add', 'ADD', x(picture.dims, 0.007, 30), 11),
    two('add, ReLU', 'ADD', x(picture.dims, 0.05, -30), 11, 1),
    two('add, one a channel', 'ADD', x([1, 1, 1, 8], 0.05, -30), 11),
    two('subtract', 41, x(picture.dims, 0.05, -30), 28),
    two('multiply', 'MUL', x(picture.dims, 0.05, -30), 21),
    two('multiply, one a channel, ReLU6', 'MUL', x([1, 1, 1, 8], 1 / 256, -128), 21, 3),
    { ...two('add a constant', 'ADD', picture, 11), inputs: [picture, constant([], type)] },
    { ...two('add a constant a channel', 'ADD', picture, 11), inputs: [picture, constant([8], type)] },
    { ...two('subtract a constant a channel', 41, picture, 28), inputs: [picture, constant([8], type)] },
    { ...two('subtract from a constant', 41, picture, 28), inputs: [picture, constant([8], type)], order: [1, 0] },
    { ...two('multiply by a constant', 'MUL', picture, 21), inputs: [picture, constant([], type)] },
    { ...two('multiply by a constant a channel', 'MUL', picture, 21), inputs: [picture, constant([8], type)] },
    pool('average pool', 'AVERAGE_POOL_2D', 2, 2),
    pool('average pool', 'AVERAGE_POOL_2D', 3, 1),
    pool('average pool', 'AVERAGE_POOL_2D', 4, 3, 3),
    pool('maximum pool', 'MAX_POOL_2D', 3, 2),
    pool('maximum pool', 'MAX_POOL_2D', 2, 2, 1),
    mean(7, 7, 0.02),
    mean(7, 7, 0.05),
    mean(3, 5, 0.013),
    mean(16, 16, 0.004),
    mean(1, 1, 0.02),
    bilinear('half pixel', [1, 5, 7, 5], [10, 14], 0, 1),
    bilinear('half pixel', [1, 8, 6, 5], [3, 4], 0, 1),
    bilinear('aligned', [1, 5, 7, 5], [9, 20], 1, 0),
    bilinear('asymmetric', [1, 5, 7, 5], [11, 13], 0, 0),
    {
      name: 'resize nearest',
      op: 97,
      optionsType: 74,
      options: { 0: ['byte', 0], 1: ['byte', 1] },
      inputs: [x([1, 5, 7, 5]), ints('size', [10, 13])],
      output: x([1, 10, 13, 5]),
    },
    {
      name: 'concatenation',
      op: 'CONCATENATION',
      options: { 0: 3 },
      inputs: [picture, x([1, 7, 9, 3])],
      output: x([1, 7, 9, 11]),
    },
    {
      name: 'concatenation of scales',
      op: 'CONCATENATION',
      only: 'UINT8',
      options: { 0: 3 },
      inputs: [x([1, 16, 16, 4], 0.03, 9), x([1, 16, 16, 4], 0.011, -40)],
      output: x([1, 16, 16, 8], 0.017, -4),
    },
    {
      name: 'padding',
      op: 'PAD',
      inputs: [picture, ints('sides', [0, 0, 1, 2, 3, 0, 0, 0], [4, 2])],
      output: x([1, 10, 12, 8]),
    },
    { name: 'transposition', op: 39, inputs: [picture, ints('order', [0, 2, 1, 3])], output: x([1, 9, 7, 8]) },
    single('logistic', 14, all, x(all.dims, 1 / 256, -128)),
    single('tanh', 28, all, x(all.dims, 1 / 128, 0)),
    single('tanh of small numbers', 28, x(all.dims, 0.011, 40), x(all.dims, 1 / 128, 0)),
    single('ReLU', 'RELU', all, x(all.dims, 0.06, -17)),
    single('ReLU to another scale', 'RELU', all, x(all.dims, 0.037, -128)),
    single('ReLU6 to another scale', 21, all, x(all.dims, 6 / 255, -128)),
    single('leaky ReLU', 98, all, x(all.dims, 0.05, -60), { optionsType: 75, options: { 0: ['float', 0.3] } }),
    { ...single('PReLU', 54, all, x(all.dims, 0.05, -60)), inputs: [all, constant([1, 1, 4], type, 0.004)] },
    single('to another scale', 'QUANTIZE', all, x(all.dims, 0.043, 20)),
    swish(0.06, 0.04, -17),
    swish(0.011, 0.005, 40),
    swish(0.2, 0.11, 0),
    swish(0.0017, 0.0009, -3),
  ];
};

function tensorOf(name: string, type: Stored, { dims, scale, zeroPoint }: Spec): TensorSpec {
  return { name, dims, type, scales: [Math.fround(scale)], zeroPoints: [zeroPoint + (type === 'UINT8' ? 128 : 0)] };
}

describe.each(['INT8', 'UINT8'] as const)('%s', (type) => {
  test.each(cases(type).filter(({ only = type }) => only === type))('$name', async (one) => {
    const names = one.inputs.map((input, i) => ('name' in input ? input.name : `q${i}`));
    const fed = one.inputs.flatMap((input, i) => ('name' in input ? [] : [{ input, i }]));
    const constants = one.inputs.flatMap((input) => ('name' in input ? [input] : []));
    const { options, optionsType, order = names.map((_, i) => i) } = one;
    const bytes = tfliteFile({
      inputs: fed.map(({ i }) => `x${i}`),
      tensors: [
        ...fed.flatMap(({ input, i }) => [{ name: `x${i}`, dims: input.dims }, tensorOf(`q${i}`, type, input)]),
        ...constants,
        tensorOf('r', type, one.output),
        { name: 'y', dims: one.output.dims },
      ],
      operators: [
        ...fed.map(({ i }) => ({ op: 'QUANTIZE' as const, inputs: [`x${i}`], output: `q${i}` })),
        {
          op: one.op,
          inputs: order.map((i) => names[i]!),
          output: 'r',
          ...(options ? { options } : {}),
          ...(optionsType === undefined ? {} : { optionsType }),
        },
        { op: 'DEQUANTIZE', inputs: ['r'], output: 'y' },
      ],
    });
    const feeds = fed.map(({ input, i }) => {
      const stored = randomValues(count(input.dims), 11 + i, -128, 127.999).map(Math.floor);
      const data = stored.map((q) => (q - input.zeroPoint) * Math.fround(input.scale));
      return [`x${i}`, { dims: input.dims, data }] as const;
    });
    const expected = (await liteRtOutputs(bytes, Object.fromEntries(feeds))).y!.data;
    const graph = integerGraph(await loadGraph({ name: 'one.tflite', bytes }, { quantisation: true }));
    const inputs = Object.fromEntries(feeds.map(([name, { data }]) => [name, data]));
    const found = runGraph(graph, inputs).y!.data;
    const steps = Array.from(
      found,
      (value, i) => Math.round((value - expected[i]!) / Math.fround(one.output.scale)) + 0,
    );
    expect(found.length).toBe(expected.length);
    expect(new Set(expected).size).toBeGreaterThan(4);
    expect({ differ: steps.filter((step) => step !== 0).length, steps: [...new Set(steps)] }).toEqual({
      differ: 0,
      steps: [0],
    });
    // An output lies as the file says: it is transposed there.
    expect(graph.nodes.some(({ op }) => op !== 'integer' && op !== 'transpose')).toBe(false);
  });
});

/** One number of each sum in two is a half: the multiplier is 1/2. */
test('halves are rounded to even, and another rounding of them would be found', async () => {
  const [step, dims] = [2 ** -5, [1, 16, 16, 4]];
  const uniform = { scales: [step], zeroPoints: [0] };
  const bytes = tfliteFile({
    tensors: [
      { name: 'x', dims },
      { name: 'q', dims, type: 'INT8', ...uniform },
      {
        name: 'w',
        dims: [4, 1, 1, 4],
        type: 'INT8',
        ...uniform,
        data: Uint8Array.from([1, 2, 1, 0, 0, 1, 3, 2, 1, 1, 1, 0, 2, 0, 0, 1]),
      },
      { ...ints('b', [0, 1, 2, 3]), scales: [step * step], zeroPoints: [0] },
      { name: 'r', dims, type: 'INT8', scales: [2 * step * step], zeroPoints: [5] },
      { name: 'y', dims },
    ],
    operators: [
      { op: 'QUANTIZE', inputs: ['x'], output: 'q' },
      { op: 'CONV_2D', inputs: ['q', 'w', 'b'], output: 'r', options: window({ 3: ['byte', 0] }) },
      { op: 'DEQUANTIZE', inputs: ['r'], output: 'y' },
    ],
  });
  const data = randomValues(count(dims), 8, -16, 16).map((value) => Math.round(value) * step);
  const theirs = (await liteRtOutputs(bytes, { x: { dims, data } })).y!.data;
  const graph = integerGraph(await loadGraph({ name: 'halves.tflite', bytes }, { quantisation: true }));
  expect(runGraph(graph, { x: data }).y!.data).toEqual(Float32Array.from(theirs));
  // The sums, by a multiplier of 1 and no other range.
  const sums = graph.nodes.map((node) =>
    node.op === 'integer' && node.body.kind === 'conv2d'
      ? {
          ...node,
          body: { ...node.body, to: { multipliers: Float32Array.of(1), zeroPoint: 0, range: [-1e9, 1e9] as const } },
        }
      : node,
  );
  const written = graph.nodes.find((node) => node.op === 'integer' && node.body.kind === 'conv2d')!.output;
  const all = runGraph({ ...graph, nodes: sums, outputs: [{ name: 's', tensor: written }] }, { x: data }).s!.data;
  const away = (sum: number) => Math.sign(sum) * Math.round(Math.abs(sum) / 2);
  const up = (sum: number) => Math.round(sum / 2);
  for (const rounded of [away, up]) {
    const differ = theirs.filter((value, i) => value !== rounded(all[i]!) * 2 * step * step);
    expect(differ.length).toBeGreaterThan(100);
  }
});

test.each(['INT8', 'UINT8'] as const)(
  '%s: a convolution between SPACE_TO_BATCH_ND and BATCH_TO_SPACE_ND',
  async (type) => {
    const [input, output] = [x([1, 9, 11, 8]), x([1, 9, 11, 6], 0.3, -5)];
    const bytes = tfliteFile({
      tensors: [
        { name: 'x', dims: input.dims },
        tensorOf('q', type, input),
        ...[ints('block', [2, 2]), ints('pads', [2, 3, 2, 3], [2, 2]), ints('crops', [0, 1, 0, 1], [2, 2])],
        tensorOf('s', type, { ...input, dims: [4, 7, 8, 8] }),
        ...weights([6, 3, 3, 8], 0, input, type),
        tensorOf('c', type, { ...output, dims: [4, 5, 6, 6] }),
        tensorOf('r', type, output),
        { name: 'y', dims: output.dims },
      ],
      operators: [
        { op: 'QUANTIZE', inputs: ['x'], output: 'q' },
        { op: 'SPACE_TO_BATCH_ND', inputs: ['q', 'block', 'pads'], output: 's' },
        { op: 'CONV_2D', inputs: ['s', 'w', 'b'], output: 'c', options: window({ 0: ['byte', 1], 3: ['byte', 1] }) },
        { op: 'BATCH_TO_SPACE_ND', inputs: ['c', 'block', 'crops'], output: 'r' },
        { op: 'DEQUANTIZE', inputs: ['r'], output: 'y' },
      ],
    });
    const data = randomValues(count(input.dims), 21, -128, 127.999).map(
      (q) => (Math.floor(q) - input.zeroPoint) * Math.fround(input.scale),
    );
    const theirs = (await liteRtOutputs(bytes, { x: { dims: input.dims, data } })).y!.data;
    const graph = integerGraph(await loadGraph({ name: 'dilated.tflite', bytes }, { quantisation: true }));
    expect(new Set(theirs).size).toBeGreaterThan(20);
    expect(runGraph(graph, { x: data }).y!.data).toEqual(Float32Array.from(theirs));
  },
);

test.each(['INT8', 'UINT8'] as const)('%s: a division by a constant is left to floats', async (type) => {
  const bytes = tfliteFile({
    tensors: [
      { name: 'x', dims: picture.dims },
      tensorOf('q', type, picture),
      { ...constant([], type, 6 / 115), data: Uint8Array.of(255 + least[type]) },
      tensorOf('r', type, x(picture.dims, 0.004)),
      { name: 'y', dims: picture.dims },
    ],
    operators: [
      { op: 'QUANTIZE', inputs: ['x'], output: 'q' },
      { op: 42, inputs: ['q', 'c'], output: 'r', options: { 0: ['byte', 0] }, optionsType: 29 },
      { op: 'DEQUANTIZE', inputs: ['r'], output: 'y' },
    ],
  });
  const graph = await loadGraph({ name: 'divided.tflite', bytes }, { quantisation: true });
  expect(() => integerGraph(graph)).toThrow(UnsupportedOpError);
  expect(() => integerGraph(graph)).toThrow(/divides by a constant/);
  const model = await load(bytes, { device: 'reference' });
  expect(model.precision).toBe('float32');
});
