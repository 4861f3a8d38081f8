/**
 * Quantised networks on integers, on WebGPU: the last tensors of integers are the reference's, byte for byte, which are LiteRT.js's
 * (integers.test.ts). Real files, and files of the quantiser.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildArchitecture } from '../../src/architectures/index.ts';
import { decode } from '../../src/cli/decode.ts';

import { imageToTensor } from '../../src/images/image-to-tensor.ts';
import { loadGraph } from '../../src/loaders/index.ts';
import { runPasses } from '../../src/passes/index.ts';
import { integerGraph } from '../../src/passes/integers.ts';
import type { countCalls } from '../scheduler/in-page.ts';
import { enginePage } from '../support/engine-page.ts';
import { signedPixels } from '../support/image-rule.ts';
import { quantisedOnnx } from '../support/onnx-quantiser.ts';
import { modelFolder, needModels } from '../support/real-models.ts';
import { browsers, suite } from '../support/suite.ts';
import { type atWork, type IntegersRun, lastOnReference } from './integers-in-page.ts';
import { networks, quantisedFamily, scenes, types } from './quantised-families.ts';

/** Of ONNX every network in the full suite, one else. */
const onnxForms = networks
  .filter((id) => suite === 'full' || id === 'v3-small-0.5-64')
  .flatMap((id) => (['qdq', 'qlinear'] as const).map((form) => [id, form] as const));

const families = new Map<string, ReturnType<typeof quantisedFamily>>();

/** The files of a network, written once for both browsers. */
function family(id: string): ReturnType<typeof quantisedFamily> {
  const files = families.get(id) ?? quantisedFamily(id);
  families.set(id, files);
  return files;
}

const references = new Map<string, Promise<Float32Array[][]>>();

/** Bytes that differ from the reference's, of how many, over all pictures. */
async function differing(
  browser: 'chrome' | 'firefox',
  name: string,
  file: Uint8Array,
  pictures: readonly Float32Array[],
) {
  const reference = async () => {
    const graph = integerGraph(await loadGraph({ name, bytes: file }, { quantisation: true }));
    return pictures.map((picture) => lastOnReference(graph, picture));
  };
  const expected = references.get(name) ?? reference();
  references.set(name, expected);
  const page = await enginePage(browser);
  const { last, kernels } = await page.call<IntegersRun>('/test/models/integers-in-page.ts', 'lastIntegers', {
    file,
    name,
    pictures,
  });
  let [differ, of] = [0, 0];
  for (const [i, tensors] of (await expected).entries()) {
    for (const [j, tensor] of tensors.entries()) {
      const found = last[i]![j]!;
      expect(found.length).toBe(tensor.length);
      of += tensor.length;
      differ += tensor.reduce((count, byte, at) => count + (byte === found[at] ? 0 : 1), 0);
    }
  }
  console.log(`${browser}, ${name}, ${pictures.length} pictures: ${differ} of ${of} bytes differ`);
  return { differ, of, kernels };
}

describe.each(browsers)('integers in %s', (browser) => {
  describe('of real files', () => {
    needModels();

    const photographs = ['cats_and_dogs.jpg', 'burger.jpg', 'parrot.jpg', 'cat.bmp', 'squat.bmp'];
    /** Each photograph as it is, negative, dark and pale. */
    const variants: readonly ((pixel: number) => number)[] = [
      (pixel) => pixel,
      (pixel) => 255 - pixel,
      (pixel) => pixel >> 1,
      (pixel) => 255 - ((255 - pixel) >> 1),
    ];

    it.each([
      ['mobilenet_v2_1.0_224_quant.tflite', 224],
      ['movenet_single_pose_lightning_ptq.tflite', 192],
    ])('%s', async (name, size) => {
      const file = new Uint8Array(readFileSync(join(modelFolder, name)));
      const { image } = await loadGraph({ name, bytes: file });
      const pictures: Float32Array[] = [];
      for (const photograph of suite === 'full' ? photographs : photographs.slice(1, 2)) {
        const picture = await decode(join(modelFolder, photograph));
        const plain = { ...signedPixels, scale: [1], offset: [0] };
        const pixels = imageToTensor(picture, plain, [size, size], 3).map(Math.round);
        for (const vary of suite === 'full' ? variants : variants.slice(0, 1)) {
          pictures.push(pixels.map((pixel) => vary(pixel) * (image?.scale[0] ?? 1) + (image?.offset[0] ?? 0)));
        }
      }
      const { differ, of } = await differing(browser, name, file, pictures);
      expect(of).toBeGreaterThan(1000);
      expect(differ).toBe(0);
    });
  });

  it.each(networks)('of %s of the quantiser', async (id) => {
    const files = await family(id);
    for (const type of types) {
      const { differ } = await differing(
        browser,
        `${id}-${type}`,
        files.get(type)!.bytes,
        scenes(suite === 'full' ? 20 : 3),
      );
      expect(differ).toBe(0);
    }
  });

  it.each(onnxForms)('of %s as %s of ONNX', async (id, form) => {
    const graph = runPasses(buildArchitecture(id));
    const { bytes } = quantisedOnnx(graph, scenes(1)[0]!, form);
    const { differ } = await differing(browser, `${id}-${form}.onnx`, bytes, scenes(suite === 'full' ? 20 : 3));
    expect(differ).toBe(0);
  });

  it('takes one submit and makes nothing when warm', async () => {
    const { bytes } = (await family('v2-0.35-64')).get('int8')!;
    const page = await enginePage(browser);
    const { running, inspected, precision } = await page.call<Awaited<ReturnType<typeof countCalls>>>(
      '/test/scheduler/in-page.ts',
      'countCalls',
      { id: bytes, plan: 'unfused' },
    );
    expect(precision).toBe('int8');
    expect(running).toEqual({ dispatches: inspected.dispatches, submits: 1, passes: 1, created: 0, pipelines: 0 });
  });

  it('runs, tunes, is timed and validated as any other', async () => {
    const files = await family('v2-0.35-64');
    const page = await enginePage(browser);
    const found = await page.call<Awaited<ReturnType<typeof atWork>>>('/test/models/integers-in-page.ts', 'atWork', {
      file: files.get('int8')!.bytes,
    });
    expect(found).toMatchObject({ precision: 'int8', same: true, savedSame: true, refused: [], failed: [], ok: true });
    expect(found.tried.some((kernel) => kernel.startsWith('int8-pointwise'))).toBe(true);
    expect(found.timed).toBe(found.kernels.length);
    const integers = found.rows.filter(({ kernel }) => kernel.startsWith('int8-') && !/quantise/.test(kernel));
    expect(integers.length).toBeGreaterThan(50);
    expect(integers.filter(({ maxError, unwritten }) => maxError > 0 || unwritten > 0)).toEqual([]);
    // A picture became stored integers at once.
    expect(found.rows.find(({ op }) => op === 'image-to-tensor')!.name).not.toBe('input');
  });
});
