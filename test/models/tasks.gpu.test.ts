/** Real pose estimators and segmentation networks on WebGPU, in pixels of the picture. */
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { imageToTensor } from '../../src/images/image-to-tensor.ts';
import type { ValidationReport } from '../../src/index.ts';
import { load } from '../../src/index.ts';
import { loadGraph } from '../../src/loaders/index.ts';
import { type PosedPerson, pose, type SegmentedClass, segment } from '../../src/tasks/index.ts';
import { enginePage, engineServer } from '../support/engine-page.ts';
import { liteRtOutputs } from '../support/litert.ts';
import { paintedScene } from '../support/painted-scene.ts';
import { modelFolder, needModels } from '../support/real-models.ts';
import { browsers, suite } from '../support/suite.ts';
import { bytesOf, indexedPixels, inFolder, overlapOf, pictureOf } from './task-files.ts';

const movenet = 'movenet_single_pose_lightning_ptq.tflite';
const deeplab = 'deeplabv3.tflite';

describe.each(browsers)('pose and segment in %s', (browser) => {
  needModels();

  const call = async <T>(name: string, model: string, picture: string) => {
    const page = await enginePage(browser);
    const address = (await engineServer()).lend('imagenet', modelFolder);
    const files = { model: `${address}/${model}`, picture: `${address}/${picture}` };
    return page.call<T>('/test/models/tasks-in-page.ts', name, files);
  };

  it('MoveNet of 8 bits finds the person of the CPU reference', async () => {
    const found = await call<PosedPerson[]>('poseFile', movenet, 'squat.bmp');
    const model = await load(bytesOf(inFolder(movenet)), { device: 'reference', precision: 'float32' });
    const [expected] = await pose(model, await pictureOf(inFolder('squat.bmp')));
    expect(found).toHaveLength(1);
    found[0]!.keypoints.forEach(({ name, x, y, score }, k) => {
      const own = expected!.keypoints[k]!;
      expect([name, Math.abs(x - own.x) < 0.5, Math.abs(y - own.y) < 0.5]).toEqual([own.name, true, true]);
      expect(Math.abs(score - own.score)).toBeLessThan(1e-3);
    });
  });

  it('DeepLab V3 finds the bird of LiteRT.js', async () => {
    const found = await call<{ classes: SegmentedClass[]; mask: number[] }>(
      'segmentFile',
      deeplab,
      'bird_segmentation.bmp',
    );
    const picture = await pictureOf(inFolder('bird_segmentation.bmp'));
    const bytes = bytesOf(inFolder(deeplab));
    const model = await load(bytes, { device: 'reference' });
    const data = imageToTensor(picture, model.graph.image!, [257, 257], 3);
    const [scores] = Object.values(await liteRtOutputs(bytes, { sub_7: { dims: [1, 257, 257, 3], data } }));
    // The same pixels, decoded by the same rule.
    const task = { graph: model.graph, runPicture: async () => ({ ResizeBilinear_3: scores!.data as Float32Array }) };
    const expected = await segment(task, picture);
    const bird = model.labels!.indexOf('bird');
    const same = overlapOf(found.mask, expected.mask, bird);
    const published = overlapOf(found.mask, indexedPixels(inFolder('bird_segmentation_mask.bmp')).values, bird);
    process.stdout.write(`DeepLab V3, ${browser}: bird's IoU with LiteRT.js ${same}, with the mask ${published}\n`);
    expect(same).toBeGreaterThanOrEqual(0.99);
    expect(published).toBeGreaterThanOrEqual(0.8);
    expect(found.classes.map(({ label }) => label).slice(0, 2)).toEqual(['background', 'bird']);
  });

  it.for([movenet, deeplab])('%s: every layer within its bound', async (model, { skip }) => {
    skip(suite !== 'full' && model === deeplab, 'takes its time: npm run test:full');
    const page = await enginePage(browser);
    const source = `${(await engineServer()).lend('imagenet', modelFolder)}/${model}`;
    const options = { source, plan: 'unfused' };
    const report = await page.call<ValidationReport>('/src/cli/validate-in-page.ts', 'validateModel', options);
    expect(report.layers.filter(({ ok }) => !ok)).toEqual([]);
    expect(report.ok).toBe(true);
  });
});

describe.each(browsers)('selfie segmentation in %s', (browser) => {
  it.each(['selfie_segmentation', 'selfie_segmentation_landscape'])('%s has the scores of LiteRT.js', async (name) => {
    const folder = resolve('node_modules/@mediapipe/selfie_segmentation');
    const bytes = bytesOf(join(folder, `${name}.tflite`));
    const address = (await engineServer()).lend('selfie', folder);
    const page = await enginePage(browser);
    const found = await page.call<{ outputs: number[] }>('/test/models/tasks-in-page.ts', 'runScene', {
      model: `${address}/${name}.tflite`,
    });
    const graph = await loadGraph({ name, bytes });
    const [, height, width] = graph.inputs[0]!.shape;
    const data = paintedScene([height, width, 3], 3, [0, 1]);
    const [expected] = Object.values(await liteRtOutputs(bytes, { input_1: { dims: [1, height, width, 3], data } }));
    const differences = found.outputs.map((value, i) => Math.abs(value - expected!.data[i]!));
    const mean = differences.reduce((a, b) => a + b, 0) / differences.length;
    process.stdout.write(
      `${name}, ${browser}: mean difference of LiteRT.js ${mean}, most ${differences.reduce((a, b) => Math.max(a, b))}\n`,
    );
    expect(found.outputs).toHaveLength(height * width);
    expect(mean).toBeLessThan(1e-4);
    expect(expected!.data.some((v) => v > 0.2) && expected!.data.some((v) => v < 0.01)).toBe(true);
  });
});
