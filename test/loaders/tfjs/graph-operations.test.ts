import { describe, expect, test } from 'vitest';
import { loadGraph } from '../../../src/loaders/index.ts';
import { runGraph } from '../../../src/reference/index.ts';
import { normalisedMeanSquareError, randomValues, tensorflowOutputs } from '../../support/oracles.ts';
import {
  type TfjsAttribute,
  type TfjsModel,
  type TfjsNodeSpec,
  type TfjsWeightSpec,
  writeTfjs,
} from '../../support/tfjs-writer.ts';

let seed = 1;

const random = (shape: readonly number[], low = -1, high = 1): TfjsWeightSpec => ({
  shape,
  values: randomValues(
    shape.reduce((a, b) => a * b, 1),
    seed++,
    low,
    high,
  ),
});
const int32 = (...values: number[]): TfjsWeightSpec => ({ shape: [values.length], dtype: 'int32', values });
const scalar = (value: number): TfjsWeightSpec => ({ shape: [], values: [value] });
const whole = (value: number): TfjsWeightSpec => ({ shape: [], dtype: 'int32', values: [value] });

const filesOf = ({ bytes, shard }: TfjsModel) => ({ name: 'model.json', bytes, read: async () => shard });

interface Case {
  readonly nodes: readonly TfjsNodeSpec[];
  /** Shape of the input `x`. */
  readonly x: readonly number[];
  readonly stated?: readonly number[];
  readonly weights?: Readonly<Record<string, TfjsWeightSpec>>;
  readonly range?: readonly [number, number];
  readonly ops?: readonly string[];
}

async function compare({ nodes, x: dims, stated = dims, weights = {}, range = [-3, 3], ops }: Case): Promise<void> {
  const model = writeTfjs({ inputs: { x: { shape: stated } }, nodes, weights });
  const data = randomValues(
    dims.reduce((a, b) => a * b, 1),
    seed++,
    ...range,
  );
  const expected = (await tensorflowOutputs(model.json, model.shard, { x: { dims, data } }, ['y'], 'cpu')).y!;
  const graph = await loadGraph(filesOf(model));
  if (ops) expect(graph.nodes.map(({ op }) => op)).toEqual(ops);
  const found = runGraph(graph, { x: data }).y!;
  if (expected.dims.length === 4) expect(found.shape).toEqual(expected.dims);
  expect(normalisedMeanSquareError(found.data, expected.data)).toBeLessThan(1e-12);
}

const suite = (title: string, cases: Readonly<Record<string, Case>>) =>
  describe(title, () => {
    for (const [name, testCase] of Object.entries(cases)) test(name, () => compare(testCase));
  });

const node = (
  op: string,
  input: readonly string[],
  attr: Readonly<Record<string, TfjsAttribute>> = {},
  name = 'y',
): TfjsNodeSpec => ({
  name,
  op,
  input,
  attr: { T: { type: 'DT_FLOAT' }, ...attr },
});

const window = (stride: readonly [number, number], padding: string, dilation: readonly [number, number] = [1, 1]) => ({
  strides: { ints: [1, ...stride, 1] },
  padding: { s: padding },
  dilations: { ints: [1, ...dilation, 1] },
  data_format: { s: 'NHWC' },
  explicit_paddings: { ints: [] },
});

const fused = (...steps: string[]) => ({
  fused_ops: { strings: steps },
  num_args: { i: 1 },
  epsilon: { f: 0 },
});

suite('convolutions', {
  'Conv2D with a bias and slopes below zero': {
    x: [1, 5, 5, 3],
    nodes: [
      node('_FusedConv2D', ['x', 'w', 'b', 'slopes'], {
        ...window([1, 1], 'SAME'),
        ...fused('BiasAdd', 'Prelu'),
        num_args: { i: 2 },
      }),
    ],
    weights: { w: random([3, 3, 3, 4]), b: random([4]), slopes: random([1, 1, 4]) },
    ops: ['conv2d', 'prelu'],
  },
  'Conv2D, SAME, even, stride 2': {
    x: [2, 6, 8, 3],
    nodes: [node('Conv2D', ['x', 'w'], window([2, 2], 'SAME'))],
    weights: { w: random([3, 5, 3, 4]) },
    ops: ['conv2d'],
  },
  'Conv2D, SAME, odd, stride 2': {
    x: [1, 7, 9, 3],
    nodes: [node('Conv2D', ['x', 'w'], window([2, 2], 'SAME'))],
    weights: { w: random([3, 3, 3, 4]) },
  },
  'Conv2D, VALID': {
    x: [1, 7, 9, 3],
    nodes: [node('Conv2D', ['x', 'w'], window([1, 1], 'VALID'))],
    weights: { w: random([3, 3, 3, 4]) },
  },
  'Conv2D, EXPLICIT': {
    x: [1, 7, 9, 3],
    nodes: [
      node('Conv2D', ['x', 'w'], {
        ...window([2, 2], 'EXPLICIT'),
        explicit_paddings: { ints: [0, 0, 1, 2, 0, 3, 0, 0] },
      }),
    ],
    weights: { w: random([3, 3, 3, 4]) },
  },
  'Conv2D, dilated': {
    x: [1, 9, 9, 3],
    nodes: [node('Conv2D', ['x', 'w'], window([1, 1], 'SAME', [2, 2]))],
    weights: { w: random([3, 3, 3, 4]) },
  },
  '_FusedConv2D with bias and Relu6': {
    x: [1, 5, 5, 3],
    nodes: [node('_FusedConv2D', ['x', 'w', 'b'], { ...window([1, 1], 'SAME'), ...fused('BiasAdd', 'Relu6') })],
    weights: { w: random([3, 3, 3, 4]), b: random([4]) },
    ops: ['conv2d'],
  },
  'DepthwiseConv2dNative, two outputs a channel': {
    x: [1, 6, 6, 3],
    nodes: [node('DepthwiseConv2dNative', ['x', 'w'], window([2, 2], 'SAME'))],
    weights: { w: random([3, 3, 3, 2]) },
    ops: ['conv2d'],
  },
  'Conv2DBackpropInput, SAME, even, stride 2': {
    x: [2, 4, 5, 3],
    nodes: [node('Conv2DBackpropInput', ['size', 'w', 'x'], window([2, 2], 'SAME'))],
    weights: { w: random([3, 4, 5, 3]), size: int32(2, 8, 10, 5) },
    ops: ['conv-transpose2d'],
  },
  'Conv2DBackpropInput, SAME, odd': {
    x: [1, 4, 5, 3],
    nodes: [node('Conv2DBackpropInput', ['size', 'w', 'x'], window([2, 2], 'SAME'))],
    weights: { w: random([2, 2, 5, 3]), size: int32(1, 7, 9, 5) },
  },
  'Conv2DBackpropInput, VALID': {
    x: [1, 4, 5, 3],
    nodes: [node('Conv2DBackpropInput', ['size', 'w', 'x'], window([2, 3], 'VALID'))],
    weights: { w: random([3, 4, 2, 3]), size: int32(1, 9, 16, 2) },
  },
  'SpaceToBatchND and BatchToSpaceND around Conv2D': {
    x: [1, 9, 9, 3],
    nodes: [
      node('SpaceToBatchND', ['x', 'block', 'pads'], {}, 'there'),
      node('Conv2D', ['there', 'w'], window([1, 1], 'VALID'), 'conv'),
      node('BatchToSpaceND', ['conv', 'block', 'crops']),
    ],
    weights: {
      w: random([3, 3, 3, 4]),
      block: int32(2, 2),
      pads: { shape: [2, 2], dtype: 'int32', values: [2, 3, 2, 3] },
      crops: { shape: [2, 2], dtype: 'int32', values: [0, 1, 0, 1] },
    },
    ops: ['conv2d'],
  },
  'SpaceToBatchND and BatchToSpaceND around DepthwiseConv2dNative, SAME inside': {
    x: [1, 8, 12, 3],
    nodes: [
      node('SpaceToBatchND', ['x', 'block', 'pads'], {}, 'there'),
      node('DepthwiseConv2dNative', ['there', 'w'], window([1, 1], 'SAME'), 'conv'),
      node('BatchToSpaceND', ['conv', 'block', 'pads']),
    ],
    weights: {
      w: random([3, 3, 3, 1]),
      block: int32(4, 3),
      pads: { shape: [2, 2], dtype: 'int32', values: [0, 0, 0, 0] },
    },
    ops: ['conv2d'],
  },
  'FusedDepthwiseConv2dNative with bias and Relu': {
    x: [1, 6, 6, 3],
    nodes: [
      node('FusedDepthwiseConv2dNative', ['x', 'w', 'b'], { ...window([1, 1], 'SAME'), ...fused('BiasAdd', 'Relu') }),
    ],
    weights: { w: random([3, 3, 3, 1]), b: random([3]) },
  },
  'Conv2D, BiasAdd, FusedBatchNormV3, Relu6': {
    x: [1, 5, 5, 3],
    nodes: [
      node('Conv2D', ['x', 'w'], window([1, 1], 'SAME'), 'c'),
      node('BiasAdd', ['c', 'b'], { data_format: { s: 'NHWC' } }, 'd'),
      node('FusedBatchNormV3', ['d', 's', 'o', 'm', 'v'], { epsilon: { f: 0.001 }, is_training: { b: false } }, 'n'),
      node('Relu6', ['n']),
    ],
    weights: {
      w: random([1, 1, 3, 4]),
      b: random([4]),
      s: random([4], 0.5, 2),
      o: random([4]),
      m: random([4]),
      v: random([4], 0.1, 2),
    },
    ops: ['conv2d', 'affine', 'batch-norm', 'activation'],
  },
  'Pad before VALID': {
    x: [1, 6, 6, 2],
    nodes: [node('Pad', ['x', 'p'], {}, 'q'), node('DepthwiseConv2dNative', ['q', 'w'], window([2, 2], 'VALID'))],
    weights: { w: random([3, 3, 2, 1]), p: { shape: [4, 2], dtype: 'int32', values: [0, 0, 0, 1, 0, 1, 0, 0] } },
    ops: ['pad', 'conv2d'],
  },
});

suite('elementwise', {
  'Relu, Minimum, Maximum': {
    x: [1, 3, 3, 2],
    nodes: [node('Relu', ['x'], {}, 'r'), node('Minimum', ['r', 'six'], {}, 's'), node('Maximum', ['s', 'zero'])],
    weights: { six: scalar(6), zero: scalar(0) },
    range: [-9, 9],
    ops: ['activation', 'clip', 'clip'],
  },
  'hard-swish as Add, Relu6, Mul, Mul': {
    x: [1, 3, 3, 2],
    nodes: [
      node('Add', ['x', 'three'], {}, 'a'),
      node('Relu6', ['a'], {}, 'r'),
      node('Mul', ['sixth', 'x'], {}, 'm'),
      node('Mul', ['m', 'r']),
    ],
    weights: { three: scalar(3), sixth: scalar(1 / 6) },
    range: [-5, 5],
    ops: ['affine', 'activation', 'affine', 'multiply'],
  },
  'Sub and RealDiv with one a channel': {
    x: [1, 3, 3, 2],
    nodes: [node('Sub', ['x', 'm'], {}, 's'), node('RealDiv', ['s', 'd'])],
    weights: { m: random([2]), d: random([1, 1, 1, 2], 0.5, 2) },
    ops: ['affine', 'affine'],
  },
  Tanh: { x: [1, 3, 4, 5], nodes: [node('Tanh', ['x'])], ops: ['affine', 'activation', 'affine'] },
  'Sub of tensors, Sigmoid': {
    x: [1, 3, 3, 2],
    nodes: [node('Sigmoid', ['x'], {}, 's'), node('Sub', ['x', 's'])],
  },
  'Prelu that is Relu': {
    x: [1, 3, 3, 2],
    nodes: [node('Prelu', ['x', 'slopes'])],
    weights: { slopes: { shape: [1, 1, 2], values: [0, 0] } },
    ops: ['activation'],
  },
  Prelu: {
    x: [1, 3, 3, 2],
    nodes: [node('Prelu', ['x', 'slopes'])],
    weights: { slopes: { shape: [1, 1, 2], values: [0.2, -1.5] } },
    ops: ['prelu'],
  },
  LeakyRelu: {
    x: [1, 3, 3, 2],
    nodes: [node('LeakyRelu', ['x'], { alpha: { f: 0.3 } })],
    ops: ['prelu'],
  },
  ClipByValue: {
    x: [1, 3, 3, 2],
    nodes: [node('ClipByValue', ['x', 'low', 'high'])],
    weights: { low: scalar(-1), high: scalar(2) },
    ops: ['clip'],
  },
});

suite('pools and resizes', {
  'AvgPool, SAME': {
    x: [1, 5, 6, 2],
    nodes: [node('AvgPool', ['x'], { ...window([2, 2], 'SAME'), ksize: { ints: [1, 3, 3, 1] } })],
  },
  'MaxPool, SAME, negative values': {
    x: [1, 6, 6, 2],
    nodes: [node('MaxPool', ['x'], { ...window([2, 2], 'SAME'), ksize: { ints: [1, 3, 3, 1] } })],
    range: [-3, -1],
  },
  'Mean, dimensions dropped': {
    x: [2, 3, 4, 5],
    nodes: [node('Mean', ['x', 'axes'], { keep_dims: { b: false } })],
    weights: { axes: int32(1, 2) },
    ops: ['global-average-pool'],
  },
  'squeeze-and-excitation': {
    x: [2, 3, 4, 5],
    nodes: [
      node('Mean', ['x', 'axes'], { keep_dims: { b: true } }, 'm'),
      node('Conv2D', ['m', 'w'], window([1, 1], 'SAME'), 'c'),
      node('Sigmoid', ['c'], {}, 's'),
      node('Mul', ['s', 'x']),
    ],
    weights: { axes: int32(1, 2), w: random([1, 1, 5, 5]) },
    ops: ['global-average-pool', 'conv2d', 'activation', 'multiply'],
  },
  ...Object.fromEntries(
    (['ResizeBilinear', 'ResizeNearestNeighbor'] as const).flatMap((op) =>
      (
        [
          ['asymmetric', {}],
          ['align_corners', { align_corners: { b: true } }],
          ['half_pixel_centers', { half_pixel_centers: { b: true } }],
        ] as const
      ).map(([name, attributes]) => [
        `${op}, ${name}`,
        {
          x: [1, 4, 5, 2],
          nodes: [
            node(op, ['x', 'size'], { align_corners: { b: false }, half_pixel_centers: { b: false }, ...attributes }),
          ],
          weights: { size: int32(7, 8) },
          ops: ['resize'],
        } satisfies Case,
      ]),
    ),
  ),
});

suite('products and shapes', {
  '_FusedMatMul after a flatten of pixels, dynamic batch': {
    x: [1, 2, 3, 4],
    stated: [-1, 2, 3, 4],
    nodes: [
      node('Reshape', ['x', 'shape'], {}, 'f'),
      node('_FusedMatMul', ['f', 'w', 'b'], {
        ...fused('BiasAdd', 'Relu'),
        transpose_a: { b: false },
        transpose_b: { b: false },
      }),
    ],
    weights: { shape: int32(-1, 24), w: random([24, 3]), b: random([3]) },
    ops: ['fully-connected'],
  },
  'MatMul with transposed weights, Softmax': {
    x: [1, 6],
    nodes: [
      node('MatMul', ['x', 'w'], { transpose_a: { b: false }, transpose_b: { b: true } }, 'm'),
      node('Softmax', ['m']),
    ],
    weights: { w: random([5, 6]) },
    ops: ['fully-connected', 'softmax'],
  },
  'a shape computed in the graph': {
    x: [1, 2, 3, 4],
    nodes: [
      node('Shape', ['x'], { out_type: { type: 'DT_INT32' } }, 'shape'),
      node('StridedSlice', ['shape', 'zero', 'one', 'one'], { shrink_axis_mask: { i: 1 } }, 'n'),
      node('Pack', ['n', 'rest'], { axis: { i: 0 }, N: { i: 2 } }, 'wanted'),
      node('Reshape', ['x', 'wanted']),
    ],
    weights: { zero: int32(0), one: int32(1), rest: whole(24) },
    ops: [],
  },
  'ConcatV2 on channels': {
    x: [1, 2, 3, 4],
    nodes: [node('Relu', ['x'], {}, 'r'), node('ConcatV2', ['x', 'r', 'axis'], { N: { i: 2 } })],
    weights: { axis: whole(-1) },
    ops: ['activation', 'concat'],
  },
  ...Object.fromEntries(
    [0, 1, 2].map((axis) => [
      `ConcatV2 on axis ${axis}`,
      {
        x: [1, 2, 3, 4],
        nodes: [node('Relu', ['x'], {}, 'r'), node('ConcatV2', ['x', 'r', 'axis'], { N: { i: 2 } })],
        weights: { axis: whole(axis) },
        ops: ['activation', 'concat'],
      },
    ]),
  ),
  'Squeeze, ExpandDims, Identity': {
    x: [1, 1, 1, 4],
    nodes: [
      node('Squeeze', ['x'], { squeeze_dims: { ints: [1, 2] } }, 's'),
      node('ExpandDims', ['s', 'one'], {}, 'e'),
      node('Identity', ['e'], {}, 'i'),
      node('Relu', ['i']),
    ],
    weights: { one: whole(1) },
    ops: ['activation'],
  },
});

suite('stored weights', {
  float16: {
    x: [1, 4],
    nodes: [node('MatMul', ['x', 'w'])],
    weights: {
      w: { shape: [4, 2], values: [1, -2, 0.5, 0.375, 6, -0.25, 0, 1024], quantization: { dtype: 'float16' } },
    },
  },
  uint8: {
    x: [1, 4],
    nodes: [node('MatMul', ['x', 'w'])],
    weights: {
      w: {
        shape: [4, 2],
        values: [0, 1, 2, 100, 200, 255, 7, 9],
        quantization: { dtype: 'uint8', scale: 0.0123, min: -1.7 },
      },
    },
  },
  uint16: {
    x: [1, 4],
    nodes: [node('MatMul', ['x', 'w'])],
    weights: {
      w: {
        shape: [4, 2],
        values: [0, 1, 2, 100, 20000, 65535, 7, 9],
        quantization: { dtype: 'uint16', scale: 0.000123, min: -1.7 },
      },
    },
  },
});

describe('names', () => {
  const two = {
    inputs: { x: { shape: [1, 3] } },
    nodes: [node('Relu', ['x'], {}, 'r'), node('Sigmoid', ['r'], {}, 's'), node('TopKV2', ['r', 'k'], {}, 't')],
    weights: { k: whole(1) },
  };

  test('outputs are the keys of the signature, without ":0"', async () => {
    const signature = { outputs: { 'first:0': { name: 's:0' }, second: { name: 'r' } } };
    const graph = await loadGraph(filesOf(writeTfjs({ ...two, signature })));
    expect(graph.outputs).toEqual([
      { name: 'first', tensor: 's' },
      { name: 'second', tensor: 'r' },
    ]);
  });

  test('without a signature, outputs are the nodes that nothing reads', async () => {
    const graph = await loadGraph(filesOf(writeTfjs({ ...two, nodes: two.nodes.slice(0, 2) })));
    expect(graph.outputs).toEqual([{ name: 's', tensor: 's' }]);
  });

  test('what picks places at the end is left out', async () => {
    const graph = await loadGraph(filesOf(writeTfjs(two)));
    expect(graph.outputs.map(({ name }) => name)).toEqual(['s', 'r']);
    expect(graph.nodes).toHaveLength(2);
    // Asked for, it is an error that says where to cut.
    await expect(loadGraph(filesOf(writeTfjs(two)), { outputs: ['t'] })).rejects.toMatchObject({
      node: 't',
      op: 'TopKV2',
      message: expect.stringContaining('the network can be cut (option "outputs") at: r'),
    });
  });

  test('what learnt weights is not left out', async () => {
    const nodes = [...two.nodes, { name: 'c', op: 'Conv2D', input: ['t', 'k'] }];
    const weights = { ...two.weights, k: { shape: [1, 1, 3, 3], values: new Float32Array(9) } };
    await expect(loadGraph(filesOf(writeTfjs({ ...two, nodes, weights })))).rejects.toMatchObject({
      code: 'unsupported-op',
      node: 't',
      message: expect.stringMatching(/\(TopKV2\): .*; the network can be cut .* at: s, r$/),
    });
  });

  test('a cut leaves out what it does not need', async () => {
    const graph = await loadGraph(filesOf(writeTfjs(two)), { outputs: ['s:0'] });
    expect(graph.outputs).toEqual([{ name: 's:0', tensor: 's' }]);
    await expect(loadGraph(filesOf(writeTfjs(two)), { outputs: ['z'] })).rejects.toMatchObject({ code: 'usage' });
  });

  test('sizes of inputs can be given', async () => {
    const model = writeTfjs({ ...two, inputs: { x: { shape: [-1, -1, -1, 3] } }, nodes: two.nodes.slice(0, 2) });
    await expect(loadGraph(filesOf(model))).rejects.toThrow('input "x" has the shape [?,?,?,3]');
    const graph = await loadGraph(filesOf(model), { inputShapes: { x: [2, 5, 6, 3] } });
    expect(graph.inputs).toEqual([{ name: 'x', shape: [2, 5, 6, 3] }]);
  });

  test('names of prototypes are names like others', async () => {
    const graph = await loadGraph(
      filesOf(
        writeTfjs({
          inputs: { constructor: { shape: [1, 3] } },
          nodes: [node('Relu', ['constructor'], {}, 'toString'), node('Sigmoid', ['toString'], {}, '__proto__')],
        }),
      ),
    );
    expect(graph.outputs).toEqual([{ name: '__proto__', tensor: '__proto__' }]);
  });
});
