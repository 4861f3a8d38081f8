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

interface RealModel {
  readonly file: string;
  readonly input: string;
  readonly size: number;
  readonly dtype?: 'int32';
  /** Largest pixel value. */
  readonly range: number;
  /** Of the graph: where outputs of the file are decoded by operations that are not run, it ends before them. */
  readonly outputs: readonly string[];
}

const movenet = 'StatefulPartitionedCall';
const models: Readonly<Record<string, RealModel>> = {
  'MobileNetV1 (faceres)': {
    file: 'faceres',
    input: 'input_1',
    size: 224,
    range: 1,
    outputs: ['gender_pred/Sigmoid', 'global_pooling/Mean', 'age_pred/Softmax'],
  },
  'MobileNetV2 with a feature pyramid (MoveNet)': {
    file: 'movenet-lightning',
    input: 'input',
    size: 192,
    dtype: 'int32',
    range: 255,
    outputs: [
      `${movenet}/kpt_regress_0/conv2d_6/BiasAdd`,
      `${movenet}/kpt_offset_0/conv2d_7/BiasAdd`,
      `${movenet}/Sigmoid`,
      `${movenet}/Sigmoid_1`,
    ],
  },
  'MobileNetV3 with a feature pyramid (CenterNet)': {
    file: 'centernet',
    input: 'tower_0/images',
    size: 512,
    range: 255,
    outputs: ['tower_0/wh', 'tower_0/keypoints'],
  },
};

for (const [title, { file, input, size, dtype, range, outputs }] of Object.entries(models)) {
  test(`${title} agrees with TensorFlow.js`, async () => {
    const files = await filesOf(file);
    const graph = await loadGraph(files);
    expect(graph.inputs).toEqual([{ name: input, shape: [1, size, size, 3] }]);
    expect(graph.outputs.map(({ name }) => name)).toEqual(outputs);
    const pixels = randomValues(size * size * 3, 1, 0, range);
    const data = dtype === 'int32' ? pixels.map(Math.floor) : pixels;
    const expected = await tensorflowOutputs(
      JSON.parse(new TextDecoder().decode(files.bytes)),
      await readFile(`${folder}/${file}.bin`),
      { [input]: { dims: [1, size, size, 3], data, ...(dtype ? { dtype } : {}) } },
      outputs,
    );
    const found = runGraph(graph, { [input]: data });
    for (const name of outputs) {
      const error = normalisedMeanSquareError(found[name]!.data, expected[name]!.data);
      expect(error, name).toBeLessThan(1e-10);
    }
  });
}
