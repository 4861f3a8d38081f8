/** The models and photographs of imagenet.gpu.test.ts, against LiteRT.js on the same tensor. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createCanvas, loadImage } from '@napi-rs/canvas';
import { describe, expect, it } from 'vitest';
import { imageToTensor, topK } from '../../src/analysis/index.ts';
import type { ImageRule, Picture } from '../../src/index.ts';
import { loadGraph } from '../../src/loaders/index.ts';
import { runGraph } from '../../src/reference/index.ts';
import { signedPixels } from '../support/image-rule.ts';
import { liteRtOutputs } from '../support/litert.ts';
import { modelFolder, needModels } from '../support/real-models.ts';

/** Pixels as they are. */
const plain: ImageRule = { ...signedPixels, scale: [1], offset: [0] };

async function picture(name: string): Promise<Picture> {
  const image = await loadImage(join(modelFolder, name));
  const context = createCanvas(image.width, image.height).getContext('2d');
  context.drawImage(image, 0, 0);
  return context.getImageData(0, 0, image.width, image.height);
}

describe('real ImageNet models and LiteRT.js', () => {
  needModels();

  const photographs = ['burger.jpg', 'cat.bmp', 'parrot.jpg'];

  it.each(photographs)('MobileNetV1 0.25 on %s: every score within 1e-4', async (photograph) => {
    const name = 'mobilenet_v1_0.25_224_1_default_1.tflite';
    const bytes = readFileSync(join(modelFolder, name));
    const graph = await loadGraph({ name, bytes });
    const rule = { ...plain, scale: [1 / 127.5], offset: [-1] };
    const data = imageToTensor(await picture(photograph), rule, [224, 224], 3);
    const [input] = graph.inputs;
    const [found] = Object.values(runGraph(graph, { [input!.name]: data }));
    const [expected] = Object.values(await liteRtOutputs(bytes, { [input!.name]: { dims: [1, 224, 224, 3], data } }));
    const largest = Math.max(...found!.data.map((value, i) => Math.abs(value - expected!.data[i]!)));
    expect(found!.data.length).toBe(expected!.data.length);
    expect(largest).toBeLessThan(1e-4);
    console.log(`${name}, ${photograph}: largest difference from LiteRT.js ${largest.toExponential(1)}`);
  });

  it.each(photographs)(
    'MobileNetV2, quantised, on %s: the same best class, the best five within 0.05',
    async (photograph) => {
      const name = 'mobilenet_v2_1.0_224_quant.tflite';
      const bytes = readFileSync(join(modelFolder, name));
      const graph = await loadGraph({ name, bytes });
      const pixels = imageToTensor(await picture(photograph), plain, [224, 224], 3).map(Math.round);
      const [input] = graph.inputs;
      const { scale, offset } = graph.image!;
      const data = pixels.map((value, i) => value * scale[i % scale.length]! + offset[i % offset.length]!);
      const [found] = Object.values(runGraph(graph, { [input!.name]: data }));
      const feeds = { [input!.name]: { dims: [1, 224, 224, 3], data: pixels, type: 'uint8' as const } };
      const [stored] = Object.values(await liteRtOutputs(bytes, feeds));
      // The file's output is uint8, in 256ths.
      const expected = Float32Array.from(stored!.data, (value) => value / 256);
      const [ours, theirs] = [topK(found!.data, 5), topK(expected, 5)];
      expect(ours[0]!.index).toBe(theirs[0]!.index);
      const difference = Math.max(
        ...[...ours, ...theirs].map(({ index }) => Math.abs(found!.data[index]! - expected[index]!)),
      );
      console.log(`${name}, ${photograph}: best five within ${difference.toFixed(4)} of LiteRT.js`);
      expect(difference).toBeLessThan(0.05);
    },
  );
});
