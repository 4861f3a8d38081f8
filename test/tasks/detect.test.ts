import { expect, it } from 'vitest';
import type { CenterNetDecoding } from '../../src/graph/decoding.ts';
import { InvalidResultError, load, ModelFormatError, UsageError } from '../../src/index.ts';
import { writeSavedModel } from '../../src/loaders/saved-model/write.ts';
import { detect } from '../../src/tasks/index.ts';
import { headsGraph } from '../support/detector.ts';

const decoding: CenterNetDecoding = { kind: 'centernet', heatmap: 'heat', distances: 'sides', size: [4, 6], stride: 1 };

/** How red and how green a cell is, and the distances 1, 1, 2, 2 where it is blue. */
const graph = headsGraph(
  [4, 6],
  { heat: [1 / 255, 0, 0, 1 / 255, 0, 0], sides: [0, 0, 0, 0, 0, 0, 0, 0, ...[1, 1, 2, 2].map((d) => d / 255)] },
  decoding,
);

/** Black but for a reddish pixel at (1, 2) and a greenish one at (2, 4), `scale` times as large. */
function picture(scale = 1) {
  const [height, width] = [4 * scale, 6 * scale];
  const data = new Uint8ClampedArray(height * width * 4);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = [Math.floor(y / scale), Math.floor(x / scale)].join();
      data.set(
        at === '1,2' ? [204, 0, 255, 255] : at === '2,4' ? [0, 102, 255, 255] : [0, 0, 0, 255],
        4 * (y * width + x),
      );
    }
  }
  return { width, height, data };
}

const rounded = (boxes: Awaited<ReturnType<typeof detect>>) =>
  boxes.map(({ index, label, score, box }) => [index, label, +score.toFixed(5), ...box.map((v) => +v.toFixed(3))]);

it('gives boxes in pixels of the picture, by the rule that made the input of it', async () => {
  const model = await load(graph, { device: 'reference' });
  expect(rounded(await detect(model, picture()))).toEqual([
    [0, 'red', 0.8, 1, 0, 3, 3],
    [1, 'green', 0.4, 3, 1, 3, 3],
  ]);
  // Three times as large, without a filter that would smear the pixels.
  const image = { ...graph.image!, antialias: false };
  expect(rounded(await detect(model, picture(3), { image, labels: ['a', 'b'] }))).toEqual([
    [0, 'a', 0.8, 3, 0, 9, 9],
    [1, 'b', 0.4, 9, 3, 9, 9],
  ]);
  // Mirrored: the pixel of column 2 is seen in column 3, and its left side is the right one of the picture.
  const flip = { ...graph.image!, flip: true };
  expect(rounded(await detect(model, picture(), { image: flip, maxDetections: 1 }))).toEqual([
    [0, 'red', 0.8, 1, 0, 3, 3],
  ]);
  expect(await detect(model, picture(), { minScore: 0.5 })).toHaveLength(1);
  // CenterNet's own boxes may overlap; these two share 2 of 16 pixels.
  expect(await detect(model, picture(), { maxOverlap: 0.12 })).toHaveLength(1);
  expect(await detect(model, picture(), { maxOverlap: 0.13 })).toHaveLength(2);
});

it('keeps the decoding in a saved model, and refuses one that is damaged', async () => {
  const model = await load(graph, { device: 'reference' });
  const bytes = await model.save();
  const opened = await load(bytes, { device: 'reference' });
  expect(opened.graph.decoding).toEqual(decoding);
  expect(await detect(opened, picture())).toEqual(await detect(model, picture()));
  const damaged: unknown[] = [null, 3, {}, { ...decoding, kind: 'toString' }, { ...decoding, heatmap: 'gone' }];
  for (const broken of [...damaged, { ...decoding, size: [4, -1] }, { ...decoding, stride: undefined }]) {
    const file = writeSavedModel({ ...graph, decoding: broken as CenterNetDecoding }, '1');
    await expect(load(file, { device: 'reference' }), JSON.stringify(broken)).rejects.toThrow(ModelFormatError);
  }
});

it('says what a network is that is no detector, and what would be', async () => {
  const classifier = await load('v1-0.25-32', { device: 'reference' });
  await expect(detect(classifier, picture())).rejects.toThrow(UsageError);
  await expect(detect(classifier, picture())).rejects.toThrow(
    /v1-0\.25-32 is no detector: .* its outputs are "logits" \(logits\); expected SSD with TFLite_Detection_PostProcess/,
  );
  const { image, ...ruleless } = graph;
  const model = await load(ruleless, { device: 'reference' });
  await expect(detect(model, picture())).rejects.toThrow(/does not say how a picture becomes its input/);
  const nan = headsGraph([4, 6], { heat: [NaN, 0, 0, 0, 0, 0], sides: new Array(12).fill(0) }, decoding);
  await expect(detect(await load(nan, { device: 'reference' }), picture())).rejects.toThrow(InvalidResultError);
});
