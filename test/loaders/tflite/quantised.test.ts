/**
 * Quantised TensorFlow Lite files whose ReLU and ReLU6 stand in nothing but the range of a tensor's integers, as
 * TensorFlow's converter leaves them, against LiteRT.js.
 */
import { describe, expect, test } from 'vitest';
import type { Graph } from '../../../src/graph/graph.ts';
import { loadGraph } from '../../../src/loaders/index.ts';
import { runPasses } from '../../../src/passes/index.ts';
import { runGraph } from '../../../src/reference/index.ts';
import type { FlatRecord } from '../../support/flat-writer.ts';
import { liteRtOutputs } from '../../support/litert.ts';
import { randomValues } from '../../support/oracles.ts';
import { type OperatorSpec, type TensorSpec, tfliteFile } from '../../support/tflite-writer.ts';

type Stored = 'UINT8' | 'INT8';
const lowest = { UINT8: 0, INT8: -128 } as const;

/** A tensor of the network that holds the numbers from `low` to `high`. */
function ranged(name: string, dims: readonly number[], type: Stored, low: number, high: number): TensorSpec {
  const scale = (high - low) / 255;
  return { name, dims, type, scales: [scale], zeroPoints: [Math.round(lowest[type] - low / scale)] };
}

interface Weights {
  readonly tensors: readonly TensorSpec[];
  /** The real numbers, and the largest sum of magnitudes that one output has. */
  readonly norm: number;
}

/** Seeded weights of `outputs` sums and their biases, for inputs of the scale `of`. */
function weights(
  name: string,
  dims: readonly number[],
  type: Stored,
  axis: number,
  of: TensorSpec,
  seed: number,
): Weights {
  const count = dims.reduce((a, b) => a * b);
  const outputs = dims[axis]!;
  const [scale, zero] = [0.004, type === 'UINT8' ? 121 : 0];
  const stored = Array.from(randomValues(count, seed, -127, 127), (value) =>
    Math.round(value / (type === 'UINT8' ? 2 : 1)),
  );
  const bias = Array.from(randomValues(outputs, seed + 1, -300, 300), Math.round);
  const sums = new Array<number>(outputs).fill(0);
  stored.forEach((value, i) => {
    sums[axis === 0 ? Math.floor((i * outputs) / count) : i % outputs]! += Math.abs(value) * scale;
  });
  return {
    tensors: [
      {
        name: `${name}/w`,
        dims,
        type,
        data: Uint8Array.from(stored, (value) => (value + zero) & 255),
        scales: [scale],
        zeroPoints: [zero],
        axis,
      },
      {
        name: `${name}/b`,
        dims: [outputs],
        type: 'INT32',
        data: new Uint8Array(Int32Array.from(bias).buffer),
        scales: [scale * of.scales![0]!],
        zeroPoints: [0],
      },
    ],
    norm: Math.max(...sums),
  };
}

const window = (more: FlatRecord['fields'] = {}): FlatRecord['fields'] => ({ 0: ['byte', 0], 1: 1, 2: 1, ...more });
/** No fused activation: it is field 3 of a convolution's options, 4 of a depthwise one's. */
const convolution = window({ 3: ['byte', 0] });
const depthwise = window({ 3: 1, 4: ['byte', 0] });

/** From float32 `x` to float32 `y` through quantised tensors: of `first` to those of `last`. */
function file(first: TensorSpec, tensors: readonly TensorSpec[], operators: readonly OperatorSpec[], last: TensorSpec) {
  return tfliteFile({
    tensors: [{ name: 'x', dims: first.dims }, first, ...tensors, { name: 'y', dims: last.dims }],
    operators: [
      { op: 'QUANTIZE', inputs: ['x'], output: first.name },
      ...operators,
      { op: 'DEQUANTIZE', inputs: [last.name], output: 'y' },
    ],
  });
}

/** Numbers that a tensor's integers hold exactly. */
function held({ dims, type, scales, zeroPoints }: TensorSpec, seed: number): Float32Array {
  const count = dims.reduce((a, b) => a * b);
  const least = lowest[type as Stored];
  return randomValues(count, seed, least, least + 255).map((q) => (Math.round(q) - zeroPoints![0]!) * scales![0]!);
}

/** The largest difference from LiteRT.js, and ours. */
async function difference(bytes: Uint8Array, dims: readonly number[], data: Float32Array) {
  const graph = await loadGraph({ name: 'q.tflite', bytes });
  const ours = runGraph(runPasses(graph), { x: data }).y!.data;
  const theirs = (await liteRtOutputs(bytes, { x: { dims, data } })).y!.data;
  expect(theirs.length).toBe(ours.length);
  expect(theirs.some((value) => value !== theirs[0])).toBe(true);
  return { graph, ours, largest: Math.max(...ours.map((value, i) => Math.abs(value - theirs[i]!))) };
}

/** Steps that the last rounding may move a number by: a half, and a little where a kernel rounds twice. */
const ROUNDING = 0.5 + 2 ** -7;

const kindsOf = (graph: Graph) => runPasses(graph).nodes.map(({ op }) => op);

describe.each(['UINT8', 'INT8'] as const)('%s, an activation that stands in the range alone', (type) => {
  const input = ranged('q', [1, 9, 9, 8], type, -1, 1);
  const layers: readonly [
    string,
    OperatorSpec['op'],
    readonly number[],
    number,
    FlatRecord['fields'],
    readonly number[],
  ][] = [
    ['convolution', 'CONV_2D', [12, 3, 3, 8], 0, convolution, [1, 9, 9, 12]],
    ['depthwise', 'DEPTHWISE_CONV_2D', [1, 3, 3, 8], 3, depthwise, [1, 9, 9, 8]],
    ['fully connected', 'FULLY_CONNECTED', [10, 648], 0, { 0: ['byte', 0] }, [1, 10]],
  ];
  for (const [what, op, shape, axis, options, dims] of layers) {
    test.each([
      ['ReLU6', 0, 6],
      ['ReLU, cut where the quantiser cut it', 0, 0.7],
      ['the negative half', -0.6, 0],
    ] as const)(`${what}: %s`, async (_name, low, high) => {
      const output = ranged('r', dims, type, low, high);
      const { tensors } = weights('l', shape, type, axis, input, 7);
      const bytes = file(
        input,
        [...tensors, output],
        [{ op, inputs: ['q', 'l/w', 'l/b'], output: 'r', options }],
        output,
      );
      const { graph, ours, largest } = await difference(bytes, input.dims, held(input, 3));
      expect(largest / output.scales![0]!).toBeLessThan(ROUNDING);
      // Where the range cuts nothing, the test would tell nothing.
      expect(ours.some((value) => value === 0)).toBe(true);
      if (high === 6) expect(kindsOf(graph)).toEqual([graph.nodes[0]!.op]);
    });
  }

  test('a network of three such layers, within the roundings of each that the layers after it pass on', async () => {
    const [a, b, c] = [
      ranged('a', [1, 9, 9, 12], type, 0, 6),
      ranged('b', [1, 9, 9, 12], type, 0, 2.5),
      ranged('c', [1, 9, 9, 4], type, -9, 9),
    ] as const;
    const one = weights('one', [12, 3, 3, 8], type, 0, input, 11);
    const two = weights('two', [1, 3, 3, 12], type, 3, a, 13);
    const three = weights('three', [4, 1, 1, 12], type, 0, b, 17);
    const bytes = file(
      input,
      [...one.tensors, a, ...two.tensors, b, ...three.tensors, c],
      [
        { op: 'CONV_2D', inputs: ['q', 'one/w', 'one/b'], output: 'a', options: convolution },
        { op: 'DEPTHWISE_CONV_2D', inputs: ['a', 'two/w', 'two/b'], output: 'b', options: depthwise },
        { op: 'CONV_2D', inputs: ['b', 'three/w', 'three/b'], output: 'c', options: convolution },
      ],
      c,
    );
    const { graph, largest } = await difference(bytes, input.dims, held(input, 5));
    const rounding = ({ scales }: TensorSpec) => ROUNDING * scales![0]!;
    const bound = (rounding(a) * two.norm + rounding(b)) * three.norm + rounding(c);
    expect(largest).toBeLessThan(bound);
    // The ranges cost no dispatch.
    expect(kindsOf(graph)).toEqual(['conv2d', 'conv2d', 'conv2d']);
  });
});

test.each(['UINT8', 'INT8'] as const)('%s, a hard-swish spelled out with its ReLU6 in a range is one', async (type) => {
  const input = ranged('q', [1, 9, 9, 8], type, -1, 1);
  const dims = [1, 9, 9, 12];
  const { tensors } = weights('l', [12, 3, 3, 8], type, 0, input, 7);
  const highest = Uint8Array.of(lowest[type] + 255);
  const constant = (name: string, value: number): TensorSpec => ({
    ...ranged(name, [], type, 0, value),
    data: highest,
  });
  const last = ranged('y8', dims, type, -0.375, 5);
  const product = { 0: ['byte', 0] } as const;
  const bytes = file(
    input,
    [
      ...tensors,
      ranged('t', dims, type, -5, 5),
      constant('three', 3),
      ranged('r', dims, type, 0, 6),
      constant('sixth', 1 / 6),
      ranged('h', dims, type, 0, 1),
      last,
    ],
    [
      { op: 'CONV_2D', inputs: ['q', 'l/w', 'l/b'], output: 't', options: convolution },
      { op: 'ADD', inputs: ['t', 'three'], output: 'r', options: product },
      { op: 'MUL', inputs: ['r', 'sixth'], output: 'h', options: product },
      { op: 'MUL', inputs: ['t', 'h'], output: 'y8', options: product },
    ],
    last,
  );
  const { graph, ours, largest } = await difference(bytes, input.dims, held(input, 3));
  expect(runPasses(graph).nodes).toMatchObject([{ op: 'conv2d', activation: 'hard-swish' }]);
  expect([Math.min(...ours) < -0.35, Math.max(...ours) > 1]).toEqual([true, true]);
  // t is at most 5 in magnitude, h at most 1: half a step of each, of r in h a sixth, of each through the product.
  const step = (low: number, high: number) => ((high - low) / 255) * ROUNDING;
  const gate = (step(-5, 5) + step(0, 6)) / 6 + step(0, 1);
  expect(largest).toBeLessThan(step(-5, 5) + 5 * gate + step(-0.375, 5));
});

describe('a range that changes nothing is no operation', () => {
  const input = ranged('q', [1, 8, 8, 8], 'INT8', 0, 6);
  const same = (name: string, dims: readonly number[]) => ranged(name, dims, 'INT8', 0, 6);
  const i32 = (...values: number[]) => new Uint8Array(Int32Array.from(values).buffer);

  test('data that move, pools and a softmax behind a ReLU6', async () => {
    const tensors: TensorSpec[] = [
      ...weights('l', [8, 1, 1, 8], 'INT8', 0, input, 7).tensors,
      same('a', [1, 8, 8, 8]),
      same('m', [1, 4, 4, 8]),
      same('p', [1, 2, 2, 8]),
      { name: 'size', dims: [2], type: 'INT32', data: i32(4, 4) },
      same('z', [1, 4, 4, 8]),
      same('j', [1, 4, 4, 16]),
      { name: 'axes', dims: [2], type: 'INT32', data: i32(1, 2) },
      same('g', [1, 16]),
      same('sum', [1, 16]),
      { name: 's', dims: [1, 16], type: 'INT8', scales: [1 / 256], zeroPoints: [-128] },
    ];
    const pool = window({ 1: 2, 2: 2, 3: 2, 4: 2, 5: ['byte', 0] });
    const bytes = file(
      input,
      tensors,
      [
        {
          op: 'CONV_2D',
          inputs: ['q', 'l/w', 'l/b'],
          output: 'a',
          options: window({ 3: ['byte', 3] }),
        },
        { op: 'MAX_POOL_2D', inputs: ['a'], output: 'm', options: pool },
        { op: 'AVERAGE_POOL_2D', inputs: ['m'], output: 'p', options: pool },
        { op: 'RESIZE_BILINEAR', inputs: ['p', 'size'], output: 'z', options: {} },
        { op: 'CONCATENATION', inputs: ['m', 'z'], output: 'j', options: { 0: 3, 1: ['byte', 0] } },
        { op: 'MEAN', inputs: ['j', 'axes'], output: 'g', options: { 0: ['byte', 0] } },
        { op: 'ADD', inputs: ['g', 'g'], output: 'sum', options: { 0: ['byte', 1] } },
        { op: 'SOFTMAX', inputs: ['sum'], output: 's', options: { 0: ['float', 1] } },
      ],
      tensors.at(-1)!,
    );
    const graph = await loadGraph({ name: 'q.tflite', bytes });
    // The range of an input is its caller's to keep.
    expect(graph.nodes.map((node) => (node.op === 'conv2d' ? node.activation : node.op))).toEqual([
      ...['relu6', 'pool', 'pool', 'resize', 'concat', 'global-average-pool', 'add', 'activation', 'softmax'],
    ]);
  });

  test('a range on both sides of zero, which calibration found for a linear layer', async () => {
    const output = ranged('r', [1, 8, 8, 4], 'INT8', -3, 4);
    const { tensors } = weights('l', [4, 1, 1, 8], 'INT8', 0, input, 7);
    const operator = { op: 'CONV_2D', inputs: ['q', 'l/w', 'l/b'], output: 'r', options: convolution } as const;
    const graph = await loadGraph({ name: 'q.tflite', bytes: file(input, [...tensors, output], [operator], output) });
    expect(graph.nodes.map(({ op }) => op)).toEqual(['conv2d']);
  });

  test('a computed tensor with a scale a channel is refused', async () => {
    const output: TensorSpec = {
      ...ranged('r', [1, 8, 8, 4], 'INT8', 0, 4),
      scales: [1, 1, 1, 1],
      zeroPoints: [0, 0, 0, 0],
    };
    const { tensors } = weights('l', [4, 1, 1, 8], 'INT8', 0, input, 7);
    const operator = { op: 'CONV_2D', inputs: ['q', 'l/w', 'l/b'], output: 'r', options: convolution } as const;
    const bytes = file(input, [...tensors, output], [operator], output);
    await expect(loadGraph({ name: 'q.tflite', bytes })).rejects.toThrow(
      /^q\.tflite: tensor "r" is computed and has 4 scales, expected one for all of it/,
    );
  });
});
