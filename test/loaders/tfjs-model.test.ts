import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { loadGraph } from '../../src/loaders/index.ts';
import { runGraph } from '../../src/reference/index.ts';
import { normalisedMeanSquareError, randomValues, tensorflowOutputs } from '../support/oracles.ts';

const folder = 'node_modules/@vladmandic/human/models';

async function filesOf(name: string) {
  return {
    name: `${name}.json`,
    bytes: await readFile(`${folder}/${name}.json`),
    read: (path: string) => readFile(`${folder}/${path}`),
  };
}

test('MobileNetV1 of human (faceres) agrees with TensorFlow.js', async () => {
  const files = await filesOf('faceres');
  const graph = await loadGraph(files);
  expect(graph.inputs).toEqual([{ name: 'input_1', shape: [1, 224, 224, 3] }]);
  const names = ['gender_pred/Sigmoid', 'global_pooling/Mean', 'age_pred/Softmax'];
  expect(graph.outputs.map(({ name }) => name)).toEqual(names);
  const x = randomValues(224 * 224 * 3, 1, 0, 1);
  const expected = await tensorflowOutputs(
    JSON.parse(new TextDecoder().decode(files.bytes)),
    await readFile(`${folder}/faceres.bin`),
    { input_1: { dims: [1, 224, 224, 3], data: x } },
    names,
  );
  const found = runGraph(graph, { input_1: x });
  for (const name of names) {
    const e = normalisedMeanSquareError(found[name]!.data, expected[name]!.data);
    console.log(name, found[name]!.shape, e);
    expect(e, name).toBeLessThan(1e-10);
  }
});
