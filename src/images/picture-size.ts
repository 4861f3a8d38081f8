import { PictureError } from '../errors.ts';

/** Pixels of a picture file that is not decoded: half a gigabyte of memory, and more than GPUs take. */
const MOST_PIXELS = 2 ** 27;

/** Reads of a JPEG or PNG file how large it is, before anything is decoded. Throws `PictureError` where that is too large. */
export async function checkSize(file: Blob): Promise<void> {
  const bytes = new Uint8Array(await file.slice(0, 2 ** 18).arrayBuffer());
  const size = sizeOf(bytes);
  if (!size || size[0] * size[1] <= MOST_PIXELS) return;
  throw new PictureError(
    `${(file as File).name ?? 'the picture'} has ${size[0]} × ${size[1]} pixels, and at most ${MOST_PIXELS} are decoded: shrink ` +
      'it first, for example by createImageBitmap(file, { resizeWidth: 2048 })',
  );
}

/** Width and height; null of other files, and where the beginning does not say. */
function sizeOf(bytes: Uint8Array): readonly [number, number] | null {
  const view = new DataView(bytes.buffer);
  if (bytes[0] === 0x89 && bytes[1] === 0x50 && bytes.length >= 24) return [view.getUint32(16), view.getUint32(20)];
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8) return null;
  // The segments of a JPEG up to a start of frame.
  for (let at = 2; at + 9 < bytes.length && bytes[at] === 0xff; at += 2 + view.getUint16(at + 2)) {
    const marker = bytes[at + 1]!;
    const startsFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (startsFrame) return [view.getUint16(at + 7), view.getUint16(at + 5)];
  }
  return null;
}
