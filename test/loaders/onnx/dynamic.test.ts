/**
 * Dynamically quantised ONNX against ONNX Runtime, which rounds each activation to a step of its range. The bound is
 * half a step for every input of a sum, times its weight.
 */
import { describe, expect, test } from 'vitest';
import { MobileNetError } from '../../../src/errors.ts';
import { loadGraph } from '../../../src/loaders/index.ts';
import { runGraph } from '../../../src/reference/index.ts';
import { type NodeSpec, type TensorSpec, writeOnnx } from '../../support/onnx-writer.ts';
import { onnxRuntimeOutputs, randomValues, toNchw, toNhwc } from '../../support/oracles.ts';

const node = (
  op: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: NonNullable<NodeSpec['attributes']> = {},
): NodeSpec => ({ op, name: outputs[0]!, inputs, outputs, attributes });

const scalar = (value: number): TensorSpec => ({ dims: [], values: [value] });
const whole = (type: 'uint8' | 'int8', value: number): TensorSpec => ({ dims: [], type, values: [value] });
const weights = (dims: readonly number[], type: 'uint8' | 'int8', low: number, high: number): TensorSpec => ({
  dims,
  type,
  values: randomValues(
    dims.reduce((a, b) => a * b, 1),
    dims.length,
    low,
    high,
  ).map(Math.floor),
});

/** As quantize_dynamic of ONNX Runtime writes a layer. */
const layer = (
  op: 'ConvInteger' | 'MatMulInteger',
  attributes: NonNullable<NodeSpec['attributes']> = {},
): NodeSpec[] => [
  node('DynamicQuantizeLinear', ['x'], ['q', 's', 'z']),
  node(op, ['q', 'w', 'z', 'wz'], ['i'], attributes),
  node('Cast', ['i'], ['f'], { to: { int: 1 } }),
  node('Mul', ['s', 'ws'], ['scale']),
  node('Mul', ['f', 'scale'], ['m']),
  node('Add', ['m', 'b'], ['y']),
];

const bytesOf = (nodes: readonly NodeSpec[], dims: readonly number[], initializers: Record<string, TensorSpec>) =>
  writeOnnx({
    nodes,
    inputs: [{ name: 'x', type: 'float', dims }],
    outputs: [{ name: 'y', type: 'float' }],
    initializers,
  });

describe('layers that are quantised when they run', () => {
  const cases = [
    {
      name: 'ConvInteger, uint8 weights with a zero point',
      nodes: layer('ConvInteger', { pads: { ints: [1, 1, 1, 1] }, strides: { ints: [2, 2] } }),
      dims: [2, 3, 9, 8],
      w: weights([5, 3, 3, 3], 'uint8', 0, 256),
      wz: whole('uint8', 121),
      b: { dims: [1, 5, 1, 1], values: [1, -1, 0.5, 0, 2] },
      taps: 27,
      ops: ['conv2d', 'affine', 'affine'],
    },
    {
      name: 'ConvInteger, depthwise',
      nodes: layer('ConvInteger', { group: { int: 3 } }),
      dims: [1, 3, 6, 6],
      w: weights([3, 1, 3, 3], 'int8', -127, 128),
      wz: whole('int8', 0),
      b: { dims: [3, 1, 1], values: [1, -1, 0.5] },
      taps: 9,
      ops: ['conv2d', 'affine', 'affine'],
    },
    {
      name: 'MatMulInteger',
      nodes: layer('MatMulInteger'),
      dims: [3, 12],
      w: weights([12, 4], 'int8', -127, 128),
      wz: whole('int8', 3),
      b: { dims: [4], values: [1, -1, 0.5, 0] },
      taps: 12,
      ops: ['fully-connected', 'affine', 'affine'],
    },
  ] as const;
  test.each(cases)('$name', async ({ nodes, dims, w, wz, b, taps, ops }) => {
    const ws = 1 / 100;
    const bytes = bytesOf(nodes, dims, { w, wz, b, ws: scalar(ws) });
    const data = randomValues(
      dims.reduce((a: number, d) => a * d, 1),
      7,
      -1,
      3,
    );
    const expected = (await onnxRuntimeOutputs(bytes, { x: { dims, data } })).y!;
    const graph = await loadGraph({ name: 'd.onnx', bytes });
    expect(graph.nodes.map(({ op }) => op)).toEqual(ops);
    const found = runGraph(graph, { x: dims.length === 4 ? toNhwc(dims, data) : data }).y!;
    const values = dims.length === 4 ? toNchw(found.shape, found.data) : found.data;
    const step = (Math.max(...data) - Math.min(...data, 0)) / 255;
    const largest = Math.max(...Array.from(w.values as ArrayLike<number>, (q) => Math.abs(q - wz.values![0]!))) * ws;
    const errors = Array.from(values, (value, i) => Math.abs(value - expected.data[i]!));
    expect(Math.max(...errors)).toBeLessThan(0.5 * step * taps * largest);
    // Small beside the outputs: a missing scale or zero point would show.
    const range = Math.max(...expected.data) - Math.min(...expected.data);
    expect(Math.max(...errors)).toBeLessThan(0.02 * range);
  });
});

describe('what does not cancel out is refused', () => {
  const initializers = {
    w: weights([12, 4], 'int8', -9, 9),
    wz: whole('int8', 0),
    ws: scalar(0.5),
    b: { dims: [4], values: [1, 2, 3, 4] },
  };
  const [quantise, multiply, cast, scale] = layer('MatMulInteger') as [NodeSpec, NodeSpec, NodeSpec, NodeSpec];
  const cases: [string, readonly NodeSpec[], RegExp][] = [
    ['integers as output', [quantise, multiply, node('Identity', ['i'], ['y'])], /output "y"/],
    [
      'integers that are added to',
      [quantise, multiply, cast, node('Add', ['f', 'b'], ['y'])],
      /node "y" \(Add\): computes with integers/,
    ],
    [
      'a scale that is squared',
      [quantise, multiply, cast, node('Mul', ['s', 's'], ['y'])],
      /node "y" \(Mul\): multiplies with the scale/,
    ],
    [
      'the scale of another tensor',
      [
        quantise,
        node('Relu', ['x'], ['r']),
        node('DynamicQuantizeLinear', ['r'], ['q2', 's2', 'z2']),
        multiply,
        cast,
        node('Mul', ['f', 's2'], ['y']),
      ],
      /node "y" \(Mul\): multiplies with the scale of another tensor/,
    ],
    [
      'another zero point',
      [quantise, node('MatMulInteger', ['q', 'w', 'wz', 'wz'], ['y'])],
      /node "y" \(MatMulInteger\): takes another zero point/,
    ],
    [
      'integers that nothing quantised',
      [node('MatMulInteger', ['x', 'w'], ['y'])],
      /multiplies integers that DynamicQuantizeLinear did not make/,
    ],
    [
      'an activation of integers',
      [quantise, multiply, cast, scale, node('Relu', ['f'], ['y'])],
      /node "y" \(Relu\): computes with integers/,
    ],
  ];
  test.each(cases)('%s', async (_name, nodes, message) => {
    const error = await loadGraph({ name: 'd.onnx', bytes: bytesOf(nodes, [1, 12], initializers) }).catch((e) => e);
    expect(error).toBeInstanceOf(MobileNetError);
    expect((error as Error).message).toMatch(message);
  });
});
