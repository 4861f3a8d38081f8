import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Classification, ValidationReport } from '../../src/index.ts';
import { enginePage, engineServer } from '../support/engine-page.ts';
import { modelFolder, needModels } from '../support/real-models.ts';
import { browsers } from '../support/suite.ts';

/**
 * Two real ImageNet models and three photographs, in the folder that IMAGENET_MODELS names; their addresses:
 * mobilenet_v1_0.25_224_1_default_1.tflite and burger.jpg of tensorflow/tflite-support, mobilenet_v2_1.0_224_quant.tflite,
 * cat.bmp, parrot.jpg and imagenet_labels.txt of google-coral/test_data.
 */
const models = ['mobilenet_v1_0.25_224_1_default_1.tflite', 'mobilenet_v2_1.0_224_quant.tflite'] as const;

describe.each(browsers)('real ImageNet models in %s', (browser) => {
  needModels();

  // The software adapter of Chromium has no shader-f16.
  const precisions = browser === 'firefox' ? (['float32', 'float16'] as const) : (['float32'] as const);
  const cases = models.flatMap((model) => precisions.map((precision) => [model, precision] as const));

  // Scores of a plain float64 interpreter on the whole picture, shrunk by averaging areas.
  it.each([
    [models[0], 'burger.jpg', 'cheeseburger', 0.992],
    [models[0], 'cat.bmp', 'Egyptian cat', 0.487],
    [models[0], 'parrot.jpg', 'macaw', 0.944],
    [models[1], 'burger.jpg', 'cheeseburger', 0.976],
    [models[1], 'cat.bmp', 'Egyptian cat', 0.759],
    [models[1], 'parrot.jpg', 'macaw', 0.996],
  ])('%s on %s: %s', async (model, picture, label, score) => {
    expect(existsSync(join(modelFolder, model)), `${model} in ${modelFolder}`).toBe(true);
    const labels = readFileSync(join(modelFolder, 'imagenet_labels.txt'), 'utf8').trim().split('\n');
    const page = await enginePage(browser);
    const address = (await engineServer()).lend('imagenet', modelFolder);
    for (const precision of precisions) {
      const best = await page.call<Classification[]>('/test/models/imagenet-in-page.ts', 'classifyFile', {
        model: `${address}/${model}`,
        picture: `${address}/${picture}`,
        plan: 'unfused',
        precision,
      });
      expect(labels[best[0]!.index], precision).toMatch(label);
      // Another filter for shrinking and another decoder move a score a little.
      expect(Math.abs(best[0]!.score - score), precision).toBeLessThan(0.1);
    }
  });

  it.each(cases)('%s, %s: every layer within its bound', async (model, precision) => {
    const page = await enginePage(browser);
    const source = `${(await engineServer()).lend('imagenet', modelFolder)}/${model}`;
    const report = await page.call<ValidationReport>('/src/cli/validate-in-page.ts', 'validateModel', {
      source,
      plan: 'unfused',
      precision,
    });
    process.stdout.write(`${model}, ${browser}, ${precision}: ${report.outputs[0]!.nmse.toExponential(1)}\n`);
    expect(report.outputs[0]!.topEqual).toBe(true);
    expect(report.layers.filter(({ ok }) => !ok)).toEqual([]);
    expect(report.ok).toBe(true);
  });
});
