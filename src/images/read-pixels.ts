import type { Picture } from './picture.ts';
import type { OpenPicture } from './picture-source.ts';

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
