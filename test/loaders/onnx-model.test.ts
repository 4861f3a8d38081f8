import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { loadGraph } from '../../src/loaders/index.ts';
import { runGraph } from '../../src/reference/index.ts';
import { normalisedMeanSquareError, onnxRuntimeOutputs, randomValues } from '../support/oracles.ts';

test('MobileNetV4 of detypify agrees with ONNX Runtime', async () => {
  const bytes = await readFile('node_modules/detypify-service/train/model.onnx');
  const graph = await loadGraph({ name: 'model.onnx', bytes });
  expect(graph.inputs).toEqual([{ name: 'x', shape: [1, 224, 224, 1] }]);
  const x = randomValues(224 * 224, 1, 0, 1);
  const [expected, found] = [
    await onnxRuntimeOutputs(bytes, { x: { dims: [1, 1, 224, 224], data: x } }),
    runGraph(graph, { x }),
  ];
  expect(found.linear!.shape).toEqual([1, 1, 1, 411]);
  const error = normalisedMeanSquareError(found.linear!.data, expected.linear!.data);
  console.log('nmse', error, graph.nodes.map((n) => n.op).join(' '));
  expect(error).toBeLessThan(1e-10);
});
