/** Pictures of every kind → what the engine runs. */
import type { OpenPicture, PictureSource } from './picture-source.ts';

/** A picture file of more bytes may hold more pixels than can be decoded, and is looked at before. */
const LARGE = 2 ** 20;

/**
 * The picture as bytes, as it was given, or as an `ImageBitmap` of sRGB whose colours are not multiplied by alpha. Throws
 * `PictureError` where it cannot be decoded or read, `UsageError` where it is no picture. `bitmapOf`: of what is no bytes.
 */
export async function openPicture(
  source: PictureSource | OpenPicture,
  bitmapOf = (options: ImageBitmapOptions) => createImageBitmap(source as ImageBitmap, options),
): Promise<OpenPicture> {
  try {
    if ('data' in source || 'way' in source) return source;
    if ('createView' in source) return (await import('./open-texture.ts')).openTexture(source);
    if ('size' in source && source.size > LARGE) await (await import('./picture-size.ts')).checkSize(source);
    if ('naturalWidth' in source) await source.decode();
    const bitmap = await bitmapOf({ premultiplyAlpha: 'none', colorSpaceConversion: 'default' });
    const { width, height } = bitmap;
    return { width, height, way: 'copy', form: 'bytes', source: bitmap, close: () => bitmap.close() };
  } catch (error) {
    throw (await import('./picture-failure.ts')).pictureFailure(source, error as Error);
  }
}
