/**
 * Quantised networks on integers, on the CPU reference: the last tensors before softmax are LiteRT.js's, byte for byte. Real files,
 * and files of the quantiser.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { imageToTensor } from '../../src/analysis/index.ts';
import { decode } from '../../src/cli/decode.ts';
import type { Picture } from '../../src/index.ts';
import { inspect } from '../../src/inspect.ts';
import { loadGraph } from '../../src/loaders/index.ts';
import { signedPixels } from '../support/image-rule.ts';
import type { OracleTensor } from '../support/oracles.ts';
import { modelFolder, needModels } from '../support/real-models.ts';
import { suite } from '../support/suite.ts';
import { differing, open } from './integer-files.ts';
import { fedTo, inputDims, networks, quantisedFamily, scenes, types } from './quantised-families.ts';

/** Pixels as they are. */
const plain = { ...signedPixels, scale: [1], offset: [0] };

describe('real files', () => {
  needModels();

  const pictures = ['cats_and_dogs.jpg', 'burger.jpg', 'parrot.jpg', 'cat.bmp', 'squat.bmp'];
  /** Twenty pictures: each photograph as it is, mirrored, dark and pale. */
  const variants: readonly ((pixel: number) => number)[] = [
    (pixel) => pixel,
    (pixel) => 255 - pixel,
    (pixel) => pixel >> 1,
    (pixel) => 255 - ((255 - pixel) >> 1),
  ];

  it.each([
    ['mobilenet_v2_1.0_224_quant.tflite', 224],
    ['coco_ssd_mobilenet_v1_1.0_quant_2018_06_29.tflite', 300],
    ['movenet_single_pose_lightning_ptq.tflite', 192],
  ])('%s', async (name, size) => {
    const opened = await open(name, new Uint8Array(readFileSync(join(modelFolder, name))));
    const image = opened.graph.image;
    const wanted = suite === 'full' ? variants : variants.slice(0, 1);
    for (const file of suite === 'full' ? pictures : pictures.slice(0, 2)) {
      const picture: Picture = await decode(join(modelFolder, file));
      const pixels = imageToTensor(picture, plain, [size, size], 3).map(Math.round);
      for (const vary of wanted) {
        const data = pixels.map(vary);
        const real = image ? data.map((pixel) => pixel * image.scale[0]! + image.offset[0]!) : data;
        const found = await differing(opened, { dims: [1, size, size, 3], data, type: 'uint8' }, real);
        console.log(`${name}, ${file}: ${found.differ} of ${found.of} bytes differ`);
        expect(found.of).toBeGreaterThan(1000);
        expect(found.differ).toBe(0);
      }
    }
  });
});

describe('a real file', () => {
  needModels();

  it('moves a quarter of the bytes', async () => {
    const name = 'mobilenet_v2_1.0_224_quant.tflite';
    const bytes = new Uint8Array(readFileSync(join(modelFolder, name)));
    const { activationBytes, dispatches } = await inspect(await loadGraph({ name, bytes }, { quantisation: true }));
    console.log(`${name}: ${activationBytes} bytes of activations, ${dispatches} dispatches`);
    expect(activationBytes).toBeLessThan(13.75e6);
  });
});

it('inspect counts a byte for each number', async () => {
  const file = (await quantisedFamily('v2-0.35-64')).get('int8')!;
  const graph = await loadGraph({ name: 'v2.tflite', bytes: file.bytes }, { quantisation: true });
  const [integers, real] = [await inspect(graph), await inspect(graph, { precision: 'float32' })];
  expect(integers.parameters).toBe(real.parameters);
  expect([integers.macs, integers.macsWithNormalConvolutions]).toEqual([real.macs, real.macsWithNormalConvolutions]);
  // Beside a quarter there is the quantisation of an input of real numbers, which no picture is made.
  const quantisation = 5 * 64 * 64 * 3;
  expect((integers.activationBytes - quantisation) / real.activationBytes).toBeCloseTo(1 / 4, 3);
  expect(integers.weightBytes).toBeLessThan(0.3 * real.weightBytes);
});

describe.each(networks)('%s of the quantiser', (id) => {
  let files: Awaited<ReturnType<typeof quantisedFamily>>;

  beforeAll(async () => {
    files = await quantisedFamily(id);
  }, 300_000);

  it.each(types)('%s, on 20 pictures', async (type) => {
    const file = files.get(type)!;
    const opened = await open(`${id}.tflite`, file.bytes);
    const [first] = opened.graph.quantisation!.tensors.values();
    const total = { differ: 0, of: 0 };
    for (const picture of scenes(20)) {
      const stored = fedTo(file, picture);
      const fed: OracleTensor = {
        dims: inputDims,
        data: Float32Array.from(stored),
        ...(stored === picture ? {} : { type: 'uint8' as const }),
      };
      const real =
        stored === picture
          ? picture
          : Float32Array.from(stored, (byte) => (byte - 128 - first!.zeroPoint) * first!.scale);
      const found = await differing(opened, fed, real);
      total.differ += found.differ;
      total.of += found.of;
    }
    expect(total.differ).toBe(0);
    expect(total.of).toBeGreaterThanOrEqual(60);
  });
});
