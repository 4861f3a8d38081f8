import { openGpu } from '../../src/device/gpu.ts';
import { compilePipelines } from '../../src/device/pipelines.ts';
import type { Graph, ImageRule } from '../../src/graph/graph.ts';
import { imageBound } from '../../src/images/image-bound.ts';
import { imageToTensor, type Picture } from '../../src/images/image-to-tensor.ts';
import { type ImageOption, load, type Model, type PictureSource } from '../../src/index.ts';
import { imageProgram } from '../../src/kernels/image-to-tensor.ts';
import { preludeNames, shaderCode } from '../../src/wgsl/shader-code.ts';
import { signedPixels } from '../support/image-rule.ts';
import { randomValues } from '../support/random-values.ts';

const size = [16, 17] as const;
const [height, width] = [60, 47];

/** A network that gives back what a picture becomes. */
export const tensorOfPicture: Graph = {
  name: 'picture',
  inputs: [{ name: 'x', shape: [1, ...size, 3] }],
  outputs: [{ name: 'y', tensor: 'y' }],
  nodes: [{ op: 'clip', name: 'same', inputs: ['x'], output: 'y', min: -1e30, max: 1e30 }],
};

/** Noise, as red of a PNG would have it, opaque. */
function noise(): Picture & ImageData {
  const bytes = Uint8ClampedArray.from(randomValues(4 * height * width, 77, 0, 256));
  for (let i = 3; i < bytes.length; i += 4) bytes[i] = 255;
  return new ImageData(bytes, width, height) as Picture & ImageData;
}

function drawn<T extends HTMLCanvasElement | OffscreenCanvas>(canvas: T, picture: ImageData): T {
  const context = canvas.getContext('2d') as CanvasRenderingContext2D;
  context.putImageData(picture, 0, 0);
  return canvas;
}

function texture(device: GPUDevice, format: GPUTextureFormat, { data }: Picture): GPUTexture {
  const made = device.createTexture({ size: [width, height], format, usage: 4 | 2 });
  const floats = format === 'rgba32float';
  const swapped = format === 'bgra8unorm';
  const values = floats
    ? Float32Array.from(data, (byte) => byte / 255)
    : Uint8Array.from(data, (_, i) => (swapped && i % 4 !== 3 ? data[i - (i % 4) + 2 - (i % 4)]! : data[i]!));
  const bytesPerRow = width * (floats ? 16 : 4);
  device.queue.writeTexture({ texture: made }, values as Uint8Array<ArrayBuffer>, { bytesPerRow }, [width, height]);
  return made;
}

/** Every kind of picture of the same pixels. */
async function kindsOf(
  picture: Picture & ImageData,
  device: GPUDevice,
  file?: Uint8Array<ArrayBuffer>,
): Promise<Record<string, PictureSource>> {
  const { data } = picture;
  const canvas = drawn(Object.assign(document.createElement('canvas'), { width, height }), picture);
  const offscreen = drawn(new OffscreenCanvas(width, height), picture);
  const blob = file ? new Blob([file], { type: 'image/png' }) : await offscreen.convertToBlob({ type: 'image/png' });
  const image = new Image();
  image.src = URL.createObjectURL(blob);
  return {
    bytes: { width, height, data: Uint8Array.from(data) },
    ImageData: picture,
    canvas,
    OffscreenCanvas: offscreen,
    ImageBitmap: await createImageBitmap(offscreen),
    'ImageBitmap with alpha apart': await createImageBitmap(picture, { premultiplyAlpha: 'none' }),
    Blob: blob,
    File: new File([blob], 'noise.png', { type: 'image/png' }),
    img: image,
    VideoFrame: new VideoFrame(canvas, { timestamp: 0 }),
    rgba8unorm: texture(device, 'rgba8unorm', picture),
    bgra8unorm: texture(device, 'bgra8unorm', picture),
    rgba32float: texture(device, 'rgba32float', picture),
  };
}

const tensorOf = async (model: Model, source: PictureSource, image: ImageOption): Promise<Float32Array> =>
  (await model.runPicture(source, { image })).y!;

/**
 * What each kind becomes on the GPU and on the CPU, in shares of the bound, where 1 is the largest difference that
 * rounding explains.
 */
export async function compareKinds({ rule }: { rule: Partial<ImageRule> }) {
  const { device } = await openGpu();
  const options = { tuning: 'off', gpuDevice: device } as const;
  const [gpu, cpu] = [await load(tensorOfPicture, options), await load(tensorOfPicture, { device: 'reference' })];
  const picture = noise();
  const image = { ...signedPixels, ...rule };
  const expected = imageToTensor(picture, image, [...size], 3);
  const bound = imageBound([height, width], image, [...size], 3);
  const results: Record<string, { gpu: number; cpu: number | null }> = {};
  const largest = (values: Float32Array) =>
    values.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i]!) / bound[i]!), 0);
  for (const [kind, source] of Object.entries(await kindsOf(picture, device))) {
    const onGpu = largest(await tensorOf(gpu, source, image));
    const isTexture = 'createView' in source;
    results[kind] = { gpu: onGpu, cpu: isTexture ? null : largest(await tensorOf(cpu, source, image)) };
  }
  gpu.dispose();
  device.destroy();
  return results;
}

/**
 * Of pictures of one colour and alpha each, RGBA bytes and a PNG of the same: the colour that each kind becomes, rounded, on
 * the GPU and on the CPU.
 */
export async function coloursOfKinds({ pictures }: { pictures: { data: Uint8Array; file: Uint8Array }[] }) {
  const { device } = await openGpu();
  const options = { tuning: 'off', selfCheck: 'off', gpuDevice: device } as const;
  const models = [await load(tensorOfPicture, options), await load(tensorOfPicture, { device: 'reference' })];
  const seen: Record<string, (number[] | null)[]>[] = [];
  for (const { data, file } of pictures) {
    const picture = new ImageData(Uint8ClampedArray.from(data), width, height) as Picture & ImageData;
    const kinds = await kindsOf(picture, device, Uint8Array.from(file));
    const colours: Record<string, (number[] | null)[]> = {};
    for (const [kind, source] of Object.entries(kinds)) {
      colours[kind] = [];
      for (const model of models) {
        const read = model.device === 'webgpu' || !('createView' in source);
        const values = read ? await tensorOf(model, source, { mean: 0, std: 1 / 255 }) : null;
        colours[kind].push(values && [...values.subarray(0, 3)].map(Math.round));
      }
    }
    seen.push(colours);
  }
  models[0]!.dispose();
  device.destroy();
  return seen;
}

/** Colours that change slowly, so that filters differ little: red to the right, green downwards, blue along both. */
function slopes(): ImageData {
  const [across, down] = [300, 240];
  const data = Uint8ClampedArray.from({ length: 4 * across * down }, (_, i) => {
    const [x, y] = [(i >> 2) % across, Math.floor((i >> 2) / across)];
    return [(255 * x) / across, (255 * y) / down, (127 * x) / across + (127 * y) / down, 255][i % 4]!;
  });
  return new ImageData(data, across, down);
}

/**
 * Pictures that the browser shrinks: the largest difference from the rule in levels of 255, on the GPU and on the CPU, and the
 * most pixels that were copied to the GPU at once.
 */
export async function compareShrunk({ rules }: { rules: readonly Partial<ImageRule>[] }) {
  const options = { tuning: 'off', selfCheck: 'off', device: 'webgpu' } as const;
  const models = [await load(tensorOfPicture, options), await load(tensorOfPicture, { device: 'reference' })];
  const picture = slopes();
  const sources = { bitmap: await createImageBitmap(picture), canvas: new OffscreenCanvas(300, 240) };
  sources.canvas.getContext('2d')!.putImageData(picture, 0, 0);
  const file = await sources.canvas.convertToBlob({ type: 'image/png' });
  const copied: number[] = [];
  const copy = GPUQueue.prototype.copyExternalImageToTexture;
  GPUQueue.prototype.copyExternalImageToTexture = function (...args: Parameters<typeof copy>) {
    const [width, height] = args[2] as [number, number];
    copied.push(width * height);
    return copy.apply(this, args);
  };
  const found: { off: number[]; pixels: number }[] = [];
  try {
    for (const rule of rules) {
      const image = { ...signedPixels, ...rule, scale: [1], offset: [0] };
      const exact = imageToTensor(picture as unknown as Picture, image, [...size], 3);
      const off: number[] = [];
      copied.length = 0;
      for (const source of [...Object.values(sources), file]) {
        for (const model of models) {
          const { y } = await model.runPicture(source, { image, resize: 'browser' });
          off.push(y!.reduce((most, value, i) => Math.max(most, Math.abs(value - exact[i]!)), 0));
        }
      }
      found.push({ off, pixels: Math.max(...copied) });
    }
  } finally {
    GPUQueue.prototype.copyExternalImageToTexture = copy;
  }
  const told = await models[0]!
    .runPicture(sources.bitmap, { image: 'keras', resize: 'gpu' as 'browser' })
    .catch((error: Error) => `${error.constructor.name}: ${error.message}`);
  for (const model of models) model.dispose();
  return { found, told };
}

/** Compiles what reads frames of video as they are: whether this browser's compiler takes the shader. */
export async function compileExternal(): Promise<string> {
  const { device } = await openGpu();
  const program = imageProgram([480, 640], signedPixels, [1, ...size, 3], false, 'external');
  const code = shaderCode(program.file, program.source, {
    ...program.constants,
    ...preludeNames({ precision: 'float32', dst: false }),
  });
  const spec = { label: program.file, code, overrides: program.overrides };
  try {
    const [pipeline] = await compilePipelines(device, [{ ...spec, bindings: ['uniform', 'external', 'write'] }]);
    return pipeline!.getBindGroupLayout(0) ? 'compiled' : 'no layout';
  } catch (error) {
    return (error as Error).message;
  } finally {
    device.destroy();
  }
}
