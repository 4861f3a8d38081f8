import { PictureError, UsageError } from '../../src/index.ts';

/** Longer pictures are shrunk to this many pixels on their longer side: nothing here looks at more. */
const LONGEST = 1600;

/** A picture file as a canvas, upright. Throws `PictureError`. */
export async function pictureOf(file: Blob, name: string): Promise<HTMLCanvasElement> {
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch (cause) {
    throw new PictureError(
      `${name} could not be decoded (${(cause as Error).message}): expected a JPEG, PNG, WebP, AVIF, GIF or BMP file`,
      { cause },
    );
  }
  const canvas = canvasOf(bitmap, bitmap.width, bitmap.height);
  bitmap.close();
  return canvas;
}

export function canvasOf(source: CanvasImageSource, width: number, height: number): HTMLCanvasElement {
  const share = Math.min(1, LONGEST / Math.max(width, height));
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [width, height].map((side) => Math.max(1, Math.round(side * share))) as [
    number,
    number,
  ];
  const context = canvas.getContext('2d', { willReadFrequently: true })!;
  context.imageSmoothingQuality = 'high';
  context.drawImage(source, 0, 0, canvas.width, canvas.height);
  return canvas;
}

/** The picture at an address. Its server must let other pages read it. Throws `UsageError` and `PictureError`. */
export async function pictureAt(address: string, signal: AbortSignal): Promise<HTMLCanvasElement> {
  let url: URL;
  try {
    url = new URL(address);
  } catch {
    throw new UsageError(`"${address}" is no address: it begins with https://`);
  }
  if (url.protocol !== 'https:' && url.origin !== location.origin)
    throw new UsageError(`"${address}" is no address that this page asks for: it begins with https://`);
  let response: Response;
  try {
    response = await fetch(url, { signal, credentials: 'omit', referrerPolicy: 'no-referrer' });
  } catch (cause) {
    signal.throwIfAborted();
    throw new PictureError(
      `${url.href} could not be read: check the address and the network; many servers also refuse other pages ` +
        '(Access-Control-Allow-Origin). Save the picture and open the file instead',
      { cause },
    );
  }
  if (!response.ok)
    throw new PictureError(`${url.href}: the server answered ${response.status} ${response.statusText}`);
  return pictureOf(await response.blob(), url.href);
}
