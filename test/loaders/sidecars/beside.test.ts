/** What lies beside a model of any format, and what an ONNX file says of itself. */
import { expect, it } from 'vitest';
import { writeOnnx } from '../../../bench/writers/onnx.ts';
import { buildArchitecture } from '../../../src/architectures/index.ts';
import { SeveralModelsError } from '../../../src/errors.ts';
import { readGraph } from '../../../src/load.ts';
import { loadGraph } from '../../../src/loaders/index.ts';
import { runPasses } from '../../../src/passes/index.ts';
import { writeTflite } from '../../../src/writers/tflite.ts';
import { withMetadataProps } from '../../support/onnx-writer.ts';

const network = runPasses(buildArchitecture('v1-0.25-32', { classes: 3 }));
const formats = { 'model.onnx': writeOnnx(network), 'model.tflite': writeTflite(network) };
const trees = ['ash', 'birch', 'cedar'];

/** Files as a page hands them over. */
const open = (files: Readonly<Record<string, string | Uint8Array | object>>) =>
  readGraph(
    Object.entries(files).map(([name, content]) => {
      const plain = typeof content === 'string' || content instanceof Uint8Array;
      return new File([(plain ? content : JSON.stringify(content)) as never], name);
    }),
  );

const preprocessor = {
  size: { shortest_edge: 40 },
  crop_size: { height: 32, width: 32 },
  resample: 2,
  rescale_factor: 1 / 255,
  image_mean: [0.5, 0.5, 0.5],
  image_std: [0.5, 0.5, 0.5],
};

it.each(Object.entries(formats))('%s: labels.txt, config.json and preprocessor_config.json', async (name, bytes) => {
  const bare = await open({ [name]: bytes, 'notes.txt': 'birch' });
  expect([bare.labels, bare.image, bare.assumptions]).toEqual([undefined, undefined, undefined]);
  const lines = await open({ 'labels.txt': 'ash\r\nbirch\r\ncedar\r\n', [name]: bytes });
  expect(lines.labels).toEqual(trees);
  const full = await open({
    [name]: bytes,
    'config.json': { id2label: { 0: 'ash', 1: 'birch', 2: 'cedar' } },
    'preprocessor_config.json': preprocessor,
  });
  expect(full.labels).toEqual(trees);
  expect(full.image).toMatchObject({ fit: 'crop', cropFraction: 0.8, filter: 'bilinear', offset: [-1, -1, -1] });
  const timm = { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5], crop_pct: 0.875, interpolation: 'bicubic' };
  const config = { pretrained_cfg: { ...timm, label_names: trees } };
  const { labels, image } = await open({ [name]: bytes, 'config.json': config });
  expect([labels, image!.filter, image!.cropFraction]).toEqual([trees, 'bicubic', 0.875]);
});

it('labels of another model are not used, and the graph says so', async () => {
  const bytes = formats['model.onnx'];
  const other = await open({ 'model.onnx': bytes, 'labels.txt': 'a\nb\nc\nd\ne\n' });
  expect([other.labels, other.assumptions]).toEqual([
    undefined,
    [expect.stringMatching(/^labels\.txt has 5 labels and the model 3 classes; .*: it is not used$/)],
  ]);
  const longer = await open({ 'model.onnx': bytes, 'labels.txt': 'tree\nash\nbirch\ncedar' });
  expect([longer.labels, longer.assumptions]).toEqual([trees, [expect.stringMatching(/"tree", is left out/)]]);
  const broken = await open({ 'model.onnx': bytes, 'config.json': '{"id2label": ' });
  expect(broken.assumptions).toEqual([expect.stringMatching(/^config\.json: is no sound JSON.*: it is not used$/)]);
});

it('several models are named, and what belongs to one is none', async () => {
  const { 'model.onnx': onnx, 'model.tflite': tflite } = formats;
  const several = open({ 'a.onnx': onnx, 'b.tflite': tflite, 'labels.txt': 'x' });
  await expect(several).rejects.toThrow(/^there are 2 models among the files: a\.onnx, b\.tflite; pass one of them/);
  const error: unknown = await several.catch((caught) => caught);
  expect(error instanceof SeveralModelsError && error.models).toEqual(['a.onnx', 'b.tflite']);
  await expect(open({ 'one.json': '{}', 'two.json': '{}' })).rejects.toThrow(
    /2 models among the files: one\.json, two\.json/,
  );
  await expect(open({ 'config.json': '{}', 'labels.txt': '' })).rejects.toThrow(/no model among the files/);
  const one = await open({ 'a.onnx': onnx, 'config.json': {}, 'metadata.json': {}, 'labels.json': [] });
  expect(one.name).toBe('a.onnx');
});

const named = (properties: Readonly<Record<string, string>>) =>
  loadGraph({ name: 'm.onnx', bytes: withMetadataProps(formats['model.onnx'], properties) });

it.each([
  ['names', "{0: 'ash', 1: 'birch', 2: 'cedar'}"],
  ['names', '{"0": "ash", "1": "birch", "2": "cedar"}'],
  ['classes', '["ash", "birch", "cedar"]'],
  ['labels', 'ash\nbirch\ncedar'],
  ['class_names', '["ash", \'birch\', "cedar"]'],
])('ONNX metadata: %s %s', async (key, value) => {
  expect((await named({ author: 'somebody', [key]: value })).labels).toEqual(trees);
});

it('ONNX metadata: a Python name with quotes in it', async () => {
  const value = String.raw`{0: "ox's eye", 1: 'ox\'s eye', 2: 'plain'}`;
  expect((await named({ names: value })).labels).toEqual(["ox's eye", "ox's eye", 'plain']);
});

it('ONNX metadata: how pixels become the input', async () => {
  const ranged = await named({ 'Image.NominalPixelRange': 'Normalized_1_1', 'Image.BitmapPixelFormat': 'Bgr8' });
  expect(ranged.image).toMatchObject({ fit: 'stretch', channels: 'bgr', scale: [2 / 255], offset: [-1] });
  expect(ranged.assumptions).toEqual([expect.stringMatching(/^the whole picture is squashed/)]);
  const ruled = await named({ image: 'mean=0.5,std=0.5,resize=40' });
  expect(ruled.image).toMatchObject({ fit: 'crop', cropFraction: 0.8, offset: [-1] });
  expect(ruled.assumptions).toBeUndefined();
  await expect(named({ image: 'mean=0.5,resize=3' })).rejects.toThrow(
    /^m\.onnx \(metadata\): the picture rule has resize=3/,
  );
  const other = await named({ names: '["a", "b", "c", "d", "e"]', 'Image.NominalPixelRange': 'unknown' });
  expect([other.labels, other.image, other.assumptions]).toEqual([
    undefined,
    undefined,
    [expect.stringMatching(/5 labels and the model 3 classes/)],
  ]);
});
