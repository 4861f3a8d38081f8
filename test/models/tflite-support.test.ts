/**
 * Every image model of tensorflow/tflite-support's test files (`tensorflow_lite_support/cc/test/testdata/task/vision`), and
 * quantised ones of google-coral/test_data, as far as they lie in the folder that IMAGENET_MODELS names: a network of floats
 * has LiteRT.js's outputs, one of integers its bytes, and what is refused is refused by name.
 */
import { existsSync } from 'node:fs';
import { expect, it } from 'vitest';
import { imageToTensor } from '../../src/images/image-to-tensor.ts';
import { loadGraph } from '../../src/loaders/index.ts';
import { runGraph } from '../../src/reference/index.ts';
import { signedPixels } from '../support/image-rule.ts';
import { liteRtOutputs } from '../support/litert.ts';
import { modelFolder, withoutModels } from '../support/real-models.ts';
import { suite } from '../support/suite.ts';
import { differing, open } from './integer-files.ts';
import { bytesOf, inFolder, pictureOf } from './task-files.ts';

const files = {
  floats: [
    ['mobilenet_v1_0.25_224_1_default_1', 'burger.jpg'],
    ['mobilenet_v1_0.25_224_1_metadata_1', 'burger.jpg'],
    ['deeplabv3', 'segmentation_input_rotation0.jpg'],
    ['mobilenet_v2_1.0_224', 'burger.jpg'],
    ['mobilenet_v2_1.0_224_without_labels', 'burger.jpg'],
    ['mobilenet_v3_small_100_224_embedder', 'burger.jpg'],
    ['mobilenet_v3_small_100_224_searcher', 'burger.jpg'],
  ],
  integers: [
    ['mobilenet_v1_0.25_224_quant', 'burger.jpg'],
    ['mobilenet_v1_0.25_224_quant_without_subgraph_metadata', 'burger.jpg'],
    ['automl_labeler_model', 'burger.jpg'],
    ['coco_ssd_mobilenet_v1_1.0_quant_2018_06_29', 'cats_and_dogs.jpg'],
    ['coco_ssd_mobilenet_v1_1.0_quant_2018_06_29_score_calibration', 'cats_and_dogs.jpg'],
    ['coco_efficientdet_lite0_v1_1.0_quant_2021_09_06', 'cats_and_dogs.jpg'],
    ['mobilenet_v1_0.25_128_quant', 'cat.bmp'],
    ['mobilenet_v1_0.5_160_quant', 'cat.bmp'],
    ['mobilenet_v1_0.75_192_quant', 'cat.bmp'],
    ['mobilenet_v1_1.0_224_quant_embedding_extractor', 'cat.bmp'],
    ['mobilenet_v2_1.0_224_inat_bird_quant', 'parrot.jpg'],
    ['mobilenet_v2_1.0_224_inat_insect_quant', 'parrot.jpg'],
    ['tf2_mobilenet_v2_1.0_224_ptq', 'cat.bmp'],
    ['deeplabv3_mnv2_dm05_pascal_quant', 'bird_segmentation.bmp'],
    ['deeplab_mobilenet_edgetpu_slim_cityscapes_quant', 'bird_segmentation.bmp'],
  ],
} as const;

/** The file and its picture, or why there is nothing to test. */
function given(name: string, picture: string, skip: (condition: boolean, why: string) => void): Uint8Array {
  const file = `${name}.tflite`;
  skip(!modelFolder, withoutModels);
  skip(!existsSync(inFolder(file)), `${file} is not in the folder`);
  skip(!existsSync(inFolder(picture)), `${picture} is not in the folder`);
  skip(suite !== 'full', 'takes its time: npm run test:full');
  return bytesOf(inFolder(file));
}

it.for(files.floats)('%s', async ([name, picture], { skip }) => {
  const bytes = given(name, picture, skip);
  const graph = await loadGraph({ name, bytes });
  const [input] = graph.inputs;
  const [, height, width, channels] = input!.shape;
  const data = imageToTensor(
    await pictureOf(inFolder(picture)),
    graph.image ?? signedPixels,
    [height, width],
    channels,
  );
  const found = runGraph(graph, { [input!.name]: data });
  const expected = await liteRtOutputs(bytes, { [input!.name]: { dims: input!.shape, data } });
  for (const [i, [output, { data: own }]] of Object.entries(found).entries()) {
    const theirs = (expected[output] ?? Object.values(expected)[i]!).data;
    // What was cut before an index is compared by that index.
    const classes = own.length / theirs.length;
    const indices = Array.from(theirs, (_, at) => largest(own.slice(at * classes, (at + 1) * classes)));
    const most = Array.from(theirs, (value, at) => Math.abs(value - (classes > 1 ? indices[at]! : own[at]!)));
    const difference = most.reduce((a, b) => Math.max(a, b));
    console.log(`${name}, ${output}: ${own.length} numbers, most off ${difference}`);
    expect(difference).toBeLessThan(classes > 1 ? 1 : 1e-4 * theirs.reduce((a, b) => Math.max(a, Math.abs(b)), 1));
    if (own.length === theirs.length && own.length < 5000) expect(largest(own)).toBe(largest(theirs));
  }
});

const largest = (values: ArrayLike<number>): number => Array.from(values).indexOf(Math.max(...Array.from(values)));

it.for(files.integers)('%s', async ([name, picture], { skip }) => {
  const bytes = given(name, picture, skip);
  const opened = await open(name, bytes);
  const { inputs, image } = opened.graph;
  const [, height, width, channels] = inputs[0]!.shape;
  const plain = { ...signedPixels, scale: [1], offset: [0] };
  const data = imageToTensor(await pictureOf(inFolder(picture)), plain, [height, width], channels).map(Math.round);
  const real = image ? data.map((pixel) => pixel * image.scale[0]! + image.offset[0]!) : data;
  const { differ, of } = await differing(opened, { dims: inputs[0]!.shape, data, type: 'uint8' }, real);
  console.log(`${name}: ${differ} of ${of} bytes differ`);
  expect(differ).toBe(0);
});

it('dilated_conv', async ({ skip }) => {
  const bytes = given('dilated_conv', 'burger.jpg', skip);
  const message = expect.stringMatching(/SHAPE|builtin operator 77/);
  await expect(loadGraph({ name: 'dilated_conv', bytes })).rejects.toMatchObject({ code: 'unsupported-op', message });
});
