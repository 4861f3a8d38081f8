/** Pictures and tensors that nobody expects: the right answer or a typed error. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { buildArchitecture } from '../../src/architectures/index.ts';
import { decode } from '../../src/cli/decode.ts';
import { DeviceError, UsageError } from '../../src/errors.ts';
import type { ImageRule } from '../../src/graph/graph.ts';
import { load } from '../../src/load.ts';
import { FakeGpu } from '../support/fake-gpu.ts';
import { oddPictures } from '../support/odd-pictures.ts';

const folder = mkdtempSync(join(tmpdir(), 'odd-pictures-'));
afterAll(() => rmSync(folder, { recursive: true }));

it.each(oddPictures)('$kind', async ({ file, colour }) => {
  const path = join(folder, 'picture');
  writeFileSync(path, file);
  const { width, height, data } = await decode(path);
  expect([width, height]).toEqual([8, 8]);
  for (let i = 0; i < data.length; i += 4) {
    for (let c = 0; c < 3; c++)
      expect(Math.abs(data[i + c]! - colour[c]!), `${data.slice(i, i + 4)}`).toBeLessThanOrEqual(2);
  }
});

const image: ImageRule = {
  ...{ fit: 'stretch', cropFraction: 1, filter: 'bilinear', antialias: true, corners: 'half-pixel' },
  ...{ channels: 'rgb', scale: [1 / 255], offset: [0] },
};

describe.each(['reference', 'webgpu'] as const)('on %s', (device) => {
  const open = () => load('v1-0.25-32', { device, gpu: new FakeGpu().gpu, tuning: 'off' });

  it.each([
    [0, 0],
    [0, 5],
    [1.5, 2],
    [-1, -4],
    [Number.NaN, 1],
    [2 ** 26, 1],
  ])('a picture of %f × %f pixels is refused', async (width, height) => {
    const data = new Uint8Array(Math.max(0, width * height * 4 || 4) % 2 ** 20);
    const model = await open();
    await expect(model.classify({ width, height, data }, { image })).rejects.toBeInstanceOf(UsageError);
  });

  it('a picture of one pixel has an answer', async () => {
    const model = await open();
    expect(await model.classify({ width: 1, height: 1, data: new Uint8Array(4) }, { image })).toHaveLength(5);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    'an input of %f is refused',
    async (value) => {
      const model = await open();
      for (const at of [0, 1, 1536, 3070, 3071]) {
        const input = new Float32Array(3072);
        input[at] = value;
        await expect(model.run(input)).rejects.toThrow(
          `input "input" is ${value} at ${at} of [1,32,32,3], expected finite`,
        );
      }
      expect((await model.run(new Float32Array(3072).fill(3.4e38))).logits).toHaveLength(1000);
    },
  );

  it('a batch of no picture is refused', () => {
    expect(() => buildArchitecture('v1-0.25-32', { batch: 0 })).toThrow(UsageError);
  });
});

it('a picture larger than the GPU has room for is refused with its size', async () => {
  const fake = new FakeGpu();
  fake.limits = { maxBufferSize: 2 ** 22, maxStorageBufferBindingSize: 2 ** 22 };
  const model = await load('v1-0.25-32', { device: 'webgpu', gpu: fake.gpu, tuning: 'off' });
  const huge = model.classify({ width: 2048, height: 1024, data: new Uint8Array(2 ** 23) }, { image });
  await expect(huge).rejects.toBeInstanceOf(DeviceError);
  await expect(huge).rejects.toThrow('2048 × 1024');
  expect(await model.classify({ width: 8, height: 8, data: new Uint8Array(256) }, { image })).toHaveLength(5);
});

it('numbers too small for float32 to hold in full are numbers', async () => {
  const model = await load('v1-0.25-32', { device: 'reference' });
  const [tiny, none] = [new Float32Array(3072).fill(1e-42), new Float32Array(3072)];
  expect((await model.run(none)).logits).toEqual((await model.run(tiny)).logits);
});
