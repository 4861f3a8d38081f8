/** Small files with the nodes that exporters write today, against ONNX Runtime. */
import { describe, expect, test } from 'vitest';
import { UnsupportedOpError, UsageError } from '../../../src/errors.ts';
import { loadGraph } from '../../../src/loaders/index.ts';
import { runPasses } from '../../../src/passes/index.ts';
import { runGraph } from '../../../src/reference/index.ts';
import { fileOf, int64, one, random, scalar, suite } from '../../support/onnx-case.ts';
import { type ModelSpec, type NodeSpec, type TensorSpec, writeOnnx } from '../../support/onnx-writer.ts';
import { normalisedMeanSquareError, onnxRuntimeOutputs, randomValues, toNhwc } from '../../support/oracles.ts';

const node = (op: string, inputs: string[], output: string, attributes: NodeSpec['attributes'] = {}): NodeSpec => ({
  op,
  name: `node_${output}`,
  inputs,
  outputs: [output],
  attributes,
});
const ints = (...values: number[]) => ({ ints: values });

/** tf2onnx (Keras 2 and 3): the picture is NHWC, and Keras's ZeroPadding2D comes before the transposition to NCHW. */
const fromTensorFlow = {
  nodes: [
    node('Pad', ['x', 'zeros'], 'padded'),
    node('Transpose', ['padded'], 'planes', { perm: ints(0, 3, 1, 2) }),
    node('Conv', ['planes', 'w', 'b'], 'c', { strides: ints(2, 2), kernel_shape: ints(3, 3), group: { int: 1 } }),
    node('Clip', ['c', 'zero', 'six'], 'r'),
    node('Pad', ['r', 'zeros2'], 'padded2'),
    node('Conv', ['padded2', 'd', 'e'], 'c2', { strides: ints(2, 2), kernel_shape: ints(3, 3), group: { int: 8 } }),
    node('Clip', ['c2', 'zero', 'six'], 'r2'),
    node('GlobalAveragePool', ['r2'], 'p'),
    node('Squeeze', ['p', 'axes'], 'f'),
    node('MatMul', ['f', 'k'], 'm'),
    node('Add', ['m', 'l'], 'logits'),
    node('Softmax', ['logits'], 'y', { axis: { int: -1 } }),
  ],
  initializers: {
    zeros: int64(0, 0, 0, 0, 0, 1, 1, 0),
    zeros2: int64(0, 0, 0, 0, 0, 0, 1, 1),
    axes: int64(2, 3),
    zero: scalar(0),
    six: scalar(6),
    w: random([8, 3, 3, 3]),
    b: random([8]),
    d: random([8, 1, 3, 3]),
    e: random([8]),
    k: random([8, 5]),
    l: random([5]),
  },
};

suite('tf2onnx', {
  'zeros around the picture before it becomes planes': { x: [1, 8, 8, 3], plainInput: true, ...fromTensorFlow },
  'a picture of any batch': { x: [1, 8, 8, 3], stated: ['unk__1', 8, 8, 3], plainInput: true, ...fromTensorFlow },
});

test('tf2onnx: zeros go into the convolutions, and nothing is transposed', async () => {
  const bytes = fileOf({ x: [1, 8, 8, 3], ...fromTensorFlow });
  const graph = await loadGraph({ name: 'keras.onnx', bytes });
  expect(graph.inputs).toEqual([{ name: 'x', shape: [1, 8, 8, 3] }]);
  expect(runPasses(graph).nodes.map(({ op }) => op)).toEqual([
    ...['conv2d', 'conv2d', 'global-average-pool', 'fully-connected', 'softmax'],
  ]);
});

/**
 * PyTorch's exporter over TorchDynamo: adaptive pooling is a mean over [-1, -2], a view a Reshape with allowzero, limits
 * are initializers, and weights lie beside the model as `NAME.onnx.data`.
 */
const fromDynamo = (opset: number, initializers: Readonly<Record<string, TensorSpec>>): ModelSpec => ({
  opset,
  nodes: [
    node('Conv', ['x', 'features.0.0.weight', 'features.0.0.bias'], 'getitem', {
      group: { int: 1 },
      pads: ints(1, 1, 1, 1),
      auto_pad: { string: 'NOTSET' },
      strides: ints(2, 2),
      dilations: ints(1, 1),
    }),
    node('Clip', ['getitem', 'val_0', 'val_1'], 'hardtanh'),
    node('HardSwish', ['hardtanh'], 'hardswish'),
    node('ReduceMean', ['hardswish', 'val_2'], 'mean', { keepdims: { int: 1 }, noop_with_empty_axes: { int: 0 } }),
    node('Shape', ['x'], 'val_3', { start: { int: 0 }, end: { int: 1 } }),
    node('Concat', ['val_3', 'val_4'], 'val_5', { axis: { int: 0 } }),
    node('Reshape', ['mean', 'val_5'], 'view', { allowzero: { int: 1 } }),
    node('Gemm', ['view', 'classifier.1.weight', 'classifier.1.bias'], 'y', {
      alpha: { float: 1 },
      beta: { float: 1 },
      transA: { int: 0 },
      transB: { int: 1 },
    }),
  ],
  inputs: [{ name: 'x', type: 'float', dims: ['s77', 3, 9, 9] }],
  outputs: [{ name: 'y', type: 'float' }],
  initializers,
});
const dynamoWeights = {
  'features.0.0.weight': random([8, 3, 3, 3]),
  'features.0.0.bias': random([8]),
  'classifier.1.weight': random([5, 8]),
  'classifier.1.bias': random([5]),
  val_0: scalar(0),
  val_1: scalar(6),
  val_2: int64(-1, -2),
  val_4: int64(8),
};

test.each([18, 20, 23])('PyTorch over TorchDynamo, operator set %i', async (opset) => {
  const [dims, data] = [[1, 3, 9, 9], randomValues(243, 5)];
  const inside = writeOnnx(fromDynamo(opset, dynamoWeights));
  const expected = (await onnxRuntimeOutputs(inside, { x: { dims, data } })).y!;
  // The tensors of more than a few bytes in a file beside it, each at a multiple of 16.
  const beside = new Uint8Array(4096);
  let offset = 0;
  const outside = Object.entries(dynamoWeights).map(([name, tensor]): [string, TensorSpec] => {
    if ('type' in tensor || !tensor.values || tensor.values.length < 5) return [name, tensor];
    const bytes = new Uint8Array(Float32Array.from(tensor.values).buffer);
    beside.set(bytes, offset);
    const external = { location: 'mobilenet.onnx.data', offset: String(offset), length: String(bytes.length) };
    offset = Math.ceil((offset + bytes.length) / 16) * 16;
    return [name, { dims: tensor.dims, external }];
  });
  const bytes = writeOnnx(fromDynamo(opset, Object.fromEntries(outside)));
  const graph = await loadGraph({ name: 'mobilenet.onnx', bytes, read: async () => beside });
  const found = runGraph(graph, { x: toNhwc(dims, data) }).y!;
  expect(normalisedMeanSquareError(found.data, expected.data)).toBeLessThan(1e-12);
  expect(runPasses(graph).nodes.map(({ op }) => op)).toEqual([
    ...['conv2d', 'activation', 'global-average-pool', 'fully-connected'],
  ]);
});

describe('operator sets later than this engine', () => {
  test('what it knows runs', async () => {
    const graph = await loadGraph({ name: 'm', bytes: fileOf({ x: [1, 3, 4, 4], opset: 40, nodes: one('Relu') }) });
    expect(graph.nodes.map(({ op }) => op)).toEqual(['activation']);
  });

  test('an operation that it does not know is named', async () => {
    const bytes = fileOf({ x: [1, 3, 4, 4], opset: 24, nodes: one('TensorScatter', {}, 'x') });
    await expect(loadGraph({ name: 'm', bytes })).rejects.toThrow(UnsupportedOpError);
    await expect(loadGraph({ name: 'm', bytes })).rejects.toThrow(/node "n" \(TensorScatter\)/);
  });

  test('Swish of operator set 24, by its definition x / (1 + exp(-alpha x))', async () => {
    const bytes = fileOf({ x: [1, 1, 1, 5], opset: 24, nodes: one('Swish', { alpha: { float: 1.5 } }) });
    const x = Float32Array.of(-3, -1, 0, 0.5, 4);
    const { y } = runGraph(await loadGraph({ name: 'm', bytes }), { x });
    y!.data.forEach((value, i) => {
      expect(value).toBeCloseTo(x[i]! / (1 + Math.exp(-1.5 * x[i]!)), 5);
    });
  });
});

describe('Optimum: every size of the picture is open', () => {
  const open = ['batch_size', 'num_channels', 'height', 'width'];
  const stem = node('Conv', ['x', 'w'], 'c', { strides: ints(2, 2), pads: ints(1, 1, 1, 1) });
  const w = random([8, 3, 3, 3]);
  const head = [node('GlobalAveragePool', ['c'], 'p'), node('Flatten', ['p'], 'y')];
  const open4 = (nodes: readonly NodeSpec[], initializers: Readonly<Record<string, TensorSpec>>) => ({
    name: 'model.onnx',
    bytes: fileOf({ x: [1, 3, 9, 9], stated: open, nodes, initializers }),
  });

  test('the channels are those of the first convolution, and a size is suggested', async () => {
    const source = open4([stem, ...head], { w });
    const loading = loadGraph(source);
    await expect(loading).rejects.toThrow(UsageError);
    await expect(loading).rejects.toThrow(
      'input "x" has the shape [?,3,?,?] in the file: give one, as the option inputShapes: { "x": [1, 3, 224, 224] }, ' +
        'or --input-shape x=1,3,224,224 on the command line',
    );
    const graph = await loadGraph(source, { inputShapes: { x: [1, 3, 96, 64] } });
    expect(graph.inputs).toEqual([{ name: 'x', shape: [1, 96, 64, 3] }]);
    await expect(loadGraph(source, { inputShapes: { x: [1, 4, 96, 64] } })).rejects.toThrow(
      'cannot have the shape [1,4,96,64], expected [any,3,any,any]',
    );
  });

  test('a size that the head works with', async () => {
    // 128 / 2 = 64 pixels a side.
    const flat = [node('Reshape', ['c', 's'], 'f'), node('Gemm', ['f', 'd'], 'y')];
    const source = open4([stem, ...flat], { w, s: int64(-1, 8 * 64 * 64), d: random([8 * 64 * 64, 2]) });
    await expect(loadGraph(source)).rejects.toThrow('--input-shape x=1,3,128,128 on the command line');
  });

  test('grouped and quantised first convolutions', async () => {
    const grouped = open4([{ ...stem, attributes: { ...stem.attributes, group: { int: 3 } } }, ...head], {
      w: random([6, 1, 3, 3]),
    });
    await expect(loadGraph(grouped)).rejects.toThrow('[?,3,?,?]');
    const quantised = open4([node('DequantizeLinear', ['q', 'scale'], 'w'), stem, ...head], {
      q: { dims: [8, 4, 3, 3], type: 'int8', values: new Array(288).fill(1) },
      scale: scalar(0.1),
    });
    await expect(loadGraph(quantised)).rejects.toThrow('[?,4,?,?]');
  });

  test('where no size helps, what is wrong with the network', async () => {
    await expect(loadGraph(open4([stem, node('Unheard', ['c'], 'y')], { w }))).rejects.toThrow(/\(Unheard\)/);
  });
});

describe('zeros around a quantised picture', () => {
  const quantised = (filler: readonly string[], extra: Readonly<Record<string, TensorSpec>>, zeroPoint: number) => ({
    x: [1, 3, 4, 5],
    nodes: [
      node('QuantizeLinear', ['x', 's', 'z'], 'q'),
      node('Pad', ['q', 'p', ...filler], 'padded'),
      node('DequantizeLinear', ['padded', 's', 'z'], 'real'),
      node('Conv', ['real', 'w'], 'y'),
    ],
    initializers: {
      s: scalar(1 / 64),
      z: { dims: [], type: 'uint8' as const, values: [zeroPoint] },
      p: int64(0, 0, 1, 1, 0, 0, 2, 1),
      w: random([4, 3, 3, 3]),
      ...extra,
    },
  });
  const zero: TensorSpec = { dims: [], type: 'uint8', values: [128] };

  test.each([
    ['filled with the zero point', quantised(['z'], {}, 128)],
    ['filled with a constant of that value', quantised(['v'], { v: zero }, 128)],
    ['filled with 0, which is the zero point', quantised([], {}, 0)],
  ])('%s', async (_, testCase) => {
    const bytes = fileOf(testCase);
    const dims = testCase.x;
    // Multiples of the scale, which quantising keeps.
    const low = testCase.initializers.z.values[0] === 0 ? 0 : -64;
    const data = randomValues(60, 9, low, 64).map((value) => Math.round(value) / 64);
    const expected = (await onnxRuntimeOutputs(bytes, { x: { dims, data } })).y!;
    const graph = await loadGraph({ name: 'q.onnx', bytes });
    const found = runGraph(graph, { x: toNhwc(dims, data) }).y!;
    const [n, c, h, w] = expected.dims as [number, number, number, number];
    expect(found.shape).toEqual([n, h, w, c]);
    expect(normalisedMeanSquareError(found.data, toNhwc(expected.dims, expected.data))).toBeLessThan(1e-10);
    expect(runPasses(graph).nodes.map(({ op }) => op)).toEqual(expect.arrayContaining(['conv2d']));
  });

  test('filled with another number, it is refused', async () => {
    const bytes = fileOf(quantised([], {}, 128));
    await expect(loadGraph({ name: 'q.onnx', bytes })).rejects.toThrow(
      /node "node_padded" \(Pad\): pads \[1,3,4,5\] by .* with -2; expected zeros/,
    );
  });
});
