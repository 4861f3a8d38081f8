/**
 * Quantised ONNX against ONNX Runtime, which computes with integers and rounds each result to a step of its scale where
 * this engine keeps real numbers. Inputs lie on the grid of their scale, so that a single operation differs by half a
 * step at most, and what saturates is equal.
 */
import { describe, expect, test } from 'vitest';
import { MobileNetError, UnsupportedOpError } from '../../../src/errors.ts';
import { loadGraph } from '../../../src/loaders/index.ts';
import { runPasses } from '../../../src/passes/index.ts';
import { integerGraph } from '../../../src/passes/integers.ts';
import { createPlan } from '../../../src/planner/create-plan.ts';
import { kernelsFor } from '../../../src/planner/select.ts';
import { runGraph } from '../../../src/reference/index.ts';
import { type ModelSpec, type NodeSpec, type TensorSpec, writeOnnx } from '../../support/onnx-writer.ts';
import { type OracleTensor, onnxRuntimeOutputs, randomValues, toNchw, toNhwc } from '../../support/oracles.ts';

let seed = 100;

type Tensors = Record<string, TensorSpec>;
type IntegerType = 'uint8' | 'int8' | 'int32';

const count = (dims: readonly number[]) => dims.reduce((a, b) => a * b, 1);

/** Whole numbers from `low` to `high`. */
const wholes = (dims: readonly number[], type: IntegerType, low: number, high: number): TensorSpec => ({
  dims,
  type,
  values: randomValues(count(dims), seed++, low, high + 1).map(Math.floor),
});

const scalar = (value: number): TensorSpec => ({ dims: [], values: [value] });
const zero = (value: number, type: IntegerType): TensorSpec => ({ dims: [], type, values: [value] });
const perChannel = (n: number, low: number, high: number): TensorSpec => ({
  dims: [n],
  values: randomValues(n, seed++, low, high),
});

interface Grid {
  readonly scale: number;
  readonly zeroPoint: number;
  readonly type: 'uint8' | 'int8';
}

const input: Grid = { scale: 1 / 32, zeroPoint: 120, type: 'uint8' };

/** Scale and zero point of a grid, named after it. */
const parameters = (name: string, { scale, zeroPoint, type }: Grid): Tensors => ({
  [`${name}_s`]: scalar(scale),
  [`${name}_z`]: zero(zeroPoint, type),
});

const quantize = (from: string, to: string, grid: string): NodeSpec => ({
  op: 'QuantizeLinear',
  inputs: [from, `${grid}_s`, `${grid}_z`],
  outputs: [to],
});
const dequantize = (from: string, to: string, grid: string, axis?: number): NodeSpec => ({
  op: 'DequantizeLinear',
  inputs: [from, `${grid}_s`, `${grid}_z`],
  outputs: [to],
  ...(axis === undefined ? {} : { attributes: { axis: { int: axis } } }),
});

interface Case {
  readonly x: readonly number[];
  /** From `q`, the quantised input, to `r`, on the grid of `output`. */
  readonly nodes: readonly NodeSpec[];
  readonly initializers?: Tensors;
  readonly output: Grid;
  /** Most steps of `output` between the engines; half a one for a single operation. */
  readonly steps?: number;
  readonly opset?: number;
  readonly inputGrid?: Grid;
  /** After the passes. */
  readonly ops?: readonly string[];
  /** Why integers are refused; without it every byte is ONNX Runtime's, but for `apart` steps. */
  readonly refused?: RegExp;
  readonly apart?: number;
}

function modelOf({ x, nodes, initializers = {}, output, opset = 17, inputGrid = input }: Case): ModelSpec {
  return {
    opset,
    nodes: [quantize('x', 'q', 'x'), ...nodes, dequantize('r', 'y', 'y')],
    inputs: [{ name: 'x', type: 'float', dims: x }],
    outputs: [{ name: 'y', type: 'float' }],
    initializers: { ...parameters('x', inputGrid), ...parameters('y', output), ...initializers },
  };
}

async function compare(testCase: Case): Promise<void> {
  const { x: dims, output, steps = 0.5, ops, inputGrid = input, refused, apart = 0 } = testCase;
  const bytes = writeOnnx(modelOf(testCase));
  // Beyond what the integers hold, on both sides.
  const data = randomValues(count(dims), seed++, -40, 296).map(
    (q) => (Math.floor(q) - (inputGrid.type === 'int8' ? 128 : 0) - inputGrid.zeroPoint) * inputGrid.scale,
  );
  const expected = (await onnxRuntimeOutputs(bytes, { x: { dims, data } })).y as OracleTensor;
  const graph = await loadGraph({ name: 'case.onnx', bytes });
  const passed = runPasses(graph);
  if (ops) expect(passed.nodes.map(({ op }) => op)).toEqual(ops);
  const feed = { x: dims.length === 4 ? toNhwc(dims, data) : data };
  for (const each of [graph, passed]) {
    const { shape, data: found } = runGraph(each, feed).y!;
    const values = expected.dims.length === 4 ? toNchw(shape, found) : found;
    expect(values).toHaveLength(expected.data.length);
    const errors = Array.from(values, (value, i) => Math.abs(value - expected.data[i]!) / output.scale);
    expect(Math.max(...errors)).toBeLessThan(steps + 1e-3);
    const [low, high] = [Math.min(...expected.data), Math.max(...expected.data)];
    expect(high - low).toBeGreaterThan(20 * output.scale);
  }
  const kept = await loadGraph({ name: 'case.onnx', bytes }, { quantisation: true });
  if (refused) {
    expect(() => integerGraph(kept)).toThrow(UnsupportedOpError);
    expect(() => integerGraph(kept)).toThrow(refused);
    return;
  }
  const integers = integerGraph(kept);
  expect(createPlan(integers, await kernelsFor(integers)).dispatches.length).toBeGreaterThan(0);
  const { shape, data: found } = runGraph(integers, feed).y!;
  const values = expected.dims.length === 4 ? toNchw(shape, found) : found;
  const off = Array.from(values, (value, i) => Math.round((value - expected.data[i]!) / output.scale) + 0);
  expect(Math.max(...off.map(Math.abs))).toBe(apart);
}

const suite = (title: string, cases: Readonly<Record<string, Case>>) =>
  describe(title, () => {
    for (const [name, testCase] of Object.entries(cases)) test(name, () => compare(testCase));
  });

// QuantizeLinear and DequantizeLinear around operations on real numbers.

const output: Grid = { scale: 1 / 16, zeroPoint: 128, type: 'uint8' };

/** `op` on the dequantised input, and its result quantised. */
const between = (op: string, attributes: NodeSpec['attributes'] = {}, ...more: string[]): NodeSpec[] => [
  dequantize('q', 'dx', 'x'),
  { op, inputs: ['dx', ...more], outputs: ['dy'], attributes },
  quantize('dy', 'r', 'y'),
];

const filters = (dims: readonly number[], type: 'uint8' | 'int8', channels: boolean): Tensors => ({
  w: type === 'int8' ? wholes(dims, type, -127, 127) : wholes(dims, type, 0, 255),
  w_s: channels ? perChannel(dims[0]!, 0.002, 0.004) : scalar(1 / 300),
  w_z: channels
    ? { dims: [dims[0]!], type, values: new Array(dims[0]!).fill(0) }
    : zero(type === 'int8' ? 0 : 119, type),
});

/** A bias of int32, its scale that of the input times that of the filters. */
const bias = (weights: Tensors, n: number, inputScale: number): Tensors => ({
  b: wholes([n], 'int32', -2000, 2000),
  b_s: { ...weights.w_s!, values: Float32Array.from(weights.w_s!.values!, (s) => s * inputScale) },
  b_z: { dims: weights.w_s!.dims, type: 'int32', values: new Array(count(weights.w_s!.dims)).fill(0) },
});

const conv = (
  x: readonly number[],
  w: readonly number[],
  type: 'uint8' | 'int8',
  channels: boolean,
  attributes: NodeSpec['attributes'] = {},
  more: Partial<Case> = {},
): Case => {
  const weights = filters(w, type, channels);
  const axis = channels ? 0 : undefined;
  return {
    x,
    nodes: [
      dequantize('w', 'dw', 'w', axis),
      dequantize('b', 'db', 'b', axis),
      ...between('Conv', attributes, 'dw', 'db'),
    ],
    initializers: { ...weights, ...bias(weights, w[0]!, input.scale) },
    output,
    ...more,
  };
};

const padded = { pads: { ints: [1, 1, 1, 1] } } as const;

suite('QuantizeLinear and DequantizeLinear', {
  'Conv, int8 filters, a scale a channel, int32 bias': conv([1, 3, 7, 9], [5, 3, 3, 3], 'int8', true, padded, {
    ops: ['clip', 'conv2d', 'clip'],
  }),
  'Conv, uint8 filters with a zero point, one scale': conv([2, 3, 6, 5], [4, 3, 3, 3], 'uint8', false, padded),
  'depthwise, stride 2': conv([1, 4, 9, 8], [4, 1, 3, 3], 'int8', true, {
    ...padded,
    group: { int: 4 },
    strides: { ints: [2, 2] },
  }),
  'the range is relu6: one activation in the convolution': conv(
    [1, 3, 5, 5],
    [4, 3, 1, 1],
    'int8',
    true,
    {},
    {
      output: { scale: 6 / 255, zeroPoint: 0, type: 'uint8' },
      ops: ['clip', 'conv2d'],
    },
  ),
  'int8 activations': conv(
    [1, 3, 5, 5],
    [4, 3, 1, 1],
    'int8',
    true,
    {},
    {
      output: { scale: 1 / 20, zeroPoint: -128, type: 'int8' },
    },
  ),
  'Relu before the range': {
    x: [1, 3, 4, 5],
    nodes: [...between('Relu').slice(0, 2), quantize('dy', 'r', 'y')],
    output: { scale: 1 / 40, zeroPoint: 0, type: 'uint8' },
    ops: ['clip'],
  },
  'Gemm with transB': {
    x: [2, 12],
    nodes: [dequantize('w', 'dw', 'w', 0), ...between('Gemm', { transB: { int: 1 } }, 'dw')],
    initializers: filters([7, 12], 'int8', true),
    output,
  },
  'GlobalAveragePool: its range is that of its input': {
    x: [2, 3, 4, 5],
    nodes: between('GlobalAveragePool'),
    output: { scale: 1 / 32, zeroPoint: 120, type: 'uint8' },
    ops: ['clip', 'global-average-pool'],
  },
  'Softmax: 255/256 at most': {
    x: [3, 6],
    nodes: between('Softmax'),
    output: { scale: 1 / 256, zeroPoint: 0, type: 'uint8' },
    ops: ['clip', 'softmax', 'clip'],
  },
  'another scale is quantised to': {
    x: [1, 3, 4, 4],
    nodes: [dequantize('q', 'd', 'x'), quantize('d', 'r', 'y')],
    output: { scale: 1 / 20, zeroPoint: 100, type: 'uint8' },
    ops: ['clip'],
    // ONNX Runtime makes one pair of two that follow one another, with a scale of its own.
    apart: 1,
  },
  'integers that are read with another scale': {
    x: [1, 3, 4, 4],
    nodes: [dequantize('q', 'd', 'z'), quantize('d', 'r', 'y')],
    initializers: parameters('z', { scale: 1 / 30, zeroPoint: 20, type: 'uint8' }),
    output: { scale: 1 / 25, zeroPoint: 10, type: 'uint8' },
  },
  'no zero point: uint8 from 0': {
    x: [1, 3, 4, 4],
    nodes: [dequantize('q', 'd', 'x'), { op: 'QuantizeLinear', inputs: ['d', 'y_s'], outputs: ['r'] }],
    output: { scale: 1 / 40, zeroPoint: 0, type: 'uint8' },
  },
  'the type as an attribute': {
    x: [1, 3, 4, 4],
    nodes: [
      dequantize('q', 'd', 'x'),
      { op: 'QuantizeLinear', inputs: ['d', 'y_s'], outputs: ['r'], attributes: { output_dtype: { int: 3 } } },
    ],
    opset: 21,
    output: { scale: 1 / 40, zeroPoint: 0, type: 'int8' },
  },
  'weights that are real in the file and quantised in the graph': {
    x: [2, 5],
    nodes: [quantize('w', 'qw', 'w'), dequantize('qw', 'dw', 'w'), ...between('MatMul', {}, 'dw')],
    initializers: {
      w: { dims: [5, 4], values: [...randomValues(16, 5, -2, 2), 0.5 / 64, 1.5 / 64, -0.5 / 64, -2.5 / 64] },
      ...parameters('w', { scale: 1 / 64, zeroPoint: 3, type: 'int8' }),
    },
    output,
  },
  'integers that only move': {
    x: [1, 3, 6, 6],
    nodes: [
      {
        op: 'MaxPool',
        inputs: ['q'],
        outputs: ['p'],
        attributes: { kernel_shape: { ints: [2, 2] }, strides: { ints: [2, 2] } },
      },
      { op: 'Concat', inputs: ['p', 'p'], outputs: ['c'], attributes: { axis: { int: 1 } } },
      { op: 'Reshape', inputs: ['c', 'shape'], outputs: ['r'] },
    ],
    initializers: { shape: { dims: [4], type: 'int64', values: [1, 6, 9, 1] } },
    output: input,
    ops: ['clip', 'pool', 'concat'],
  },
});

/** Scales lie along dimension 1 of the filters, the outputs of one group: every group has the same. */
const transposed = (
  x: readonly number[],
  w: readonly number[],
  groups: number,
  withBias: boolean,
  more: Partial<Case> = {},
): Case => {
  const [perGroup, outputs] = [w[1]!, w[1]! * groups];
  const scales = perChannel(perGroup, 0.002, 0.004);
  const all = { dims: [outputs], values: Array.from({ length: outputs }, (_, i) => scales.values![i % perGroup]!) };
  return {
    x,
    nodes: [
      dequantize('w', 'dw', 'w', 1),
      ...(withBias ? [dequantize('b', 'db', 'b', 0)] : []),
      ...between(
        'ConvTranspose',
        { group: { int: groups }, strides: { ints: [2, 2] }, ...padded },
        'dw',
        ...(withBias ? ['db'] : []),
      ),
    ],
    initializers: {
      w: wholes(w, 'int8', -127, 127),
      w_s: scales,
      w_z: { dims: [perGroup], type: 'int8', values: new Array(perGroup).fill(0) },
      ...(withBias ? bias({ w_s: all }, outputs, input.scale) : {}),
    },
    output,
    ...more,
  };
};

suite('ConvTranspose, a scale a channel', {
  'one group': transposed([1, 3, 5, 4], [3, 4, 3, 3], 1, true),
  'two groups, bias': transposed([1, 6, 5, 4], [6, 3, 4, 4], 2, true),
  'three groups, no bias': transposed([2, 6, 4, 5], [6, 2, 3, 3], 3, false),
  'depthwise: one scale for the weights, one an output for the bias': transposed([1, 5, 4, 5], [5, 1, 4, 4], 5, true),
  'scales along the inputs': {
    ...transposed([1, 3, 5, 4], [3, 4, 3, 3], 1, false, { refused: /"dw" with 3 scales for 4 outputs/ }),
    nodes: [dequantize('w', 'dw', 'w', 0), ...between('ConvTranspose', { strides: { ints: [2, 2] } }, 'dw')],
    initializers: filters([3, 4, 3, 3], 'int8', true),
  },
});

/** x and a constant of integers, or, `before`, the constant and x. */
const withConstant = (
  op: string,
  values: readonly number[],
  grid: Grid,
  more: Partial<Case> = {},
  before = false,
): Case => ({
  x: [1, 3, 4, 5],
  nodes: [
    dequantize('c', 'dc', 'c'),
    dequantize('q', 'dx', 'x'),
    { op, inputs: before ? ['dc', 'dx'] : ['dx', 'dc'], outputs: ['dy'] },
    quantize('dy', 'r', 'y'),
  ],
  initializers: {
    c: { dims: values.length > 1 ? [values.length, 1, 1] : [], type: grid.type, values },
    ...parameters('c', grid),
  },
  output,
  ...more,
});
const six: Grid = { scale: 6 / 127, zeroPoint: 0, type: 'int8' };
const shifted: Grid = { scale: 1 / 64, zeroPoint: -100, type: 'int8' };
const bytes: Grid = { scale: 1 / 40, zeroPoint: 3, type: 'uint8' };
const odd: Grid = { scale: 1 / 16, zeroPoint: 117, type: 'uint8' };
const fine: Grid = { scale: 1 / 160, zeroPoint: 121, type: 'uint8' };
const coarse: Grid = { scale: 1 / 9, zeroPoint: 121, type: 'uint8' };

// ONNX Runtime adds and multiplies integers of one type, and computes differences and quotients in floats.
suite('a constant that is integers in the file', {
  'x + c': withConstant('Add', [205], bytes, { output: odd }),
  'x + c, one a channel': withConstant('Add', [255, 0, 41], bytes, { output: odd }),
  'x − c': withConstant('Sub', [77], shifted, { output: odd }),
  'x − c, one a channel': withConstant('Sub', [-128, 3, 127], shifted, { output: odd }),
  'x − c of uint8': withConstant('Sub', [255, 0, 41], bytes, { output: odd }),
  'x − c, symmetric': withConstant('Sub', [50], { ...shifted, zeroPoint: 0 }, { output: odd }),
  'c − x': withConstant('Sub', [77], shifted, { output: odd }, true),
  'c − x, one a channel': withConstant('Sub', [-128, 3, 127], shifted, { output: odd }, true),
  'c − x of uint8': withConstant('Sub', [255, 0, 41], bytes, { output: odd }, true),
  'x · c': withConstant('Mul', [120], bytes, { output: odd }),
  'x / 6': withConstant('Div', [127], six, { output: fine }),
  'x / 0.229': withConstant('Div', [127], { scale: 0.229 / 127, zeroPoint: 0, type: 'int8' }, { output: coarse }),
  'x / c, one a channel': withConstant('Div', [-128, 3, 127], shifted, { output: odd }),
  'x / c of uint8': withConstant('Div', [255, 0, 41], { ...bytes, zeroPoint: 130 }, { output: odd }),
});

// Operations on quantised tensors.

const microsoft = (op: string, inputs: readonly string[], attributes: NodeSpec['attributes'] = {}): NodeSpec => ({
  op,
  domain: 'com.microsoft',
  inputs,
  outputs: ['r'],
  attributes,
});
const q = ['q', 'x_s', 'x_z'];
const y = ['y_s', 'y_z'];

const qLinearConv = (
  x: readonly number[],
  w: readonly number[],
  channels: boolean,
  attributes: NonNullable<NodeSpec['attributes']>,
  withBias: boolean,
  more: Partial<Case> = {},
): Case => {
  const weights = filters(w, channels ? 'int8' : 'uint8', channels);
  return {
    x,
    nodes: [
      {
        op: 'QLinearConv',
        inputs: [...q, 'w', 'w_s', 'w_z', ...y, ...(withBias ? ['b'] : [])],
        outputs: ['r'],
        attributes,
      },
    ],
    initializers: { ...weights, ...(withBias ? { b: wholes([w[0]!], 'int32', -2000, 2000) } : {}) },
    output,
    ...more,
  };
};

suite('operations on quantised tensors', {
  'QLinearConv, a scale a channel, bias': qLinearConv([1, 3, 7, 9], [5, 3, 3, 3], true, padded, true, {
    ops: ['clip', 'conv2d', 'clip'],
  }),
  'QLinearConv, one scale, no bias': qLinearConv([2, 3, 6, 5], [4, 3, 3, 3], false, padded, false),
  'QLinearConv, depthwise': qLinearConv([1, 4, 8, 8], [4, 1, 3, 3], true, { ...padded, group: { int: 4 } }, true),
  QLinearMatMul: {
    x: [2, 12],
    nodes: [{ op: 'QLinearMatMul', inputs: [...q, 'w', 'w_s', 'w_z', ...y], outputs: ['r'] }],
    initializers: { w: wholes([12, 7], 'int8', -127, 127), w_s: scalar(1 / 300), w_z: zero(0, 'int8') },
    output,
  },
  'QLinearMatMul, a scale a column': {
    x: [2, 12],
    nodes: [{ op: 'QLinearMatMul', inputs: [...q, 'w', 'w_s', 'w_z', ...y], outputs: ['r'] }],
    initializers: {
      w: wholes([12, 7], 'int8', -127, 127),
      w_s: perChannel(7, 0.002, 0.004),
      w_z: { dims: [7], type: 'int8', values: new Array(7).fill(0) },
    },
    output,
  },
  'QGemm with transB, alpha and bias': {
    x: [2, 12],
    nodes: [microsoft('QGemm', [...q, 'w', 'w_s', 'w_z', 'b', ...y], { transB: { int: 1 }, alpha: { float: 0.75 } })],
    initializers: { ...filters([7, 12], 'int8', true), b: wholes([7], 'int32', -2000, 2000) },
    output,
    refused: /multiplies by alpha/,
  },
  'QGemm with transB and bias': {
    x: [2, 12],
    nodes: [microsoft('QGemm', [...q, 'w', 'w_s', 'w_z', 'b', ...y], { transB: { int: 1 } })],
    initializers: { ...filters([7, 12], 'int8', true), b: wholes([7], 'int32', -2000, 2000) },
    output,
  },
  'QLinearAdd, both scales': {
    x: [1, 3, 4, 5],
    nodes: [
      { op: 'MaxPool', inputs: ['q'], outputs: ['p'], attributes: { kernel_shape: { ints: [3, 3] }, ...padded } },
      microsoft('QLinearAdd', [...q, 'p', 'z_s', 'z_z', ...y]),
    ],
    initializers: parameters('z', { scale: 1 / 50, zeroPoint: 90, type: 'uint8' }),
    output,
  },
  'QLinearMul with a constant a channel': {
    x: [1, 3, 4, 5],
    nodes: [microsoft('QLinearMul', [...q, 'c', 'z_s', 'z_z', ...y])],
    initializers: {
      c: wholes([3, 1, 1], 'uint8', 0, 255),
      ...parameters('z', { scale: 1 / 100, zeroPoint: 110, type: 'uint8' }),
    },
    output,
  },
  QLinearGlobalAveragePool: {
    x: [2, 3, 4, 5],
    nodes: [microsoft('QLinearGlobalAveragePool', [...q, ...y])],
    output: { scale: 1 / 60, zeroPoint: 118, type: 'uint8' },
  },
  QLinearAveragePool: {
    x: [1, 3, 6, 7],
    nodes: [
      microsoft('QLinearAveragePool', [...q, ...y], {
        kernel_shape: { ints: [3, 3] },
        strides: { ints: [2, 2] },
        ...padded,
      }),
    ],
    output,
    refused: /averages windows/,
  },
  QLinearSigmoid: {
    x: [1, 3, 4, 5],
    nodes: [microsoft('QLinearSigmoid', [...q, ...y])],
    output: { scale: 1 / 256, zeroPoint: 0, type: 'uint8' },
  },
  QLinearConcat: {
    x: [1, 3, 4, 5],
    nodes: [microsoft('QLinearConcat', [...y, ...q, 'q', 'z_s', 'z_z'], { axis: { int: 1 } })],
    initializers: parameters('z', { scale: 1 / 50, zeroPoint: 90, type: 'uint8' }),
    output,
  },
  ...Object.fromEntries(
    [6, 11, 26].map((inputs): [string, Case] => [
      `QLinearConcat of ${inputs}`,
      {
        x: [1, 3, 4, 5],
        nodes: [
          microsoft(
            'QLinearConcat',
            // Three steps, one of them that of the result, each in a group with others and alone.
            [...y, ...Array.from({ length: inputs }, (_, i) => ['q', `${'xzy'[i % 3]}_s`, `${'xzy'[i % 3]}_z`]).flat()],
            { axis: { int: 1 } },
          ),
        ],
        initializers: parameters('z', { scale: 1 / 50, zeroPoint: 90, type: 'uint8' }),
        output,
      },
    ]),
  ),
});

test('an inverted residual block of quantised operations: at most two steps of its last scale', async () => {
  const weights = (name: string, dims: readonly number[]): Tensors => ({
    [name]: wholes(dims, 'int8', -127, 127),
    [`${name}_s`]: perChannel(dims[0]!, 0.002, 0.004),
    [`${name}_z`]: { dims: [dims[0]!], type: 'int8', values: new Array(dims[0]!).fill(0) },
    [`${name}_b`]: wholes([dims[0]!], 'int32', -2000, 2000),
  });
  const layer = (from: string, grid: string, w: string, to: string, attributes: NodeSpec['attributes'] = {}) => ({
    op: 'QLinearConv',
    inputs: [from, `${grid}_s`, `${grid}_z`, w, `${w}_s`, `${w}_z`, `${to}_s`, `${to}_z`, `${w}_b`],
    outputs: [to],
    attributes,
  });
  const relu6: Grid = { scale: 6 / 255, zeroPoint: 0, type: 'uint8' };
  const linear: Grid = { scale: 1 / 10, zeroPoint: 128, type: 'uint8' };
  await compare({
    x: [1, 4, 8, 8],
    nodes: [
      layer('q', 'x', 'expand', 'e'),
      layer('e', 'e', 'depth', 'd', { ...padded, group: { int: 12 } }),
      layer('d', 'd', 'project', 'p'),
      microsoft('QLinearAdd', [...q, 'p', 'p_s', 'p_z', ...y]),
    ],
    initializers: {
      ...weights('expand', [12, 4, 1, 1]),
      ...weights('depth', [12, 1, 3, 3]),
      ...weights('project', [4, 12, 1, 1]),
      ...parameters('e', relu6),
      ...parameters('d', relu6),
      ...parameters('p', linear),
    },
    output: linear,
    steps: 2,
    ops: ['clip', 'conv2d', 'conv2d', 'conv2d', 'clip', 'add', 'clip'],
  });
});

test('an input of uint8 takes the integers, an output of uint8 gives real numbers', async () => {
  const bytes = writeOnnx({
    nodes: [dequantize('x', 'd', 'x'), { op: 'Relu', inputs: ['d'], outputs: ['a'] }, quantize('a', 'y', 'y')],
    inputs: [{ name: 'x', type: 'uint8', dims: [1, 2, 3, 3] }],
    outputs: [{ name: 'y', type: 'uint8' }],
    initializers: { ...parameters('x', input), ...parameters('y', output) },
  });
  const data = Float32Array.from({ length: 18 }, (_, i) => 15 * i);
  const dims = [1, 2, 3, 3];
  const expected = (await onnxRuntimeOutputs(bytes, { x: { dims, data, type: 'uint8' } })).y!;
  const found = runGraph(await loadGraph({ name: 'u8.onnx', bytes }), { x: toNhwc(dims, data) }).y!;
  toNchw(found.shape, found.data).forEach((value, i) => {
    expect(Math.abs(value / output.scale + output.zeroPoint - expected.data[i]!)).toBeLessThan(0.501);
  });
});

describe('quantised files that are refused', () => {
  const errorOf = (more: Partial<Case>) =>
    loadGraph({ name: 'q.onnx', bytes: writeOnnx(modelOf({ x: [1, 4, 3, 3], nodes: [], output, ...more })) }).then(
      () => null,
      (error: unknown) => error as MobileNetError,
    );
  const cases: [string, Partial<Case>, string, RegExp][] = [
    [
      'arithmetic on the integers themselves',
      { nodes: [{ op: 'Relu', name: 'n', inputs: ['q'], outputs: ['r'] }] },
      'unsupported-op',
      /node "n" \(Relu\): computes with the integers of a quantised tensor/,
    ],
    [
      'a scale of 0',
      {
        nodes: [dequantize('q', 'd', 'z'), quantize('d', 'r', 'y')],
        initializers: parameters('z', { ...input, scale: 0 }),
      },
      'model-format',
      /node "d" \(DequantizeLinear\): has the scale 0, expected positive numbers/,
    ],
    [
      'a scale that is no number',
      { nodes: between('Relu'), output: { ...output, scale: Number.NaN } },
      'model-format',
      /node "r" \(QuantizeLinear\): has the scale NaN/,
    ],
    [
      'a scale for each channel of the network',
      {
        nodes: between('Relu'),
        initializers: {
          y_s: perChannel(4, 0.1, 0.2),
          y_z: { dims: [4], type: 'uint8', values: [0, 0, 0, 0] },
        },
      },
      'unsupported-op',
      /quantises a tensor of the network with a scale a channel/,
    ],
    [
      'more zero points than scales',
      { nodes: between('Relu'), initializers: { y_z: { dims: [3], type: 'uint8', values: [0, 0, 0] } } },
      'model-format',
      /has 1 scales and 3 zero points/,
    ],
    [
      'tensors of different scales joined',
      {
        nodes: [
          dequantize('q', 'd', 'x'),
          quantize('d', 'e', 'y'),
          { op: 'Concat', name: 'c', inputs: ['q', 'e'], outputs: ['r'], attributes: { axis: { int: 1 } } },
        ],
      },
      'unsupported-op',
      /node "c" \(Concat\): joins tensors that are quantised with different scales/,
    ],
    [
      'a block of scales',
      {
        nodes: [dequantize('w', 'dw', 'w', 0), ...between('Conv', {}, 'dw')],
        initializers: {
          w: wholes([2, 4, 1, 1], 'int8', -9, 9),
          w_s: { dims: [2, 2, 1, 1], values: [1, 1, 1, 1] },
          w_z: { dims: [2, 2, 1, 1], type: 'int8', values: [0, 0, 0, 0] },
        },
      },
      'unsupported-op',
      /is quantised in blocks/,
    ],
    [
      'channels last',
      { nodes: [microsoft('QLinearGlobalAveragePool', [...q, ...y], { channels_last: { int: 1 } })] },
      'unsupported-op',
      /channels_last/,
    ],
    [
      'scales that do not fit the channels',
      {
        nodes: [dequantize('w', 'dw', 'w', 0), ...between('Conv', {}, 'dw')],
        initializers: {
          w: wholes([2, 4, 1, 1], 'int8', -9, 9),
          w_s: perChannel(3, 0.1, 0.2),
          w_z: { dims: [3], type: 'int8', values: [0, 0, 0] },
        },
      },
      'model-format',
      /has 3 scales for dimension 0 of \[2,4,1,1\]/,
    ],
  ];
  test.each(cases)('%s', async (_name, more, code, message) => {
    const error = await errorOf(more);
    expect(error).toBeInstanceOf(MobileNetError);
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
  });
});
