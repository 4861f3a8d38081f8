import { UsageError } from '../errors.ts';
import type { GpuPicture } from './picture-source.ts';

const byteFormats: readonly string[] = ['rgba8unorm', 'bgra8unorm'];
const floatFormats: readonly string[] = ['rgba16float', 'rgba32float'];

/** A texture of the caller's as a picture. Throws `UsageError` where it cannot be read as one. */
export function openTexture(source: GPUTexture): GpuPicture {
  const { width, height, format, usage, dimension, sampleCount, depthOrArrayLayers } = source;
  const form = byteFormats.includes(format) ? 'bytes' : floatFormats.includes(format) ? 'floats' : null;
  if (form && usage & 4 /* TEXTURE_BINDING */ && dimension === '2d' && sampleCount * depthOrArrayLayers === 1) {
    return { width, height, way: 'texture', form, source, close() {} };
  }
  const formats = [...byteFormats, ...floatFormats].join(', ');
  throw new UsageError(
    `a GPUTexture of format ${format}, dimension ${dimension}, ${depthOrArrayLayers} layers, ${sampleCount} samples and usage ${usage} cannot be read as a ` +
      `picture: expected one of ${formats}, 2d, of one layer and one sample, with GPUTextureUsage.TEXTURE_BINDING`,
  );
}
