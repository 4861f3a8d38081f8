/** Pictures of a page without one: what is refused, which rule an option comes to, and the ways of video. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { ImageRule } from '../../src/graph/graph.ts';
import { plainImage } from '../../src/graph/image-rule.ts';
import { type ImageOption, resolveImage } from '../../src/images/image-option.ts';
import { openPicture } from '../../src/images/open-picture.ts';
import { checkSize } from '../../src/images/picture-size.ts';
import { load, type PictureSource } from '../../src/index.ts';
import { FakeGpu } from '../support/fake-gpu.ts';
import { signedPixels } from '../support/image-rule.ts';
import { tensorOfPicture } from './pictures-in-page.ts';

describe('the option image', () => {
  const resolve = (option?: ImageOption, own?: ImageRule) => resolveImage(option, own, 3, 'model');
  const black = ({ offset }: ImageRule) => offset;
  const white = ({ scale, offset }: ImageRule) => scale.map((value, i) => 255 * value + offset[i]!);

  it('is a rule by its name', async () => {
    const rounded = (values: readonly number[]) => values.map((value) => Number(value.toFixed(3)));
    const keras = await resolve('keras');
    expect([black(keras), rounded(white(keras))]).toEqual([[-1], [1]]);
    const zeroToOne = await resolve('zeroToOne');
    expect([rounded(black(zeroToOne)), rounded(white(zeroToOne))]).toEqual([[0], [1]]);
    for (const name of ['torchvision', 'timm'] as const) {
      const rule = await resolve(name);
      // (0 − mean) / std and (1 − mean) / std of ImageNet.
      expect(rounded(black(rule))).toEqual([-2.118, -2.036, -1.804]);
      expect(rounded(white(rule))).toEqual([2.249, 2.429, 2.64]);
      expect(rule).toMatchObject({ fit: 'crop', cropFraction: 0.875, antialias: true });
      expect(rule.filter).toBe(name === 'timm' ? 'bicubic' : 'bilinear');
    }
  });

  it('is what differs from the rule of the file, or from the whole picture as it is', async () => {
    expect(await resolve({})).toEqual(plainImage);
    expect(await resolve({ mean: 0.5, std: [0.5, 0.25, 0.5] })).toEqual({
      ...plainImage,
      scale: [2 / 255, 4 / 255, 2 / 255],
      offset: [-1, -2, -1],
    });
    expect(await resolve({ fit: 'crop', cropFraction: 0.9 }, signedPixels)).toEqual({
      ...signedPixels,
      fit: 'crop',
      cropFraction: 0.9,
    });
    expect(await resolve({ mean: 0 }, signedPixels)).toMatchObject({ scale: [1 / 255], offset: [-0] });
    expect(await resolve(undefined, signedPixels)).toBe(signedPixels);
    expect((await resolveImage({}, undefined, 1, 'model')).channels).toBe('grey');
  });

  it.each([
    [
      undefined,
      'model does not say how a picture becomes its input: pass the option "image", one of keras, torchvision,',
    ],
    ['imagenet', 'image is "imagenet", expected keras, torchvision, timm, zeroToOne'],
    [{ means: 1 }, 'image has "means", expected fit,'],
    [{ std: 0 }, 'image.std is [0], expected a number or 3, above 0'],
    [{ mean: [1, 2] }, 'image.mean is [1,2], expected a number or 3'],
    [{ mean: 0, scale: [1] }, 'image has mean or std, and scale or offset'],
  ])('%j is refused', async (option, message) => {
    await expect(resolve(option as ImageOption | undefined)).rejects.toThrow(message);
  });
});

describe('what is no picture', () => {
  it.each([
    [null, 'UsageError: null is no picture: expected an img,'],
    ['burger.jpg', 'UsageError: a string is no picture'],
    [new Blob(['x']), 'UsageError: there is no createImageBitmap here to read the Blob with: pass RGBA bytes'],
  ])('%s is refused', async (source, message) => {
    const error = (await openPicture(source as unknown as PictureSource).catch((caught) => caught)) as Error;
    expect(`${error.name}: ${error.message}`).toContain(message);
  });

  it('is a texture that cannot be read', async () => {
    const texture = { createView() {}, width: 1, height: 1, dimension: '2d', sampleCount: 1, depthOrArrayLayers: 1 };
    const open = (format: string, usage: number) => openPicture({ ...texture, format, usage } as unknown as GPUTexture);
    expect(await open('rgba16float', 4)).toMatchObject({ way: 'texture', form: 'floats' });
    await expect(open('rgba8unorm-srgb', 4)).rejects.toThrow('a GPUTexture of format rgba8unorm-srgb');
    await expect(open('rgba8unorm', 2)).rejects.toThrow('with GPUTextureUsage.TEXTURE_BINDING');
    const array = { ...texture, depthOrArrayLayers: 6, format: 'rgba8unorm', usage: 4 };
    await expect(openPicture(array as unknown as GPUTexture)).rejects.toThrow('6 layers, 1 samples and usage 4 cannot');
  });

  it('is a file of more pixels than can be decoded', async () => {
    const png = new Uint8Array(24);
    png.set([0x89, 0x50, 0x4e, 0x47]);
    new DataView(png.buffer).setUint32(16, 20_000);
    new DataView(png.buffer).setUint32(20, 10_000);
    await expect(checkSize(new File([png], 'large.png'))).rejects.toThrow('large.png has 20000 × 10000 pixels');
    const frame = [0xff, 0xc2, 0, 11, 8, 0x30, 0, 0x40, 0, 1];
    const jpeg = Uint8Array.from([0xff, 0xd8, 0xff, 0xe1, 0, 4, 1, 2, ...frame]);
    await expect(checkSize(new Blob([jpeg]))).rejects.toThrow('the picture has 16384 × 12288 pixels');
    await checkSize(new Blob([jpeg.subarray(0, 9)]));
    await checkSize(new Blob(['GIF89a']));
  });
});

describe('a frame of video', () => {
  afterEach(() => void vi.unstubAllGlobals());

  /** What a device and a page are asked for a frame, twice, where they refuse some of it. */
  async function callsFor(refused: readonly string[]): Promise<string[]> {
    const fake = new FakeGpu();
    fake.refused = refused;
    const frame = { displayWidth: 20, displayHeight: 10 } as VideoFrame;
    vi.stubGlobal('createImageBitmap', async (source: unknown) => {
      fake.calls.push(source === frame ? 'createImageBitmap of the frame' : 'createImageBitmap');
      return { width: 20, height: 10, close: () => fake.calls.push('bitmap closed') };
    });
    const model = await load(tensorOfPicture, { gpuDevice: fake.device, tuning: 'off', selfCheck: 'off' });
    for (let i = 0; i < 2; i++) await model.runPicture(frame, { image: 'zeroToOne' });
    model.dispose();
    return fake.calls;
  }

  it('is read as it is, where the browser has external textures', async () => {
    expect(await callsFor([])).toEqual(['importExternalTexture', 'importExternalTexture', 'importExternalTexture']);
  });

  it('is copied, where it has not', async () => {
    const tried = ['importExternalTexture', 'copyExternalImageToTexture 20 × 10'];
    const copied = ['copyExternalImageToTexture 20 × 10'];
    expect(await callsFor(['importExternalTexture'])).toEqual([...tried, ...copied, ...copied]);
  });

  it('is made a bitmap first, where that is refused, too', async () => {
    const each = ['createImageBitmap of the frame', 'copyExternalImageToTexture 20 × 10', 'bitmap closed'];
    expect(await callsFor(['importExternalTexture', 'frame'])).toEqual([
      ...['importExternalTexture', 'copyExternalImageToTexture 20 × 10', ...each, ...each],
    ]);
  });
});

it('bytes with an unknown `resize` are refused, as elements are', async () => {
  const model = await load(tensorOfPicture, { device: 'reference' });
  const picture = { width: 2, height: 2, data: new Uint8Array(16) };
  const run = (resize: string) => model.runPicture(picture, { image: 'keras', resize: resize as 'rule' });
  await expect(run('fast')).rejects.toThrow('resize is "fast", expected "browser" or "rule"');
  for (const known of ['browser', 'rule']) expect(Object.keys(await run(known))).toEqual(['y']);
});
