/** The forms that operator sets 7 to 22 give to the same operations, and corners of their rules. */
import { describe, expect, test } from 'vitest';
import { loadGraph } from '../../../src/loaders/index.ts';
import { type Case, compare, fileOf, int64, one, random, scalar, suite } from '../../support/onnx-case.ts';
import type { AttributeSpec, NodeSpec, TensorSpec } from '../../support/onnx-writer.ts';

const ints = (...values: number[]): AttributeSpec => ({ ints: values });
const node = (
  op: string,
  inputs: readonly string[],
  output: string,
  attributes: NonNullable<NodeSpec['attributes']> = {},
): NodeSpec => ({ op, inputs, outputs: [output], attributes });

/** A small network of all that changed its form, as an operator set writes it. */
function network(opset: number): Case {
  const initializers: Record<string, TensorSpec> = {
    stem: random([8, 3, 3, 3]),
    depth: random([8, 1, 3, 3]),
    dense: random([5, 8]),
    bias: random([5]),
    scale: random([8], 0.5, 2),
    shift: random([8]),
    mean: random([8]),
    variance: random([8], 0.1, 2),
  };
  const constant = (name: string, spec: TensorSpec) => {
    initializers[name] = spec;
    return name;
  };
  const pads = [0, 0, 0, 0, 0, 0, 1, 1];
  const pad =
    opset < 11
      ? node('Pad', ['x'], 'padded', { pads: ints(...pads), mode: { string: 'constant' }, value: { float: 0 } })
      : node('Pad', ['x', constant('pads', int64(...pads)), constant('nothing', scalar(0))], 'padded');
  const clip =
    opset < 11
      ? node('Clip', ['n'], 'c', { min: { float: 0 }, max: { float: 6 } })
      : node('Clip', ['n', constant('low', scalar(0)), constant('high', scalar(6))], 'c');
  const scales = { dims: [4], values: [1, 1, 2, 2] };
  const resize =
    opset < 9
      ? node('Upsample', ['d'], 'u', { mode: { string: 'nearest' }, scales: { floats: scales.values } })
      : opset < 10
        ? node('Upsample', ['d', constant('scales', scales)], 'u', { mode: { string: 'nearest' } })
        : opset < 11
          ? node('Resize', ['d', constant('scales', scales)], 'u', { mode: { string: 'nearest' } })
          : node(
              'Resize',
              ['d', opset < 13 ? constant('roi', { dims: [0], values: [] }) : '', constant('scales', scales)],
              'u',
              {
                mode: { string: 'nearest' },
                coordinate_transformation_mode: { string: 'asymmetric' },
                nearest_mode: { string: 'floor' },
              },
            );
  const axes = (name: string, ...values: number[]) => constant(name, int64(...values));
  const mean =
    opset < 18
      ? node('ReduceMean', ['u'], 'm', { axes: ints(2, 3), keepdims: { int: 1 } })
      : node('ReduceMean', ['u', axes('hw', 2, 3)], 'm', { keepdims: { int: 1 } });
  const squeeze =
    opset < 13
      ? node('Squeeze', ['m'], 's', { axes: ints(2, 3) })
      : node('Squeeze', ['m', axes('squeezed', -1, -2)], 's');
  const unsqueeze =
    opset < 13
      ? node('Unsqueeze', ['s'], 'back', { axes: ints(2, 3) })
      : node('Unsqueeze', ['s', axes('added', 2, 3)], 'back');
  const dropout =
    opset < 12
      ? node('Dropout', ['f'], 'kept', { ratio: { float: 0.2 } })
      : node(
          'Dropout',
          ['f', constant('ratio', scalar(0.2)), constant('training', { dims: [], type: 'bool', values: [0] })],
          'kept',
        );
  return {
    opset,
    x: [1, 3, 8, 8],
    nodes: [
      pad,
      node('Conv', ['padded', 'stem'], 'v', { strides: ints(2, 2), kernel_shape: ints(3, 3) }),
      node('BatchNormalization', ['v', 'scale', 'shift', 'mean', 'variance'], 'n', { epsilon: { float: 1e-3 } }),
      clip,
      node('Conv', ['c', 'depth'], 'd', { group: { int: 8 }, pads: ints(1, 1, 1, 1) }),
      resize,
      mean,
      squeeze,
      unsqueeze,
      node('Flatten', ['back'], 'f', { axis: { int: 1 } }),
      dropout,
      node('Gemm', ['kept', 'dense', 'bias'], 'g', { transB: { int: 1 } }),
      node('Softmax', ['g'], 'y', { axis: { int: 1 } }),
    ],
    initializers,
    ops: [
      'pad',
      'conv2d',
      'batch-norm',
      'clip',
      'conv2d',
      'resize',
      'global-average-pool',
      'fully-connected',
      'softmax',
    ],
  };
}

describe('a network as each operator set writes it', () => {
  for (let opset = 7; opset <= 22; opset++) test(`operator set ${opset}`, () => compare(network(opset)));
});

suite('Clip', {
  'minimum alone, attribute': { x: [1, 3, 2, 2], nodes: one('Clip', { min: { float: 0 } }), opset: 7, ops: ['clip'] },
  'maximum alone, attribute': { x: [1, 3, 2, 2], nodes: one('Clip', { max: { float: 1 } }), opset: 10 },
  'no limits, attributes': { x: [1, 3, 2, 2], nodes: one('Clip'), opset: 10 },
  'no limits, inputs': { x: [1, 3, 2, 2], nodes: one('Clip'), opset: 13 },
  'limits from Constant nodes and a Cast': {
    x: [1, 3, 2, 2],
    nodes: [
      { op: 'Constant', outputs: ['l'], attributes: { value_int: { int: -1 } } },
      node('Cast', ['l'], 'low', { to: { int: 1 } }),
      { op: 'Constant', outputs: ['high'], attributes: { value_float: { float: 2 } } },
      ...one('Clip', {}, 'low', 'high'),
    ],
    opset: 12,
  },
  'minimum by input': { x: [1, 3, 2, 2], nodes: one('Clip', {}, 'low'), initializers: { low: scalar(0) }, opset: 11 },
});

const window = (op: string, attributes: NonNullable<NodeSpec['attributes']>, more: Partial<Case> = {}): Case => ({
  x: [1, 2, 7, 8],
  nodes: one(op, { kernel_shape: ints(3, 3), ...attributes }),
  ops: ['pool'],
  ...more,
});
const up = { ceil_mode: { int: 1 } } as const;
const two = { strides: ints(2, 2) };
const counted = { count_include_pad: { int: 1 } } as const;

suite('pools', {
  'AveragePool 7': window('AveragePool', { ...two, pads: ints(1, 1, 1, 1) }, { opset: 7 }),
  'AveragePool, padding on one side, counted': window('AveragePool', { pads: ints(0, 1, 2, 0), ...counted }),
  'AveragePool, rounded up, padded': window('AveragePool', { ...two, ...up, pads: ints(1, 1, 1, 1) }, { opset: 19 }),
  'AveragePool, rounded up, padded, counted, where no window leaves': window(
    'AveragePool',
    { ...two, ...up, ...counted, pads: ints(1, 1, 1, 0) },
    { x: [1, 2, 7, 8], opset: 19 },
  ),
  'AveragePool, rounded up, counted, no padding, where a window leaves': window(
    'AveragePool',
    { strides: ints(3, 3), ...up, ...counted },
    { x: [1, 2, 8, 8], opset: 22 },
  ),
  'AveragePool, SAME_UPPER': window('AveragePool', { ...two, auto_pad: { string: 'SAME_UPPER' } }),
  'AveragePool, SAME_LOWER': window('AveragePool', { ...two, auto_pad: { string: 'SAME_LOWER' } }),
  'AveragePool, VALID': window('AveragePool', { ...two, auto_pad: { string: 'VALID' } }),
  'AveragePool over the whole picture': window('AveragePool', { kernel_shape: ints(7, 8) }),
  'AveragePool in steps of one row, default strides': window('AveragePool', { kernel_shape: ints(1, 2) }),
  'MaxPool 8, padded on one side': window('MaxPool', { ...two, pads: ints(0, 0, 1, 1) }, { opset: 8 }),
  'MaxPool, rounded up, padded': window('MaxPool', { ...two, ...up, pads: ints(1, 1, 1, 1) }, { x: [1, 2, 8, 9] }),
  'MaxPool, the last window would start in the padding': window(
    'MaxPool',
    { kernel_shape: ints(2, 2), ...two, ...up, pads: ints(0, 0, 1, 1) },
    { x: [1, 2, 6, 6] },
  ),
  'MaxPool, SAME_LOWER': window('MaxPool', { ...two, auto_pad: { string: 'SAME_LOWER' } }),
  'GlobalAveragePool, then Flatten and Gemm': {
    x: [2, 3, 4, 5],
    nodes: [
      node('GlobalAveragePool', ['x'], 'p'),
      node('Flatten', ['p'], 'f', { axis: { int: -3 } }),
      node('Gemm', ['f', 'w'], 'y'),
    ],
    initializers: { w: random([3, 4]) },
    opset: 11,
  },
});

suite('reductions', {
  'ReduceMean, one axis after the other': {
    x: [2, 3, 4, 5],
    nodes: [
      node('ReduceMean', ['x'], 'r', { axes: ints(3), keepdims: { int: 0 } }),
      node('ReduceMean', ['r'], 'y', { axes: ints(-1), keepdims: { int: 0 } }),
    ],
  },
  'ReduceMean 18, no axes and none wanted': {
    x: [2, 3, 4, 5],
    nodes: one('ReduceMean', { noop_with_empty_axes: { int: 1 } }),
    opset: 18,
    ops: [],
  },
  'ReduceMean of pixels that lie NHWC': {
    x: [2, 4, 5, 3],
    nodes: [
      node('Transpose', ['x'], 't', { perm: ints(0, 3, 1, 2) }),
      node('Relu', ['t'], 'r'),
      node('Transpose', ['r'], 'back', { perm: ints(0, 2, 3, 1) }),
      node('ReduceMean', ['back'], 'y', { axes: ints(1, 2), keepdims: { int: 0 } }),
    ],
    plainInput: true,
    ops: ['activation', 'global-average-pool'],
  },
  'ReduceMax 18': {
    x: [2, 3, 4, 5],
    nodes: one('ReduceMax', { keepdims: { int: 0 } }, 'axes'),
    initializers: { axes: int64(-1, -2) },
    opset: 18,
  },
});

const text = (values: Readonly<Record<string, string>>): NonNullable<NodeSpec['attributes']> =>
  Object.fromEntries(Object.entries(values).map(([name, string]) => [name, { string }]));
const resized = (
  attributes: NonNullable<NodeSpec['attributes']>,
  size: readonly [number, number],
  more: Partial<Case> = {},
): Case => ({
  x: [1, 2, 4, 6],
  nodes: one('Resize', attributes, 'roi', 'none', 'sizes'),
  initializers: { roi: { dims: [0], values: [] }, none: { dims: [0], values: [] }, sizes: int64(1, 2, ...size) },
  ops: ['resize'],
  ...more,
});

suite('Resize', {
  '11, sizes, empty region and scales': resized(text({ mode: 'linear' }), [8, 9], { opset: 11 }),
  '11, nearest of TensorFlow': resized(
    text({ coordinate_transformation_mode: 'tf_half_pixel_for_nn', nearest_mode: 'floor' }),
    [8, 3],
    { opset: 11 },
  ),
  '11, align corners to one pixel': resized(
    text({ mode: 'linear', coordinate_transformation_mode: 'align_corners' }),
    [1, 3],
    { opset: 11 },
  ),
  '13, scales that make it smaller': {
    x: [1, 2, 4, 6],
    nodes: one('Resize', text({ mode: 'linear' }), '', 'scales'),
    initializers: { scales: { dims: [4], values: [1, 1, 0.5, 1.5] } },
    opset: 13,
  },
  '13, one size stays': resized(text({ mode: 'linear' }), [4, 9], { opset: 13 }),
  '18, axes from the end': {
    x: [1, 2, 4, 6],
    nodes: one('Resize', { ...text({ mode: 'linear' }), axes: ints(-1, -2) }, '', '', 'sizes'),
    initializers: { sizes: int64(9, 8) },
    opset: 18,
  },
  '19, half_pixel_symmetric': resized(
    text({ mode: 'linear', coordinate_transformation_mode: 'half_pixel_symmetric' }),
    [8, 9],
    { opset: 19 },
  ),
  '10, nearest, smaller': {
    x: [1, 2, 4, 6],
    nodes: one('Resize', text({ mode: 'nearest' }), 's'),
    initializers: { s: { dims: [4], values: [1, 1, 0.5, 0.5] } },
    opset: 10,
  },
  'of a size that the graph computes': {
    x: [1, 2, 4, 6],
    nodes: [
      node('Conv', ['x', 'w'], 'c', { strides: ints(2, 2) }),
      node('Shape', ['x'], 'like', { start: { int: 2 } }),
      node('Shape', ['c'], 'shape', { end: { int: -2 } }),
      node('Concat', ['shape', 'like'], 'sizes', { axis: { int: 0 } }),
      node(
        'Resize',
        ['c', '', '', 'sizes'],
        'y',
        text({ mode: 'linear', coordinate_transformation_mode: 'align_corners' }),
      ),
    ],
    initializers: { w: random([3, 2, 1, 1]) },
  },
});

suite('pads', {
  'before a convolution, no value': {
    x: [1, 2, 5, 6],
    nodes: [node('Pad', ['x', 'p'], 'q'), node('Conv', ['q', 'w'], 'y')],
    initializers: { p: int64(0, 0, 1, 0, 0, 0, 2, 1), w: random([3, 2, 3, 3]) },
    opset: 11,
    ops: ['pad', 'conv2d'],
  },
  'by nothing': {
    x: [1, 2, 3, 4],
    nodes: one('Pad', {}, 'p'),
    initializers: { p: int64(0, 0, 0, 0, 0, 0, 0, 0) },
    ops: [],
  },
  'opset 7': { x: [1, 2, 3, 4], nodes: one('Pad', { pads: ints(0, 0, 1, 1, 0, 0, 1, 1) }), opset: 7, ops: ['pad'] },
});

suite('shapes', {
  'Squeeze of all that is one': { x: [1, 3, 1, 1], nodes: one('Squeeze'), opset: 13 },
  'Squeeze 11, no axes': { x: [1, 3, 1, 1], nodes: one('Squeeze'), opset: 11 },
  'Unsqueeze 13 in front and behind': {
    x: [2, 3],
    nodes: one('Unsqueeze', {}, 'axes'),
    initializers: { axes: int64(-1, 2) },
    opset: 13,
  },
  'Flatten, axis 0': {
    x: [1, 3, 1, 1],
    nodes: one('Flatten', { axis: { int: 0 } }),
  },
  'Flatten, axis 4': { x: [1, 3, 1, 1], nodes: one('Flatten', { axis: { int: 4 } }) },
  'Flatten, axis −3, then a product': {
    x: [2, 3, 2, 2],
    nodes: [node('Flatten', ['x'], 'f', { axis: { int: -3 } }), node('MatMul', ['f', 'w'], 'y')],
    initializers: { w: random([12, 4]) },
  },
  'Reshape with 0 and −1': {
    x: [2, 3, 2, 2],
    nodes: [node('Reshape', ['x', 's'], 'f'), node('MatMul', ['f', 'w'], 'y')],
    initializers: { s: int64(0, -1), w: random([12, 4]) },
    opset: 7,
  },
  'one pixel by Gather, twice': {
    x: [2, 3, 4, 5],
    nodes: [
      node('GlobalAveragePool', ['x'], 'p'),
      node('Gather', ['p', 'zero'], 'a', { axis: { int: 3 } }),
      node('Gather', ['a', 'zero'], 'b', { axis: { int: 2 } }),
      node('MatMul', ['b', 'w'], 'y'),
    ],
    initializers: { zero: { dims: [], type: 'int64', values: [0] }, w: random([3, 4]) },
  },
  'Transpose of one pixel, default order': {
    x: [1, 3, 1, 1],
    nodes: one('Transpose'),
    plainOutput: true,
  },
  'ConstantOfShape, Where and Expand in a shape': {
    x: [1, 3, 4, 5],
    nodes: [
      node('Shape', ['s'], 'length'),
      node('ConstantOfShape', ['length'], 'ones', { value: { tensor: int64(1) } }),
      node('Mul', ['ones', 'minus'], 'negative'),
      node('Equal', ['s', 'negative'], 'unknown'),
      node('Where', ['unknown', 'ones', 's'], 'wanted'),
      node('Expand', ['x', 'wanted'], 'e'),
      node('Relu', ['e'], 'y'),
    ],
    initializers: { s: int64(1, -1, 4, 5), minus: { dims: [], type: 'int64', values: [-1] } },
    ops: ['activation'],
  },
  'Slice 7, by attributes': {
    x: [1, 3, 4, 5],
    nodes: [
      node('Shape', ['x'], 'shape'),
      node('Slice', ['shape'], 'n', { starts: ints(0), ends: ints(1), axes: ints(0) }),
      node('Concat', ['n', 'rest'], 'wanted', { axis: { int: 0 } }),
      node('Reshape', ['x', 'wanted'], 'f'),
      node('MatMul', ['f', 'w'], 'y'),
    ],
    initializers: { rest: int64(-1), w: random([60, 2]) },
    opset: 7,
  },
  'Slice 10, backwards in a shape': {
    x: [1, 2, 3, 4],
    nodes: [
      node('Shape', ['x'], 'shape'),
      node('Slice', ['shape', 'from', 'to', 'axis', 'step'], 'wh'),
      node('Slice', ['wh', 'zero', 'two', 'axis'], 'sizes2'),
      node('Concat', ['nc', 'sizes2'], 'sizes', { axis: { int: 0 } }),
      node('Resize', ['x', '', '', 'sizes'], 'y', text({ mode: 'linear' })),
    ],
    initializers: {
      from: int64(-1),
      to: int64(-5),
      axis: int64(0),
      step: int64(-1),
      zero: int64(0),
      two: int64(2),
      nc: int64(1, 2),
    },
    opset: 13,
  },
});

/** `node` on constants, its result (brought to float) added to x. */
const folded = (nodes: readonly NodeSpec[], initializers: Record<string, TensorSpec>, opset = 17): Case => ({
  x: [2, 3],
  nodes: [...nodes, node('Cast', ['r'], 'real', { to: { int: 1 } }), node('Add', ['x', 'real'], 'y')],
  initializers,
  opset,
  ops: ['affine'],
});
const some: Record<string, TensorSpec> = {
  a: { dims: [3], values: [-7.5, 2.25, 3] },
  b: { dims: [], values: [2] },
  c: { dims: [1], values: [2.5] },
  i: int64(-7, 2, 3),
  j: int64(2, 2, 4),
};

suite('constants', {
  'Max of three': folded([node('Max', ['a', 'b', 'c'], 'r')], some),
  'Min of one': folded([node('Min', ['a'], 'r')], some),
  'Sum of three': folded([node('Sum', ['a', 'b', 'c'], 'r')], some),
  'Mod of whole numbers, negative': folded([node('Mod', ['i', 'j'], 'r')], some),
  'Mod as in C': folded([node('Mod', ['a', 'b'], 'r', { fmod: { int: 1 } })], some),
  'Div of whole numbers, negative': folded([node('Div', ['i', 'j'], 'r')], some),
  'Cast to bool': folded([node('Cast', ['d'], 'r', { to: { int: 9 } })], { d: { dims: [3], values: [0.5, 0, -2] } }),
  'Cast to whole numbers': folded([node('Cast', ['a'], 'r', { to: { int: 6 } })], some),
  ...Object.fromEntries(
    ['Less', 'LessOrEqual', 'Greater', 'GreaterOrEqual', 'Equal'].map((op) => [
      op,
      folded([node(op, ['i', 'j'], 'r')], some),
    ]),
  ),
  'And, Or and Not': folded(
    [
      node('Less', ['a', 'b'], 'p'),
      node('Greater', ['a', 'c'], 'q'),
      node('Or', ['p', 'q'], 'o'),
      node('Not', ['q'], 'n'),
      node('And', ['o', 'n'], 'r'),
    ],
    some,
  ),
  ...Object.fromEntries(
    ['Neg', 'Abs', 'Exp', 'Floor', 'Ceil', 'Reciprocal'].map((op) => [op, folded([node(op, ['a'], 'r')], some)]),
  ),
  ...Object.fromEntries(
    ['Sqrt', 'Log'].map((op) => [op, folded([node('Abs', ['a'], 'p'), node(op, ['p'], 'r')], some)]),
  ),
  Pow: folded([node('Pow', ['a', 'b'], 'r')], some),
  'Where on both sides': folded([node('Less', ['i', 'j'], 'l'), node('Where', ['l', 'a', 'c'], 'r')], some),
  'Range of floats': folded([node('Range', ['zero', 'end', 'step'], 'r')], {
    zero: scalar(0.5),
    end: scalar(2),
    step: scalar(0.5),
  }),
  ReduceProd: folded([node('ReduceProd', ['i'], 'r', { axes: ints(0), keepdims: { int: 0 } })], some, 13),
});

suite('products', {
  'Gemm with transA of what was transposed': {
    x: [2, 6],
    nodes: [node('Transpose', ['x'], 't'), node('Gemm', ['t', 'w', 'b'], 'y', { transA: { int: 1 } })],
    initializers: { w: random([6, 4]), b: random([4]) },
    ops: ['fully-connected'],
  },
  'Gemm without C, operator set 11': {
    x: [2, 6],
    nodes: one('Gemm', { transB: { int: 1 } }, 'w'),
    initializers: { w: random([4, 6]) },
    opset: 11,
  },
  'Gemm, beta 0': {
    x: [2, 6],
    nodes: one('Gemm', { beta: { float: 0 } }, 'w', 'b'),
    initializers: { w: random([6, 4]), b: random([4]) },
  },
  'Gemm, C of one row': {
    x: [2, 6],
    nodes: one('Gemm', {}, 'w', 'b'),
    initializers: { w: random([6, 4]), b: random([1, 4]) },
  },
  'MatMul with a matrix of more dimensions': {
    x: [1, 6],
    nodes: [node('MatMul', ['x', 'w'], 'm'), node('Squeeze', ['m', 'a'], 'y')],
    initializers: { w: random([1, 6, 4]), a: int64(0) },
  },
});

suite('activations', {
  'HardSigmoid, alpha and beta': {
    x: [1, 3, 2, 2],
    nodes: one('HardSigmoid', { alpha: { float: 0.3 }, beta: { float: 0.4 } }),
  },
  'HardSigmoid with 0.1666667': {
    x: [1, 3, 2, 2],
    nodes: one('HardSigmoid', { alpha: { float: 0.1666667 } }),
    range: [-5, 5],
    ops: ['activation'],
  },
  'HardSwish 14': { x: [1, 3, 2, 2], nodes: one('HardSwish'), range: [-5, 5], opset: 14, ops: ['activation'] },
  'Softmax 7 from the second dimension on': { x: [2, 5, 1, 1], nodes: one('Softmax'), opset: 7 },
  'Softmax 13, last axis': { x: [2, 5], nodes: one('Softmax', { axis: { int: -1 } }), opset: 13 },
  'Max of a constant on both sides, double': {
    x: [1, 3, 2, 2],
    nodes: [node('Max', ['low', 'x'], 'm'), node('Min', ['m', 'high'], 'y')],
    initializers: { low: { dims: [1], values: [0] }, high: { dims: [1, 1, 1, 1], values: [6] } },
    opset: 8,
  },
  'one input alone': { x: [1, 3, 2, 2], nodes: [node('Max', ['x'], 'a'), node('Sum', ['a'], 'y')] },
  'Cast to float16 and back is left out of weights': {
    x: [1, 4],
    nodes: [
      node('Cast', ['w'], 'w16', { to: { int: 10 } }),
      node('Cast', ['w16'], 'w32', { to: { int: 1 } }),
      node('MatMul', ['x', 'w32'], 'y'),
    ],
    initializers: { w: { dims: [4, 2], values: [0.5, 1, -2, 0.25, 3, 4, -0.125, 1] } },
  },
});

test('an initializer that is listed as an input, as before IR version 4, is no input', async () => {
  const bytes = fileOf({ x: [1, 4], nodes: one('MatMul', {}, 'w'), initializers: { w: random([4, 2]) }, opset: 8 });
  expect((await loadGraph({ name: 'a.onnx', bytes })).inputs.map(({ name }) => name)).toEqual(['x']);
});
