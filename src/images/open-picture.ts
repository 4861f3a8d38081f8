/** Pictures of every kind → what the engine runs. */
import { PictureError, UsageError } from '../errors.ts';
import type { Picture } from './image-to-tensor.ts';
import type { GpuPicture, OpenPicture, PictureSource } from './picture-source.ts';

/** Pixels of a picture that is not decoded: more than browsers keep. */
const MOST_PIXELS = 2 ** 27;

const isOpen = (source: PictureSource | OpenPicture): source is OpenPicture => 'data' in source || 'way' in source;

const nameOf = (source: object): string =>
  source instanceof Blob ? ((source as File).name ?? 'the picture') : `the ${source.constructor?.name ?? 'picture'}`;

/**
 * The picture as bytes, as it was given, or as an `ImageBitmap` of sRGB whose colours are not multiplied by alpha. Throws
 * `PictureError` where it cannot be decoded or read, `UsageError` where it is no picture.
 */
export async function openPicture(source: PictureSource | OpenPicture): Promise<OpenPicture> {
  if (typeof source !== 'object' || source === null) throw noPicture(source);
  if (isOpen(source)) return source;
  if ('createView' in source) {
    return { width: source.width, height: source.height, way: 'texture', source, close() {} };
  }
  if (source instanceof Blob) await checkSize(source);
  // What browsers refuse with no word, or with one that does not help.
  if ('videoWidth' in source && source.readyState < 2) {
    throw new PictureError('the video has no frame yet: wait for its event "loadeddata", or for play() to resolve');
  }
  if ('naturalWidth' in source) {
    await source.decode().catch((cause) => {
      throw new PictureError(`the image ${source.currentSrc || source.src} could not be decoded: ${cause.message}`, {
        cause,
      });
    });
  }
  if (typeof createImageBitmap === 'undefined') {
    throw new UsageError(
      `there is no createImageBitmap here to read ${nameOf(source)} with: pass RGBA bytes ({ data, width, height })`,
    );
  }
  try {
    const bitmap = await createImageBitmap(source, { premultiplyAlpha: 'none', colorSpaceConversion: 'default' });
    const { width, height } = bitmap;
    return { width, height, way: 'copy', source: bitmap, close: () => bitmap.close() };
  } catch (cause) {
    if (cause instanceof TypeError) throw noPicture(source);
    throw new PictureError(`${nameOf(source)} could not be decoded: ${why(source, cause as Error)}`, { cause });
  }
}

const noPicture = (source: unknown) =>
  new UsageError(
    `${source === null ? 'null' : typeof source === 'object' ? `a ${source!.constructor?.name}` : `a ${typeof source}`} is no picture: ` +
      'expected an img, canvas, video, ImageBitmap, ImageData, Blob, VideoFrame, GPUTexture or { data, width, height }',
  );

function why(source: object, { message }: Error): string {
  if (source instanceof Blob)
    return `${message} (${source.size} bytes of type "${source.type}"): is it a whole JPEG, PNG or WebP file?`;
  return `${message}: it is empty, or was closed or handed to a worker`;
}

/** Reads of a JPEG or PNG file how large it is, before anything is decoded. */
async function checkSize(file: Blob): Promise<void> {
  const bytes = new Uint8Array(await file.slice(0, 2 ** 18).arrayBuffer());
  const view = new DataView(bytes.buffer);
  let size: readonly [number, number] | null = null;
  if (bytes[0] === 0x89 && bytes[1] === 0x50 && bytes.length >= 24) size = [view.getUint32(16), view.getUint32(20)];
  // Segments of a JPEG up to a start of frame.
  for (
    let at = 2;
    bytes[0] === 0xff && bytes[1] === 0xd8 && at + 9 < bytes.length && !size;
    at += 2 + view.getUint16(at + 2)
  ) {
    const marker = bytes[at + 1]!;
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) {
      size = [view.getUint16(at + 7), view.getUint16(at + 5)];
    }
  }
  if (!size || size[0] * size[1] <= MOST_PIXELS) return;
  throw new PictureError(
    `${nameOf(file)} has ${size[0]} × ${size[1]} pixels, and at most ${MOST_PIXELS} are decoded: shrink it first, for example ` +
      'createImageBitmap(file, { resizeWidth: 2048 })',
  );
}

/** The pixels of an open picture as bytes, for the CPU. Throws `PictureError` where the browser does not give them. */
export function readPixels(picture: OpenPicture): Picture {
  if ('data' in picture) return picture;
  const { width, height, way, source } = picture as GpuPicture;
  if (way === 'texture')
    throw new UsageError('a GPUTexture can be read by a model on the GPU only: pass what it was made of');
  const canvas =
    typeof OffscreenCanvas === 'undefined'
      ? Object.assign(document.createElement('canvas'), { width, height })
      : new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d', { willReadFrequently: true, colorSpace: 'srgb' }) as CanvasRenderingContext2D;
  context.drawImage(source as ImageBitmap, 0, 0);
  try {
    return context.getImageData(0, 0, width, height);
  } catch (cause) {
    throw tainted(cause as Error);
  }
}

/** For what a browser says of pixels of another origin. */
export const tainted = (cause: Error): PictureError =>
  new PictureError(
    `the picture may not be read (${cause.message}): it comes from another origin; have its server send ` +
      'Access-Control-Allow-Origin, and set crossOrigin = "anonymous" on the element before its src',
    { cause },
  );
