import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { loadGraph } from '../../src/loaders/index.ts';
import { runGraph } from '../../src/reference/index.ts';
import { normalisedMeanSquareError, onnxRuntimeOutputs, randomValues } from '../support/oracles.ts';

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
