import { createCanvas } from '@napi-rs/canvas';

/** Colours of the four quarters of a picture, row by row. */
export type Quarters = readonly [string, string, string, string];

/** As a camera stores it, lying; 64 × 32 pixels. */
const stored: Quarters = ['red', 'lime', 'blue', 'white'];

/** What an eye sees of it under each Orientation (EXIF 2.32, 4.6.4): which stored quarter comes where. */
const upright: Readonly<Record<number, readonly [number, number, number, number]>> = {
  1: [0, 1, 2, 3],
  2: [1, 0, 3, 2],
  3: [3, 2, 1, 0],
  4: [2, 3, 0, 1],
  5: [0, 2, 1, 3],
  6: [2, 0, 3, 1],
  7: [3, 1, 2, 0],
  8: [1, 3, 0, 2],
};

export const orientations: readonly number[] = Object.keys(upright).map(Number);

export interface OrientedPicture {
  readonly jpeg: Uint8Array;
  /** Of what an eye sees. */
  readonly width: number;
  readonly height: number;
  readonly quarters: Quarters;
}

/** A JPEG whose EXIF data say how it is to be turned, little-endian as phones write it or big-endian. */
export function orientedPicture(orientation: number, order: 'little' | 'big' = 'little'): OrientedPicture {
  const turned = orientation > 4;
  const quarters = upright[orientation]!.map((i) => stored[i]!) as unknown as Quarters;
  const jpeg = painted(64, 32, stored).toBuffer('image/jpeg', 95);
  // Behind the first marker, SOI, where phones have it.
  const parts = [jpeg.subarray(0, 2), exifSegment(orientation, order === 'little'), jpeg.subarray(2)];
  return { jpeg: new Uint8Array(Buffer.concat(parts)), width: turned ? 32 : 64, height: turned ? 64 : 32, quarters };
}

function painted(width: number, height: number, quarters: Quarters) {
  const canvas = createCanvas(width, height);
  const context = canvas.getContext('2d');
  for (const [i, colour] of quarters.entries()) {
    context.fillStyle = colour;
    context.fillRect((i % 2) * (width / 2), Math.floor(i / 2) * (height / 2), width / 2, height / 2);
  }
  return canvas;
}

/** APP1 with a TIFF header and one entry: tag 0x0112, Orientation, one SHORT. */
function exifSegment(orientation: number, little: boolean): Uint8Array {
  const bytes = new Uint8Array(36);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 0xffe1);
  view.setUint16(2, bytes.length - 2);
  bytes.set(new TextEncoder().encode('Exif\0\0'), 4);
  const tiff = 10;
  view.setUint16(tiff, little ? 0x4949 : 0x4d4d);
  view.setUint16(tiff + 2, 42, little);
  view.setUint32(tiff + 4, 8, little);
  view.setUint16(tiff + 8, 1, little);
  view.setUint16(tiff + 10, 0x0112, little);
  view.setUint16(tiff + 12, 3, little);
  view.setUint32(tiff + 14, 1, little);
  view.setUint16(tiff + 18, orientation, little);
  // No further directory: four zeros.
  return bytes;
}
