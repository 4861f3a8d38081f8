/** Pictures of every kind → what the engine runs. */
import type { Picture } from './picture.ts';
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

/** The pixels of an open picture as bytes, for the CPU. Throws `PictureError` where the browser does not give them. */
export async function readPixels(picture: OpenPicture): Promise<Picture> {
  if ('data' in picture) return picture;
  try {
    const { width, height, source } = picture;
    const canvas =
      typeof OffscreenCanvas === 'undefined'
        ? Object.assign(document.createElement('canvas'), { width, height })
        : new OffscreenCanvas(width, height);
    const context = canvas.getContext('2d', {
      willReadFrequently: true,
      colorSpace: 'srgb',
    }) as CanvasRenderingContext2D;
    context.drawImage(source as ImageBitmap, 0, 0);
    return context.getImageData(0, 0, width, height);
  } catch (error) {
    throw (await import('./picture-failure.ts')).pictureFailure(picture, error as Error);
  }
}
