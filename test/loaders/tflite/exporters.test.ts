/** Small files with the operators that exporters write today, against LiteRT.js. */
import { describe, expect, test } from 'vitest';
import { loadGraph } from '../../../src/loaders/index.ts';
import { runPasses } from '../../../src/passes/index.ts';
import { runGraph } from '../../../src/reference/index.ts';
import { liteRtOutputs } from '../../support/litert.ts';
import { normalisedMeanSquareError, randomValues, toNhwc } from '../../support/oracles.ts';
import { type ModelSpec, type OperatorSpec, type TensorSpec, tfliteFile } from '../../support/tflite-writer.ts';

const transposeOperator = 39;
const toChannelsLast = ints('last', 0, 2, 3, 1);
const toChannelsFirst = ints('first', 0, 3, 1, 2);

function ints(name: string, ...values: number[]): TensorSpec {
  return { name, dims: [values.length], type: 'INT32', data: new Uint8Array(Int32Array.from(values).buffer) };
}

let seed = 1;
function weights(name: string, ...dims: number[]): TensorSpec {
  const values = randomValues(
    dims.reduce((a, b) => a * b),
    seed++,
  );
  return { name, dims, data: new Uint8Array(values.buffer) };
}

const floats = (name: string, ...dims: number[]): TensorSpec => ({ name, dims });
const transpose = (from: string, order: TensorSpec, output: string): OperatorSpec => ({
  op: transposeOperator,
  inputs: [from, order.name],
  output,
  optionsType: 26,
  options: {},
});
/** `padding`: 0 SAME, 1 VALID; `activation`: 0 none, 3 ReLU6. */
const conv = (inputs: string[], output: string, stride: number, padding: number, activation = 3): OperatorSpec => ({
  op: 'CONV_2D',
  inputs,
  output,
  options: { 0: ['byte', padding], 1: stride, 2: stride, 3: ['byte', activation] },
});
const dense = (inputs: string[], output: string): OperatorSpec => ({
  op: 'FULLY_CONNECTED',
  inputs,
  output,
  options: { 0: ['byte', 0] },
});

/** Loads and runs as LiteRT.js does; `planes`: the file's input is NCHW, the graph's NHWC. The operations of the graph that runs. */
async function agree(spec: ModelSpec, dims: readonly number[], planes = false): Promise<string[]> {
  const bytes = tfliteFile(spec);
  const data = randomValues(
    dims.reduce((a, b) => a * b),
    seed++,
  );
  const graph = await loadGraph({ name: 'exported.tflite', bytes });
  const [n, c, h, w] = dims;
  expect(graph.inputs).toEqual([{ name: 'x', shape: planes ? [n, h, w, c] : dims }]);
  const prepared = runPasses(graph);
  const expected = (await liteRtOutputs(bytes, { x: { dims, data } })).y!;
  for (const run of [graph, prepared]) {
    const found = runGraph(run, { x: planes ? toNhwc(dims, data) : data }).y!;
    expect(normalisedMeanSquareError(found.data, expected.data)).toBeLessThan(1e-10);
  }
  return prepared.nodes.map(({ op }) => op);
}

describe('Keras', () => {
  test('a head whose flattening asks for the batch (SHAPE, STRIDED_SLICE, PACK)', async () => {
    const spec: ModelSpec = {
      tensors: [
        floats('x', 1, 9, 9, 3),
        weights('w', 8, 3, 3, 3),
        weights('b', 8),
        floats('c', 1, 5, 5, 8),
        { name: 'shape', dims: [4], type: 'INT32' },
        ...[ints('from', 0), ints('to', 1), ints('by', 1)],
        { name: 'batch', dims: [], type: 'INT32' },
        { ...ints('features', 200), dims: [] },
        { name: 'wanted', dims: [2], type: 'INT32' },
        floats('flat', 1, 200),
        weights('d', 5, 200),
        weights('e', 5),
        floats('z', 1, 5),
        floats('y', 1, 5),
      ],
      operators: [
        conv(['x', 'w', 'b'], 'c', 2, 0),
        { op: 77, inputs: ['c'], output: 'shape', optionsType: 55, options: { 0: ['byte', 2] } },
        {
          op: 45,
          inputs: ['shape', 'from', 'to', 'by'],
          output: 'batch',
          optionsType: 32,
          options: { 4: 1 },
        },
        { op: 83, inputs: ['batch', 'features'], output: 'wanted', optionsType: 59, options: { 0: 2 } },
        { op: 'RESHAPE', inputs: ['c', 'wanted'], output: 'flat' },
        dense(['flat', 'd', 'e'], 'z'),
        { op: 'SOFTMAX', inputs: ['z'], output: 'y', options: { 0: ['float', 1] } },
      ],
    };
    expect(await agree(spec, [1, 9, 9, 3])).toEqual(['conv2d', 'fully-connected', 'softmax']);
  });
});

/** A network of PyTorch's, from NCHW; `more` tensors and operators make `last`, the picture NHWC, of `x`. */
const planar = (more: readonly TensorSpec[], before: readonly OperatorSpec[]): ModelSpec => ({
  tensors: [
    floats('x', 1, 3, 8, 10),
    ...more,
    weights('w', 8, 3, 3, 3),
    weights('b', 8),
    floats('c', 1, 4, 5, 8),
    ints('axes', 1, 2),
    floats('m', 1, 8),
    weights('d', 5, 8),
    weights('e', 5),
    floats('y', 1, 5),
  ],
  operators: [
    ...before,
    conv(['picture', 'w', 'b'], 'c', 2, 1),
    { op: 'MEAN', inputs: ['c', 'axes'], output: 'm', options: { 0: ['byte', 0] } },
    dense(['m', 'd', 'e'], 'y'),
  ],
});

describe('files made from NCHW graphs', () => {
  test('LiteRT Torch: transposed, then zeros around it', async () => {
    const spec = planar(
      [
        toChannelsLast,
        floats('t', 1, 8, 10, 3),
        { ...ints('zeros', 0, 0, 1, 1, 1, 1, 0, 0), dims: [4, 2] },
        floats('picture', 1, 10, 12, 3),
      ],
      [transpose('x', toChannelsLast, 't'), { op: 'PAD', inputs: ['t', 'zeros'], output: 'picture' }],
    );
    expect(await agree(spec, [1, 3, 8, 10], true)).toEqual(['conv2d', 'global-average-pool', 'fully-connected']);
  });

  test('zeros around height and width of planes, then transposed', async () => {
    const spec = planar(
      [
        toChannelsLast,
        floats('t', 1, 3, 10, 12),
        { ...ints('zeros', 0, 0, 0, 0, 1, 1, 1, 1), dims: [4, 2] },
        floats('picture', 1, 10, 12, 3),
      ],
      [{ op: 'PAD', inputs: ['x', 'zeros'], output: 't' }, transpose('t', toChannelsLast, 'picture')],
    );
    expect(await agree(spec, [1, 3, 8, 10], true)).toEqual(['conv2d', 'global-average-pool', 'fully-connected']);
  });

  test('scaled as planes, then transposed', async () => {
    const spec = planar(
      [
        toChannelsLast,
        weights('s', 1, 3, 1, 1),
        floats('t', 1, 3, 8, 10),
        floats('u', 1, 8, 10, 3),
        { ...ints('zeros', 0, 0, 1, 1, 1, 1, 0, 0), dims: [4, 2] },
        floats('picture', 1, 10, 12, 3),
      ],
      [
        { op: 'MUL', inputs: ['x', 's'], output: 't', options: { 0: ['byte', 0] } },
        transpose('t', toChannelsLast, 'u'),
        { op: 'PAD', inputs: ['u', 'zeros'], output: 'picture' },
      ],
    );
    expect(await agree(spec, [1, 3, 8, 10], true)).toEqual(['conv2d', 'global-average-pool', 'fully-connected']);
  });

  test('transposed to planes and back between layers, flattened as planes', async () => {
    const spec: ModelSpec = {
      tensors: [
        ...[toChannelsLast, toChannelsFirst, floats('x', 1, 3, 8, 10), floats('picture', 1, 8, 10, 3)],
        ...[weights('w', 8, 3, 3, 3), weights('b', 8), floats('c', 1, 4, 5, 8), floats('planes', 1, 8, 4, 5)],
        ...[floats('r', 1, 8, 4, 5), floats('back', 1, 4, 5, 8), weights('v', 6, 1, 1, 8), weights('u', 6)],
        ...[
          floats('k', 1, 4, 5, 6),
          floats('l', 1, 6, 4, 5),
          floats('flat', 1, 120),
          weights('d', 5, 120),
          weights('e', 5),
        ],
        floats('y', 1, 5),
        ints('wanted', 1, 120),
      ],
      operators: [
        transpose('x', toChannelsLast, 'picture'),
        conv(['picture', 'w', 'b'], 'c', 2, 0, 0),
        transpose('c', toChannelsFirst, 'planes'),
        { op: 'RELU', inputs: ['planes'], output: 'r' },
        transpose('r', toChannelsLast, 'back'),
        conv(['back', 'v', 'u'], 'k', 1, 0),
        transpose('k', toChannelsFirst, 'l'),
        { op: 'RESHAPE', inputs: ['l', 'wanted'], output: 'flat' },
        dense(['flat', 'd', 'e'], 'y'),
      ],
    };
    expect(await agree(spec, [1, 3, 8, 10], true)).toEqual(['conv2d', 'conv2d', 'fully-connected']);
  });

  test('weights in PyTorch’s order, transposed in the file', async () => {
    const spec: ModelSpec = {
      tensors: [
        ...[toChannelsLast, floats('x', 1, 8, 10, 3), weights('planes', 8, 3, 3, 3), floats('w', 8, 3, 3, 3)],
        ...[weights('b', 8), floats('y', 1, 4, 5, 8)],
      ],
      operators: [transpose('planes', toChannelsLast, 'w'), conv(['x', 'w', 'b'], 'y', 2, 0)],
    };
    expect(await agree(spec, [1, 8, 10, 3])).toEqual(['conv2d']);
  });

  test('a softmax along height, whose elements must move', async () => {
    const turned = ints('turned', 0, 2, 3, 1);
    const spec: ModelSpec = {
      tensors: [
        turned,
        floats('x', 1, 4, 5, 6),
        floats('r', 1, 4, 5, 6),
        floats('t', 1, 5, 6, 4),
        floats('y', 1, 5, 6, 4),
      ],
      operators: [
        { op: 'RELU', inputs: ['x'], output: 'r' },
        transpose('r', turned, 't'),
        { op: 'SOFTMAX', inputs: ['t'], output: 'y', options: { 0: ['float', 1] } },
      ],
    };
    expect(await agree(spec, [1, 4, 5, 6], true)).toEqual(['activation', 'softmax']);
  });
});

test('Model Maker: pixels of 8 bits, requantised to int8 and back around the network, softmax inside', async () => {
  const stored = (name: string, axis: number, ...dims: number[]): TensorSpec => {
    const values = randomValues(
      dims.reduce((a, b) => a * b),
      seed++,
      -127,
      127,
    ).map(Math.round);
    const scales = Array.from({ length: dims[axis]! }, (_, i) => 0.004 + 0.0005 * i);
    const data = new Uint8Array(Int8Array.from(values).buffer);
    return { name, dims, type: 'INT8', data, scales, zeroPoints: scales.map(() => 0), axis };
  };
  const biases = (name: string, of: TensorSpec, scale: number): TensorSpec => {
    const scales = of.scales!.map((own) => own * scale);
    const values = randomValues(scales.length, seed++, -200, 200).map(Math.round);
    const data = new Uint8Array(Int32Array.from(values).buffer);
    return { name, dims: [scales.length], type: 'INT32', data, scales, zeroPoints: scales.map(() => 0) };
  };
  const held = (
    name: string,
    type: 'UINT8' | 'INT8',
    scale: number,
    zeroPoint: number,
    ...dims: number[]
  ): TensorSpec => ({
    ...{ name, dims, type },
    ...{ scales: [scale], zeroPoints: [zeroPoint] },
  });
  const [filters, matrix] = [stored('w', 0, 8, 3, 3, 3), stored('d', 0, 4, 8)];
  const bytes = tfliteFile({
    tensors: [
      held('x', 'UINT8', 1 / 127.5, 127, 1, 8, 8, 3),
      held('q', 'INT8', 1 / 127.5, -1, 1, 8, 8, 3),
      ...[filters, biases('b', filters, 1 / 127.5), held('c', 'INT8', 6 / 255, -128, 1, 4, 4, 8)],
      ...[ints('axes', 1, 2), held('m', 'INT8', 6 / 255, -128, 1, 8)],
      ...[matrix, biases('e', matrix, 6 / 255), held('z', 'INT8', 0.03, 5, 1, 4)],
      ...[held('p', 'INT8', 1 / 256, -128, 1, 4), held('y', 'UINT8', 1 / 256, 0, 1, 4)],
    ],
    operators: [
      { op: 'QUANTIZE', inputs: ['x'], output: 'q' },
      conv(['q', 'w', 'b'], 'c', 2, 0),
      { op: 'MEAN', inputs: ['c', 'axes'], output: 'm', options: { 0: ['byte', 0] } },
      dense(['m', 'd', 'e'], 'z'),
      { op: 'SOFTMAX', inputs: ['z'], output: 'p', options: { 0: ['float', 1] } },
      { op: 'QUANTIZE', inputs: ['p'], output: 'y' },
    ],
  });
  const graph = await loadGraph({ name: 'maker.tflite', bytes });
  const { scale, offset } = graph.image!;
  expect([scale, offset]).toEqual([[expect.closeTo(1 / 127.5)], [expect.closeTo(-127 / 127.5)]]);
  const dims = [1, 8, 8, 3];
  const pixels = randomValues(192, seed++, 0, 255).map(Math.round);
  const theirs = (await liteRtOutputs(bytes, { x: { dims, data: pixels, type: 'uint8' } })).y!.data;
  const ours = runGraph(runPasses(graph), { x: pixels.map((pixel) => pixel * scale[0]! + offset[0]!) }).y!.data;
  expect(new Set(theirs).size).toBeGreaterThan(2);
  // Four roundings to integers lie before the softmax.
  ours.forEach((value, i) => {
    expect(Math.abs(value * 256 - theirs[i]!), `class ${i}`).toBeLessThan(4);
  });
});
