import { expect, test } from 'vitest';
import { load } from '../../../src/index.ts';
import { loadGraph } from '../../../src/loaders/index.ts';
import { type Case, fileOf, int64, one, random, scalar, suite } from '../../support/onnx-case.ts';
import { type GraphSpec, type NodeSpec, type TensorSpec, writeOnnx } from '../../support/onnx-writer.ts';
import { randomValues } from '../../support/oracles.ts';

const conv = (
  x: readonly number[],
  weights: readonly number[],
  attributes: NodeSpec['attributes'] = {},
  bias = true,
): Case => ({
  x,
  nodes: one('Conv', attributes, 'w', ...(bias ? ['b'] : [])),
  initializers: { w: random(weights), ...(bias ? { b: random([weights[0]!]) } : {}) },
  ops: ['conv2d'],
});

suite('Conv', {
  plain: conv([1, 3, 7, 9], [5, 3, 3, 3]),
  'without bias': conv([2, 3, 7, 9], [5, 3, 3, 3], {}, false),
  'asymmetric pads and strides': conv([1, 3, 8, 9], [4, 3, 3, 5], {
    pads: { ints: [1, 0, 2, 3] },
    strides: { ints: [2, 3] },
  }),
  dilated: conv([1, 2, 11, 12], [3, 2, 3, 3], { dilations: { ints: [2, 3] }, pads: { ints: [2, 3, 2, 3] } }),
  grouped: conv([1, 6, 5, 5], [4, 3, 3, 3], { group: { int: 2 } }),
  depthwise: conv([1, 5, 6, 6], [5, 1, 3, 3], { group: { int: 5 }, pads: { ints: [1, 1, 1, 1] } }),
  'depthwise, two outputs a channel': conv([1, 3, 6, 6], [6, 1, 3, 3], { group: { int: 3 } }),
  'SAME_UPPER, even, stride 2': conv([1, 2, 8, 6], [3, 2, 3, 5], {
    auto_pad: { string: 'SAME_UPPER' },
    strides: { ints: [2, 2] },
  }),
  'SAME_UPPER, odd, stride 2': conv([1, 2, 7, 9], [3, 2, 3, 3], {
    auto_pad: { string: 'SAME_UPPER' },
    strides: { ints: [2, 2] },
    kernel_shape: { ints: [3, 3] },
  }),
  'SAME_LOWER, even, stride 2': conv([1, 2, 8, 6], [3, 2, 3, 5], {
    auto_pad: { string: 'SAME_LOWER' },
    strides: { ints: [2, 2] },
  }),
  VALID: conv([1, 2, 8, 6], [3, 2, 3, 3], { auto_pad: { string: 'VALID' } }),
});

const transposedConv = (
  x: readonly number[],
  weights: readonly number[],
  attributes: NodeSpec['attributes'] = {},
): Case => ({
  x,
  nodes: one('ConvTranspose', attributes, 'w', 'b'),
  initializers: { w: random(weights), b: random([weights[1]!]) },
  ops: ['conv-transpose2d'],
});

suite('ConvTranspose', {
  '2 × 2 at stride 2': transposedConv([1, 3, 5, 6], [3, 4, 2, 2], { strides: { ints: [2, 2] } }),
  'pads, strides and dilations that differ': transposedConv([2, 3, 5, 6], [3, 2, 3, 4], {
    strides: { ints: [2, 3] },
    pads: { ints: [1, 0, 2, 3] },
    dilations: { ints: [2, 1] },
  }),
  output_padding: transposedConv([1, 3, 5, 6], [3, 2, 3, 3], {
    strides: { ints: [2, 2] },
    pads: { ints: [1, 1, 1, 1] },
    output_padding: { ints: [1, 1] },
  }),
  'output_shape, odd cut': transposedConv([1, 3, 5, 6], [3, 2, 4, 3], {
    strides: { ints: [2, 2] },
    output_shape: { ints: [11, 12] },
  }),
  SAME_UPPER: transposedConv([1, 3, 5, 6], [3, 2, 3, 3], {
    strides: { ints: [2, 2] },
    auto_pad: { string: 'SAME_UPPER' },
  }),
  SAME_LOWER: transposedConv([1, 3, 5, 6], [3, 2, 3, 3], {
    strides: { ints: [2, 2] },
    auto_pad: { string: 'SAME_LOWER' },
  }),
});

const groupedTransposed = (x: readonly number[], weights: readonly number[], groups: number): Case => ({
  ...transposedConv(x, weights, { group: { int: groups }, strides: { ints: [2, 2] }, pads: { ints: [1, 1, 1, 1] } }),
  initializers: { w: random(weights), b: random([weights[1]! * groups]) },
});

suite('ConvTranspose of groups', {
  two: groupedTransposed([1, 6, 5, 4], [6, 2, 4, 4], 2),
  'depthwise, as bilinear upsampling is written': groupedTransposed([1, 5, 4, 5], [5, 1, 4, 4], 5),
});

const shuffled = (x: readonly number[], groups: number): Case => {
  const [n, c, h, w] = x as [number, number, number, number];
  return {
    x,
    nodes: [
      { op: 'Reshape', inputs: ['x', 'apart'], outputs: ['a'] },
      { op: 'Transpose', inputs: ['a'], outputs: ['t'], attributes: { perm: { ints: [0, 2, 1, 3, 4] } } },
      { op: 'Reshape', inputs: ['t', 'together'], outputs: ['s'] },
      { op: 'Conv', inputs: ['s', 'w'], outputs: ['y'], attributes: { group: { int: groups } } },
    ],
    initializers: {
      apart: int64(n, groups, c / groups, h, w),
      together: int64(n, -1, h, w),
      w: random([c, c / groups, 3, 3]),
    },
  };
};

suite('channels', {
  'shuffled, three groups': { ...shuffled([1, 12, 5, 6], 3), ops: ['reshape', 'transpose', 'reshape', 'conv2d'] },
  'shuffled, two groups of many': shuffled([1, 20, 7, 3], 2),
  'shuffled, a row': shuffled([1, 8, 3, 9], 4),
  'split in two, one shuffled back (ShuffleNetV2)': {
    x: [1, 8, 4, 5],
    nodes: [
      { op: 'Split', inputs: ['x', 'halves'], outputs: ['a', 'b'], attributes: { axis: { int: 1 } } },
      { op: 'Relu', inputs: ['b'], outputs: ['r'] },
      { op: 'Concat', inputs: ['a', 'r'], outputs: ['j'], attributes: { axis: { int: 1 } } },
      { op: 'Reshape', inputs: ['j', 'apart'], outputs: ['p'] },
      { op: 'Transpose', inputs: ['p'], outputs: ['t'], attributes: { perm: { ints: [0, 2, 1, 3, 4] } } },
      { op: 'Reshape', inputs: ['t', 'together'], outputs: ['y'] },
    ],
    initializers: { halves: int64(4, 4), apart: int64(1, 2, 4, 4, 5), together: int64(1, 8, 4, 5) },
    // The shuffle is the last: the output lies as the file has it.
    plainOutput: true,
  },
  'split unevenly, without sizes': {
    x: [1, 7, 4, 5],
    nodes: [
      {
        op: 'Split',
        inputs: ['x'],
        outputs: ['a', 'b', 'c'],
        attributes: { axis: { int: 1 }, num_outputs: { int: 3 } },
      },
      { op: 'Concat', inputs: ['c', 'a', 'b'], outputs: ['y'], attributes: { axis: { int: 1 } } },
    ],
    opset: 18,
  },
  'every second of some': {
    x: [1, 9, 4, 5],
    nodes: one('Slice', {}, 'from', 'to', 'axis', 'step'),
    initializers: { from: int64(1), to: int64(8), axis: int64(1), step: int64(2) },
    ops: ['conv2d'],
  },
  'of a vector, from the end': {
    x: [2, 9],
    nodes: one('Slice', {}, 'from', 'to', 'axis'),
    initializers: { from: int64(-4), to: int64(9), axis: int64(1) },
    plainInput: true,
    plainOutput: true,
  },
});

const node = (op: string, inputs: readonly string[], output: string, attributes: NodeSpec['attributes'] = {}) => ({
  ...{ op, inputs: [...inputs], outputs: [output], attributes },
});
const overChannels = { axes: { ints: [1] }, keepdims: { int: 1 } };
const normalisedBy = (nodes: readonly NodeSpec[], more: Case['initializers'] = {}, x = [1, 5, 3, 4]): Case => ({
  ...{ x, nodes, initializers: { two: scalar(2), half: scalar(0.5), tiny: scalar(1e-12), ...more } },
  ops: ['l2-normalize'],
});

suite('vectors of length 1, spelled out', {
  'PyTorch: ReduceL2, Clip, Expand to the own shape': normalisedBy(
    [
      node('ReduceL2', ['x'], 'n', overChannels),
      node('Clip', ['n', 'tiny'], 'c'),
      node('Shape', ['x'], 's'),
      node('Expand', ['c', 's'], 'e'),
      node('Div', ['x', 'e'], 'y'),
    ],
    {},
    [2, 6],
  ),
  'root of the sum of x · x, with a bound that cuts': normalisedBy(
    [
      node('Mul', ['x', 'x'], 'q'),
      node('ReduceSum', ['q', 'axes'], 's', { keepdims: { int: 1 } }),
      node('Max', ['s', 'bound'], 'm'),
      node('Sqrt', ['m'], 'n'),
      node('Reciprocal', ['n'], 'r'),
      node('Mul', ['x', 'r'], 'y'),
    ],
    { axes: int64(1), bound: scalar(9) },
  ),
  'Pow, ReduceSum, Pow': normalisedBy(
    [
      node('Pow', ['x', 'two'], 'q'),
      node('ReduceSum', ['q', 'axes'], 's'),
      node('Pow', ['s', 'half'], 'n'),
      node('Div', ['x', 'n'], 'y'),
    ],
    { axes: int64(1) },
  ),
  'ReduceSumSquare, Sqrt': normalisedBy([
    node('ReduceSumSquare', ['x'], 's', overChannels),
    node('Sqrt', ['s'], 'n'),
    node('Div', ['x', 'n'], 'y'),
  ]),
});

/** A product by weights of length 1, which `nodes` make `v` of. */
const cosine = (
  x: Case['x'],
  w: readonly number[],
  nodes: readonly NodeSpec[],
  more: Case['initializers'] = {},
): Case => ({
  ...{ x, nodes, initializers: { w: random(w), tiny: scalar(1e-12), ...more } },
  ops: ['fully-connected'],
});
const turned = [node('Transpose', ['v'], 't'), node('MatMul', ['x', 't'], 'y')];

suite('weights of length 1, as in a cosine head', {
  'PyTorch: ReduceL2, Clip, Expand to the own shape': cosine(
    [2, 6],
    [5, 6],
    [
      node('ReduceL2', ['w'], 'n', overChannels),
      node('Clip', ['n', 'tiny'], 'c'),
      node('Shape', ['w'], 's'),
      node('Expand', ['c', 's'], 'e'),
      node('Div', ['w', 'e'], 'v'),
      ...turned,
    ],
  ),
  'two by two, as many as the shape has numbers': cosine(
    [3, 2],
    [2, 2],
    [
      node('ReduceL2', ['w'], 'n', overChannels),
      node('Expand', ['n', 's'], 'e'),
      node('Div', ['w', 'e'], 'v'),
      ...turned,
    ],
    { s: int64(2, 2) },
  ),
  'repeated to more than the weights': cosine(
    [2, 6],
    [1, 6],
    [
      node('ReduceL2', ['w'], 'n', overChannels),
      node('Expand', ['n', 's'], 'e'),
      node('Div', ['w', 'e'], 'v'),
      ...turned,
    ],
    { s: int64(4, 1) },
  ),
  'without Expand, of a Constant': cosine(
    [2, 6],
    [1],
    [
      { op: 'Constant', inputs: [], outputs: ['k'], attributes: { value: { tensor: random([3, 6]) } } },
      node('ReduceSumSquare', ['k'], 's', overChannels),
      node('Sqrt', ['s'], 'n'),
      node('Div', ['k', 'n'], 'v'),
      ...turned,
    ],
  ),
  'of folded weights, with a bound that cuts, as a reciprocal': cosine(
    [2, 6],
    [5, 6],
    [
      node('Transpose', ['w'], 'f'),
      node('Mul', ['f', 'f'], 'q'),
      node('ReduceSum', ['q', 'axes'], 's', { keepdims: { int: 1 } }),
      node('Max', ['s', 'bound'], 'm'),
      node('Sqrt', ['m'], 'n'),
      node('Reciprocal', ['n'], 'r'),
      node('Mul', ['r', 'f'], 'v'),
      node('MatMul', ['x', 'v'], 'y'),
    ],
    { axes: int64(0), bound: scalar(2) },
  ),
  'of filters': {
    x: [1, 3, 5, 4],
    nodes: [
      node('ReduceL2', ['w'], 'n', { axes: { ints: [1, -2, -1] } }),
      node('Div', ['w', 'n'], 'v'),
      node('Conv', ['x', 'v'], 'y'),
    ],
    initializers: { w: random([4, 3, 2, 3]) },
    ops: ['conv2d'],
  },
});

test.each([
  [
    'of another tensor',
    [node('Relu', ['x'], 'r'), node('ReduceL2', ['r'], 'n', overChannels), node('Div', ['x', 'n'], 'y')],
  ],
  [
    'with a constant added',
    [node('ReduceL2', ['x'], 'n', overChannels), node('Add', ['n', 'tiny'], 'a'), node('Div', ['x', 'a'], 'y')],
  ],
  [
    'repeated to more than the tensor',
    [node('ReduceL2', ['x'], 'n', overChannels), node('Expand', ['n', 'more'], 'e'), node('Div', ['x', 'e'], 'y')],
  ],
])('a norm %s is refused by name', async (_, nodes) => {
  const initializers = { tiny: scalar(0.5), more: int64(2, 5, 3, 4) };
  const bytes = fileOf({ x: [1, 5, 3, 4], nodes, initializers });
  await expect(loadGraph({ name: 'm', bytes })).rejects.toMatchObject({
    code: 'unsupported-op',
    message: expect.stringMatching(/ReduceL2|norm, which is repeated/),
  });
});

test.each([
  ['NCHW', [node('Conv', ['x', 'w'], 'logits'), node('ArgMax', ['logits'], 'y', { axis: { int: 1 } })]],
  [
    'NHWC, through Cast and Squeeze',
    [
      node('Conv', ['x', 'w'], 'c'),
      node('Transpose', ['c'], 't', { perm: { ints: [0, 2, 3, 1] } }),
      node('Softmax', ['t'], 'logits'),
      node('ArgMax', ['logits'], 'a', { axis: { int: 3 } }),
      node('Cast', ['a'], 'b', { to: { int: 6 } }),
      node('Squeeze', ['b', 'last'], 'y'),
    ],
  ],
])('a network that ends in ArgMax gives its scores and how they are decoded, %s', async (_, nodes) => {
  const initializers = { w: random([4, 3, 1, 1]), last: int64(3) };
  const graph = await loadGraph({ name: 'm', bytes: fileOf({ x: [1, 3, 6, 7], nodes, initializers }) });
  expect(graph.outputs.map(({ name }) => name)).toEqual(['logits']);
  expect(graph.decoding).toEqual({
    ...{ kind: 'segmentation', scores: 'logits', size: [6, 7], classes: 4, corners: 'half-pixel', logits: true },
  });
});

test('an index along another dimension than the classes is no segmentation', async () => {
  const nodes = [node('Conv', ['x', 'w'], 'logits'), node('ArgMax', ['logits'], 'y', { axis: { int: 3 } })];
  const bytes = fileOf({ x: [1, 3, 6, 7], nodes, initializers: { w: random([4, 3, 1, 1]) } });
  const graph = await loadGraph({ name: 'm', bytes });
  expect([graph.outputs[0]!.name, graph.decoding]).toEqual(['logits', undefined]);
});

const channels = (c: number) => ({
  scale: random([c], 0.5, 2),
  shift: random([c]),
  mean: random([c]),
  variance: random([c], 0.1, 2),
});
const normalise = (attributes: NodeSpec['attributes'] = {}) =>
  one('BatchNormalization', attributes, 'scale', 'shift', 'mean', 'variance');

suite('BatchNormalization', {
  'default epsilon': { x: [2, 4, 3, 5], nodes: normalise(), initializers: channels(4), ops: ['batch-norm'] },
  'epsilon 1e-3': { x: [1, 3, 2, 2], nodes: normalise({ epsilon: { float: 1e-3 } }), initializers: channels(3) },
  'of a vector': { x: [2, 6], nodes: normalise(), initializers: channels(6) },
  'operator set 7': { x: [1, 3, 2, 2], nodes: normalise(), initializers: channels(3), opset: 7 },
});

suite('activations', {
  Relu: { x: [1, 3, 4, 5], nodes: one('Relu'), ops: ['activation'] },
  Abs: { x: [1, 3, 4, 5], nodes: one('Abs'), ops: ['prelu'] },
  LeakyRelu: { x: [1, 3, 4, 5], nodes: one('LeakyRelu'), ops: ['prelu'] },
  PRelu: { x: [1, 3, 4, 5], nodes: one('PRelu', {}, 's'), initializers: { s: random([3, 1, 1]) }, ops: ['prelu'] },
  'PRelu of a vector': {
    x: [2, 6],
    nodes: one('PRelu', {}, 's'),
    initializers: { s: random([6]) },
    ops: ['prelu'],
    plainOutput: true,
    plainInput: true,
  },
  LpNormalization: { x: [1, 3, 4, 5], nodes: one('LpNormalization', { axis: { int: 1 } }), ops: ['l2-normalize'] },
  Sigmoid: { x: [2, 7], nodes: one('Sigmoid'), ops: ['activation'] },
  Tanh: { x: [1, 3, 4, 5], nodes: one('Tanh'), range: [-4, 4], ops: ['affine', 'activation', 'affine'] },
  HardSwish: { x: [1, 3, 4, 5], nodes: one('HardSwish'), range: [-5, 5], ops: ['activation'] },
  'HardSigmoid, default': { x: [1, 3, 4, 5], nodes: one('HardSigmoid'), range: [-5, 5], ops: ['affine', 'clip'] },
  'HardSigmoid, 1/6': {
    x: [1, 3, 4, 5],
    nodes: one('HardSigmoid', { alpha: { float: 1 / 6 }, beta: { float: 0.5 } }),
    range: [-5, 5],
    ops: ['activation'],
  },
  'Clip by attributes': {
    x: [1, 3, 4, 5],
    nodes: one('Clip', { min: { float: 0 }, max: { float: 6 } }),
    range: [-9, 9],
    opset: 10,
    ops: ['clip'],
  },
  'Clip by inputs': {
    x: [1, 3, 4, 5],
    nodes: one('Clip', {}, 'low', 'high'),
    initializers: { low: scalar(-1), high: scalar(2) },
  },
  'Clip without minimum': { x: [1, 3], nodes: one('Clip', {}, '', 'high'), initializers: { high: scalar(1) } },
  'Min and Max': {
    x: [1, 3, 4, 5],
    nodes: [
      { op: 'Min', inputs: ['x', 'high'], outputs: ['m'] },
      { op: 'Max', inputs: ['low', 'm'], outputs: ['y'] },
    ],
    initializers: { low: scalar(-1), high: scalar(2) },
    ops: ['clip', 'clip'],
  },
  Neg: { x: [1, 3, 4, 5], nodes: one('Neg') },
});

const withConstant = (op: string, constant: TensorSpec, first = false, x: readonly number[] = [2, 3, 4, 5]): Case => ({
  x,
  nodes: [{ op, inputs: first ? ['c', 'x'] : ['x', 'c'], outputs: ['y'] }],
  initializers: { c: constant },
  ops: ['affine'],
});

suite('arithmetic', {
  'Add a scalar': withConstant('Add', scalar(3)),
  'Add one a channel': withConstant('Add', random([1, 3, 1, 1])),
  'Add one a channel, fewer dimensions': withConstant('Add', random([3, 1, 1]), true),
  'Sub one a channel': withConstant('Sub', random([3, 1, 1])),
  'Sub from a constant': withConstant('Sub', random([1, 3, 1, 1]), true),
  'Mul a scalar': withConstant('Mul', scalar(0.3), true),
  'Mul one a channel': withConstant('Mul', random([3, 1, 1])),
  'Div by one a channel': withConstant('Div', random([1, 3, 1, 1], 0.5, 2)),
  'Add to a vector': withConstant('Add', random([7]), false, [2, 7]),
  'Add a tensor': {
    x: [1, 3, 4, 5],
    nodes: [
      { op: 'Relu', inputs: ['x'], outputs: ['r'] },
      { op: 'Add', inputs: ['x', 'r'], outputs: ['y'] },
    ],
    ops: ['activation', 'add'],
  },
  'Sub a tensor': {
    x: [1, 3, 4, 5],
    nodes: [
      { op: 'Relu', inputs: ['x'], outputs: ['r'] },
      { op: 'Sub', inputs: ['x', 'r'], outputs: ['y'] },
    ],
  },
  'Sum of three': {
    x: [1, 3, 4, 5],
    nodes: [
      { op: 'Relu', inputs: ['x'], outputs: ['r'] },
      { op: 'Sum', inputs: ['x', 'r', 'x'], outputs: ['y'] },
    ],
  },
  'squeeze-and-excitation, gate first': {
    x: [2, 3, 4, 5],
    nodes: [
      { op: 'GlobalAveragePool', inputs: ['x'], outputs: ['p'] },
      { op: 'Sigmoid', inputs: ['p'], outputs: ['g'] },
      { op: 'Mul', inputs: ['g', 'x'], outputs: ['y'] },
    ],
    ops: ['global-average-pool', 'activation', 'multiply'],
  },
  'squeeze-and-excitation through a vector': {
    x: [2, 3, 4, 5],
    nodes: [
      { op: 'ReduceMean', inputs: ['x'], outputs: ['p'], attributes: { axes: { ints: [2, 3] }, keepdims: { int: 0 } } },
      { op: 'Gemm', inputs: ['p', 'w'], outputs: ['g'] },
      { op: 'Unsqueeze', inputs: ['g', 'axes'], outputs: ['u'] },
      { op: 'Mul', inputs: ['x', 'u'], outputs: ['y'] },
    ],
    initializers: { w: random([3, 3]), axes: int64(2, 3) },
    ops: ['global-average-pool', 'fully-connected', 'multiply'],
  },
});

suite('pooling', {
  GlobalAveragePool: { x: [2, 3, 4, 5], nodes: one('GlobalAveragePool'), ops: ['global-average-pool'] },
  GlobalMaxPool: { x: [2, 3, 4, 5], nodes: one('GlobalMaxPool'), ops: ['pool'] },
  'ReduceMean, axes as attribute': {
    x: [2, 3, 4, 5],
    nodes: one('ReduceMean', { axes: { ints: [-1, -2] } }),
    ops: ['global-average-pool'],
  },
  'ReduceMean, axes as input, dimensions dropped': {
    x: [2, 3, 4, 5],
    nodes: one('ReduceMean', { keepdims: { int: 0 } }, 'axes'),
    initializers: { axes: int64(2, 3) },
    opset: 18,
  },
  'ReduceMean over height only': { x: [2, 3, 4, 5], nodes: one('ReduceMean', { axes: { ints: [2] } }), ops: ['pool'] },
  'ReduceMean over flattened pixels': {
    x: [2, 3, 4, 5],
    nodes: [
      { op: 'Reshape', inputs: ['x', 's'], outputs: ['r'] },
      { op: 'ReduceMean', inputs: ['r'], outputs: ['y'], attributes: { axes: { ints: [2] }, keepdims: { int: 0 } } },
    ],
    initializers: { s: int64(0, 0, -1) },
    ops: ['global-average-pool'],
  },
  ReduceMax: { x: [2, 3, 4, 5], nodes: one('ReduceMax', { axes: { ints: [2, 3] } }) },
  'AveragePool, padding not counted': {
    x: [1, 2, 6, 7],
    nodes: one('AveragePool', {
      kernel_shape: { ints: [3, 3] },
      pads: { ints: [1, 1, 1, 1] },
      strides: { ints: [2, 2] },
    }),
    ops: ['pool'],
  },
  'AveragePool, padding counted': {
    x: [1, 2, 6, 7],
    nodes: one('AveragePool', {
      kernel_shape: { ints: [3, 2] },
      pads: { ints: [1, 0, 1, 1] },
      count_include_pad: { int: 1 },
    }),
  },
  'AveragePool, size rounded up': {
    x: [1, 2, 6, 7],
    nodes: one('AveragePool', { kernel_shape: { ints: [3, 3] }, strides: { ints: [2, 2] }, ceil_mode: { int: 1 } }),
    opset: 19,
  },
  'MaxPool, size rounded up': {
    x: [1, 2, 6, 8],
    nodes: one('MaxPool', { kernel_shape: { ints: [3, 3] }, strides: { ints: [2, 2] }, ceil_mode: { int: 1 } }),
  },
  'MaxPool, SAME_UPPER': {
    x: [1, 2, 6, 7],
    nodes: one('MaxPool', {
      kernel_shape: { ints: [3, 3] },
      strides: { ints: [2, 2] },
      auto_pad: { string: 'SAME_UPPER' },
    }),
  },
  'MaxPool of negative values': {
    x: [1, 2, 6, 7],
    nodes: one('MaxPool', { kernel_shape: { ints: [3, 3] }, pads: { ints: [1, 1, 1, 1] } }),
    range: [-3, -1],
  },
  'Pad, opset 10': { x: [1, 2, 3, 4], nodes: one('Pad', { pads: { ints: [0, 0, 1, 2, 0, 0, 3, 0] } }), opset: 10 },
  'Pad, opset 18 with axes': {
    x: [1, 2, 3, 4],
    nodes: one('Pad', {}, 'p', '', 'a'),
    initializers: { p: int64(1, 0, 0, 2), a: int64(3, -2) },
    opset: 18,
    ops: ['pad'],
  },
});

const resizeBy = (attributes: NodeSpec['attributes'], scales: readonly number[], x = [1, 2, 4, 5]): Case => ({
  x,
  nodes: one('Resize', attributes, '', 'scales'),
  initializers: { scales: { dims: [4], values: scales } },
  ops: ['resize'],
});
const resizeTo = (attributes: NodeSpec['attributes'], ...size: number[]): Case => ({
  x: [1, 2, 4, 5],
  nodes: one('Resize', attributes, '', '', 'sizes'),
  initializers: { sizes: int64(1, 2, ...size) },
  ops: ['resize'],
});
const text = (values: Readonly<Record<string, string>>): NonNullable<NodeSpec['attributes']> =>
  Object.fromEntries(Object.entries(values).map(([name, string]) => [name, { string }]));

suite('Resize', {
  'linear, half pixel, doubled': resizeBy(text({ mode: 'linear' }), [1, 1, 2, 2]),
  'linear, align corners': resizeTo(text({ mode: 'linear', coordinate_transformation_mode: 'align_corners' }), 7, 9),
  'linear, asymmetric': resizeTo(text({ mode: 'linear', coordinate_transformation_mode: 'asymmetric' }), 6, 10),
  'linear, PyTorch': resizeTo(text({ mode: 'linear', coordinate_transformation_mode: 'pytorch_half_pixel' }), 3, 8),
  'nearest, default, doubled': resizeBy({}, [1, 1, 2, 2]),
  'nearest, asymmetric and floor': resizeTo(
    text({ coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor' }),
    6,
    10,
  ),
  'nearest, half pixel, shrunk': resizeBy(text({ nearest_mode: 'round_prefer_ceil' }), [1, 1, 0.5, 1], [1, 2, 6, 5]),
  'nearest, align corners': resizeTo(
    text({ coordinate_transformation_mode: 'align_corners', nearest_mode: 'round_prefer_ceil' }),
    7,
    9,
  ),
  'Upsample 9, nearest': {
    x: [1, 2, 3, 4],
    nodes: one('Upsample', text({ mode: 'nearest' }), 's'),
    initializers: { s: { dims: [4], values: [1, 1, 2, 3] } },
    opset: 9,
  },
  'Upsample 9, linear': {
    x: [1, 2, 3, 4],
    nodes: one('Upsample', text({ mode: 'linear' }), 's'),
    initializers: { s: { dims: [4], values: [1, 1, 2, 2] } },
    opset: 9,
  },
  'Upsample 7': {
    x: [1, 2, 3, 4],
    nodes: one('Upsample', { mode: { string: 'nearest' }, scales: { floats: [1, 1, 2, 2] } }),
    opset: 7,
  },
  'Resize 10': {
    x: [1, 2, 3, 4],
    nodes: one('Resize', text({ mode: 'linear' }), 's'),
    initializers: { s: { dims: [4], values: [1, 1, 2, 2] } },
    opset: 10,
  },
  'Resize 18 with axes': {
    x: [1, 2, 3, 4],
    nodes: one('Resize', { mode: { string: 'linear' }, axes: { ints: [2, 3] } }, '', '', 'sizes'),
    initializers: { sizes: int64(6, 6) },
    opset: 18,
  },
});

suite('products', {
  'Gemm with transB, alpha and beta': {
    x: [2, 6],
    nodes: one('Gemm', { transB: { int: 1 }, alpha: { float: 0.5 }, beta: { float: 2 } }, 'w', 'b'),
    initializers: { w: random([4, 6]), b: random([4]) },
    ops: ['fully-connected'],
  },
  'Gemm with one bias for all': {
    x: [1, 6],
    nodes: one('Gemm', {}, 'w', 'b'),
    initializers: { w: random([6, 4]), b: random([1, 1]) },
  },
  'Gemm after Flatten of pixels': {
    x: [2, 3, 4, 5],
    nodes: [
      { op: 'Flatten', inputs: ['x'], outputs: ['f'] },
      { op: 'Gemm', inputs: ['f', 'w', 'b'], outputs: ['y'], attributes: { transB: { int: 1 } } },
    ],
    initializers: { w: random([7, 60]), b: random([7]) },
    ops: ['fully-connected'],
  },
  'MatMul after Reshape of pixels': {
    x: [1, 3, 4, 5],
    nodes: [
      { op: 'Reshape', inputs: ['x', 's'], outputs: ['f'] },
      { op: 'MatMul', inputs: ['f', 'w'], outputs: ['m'] },
      { op: 'Add', inputs: ['m', 'b'], outputs: ['y'] },
    ],
    initializers: { w: random([60, 7]), b: random([7]), s: int64(1, -1) },
    ops: ['fully-connected', 'affine'],
  },
  'MatMul over the channels of pixels': {
    x: [2, 3, 4, 5],
    nodes: [
      { op: 'Transpose', inputs: ['x'], outputs: ['t'], attributes: { perm: { ints: [0, 2, 3, 1] } } },
      { op: 'MatMul', inputs: ['t', 'w'], outputs: ['y'] },
    ],
    initializers: { w: random([3, 7]) },
    plainInput: false,
    plainOutput: true,
    ops: ['conv2d'],
  },
});

suite('Softmax', {
  'of a vector': { x: [2, 5], nodes: one('Softmax'), ops: ['softmax'] },
  'operator set 11': { x: [2, 5], nodes: one('Softmax'), opset: 11 },
  'operator set 11, four dimensions': {
    x: [2, 5, 1, 1],
    nodes: one('Softmax', { axis: { int: 1 } }),
    opset: 11,
  },
  'over the channels of pixels': { x: [2, 5, 3, 2], nodes: one('Softmax', { axis: { int: 1 } }) },
});

const to = (type: number) => ({ to: { int: type } });

suite('layout and constants', {
  'an input that the file transposes from NHWC': {
    x: [1, 4, 5, 3],
    nodes: [
      { op: 'Mul', inputs: ['x', 'c'], outputs: ['m'] },
      { op: 'Transpose', inputs: ['m'], outputs: ['t'], attributes: { perm: { ints: [0, 3, 1, 2] } } },
      { op: 'Conv', inputs: ['t', 'w'], outputs: ['v'] },
      { op: 'Transpose', inputs: ['v'], outputs: ['y'], attributes: { perm: { ints: [0, 2, 3, 1] } } },
    ],
    initializers: { w: random([2, 3, 3, 3]), c: random([3]) },
    plainInput: true,
    plainOutput: true,
    ops: ['affine', 'conv2d'],
  },
  'Squeeze and Unsqueeze, attributes': {
    x: [1, 3, 1, 1],
    nodes: [
      { op: 'Squeeze', inputs: ['x'], outputs: ['s'], attributes: { axes: { ints: [2, 3] } } },
      { op: 'Unsqueeze', inputs: ['s'], outputs: ['y'], attributes: { axes: { ints: [2, 3] } } },
    ],
    opset: 11,
    ops: [],
  },
  'a detection head: pixels become rows': {
    x: [1, 6, 2, 3],
    nodes: [
      { op: 'Transpose', inputs: ['x'], outputs: ['t'], attributes: { perm: { ints: [0, 2, 3, 1] } } },
      { op: 'Reshape', inputs: ['t', 's'], outputs: ['y'] },
    ],
    initializers: { s: int64(1, -1, 2) },
    ops: ['reshape'],
  },
  'Concat on channels': {
    x: [2, 3, 4, 5],
    nodes: [
      { op: 'Relu', inputs: ['x'], outputs: ['r'] },
      { op: 'Concat', inputs: ['x', 'r', 'x'], outputs: ['y'], attributes: { axis: { int: 1 } } },
    ],
    ops: ['activation', 'concat'],
  },
  ...Object.fromEntries(
    [0, 2, 3].map((axis) => [
      `Concat on axis ${axis}`,
      {
        x: [2, 3, 4, 5],
        nodes: [
          { op: 'Relu', inputs: ['x'], outputs: ['r'] },
          { op: 'Concat', inputs: ['x', 'r', 'x'], outputs: ['y'], attributes: { axis: { int: axis } } },
        ],
        ops: ['activation', 'concat'],
      },
    ]),
  ),
  'Concat of the heads of a detector': {
    x: [1, 6, 2, 2],
    nodes: [
      { op: 'MaxPool', inputs: ['x'], outputs: ['p'], attributes: { kernel_shape: { ints: [2, 2] } } },
      { op: 'Transpose', inputs: ['x'], outputs: ['tx'], attributes: { perm: { ints: [0, 2, 3, 1] } } },
      { op: 'Transpose', inputs: ['p'], outputs: ['tp'], attributes: { perm: { ints: [0, 2, 3, 1] } } },
      { op: 'Reshape', inputs: ['tx', 's'], outputs: ['a'] },
      { op: 'Reshape', inputs: ['tp', 's'], outputs: ['b'] },
      { op: 'Concat', inputs: ['a', 'b'], outputs: ['y'], attributes: { axis: { int: 1 } } },
    ],
    initializers: { s: int64(1, -1, 3) },
  },
  'Concat of what lies in memory by height and width': {
    x: [1, 6, 2, 3],
    nodes: [
      { op: 'Transpose', inputs: ['x'], outputs: ['t'], attributes: { perm: { ints: [0, 2, 3, 1] } } },
      { op: 'Reshape', inputs: ['t', 's'], outputs: ['a'] },
      { op: 'Concat', inputs: ['a', 'a'], outputs: ['y'], attributes: { axis: { int: 1 } } },
    ],
    initializers: { s: int64(1, 6, 6) },
  },
  'Concat of single numbers': {
    x: [2, 1],
    nodes: [
      { op: 'Relu', inputs: ['x'], outputs: ['r'] },
      { op: 'Concat', inputs: ['x', 'r'], outputs: ['y'], attributes: { axis: { int: 0 } } },
    ],
  },
  'Concat of vectors': {
    x: [2, 3],
    nodes: [
      { op: 'Relu', inputs: ['x'], outputs: ['r'] },
      { op: 'Concat', inputs: ['x', 'r'], outputs: ['y'], attributes: { axis: { int: -1 } } },
    ],
  },
  'a shape computed in the graph, dynamic batch': {
    x: [1, 3, 2, 2],
    stated: ['N', 3, 2, 2],
    nodes: [
      { op: 'Shape', inputs: ['x'], outputs: ['shape'] },
      { op: 'Gather', inputs: ['shape', 'zero'], outputs: ['n'], attributes: { axis: { int: 0 } } },
      { op: 'Unsqueeze', inputs: ['n', 'axes'], outputs: ['u'] },
      { op: 'Concat', inputs: ['u', 'rest'], outputs: ['wanted'], attributes: { axis: { int: 0 } } },
      { op: 'GlobalAveragePool', inputs: ['x'], outputs: ['p'] },
      { op: 'Reshape', inputs: ['p', 'wanted'], outputs: ['f'] },
      { op: 'Gemm', inputs: ['f', 'w'], outputs: ['y'] },
    ],
    initializers: {
      zero: { dims: [], type: 'int64', values: [0] },
      axes: int64(0),
      rest: int64(-1),
      w: random([3, 4]),
    },
    ops: ['global-average-pool', 'fully-connected'],
  },
  'a size computed by Shape, Slice, Cast, Mul': {
    x: [1, 2, 3, 4],
    nodes: [
      { op: 'Shape', inputs: ['x'], outputs: ['shape'] },
      { op: 'Slice', inputs: ['shape', 'two', 'end'], outputs: ['hw'] },
      { op: 'Cast', inputs: ['hw'], outputs: ['f'], attributes: to(1) },
      { op: 'Mul', inputs: ['f', 'factor'], outputs: ['scaled'] },
      { op: 'Floor', inputs: ['scaled'], outputs: ['floored'] },
      { op: 'Cast', inputs: ['floored'], outputs: ['size'], attributes: to(7) },
      { op: 'Slice', inputs: ['shape', 'zero', 'two'], outputs: ['nc'] },
      { op: 'Concat', inputs: ['nc', 'size'], outputs: ['sizes'], attributes: { axis: { int: 0 } } },
      { op: 'Resize', inputs: ['x', '', '', 'sizes'], outputs: ['y'], attributes: text({ mode: 'linear' }) },
    ],
    initializers: {
      zero: int64(0),
      two: int64(2),
      end: { dims: [1], type: 'int64', values: [2 ** 62] },
      factor: scalar(1.5),
    },
    ops: ['resize'],
  },
  'Identity, Dropout, Cast, whole Slice': {
    x: [1, 3, 2, 2],
    nodes: [
      { op: 'Identity', inputs: ['x'], outputs: ['a'] },
      { op: 'Dropout', inputs: ['a'], outputs: ['b'] },
      { op: 'Cast', inputs: ['b'], outputs: ['c'], attributes: to(1) },
      { op: 'Slice', inputs: ['c', 's', 'e'], outputs: ['d'] },
      { op: 'Relu', inputs: ['d'], outputs: ['y'] },
    ],
    initializers: { s: int64(0), e: int64(1000) },
    ops: ['activation'],
  },
  'weights in Constant nodes, transposed and scaled there': {
    x: [1, 6],
    nodes: [
      { op: 'Constant', outputs: ['w0'], attributes: { value: { tensor: random([4, 6]) } } },
      { op: 'Transpose', inputs: ['w0'], outputs: ['w1'], attributes: { perm: { ints: [1, 0] } } },
      { op: 'Constant', outputs: ['k'], attributes: { value_float: { float: 0.25 } } },
      { op: 'Mul', inputs: ['w1', 'k'], outputs: ['w'] },
      { op: 'MatMul', inputs: ['x', 'w'], outputs: ['y'] },
    ],
    ops: ['fully-connected'],
  },
  ...Object.fromEntries(
    (['float16', 'double', 'int32', 'uint8', 'int64'] as const).flatMap((type) =>
      [false, true].map((typed) => [
        `${type} weights, ${typed ? 'typed' : 'raw'}`,
        {
          x: [1, 4],
          nodes: [
            { op: 'Cast', inputs: ['w16'], outputs: ['w'], attributes: to(1) },
            { op: 'MatMul', inputs: ['x', 'w'], outputs: ['y'] },
          ],
          initializers: {
            w16: {
              dims: [4, 2],
              type,
              typed,
              values:
                type === 'float16' && typed
                  ? [0x3c00, 0xc000, 0x3555, 0x0001, 0x7bff, 0x8400, 0x0000, 0x3800]
                  : type === 'float16' || type === 'double'
                    ? [1, -2, 0.5, 0.375, 6, -0.25, 0, 1024]
                    : [1, 2, 3, 4, 5, 6, 7, 250],
            },
          },
          ops: ['fully-connected'],
        } satisfies Case,
      ]),
    ),
  ),
  'float weights, typed': {
    x: [1, 4],
    nodes: one('MatMul', {}, 'w'),
    initializers: { w: { ...random([4, 2]), typed: true } },
  },
  'If on a constant': {
    x: [1, 3],
    nodes: [
      { op: 'Shape', inputs: ['x'], outputs: ['shape'] },
      { op: 'Size', inputs: ['shape'], outputs: ['rank'] },
      { op: 'Equal', inputs: ['rank', 'two'], outputs: ['flat'] },
      {
        op: 'If',
        inputs: ['flat'],
        outputs: ['c'],
        attributes: { then_branch: { graph: branch(5) }, else_branch: { graph: branch(7) } },
      },
      { op: 'Add', inputs: ['x', 'c'], outputs: ['y'] },
    ],
    initializers: { two: { dims: [], type: 'int64', values: [2] } },
    ops: ['affine'],
  },
});

function branch(value: number): GraphSpec {
  return {
    nodes: [{ op: 'Constant', outputs: ['v'], attributes: { value: { tensor: { dims: [], values: [value] } } } }],
    outputs: [{ name: 'v', type: 'float', dims: [] }],
  };
}

test('tensors in a file beside the model', async () => {
  const weights = randomValues(8, 8);
  const side = new Uint8Array(40);
  side.set(new Uint8Array(weights.buffer), 8);
  const external = { location: 'weights.bin', offset: '8', length: '32' };
  const model = (w: TensorSpec) => fileOf({ x: [1, 4], nodes: one('MatMul', {}, 'w'), initializers: { w } });
  const inside = await loadGraph({ name: 'a.onnx', bytes: model({ dims: [4, 2], values: weights }) });
  const paths: string[] = [];
  const beside = await loadGraph({
    name: 'a.onnx',
    bytes: model({ dims: [4, 2], external }),
    read: async (path) => {
      paths.push(path);
      return side;
    },
  });
  expect(beside).toEqual(inside);
  expect(paths).toEqual(['weights.bin']);
});

test('the files of a folder: the model and its data, in any order', async () => {
  const w: TensorSpec = { dims: [4, 2], external: { location: 'model.onnx.data' } };
  const bytes = fileOf({ x: [1, 4], nodes: one('MatMul', {}, 'w'), initializers: { w } });
  const data = Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8);
  const files = [new File([data], 'model.onnx.data'), new File([new Uint8Array(bytes)], 'model.onnx')];
  const model = await load(files, { device: 'reference' });
  expect(await model.run({ x: Float32Array.of(1, 10, 100, 1000) })).toEqual({ y: Float32Array.of(7531, 8642) });
  await expect(load(files.slice(1), { device: 'reference' })).rejects.toThrow('needs the file "model.onnx.data"');
});

test('sizes of inputs are given in the order of the file', async () => {
  const bytes = fileOf({ x: [1, 3, 0, 0], stated: ['N', 3, 'H', 'W'], nodes: one('Relu') });
  await expect(loadGraph({ name: 'a.onnx', bytes })).rejects.toThrow('input "x" has the shape [?,3,?,?]');
  const graph = await loadGraph({ name: 'a.onnx', bytes }, { inputShapes: { x: [2, 3, 5, 7] } });
  expect(graph.inputs).toEqual([{ name: 'x', shape: [2, 5, 7, 3] }]);
  await expect(loadGraph({ name: 'a.onnx', bytes }, { inputShapes: { x: [2, 4, 5, 7] } })).rejects.toThrow(
    'cannot have the shape [2,4,5,7], expected [any,3,any,any]',
  );
  await expect(loadGraph({ name: 'a.onnx', bytes }, { inputShapes: { z: [1] } })).rejects.toThrow('no input "z"');
});

test('a cut leaves out what it does not need, unknown operations included', async () => {
  const bytes = writeOnnx({
    nodes: [
      { op: 'Relu', name: 'first', inputs: ['x'], outputs: ['r'] },
      { op: 'NonMaxSuppression', name: 'last', inputs: ['r', 'z'], outputs: ['y'] },
    ],
    inputs: [
      { name: 'x', type: 'float', dims: [1, 3] },
      { name: 'z', type: 'float', dims: [1, 3] },
    ],
    outputs: [{ name: 'y', type: 'float' }],
  });
  await expect(loadGraph({ name: 'a.onnx', bytes })).rejects.toMatchObject({
    code: 'unsupported-op',
    node: 'last',
    op: 'NonMaxSuppression',
  });
  for (const output of ['r', 'first']) {
    const graph = await loadGraph({ name: 'a.onnx', bytes }, { outputs: [output] });
    expect(graph.outputs).toEqual([{ name: output, tensor: 'r' }]);
    expect(graph.inputs.map(({ name }) => name)).toEqual(['x']);
  }
  await expect(loadGraph({ name: 'a.onnx', bytes }, { outputs: ['nowhere'] })).rejects.toMatchObject({ code: 'usage' });
});
