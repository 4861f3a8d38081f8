import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { loadGraph } from '../../../src/loaders/index.ts';
import { runGraph } from '../../../src/reference/index.ts';
import { type TensorSpec, writeOnnx } from '../../support/onnx-writer.ts';
import { normalisedMeanSquareError, onnxRuntimeOutputs, randomValues, toNhwc } from '../../support/oracles.ts';

test('MobileNetV4 of detypify agrees with ONNX Runtime', async () => {
  const bytes = await readFile('node_modules/detypify-service/train/model.onnx');
  const graph = await loadGraph({ name: 'model.onnx', bytes });
  const count = (op: string) => graph.nodes.filter((node) => node.op === op).length;
  // The as_strided before the head is folded away: no reshape is left.
  expect([count('conv2d'), count('add'), count('reshape'), graph.nodes.length]).toEqual([50, 10, 0, 92]);
  expect(graph.inputs).toEqual([{ name: 'x', shape: [1, 224, 224, 1] }]);
  const x = randomValues(224 * 224, 1, 0, 1);
  const [expected, found] = [
    await onnxRuntimeOutputs(bytes, { x: { dims: [1, 1, 224, 224], data: x } }),
    runGraph(graph, { x }),
  ];
  expect(found.linear!.shape).toEqual([1, 1, 1, 411]);
  expect(normalisedMeanSquareError(found.linear!.data, expected.linear!.data)).toBeLessThan(1e-10);
});

test('a model of float16 throughout, input and output too', async () => {
  let seed = 60;
  // Multiples of 1/64 below 2, which float16 holds exactly.
  const exact = (length: number, low: number, high: number) =>
    randomValues(length, seed++, 64 * low, 64 * high).map((value) => Math.floor(value) / 64);
  const half = (dims: readonly number[], low = -1, high = 1): TensorSpec => ({
    dims,
    type: 'float16',
    values: exact(
      dims.reduce((a, b) => a * b, 1),
      low,
      high,
    ),
  });
  const bytes = writeOnnx({
    opset: 14,
    nodes: [
      { op: 'Conv', inputs: ['x', 'w', 'b'], outputs: ['c'], attributes: { strides: { ints: [2, 2] } } },
      { op: 'BatchNormalization', inputs: ['c', 'scale', 'b', 'b', 'variance'], outputs: ['n'] },
      { op: 'Clip', inputs: ['n', 'low', 'high'], outputs: ['r'] },
      { op: 'Mul', inputs: ['r', 'half'], outputs: ['m'] },
      { op: 'GlobalAveragePool', inputs: ['m'], outputs: ['p'] },
      { op: 'Flatten', inputs: ['p'], outputs: ['f'] },
      { op: 'Gemm', inputs: ['f', 'd'], outputs: ['y'] },
    ],
    inputs: [{ name: 'x', type: 'float16', dims: [1, 3, 9, 9] }],
    outputs: [{ name: 'y', type: 'float16' }],
    initializers: {
      w: half([8, 3, 3, 3]),
      b: half([8]),
      scale: half([8], 0.5, 2),
      variance: half([8], 0.5, 2),
      low: { dims: [], type: 'float16', values: [0] },
      high: { dims: [], type: 'float16', values: [6] },
      half: { dims: [], type: 'float16', values: [0.5] },
      d: half([8, 5]),
    },
  });
  const [dims, data] = [[1, 3, 9, 9], exact(243, -1, 1)];
  const expected = (await onnxRuntimeOutputs(bytes, { x: { dims, data, type: 'float16' } })).y!;
  const found = runGraph(await loadGraph({ name: 'half.onnx', bytes }), { x: toNhwc(dims, data) }).y!;
  expect(normalisedMeanSquareError(found.data, expected.data)).toBeLessThan(1e-6);
});
