import { quartersOf } from '../support/quarters.ts';

/** What a page sees of a picture file, by each way to the pixels that the documentation names. */
export async function decodeInPage(file: Uint8Array<ArrayBuffer>) {
  const blob = new Blob([file], { type: 'image/jpeg' });
  const bitmaps = await Promise.all([
    createImageBitmap(blob),
    createImageBitmap(blob, { imageOrientation: 'from-image', colorSpaceConversion: 'none' }),
  ]);
  const element = new Image();
  element.src = URL.createObjectURL(blob);
  await element.decode();
  const sources = [...bitmaps, element];
  return sources.map((source) => {
    const context = new OffscreenCanvas(source.width, source.height).getContext('2d')!;
    context.drawImage(source, 0, 0);
    const { width, height } = source;
    return { width, height, quarters: quartersOf(context.getImageData(0, 0, width, height)) };
  });
}

/** The first pixel of each picture file, as a page sees it. */
export async function firstPixels({ files }: { files: readonly { file: Uint8Array<ArrayBuffer>; type: string }[] }) {
  const seen: number[][] = [];
  for (const { file, type } of files) {
    const bitmap = await createImageBitmap(new Blob([file], { type }));
    const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d')!;
    context.drawImage(bitmap, 0, 0);
    seen.push([...context.getImageData(0, 0, 1, 1).data.slice(0, 3)]);
  }
  return seen;
}
