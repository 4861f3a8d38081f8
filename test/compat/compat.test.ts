/** What does not need a GPU: tensors in, results on their way, and what is refused. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { buildArchitecture } from '../../src/architectures/index.ts';
import { decode } from '../../src/cli/decode.ts';
import { load, type MobileNet } from '../../src/compat/index.ts';
import { UsageError } from '../../src/errors.ts';
import { plainImage } from '../../src/graph/image-rule.ts';
import { imagenetLabels } from '../../src/labels/imagenet.ts';
import { runPasses } from '../../src/passes/index.ts';
import { randomValues } from '../support/oracles.ts';
import { modelFolder, needModels } from '../support/real-models.ts';
import { writeTfjsNetwork } from '../support/tfjs-network.ts';

let network: MobileNet;

beforeAll(async () => {
  const { json, shard } = writeTfjsNetwork(runPasses(buildArchitecture('v1-0.25-32', { classes: 1001 })));
  const handler = {
    load: async () => ({
      modelTopology: json.modelTopology,
      weightSpecs: json.weightsManifest.flatMap(({ weights }) => weights),
      weightData: new Uint8Array(shard).buffer,
      ...(json.signature ? { signature: json.signature } : {}),
    }),
  };
  network = await load({ version: 1, alpha: 0.25, modelUrl: handler }, { device: 'reference' });
});

it("has the package's classes", async () => {
  const { IMAGENET_CLASSES } = await import('@tensorflow-models/mobilenet/dist/imagenet_classes.js');
  const named = await network.classify({ width: 2, height: 2, data: new Uint8Array(16) }, 1000);
  expect(named.map(({ className }) => className).sort()).toEqual(Object.values<string>(IMAGENET_CLASSES).sort());
  const others = imagenetLabels.filter((label, i) => label !== IMAGENET_CLASSES[i]);
  expect(others).toEqual(['jellyfish']);
});

it('takes tensors of TensorFlow.js, and gives one', async () => {
  const tf = await import('@tensorflow/tfjs-core');
  await import('@tensorflow/tfjs-backend-cpu');
  tf.enableProdMode();
  await tf.setBackend('cpu');
  const image = tf.tensor3d(
    randomValues(40 * 50 * 3, 7).map((value) => 127 * (value + 1)),
    [40, 50, 3],
  );
  const seen = tf.add(tf.mul(tf.image.resizeBilinear(image, [32, 32], true), 2 / 255), -1);
  const [logits] = Object.values(await network.model.run((await seen.data()) as Float32Array));
  const result = network.infer(image);
  expect([result.shape, result.dtype]).toEqual([[1, 1000], 'float32']);
  const values = await result.data();
  for (const [i, value] of values.entries()) expect(value).toBeCloseTo(logits![i + 1]!, 4);
  const tensor = await result.toTensor(tf);
  expect([tensor.shape, await tensor.data()]).toEqual([[1, 1000], values]);
  await expect(network.infer(tf.zeros([4, 4])).data()).rejects.toThrow(/tensor is 4×4, expected \[height, width, 3\]/);
});

it('cannot wait, and says what to write in its place', async () => {
  const result = network.infer({ width: 2, height: 2, data: new Uint8Array(16) }, true);
  expect(result.shape).toEqual([1, 256]);
  expect(() => result.dataSync()).toThrow(/write "await result\.data\(\)"/);
  expect(() => result.arraySync()).toThrow(/write "await result\.array\(\)"/);
  expect((await result.array())[0]).toHaveLength(256);
  result.dispose();
  expect(result.isDisposed).toBe(true);
  await expect(result.data()).rejects.toThrow(UsageError);
});

it('refuses what the package does not have', async () => {
  await expect(load({ version: 3 as 1 })).rejects.toThrow('version is 3, expected 1 or 2');
  await expect(load({ version: 2, alpha: 0.25 })).rejects.toThrow(
    /alpha is 0\.25, expected 0\.5, 0\.75, 1 of version 2/,
  );
  await expect(load({ version: 1, modelUrl: {} })).rejects.toThrow(/has no load\(\)/);
});

it('loads the network of the catalogue, or asks TensorFlow Hub as the package does', async () => {
  const asked: string[] = [];
  const fetch = async (request: Request | URL | string) => {
    asked.push(request instanceof Request ? request.url : String(request));
    return new Response(null, { status: 403 });
  };
  for (const config of [{ version: 1, alpha: 0.25 }, { version: 2, alpha: 0.5 }, undefined] as const) {
    await expect(load(config, { device: 'reference', fetch, cache: 'off' })).rejects.toThrow(/403/);
  }
  expect(asked[0]).toMatch(/mobilenet_v1_0\.25_224_1_default_1\.tflite$/);
  const hub = 'https://tfhub.dev/google/imagenet';
  expect(asked.slice(1)).toEqual([
    `${hub}/mobilenet_v2_050_224/classification/2/model.json?tfjs-format=file`,
    `${hub}/mobilenet_v1_100_224/classification/1/model.json?tfjs-format=file`,
  ]);
});

describe('the network of the catalogue, which ends in a softmax of 1,001 classes', () => {
  needModels();

  it('gives probabilities among the 1,000, and logits that come to them', async () => {
    const bytes = readFileSync(join(modelFolder, 'mobilenet_v1_0.25_224_1_default_1.tflite'));
    const fetch = async () => new Response(bytes);
    const own = await load({ version: 1, alpha: 0.25 }, { device: 'reference', fetch, cache: 'off' });
    const burger = await decode(join(modelFolder, 'burger.jpg'));
    const rule = { ...plainImage, antialias: false, corners: 'align', scale: [2 / 255], offset: [-1] } as const;
    const outputs = await own.model.runPicture(burger, { image: rule });
    const [probabilities] = Object.values(outputs).filter(({ length }) => length === 1001);
    const among = 1 - probabilities![0]!;
    const [best] = await own.classify(burger);
    expect(best!.className).toBe('cheeseburger');
    expect(best!.probability).toBeCloseTo(probabilities![934]! / among, 5);
    const logits = await own.infer(burger).data();
    expect(logits[933]! - logits[0]!).toBeCloseTo(Math.log(probabilities![934]! / probabilities![1]!), 4);
    expect(await own.infer(burger, true).data()).toEqual(outputs.embedding);
  });
});
