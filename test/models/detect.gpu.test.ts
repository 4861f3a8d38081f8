/** A real SSD MobileNetV1 on photographs, whole, as LiteRT.js runs it on WebGPU: its decoding operator too. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { decode } from '../../src/cli/decode.ts';
import { imageToTensor } from '../../src/images/image-to-tensor.ts';
import { loadGraph } from '../../src/loaders/index.ts';
import type { DetectedBox } from '../../src/tasks/index.ts';
import { enginePage, engineServer } from '../support/engine-page.ts';
import { modelFolder, needModels } from '../support/real-models.ts';
import { intersectionOverUnion } from '../support/ssd-reference.ts';
import { browsers } from '../support/suite.ts';

const name = 'coco_ssd_mobilenet_v1_1.0_quant_2018_06_29.tflite';
const photographs = ['cats_and_dogs.jpg', 'squat.bmp'] as const;

type Found = { readonly index: number; readonly score: number; readonly corners: readonly number[] };

async function pictures() {
  return Promise.all(
    photographs.map(async (file) => {
      const { width, height, data } = await decode(join(modelFolder, file));
      return { width, height, data: new Uint8Array(data) };
    }),
  );
}

/** What LiteRT.js finds in Chromium, in pixels of each photograph; Firefox's JSPI does not run its WebGPU build. */
async function expected(): Promise<Found[][]> {
  const server = await engineServer();
  const runtime = server.lend('litert', join(dirname(fileURLToPath(import.meta.resolve('@litertjs/core'))), '../wasm'));
  const page = await enginePage('chrome');
  const graph = await loadGraph({ name, bytes: readFileSync(join(modelFolder, name)) });
  const rule = { ...graph.image!, scale: [1], offset: [0] };
  const found: Found[][] = [];
  for (const picture of await pictures()) {
    const input = Uint8Array.from(imageToTensor(picture, rule, [300, 300], 3), Math.round);
    const model = `${server.lend('models', modelFolder)}/${name}`;
    const call = { runtime, model, input, dims: [1, 300, 300, 3] };
    const outputs = await page.call<Record<string, Float32Array>>(
      '/test/models/litert-in-page.ts',
      'liteRtOnWebGpu',
      call,
    );
    const [boxes, classes, scores, count] = Object.keys(outputs)
      .sort()
      .map((key) => outputs[key]!);
    found.push(
      Array.from({ length: count![0]! }, (_, i) => {
        const sides = [...boxes!.subarray(4 * i, 4 * i + 4)];
        const corners = sides.map((side, k) => side * (k % 2 === 0 ? picture.height : picture.width));
        return { index: classes![i]!, score: scores![i]!, corners };
      }),
    );
  }
  return found;
}

describe('SSD MobileNetV1 on photographs', () => {
  needModels();
  let wanted: Promise<Found[][]> | undefined;

  it.each(browsers)('finds in %s what LiteRT.js finds on WebGPU', async (browser) => {
    wanted ??= expected();
    const all = await wanted;
    const model = `${(await engineServer()).lend('models', modelFolder)}/${name}`;
    const call = { model, pictures: await pictures() };
    const page = await enginePage(browser);
    const ours = await page.call<DetectedBox[][]>('/test/models/detect-in-page.ts', 'detectIn', call);
    photographs.forEach((photograph, i) => {
      const left = ours[i]!.map(({ index, score, box: [x, y, width, height] }) => {
        return { index, score, corners: [y, x, y + height, x + width] };
      });
      expect(left).toHaveLength(all[i]!.length);
      const overlaps = all[i]!.map(({ index, corners }) => {
        const same = left.filter((one) => one.index === index);
        return Math.max(0, ...same.map((one) => intersectionOverUnion(one.corners, corners)));
      });
      const told = overlaps.map(
        (overlap, k) => `${all[i]![k]!.index} ${all[i]![k]!.score.toFixed(2)}: ${overlap.toFixed(3)}`,
      );
      console.log(`${browser}, ${photograph}: ${told.join(', ')}`);
      for (const overlap of overlaps) expect(overlap, photograph).toBeGreaterThanOrEqual(0.9);
    });
  });
});
