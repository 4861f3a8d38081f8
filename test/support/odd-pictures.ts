/** Small picture files of uncommon kinds, each of one colour, written from their specifications. */
import { crc32, deflateSync } from 'node:zlib';

export interface OddPicture {
  readonly kind: string;
  readonly type: 'image/png' | 'image/jpeg';
  readonly file: Uint8Array<ArrayBuffer>;
  /** Red, green and blue of every pixel as a page sees them. */
  readonly colour: readonly [number, number, number];
}

const be = (bytes: number, value: number) =>
  Array.from({ length: bytes }, (_, i) => (value >>> (8 * (bytes - 1 - i))) & 255);

/** Colour types of PNG (ISO 15948, 11.2.2). */
const [GREY, RGB, PALETTE, GREY_ALPHA, RGBA] = [0, 2, 3, 4, 6];

/** 8 × 8 pixels, each with these bytes. */
const png = (bits: number, colourType: number, pixel: readonly number[], palette?: readonly number[]) =>
  pngOfRows(bits, colourType, [8, 8], () => Array.from({ length: 8 }, () => pixel).flat(), palette);

/** RGBA pixels as they are, alpha not multiplied in. */
export const pngOfPixels = (width: number, height: number, data: Uint8Array): Uint8Array<ArrayBuffer> =>
  pngOfRows(8, RGBA, [height, width], (y) => [...data.subarray(4 * y * width, 4 * (y + 1) * width)]);

/** Not interlaced. */
function pngOfRows(
  bits: number,
  colourType: number,
  [height, width]: readonly [number, number],
  rowOf: (y: number) => readonly number[],
  palette?: readonly number[],
): Uint8Array<ArrayBuffer> {
  const chunk = (name: string, data: readonly number[]) => {
    const body = [...Buffer.from(name, 'latin1'), ...data];
    return [...be(4, data.length), ...body, ...be(4, crc32(Uint8Array.from(body)))];
  };
  const rows = Array.from({ length: height }, (_, y) => [0, ...rowOf(y)]).flat();
  return Uint8Array.from([
    ...[137, 80, 78, 71, 13, 10, 26, 10],
    ...chunk('IHDR', [...be(4, width), ...be(4, height), bits, colourType, 0, 0, 0]),
    ...(palette ? chunk('PLTE', palette) : []),
    ...chunk('IDAT', [...deflateSync(Uint8Array.from(rows))]),
    ...chunk('IEND', []),
  ]);
}

/** Coefficients of one block are coded by their number of bits, 0 to 11, as four bits; 0 for the end of a block as one. */
const tables = [
  ...[0xff, 0xdb, ...be(2, 67), 0, ...Array<number>(64).fill(1)],
  ...[0xff, 0xc4, ...be(2, 19 + 12), 0, ...[0, 0, 0, 12, ...Array<number>(12).fill(0)], ...Array(12).keys()],
  ...[0xff, 0xc4, ...be(2, 20), 0x10, 1, ...Array<number>(15).fill(0), 0],
];

/** One block of 8 × 8 pixels, a sample a component; `progressive`: a scan of the first coefficients alone (T.81, G.1.2.1). */
function jpeg(samples: readonly number[], { progressive = false, adobe = false } = {}): Uint8Array<ArrayBuffer> {
  const ids = samples.map((_, i) => i + 1);
  let bits = '';
  for (const sample of samples) {
    // The mean of a block is an eighth of its first coefficient.
    const value = 8 * (sample - 128);
    const size = value === 0 ? 0 : Math.floor(Math.log2(Math.abs(value))) + 1;
    bits += size.toString(2).padStart(4, '0');
    if (size > 0) bits += (value > 0 ? value : value + 2 ** size - 1).toString(2).padStart(size, '0');
    if (!progressive) bits += '0';
  }
  bits = bits.padEnd(Math.ceil(bits.length / 8) * 8, '1');
  const coded = (bits.match(/.{8}/g) ?? []).flatMap((byte) =>
    byte === '11111111' ? [255, 0] : [Number.parseInt(byte, 2)],
  );
  return Uint8Array.from([
    ...[0xff, 0xd8],
    // Without a transform the components are as they are, CMYK inverted.
    ...(adobe ? [0xff, 0xee, ...be(2, 14), ...Buffer.from('Adobe'), 0, 100, 0, 0, 0, 0, 0] : []),
    ...tables,
    ...[0xff, progressive ? 0xc2 : 0xc0, ...be(2, 8 + 3 * ids.length), 8, ...be(2, 8), ...be(2, 8), ids.length],
    ...ids.flatMap((id) => [id, 0x11, 0]),
    ...[
      0xff,
      0xda,
      ...be(2, 6 + 2 * ids.length),
      ids.length,
      ...ids.flatMap((id) => [id, 0]),
      0,
      progressive ? 0 : 63,
      0,
    ],
    ...coded,
    ...[0xff, 0xd9],
  ]);
}

const red = [255, 0, 0] as const;

export const oddPictures: readonly OddPicture[] = (
  [
    ['PNG of 16 bits', png(16, RGB, [0xff, 0xff, 0x40, 0x40, 0, 0]), [255, 64, 0]],
    ['grey PNG', png(8, GREY, [77]), [77, 77, 77]],
    ['grey PNG of 16 bits', png(16, GREY, [0xc8, 0xc8]), [200, 200, 200]],
    ['PNG with a palette', png(8, PALETTE, [1], [0, 0, 0, 9, 99, 199]), [9, 99, 199]],
    ['grey PNG with alpha', png(8, GREY_ALPHA, [100, 255]), [100, 100, 100]],
    ['PNG half transparent: its colour counts, not what lies behind', png(8, RGBA, [255, 0, 0, 128]), red],
    ['PNG all transparent: black, as a canvas keeps no colour of it', png(8, RGBA, [255, 0, 0, 0]), [0, 0, 0]],
    ['grey JPEG', jpeg([77]), [77, 77, 77]],
    ['progressive JPEG', jpeg([150, 128, 128], { progressive: true }), [150, 150, 150]],
    ['CMYK JPEG', jpeg([255, 0, 0, 255], { adobe: true }), red],
  ] as const
).map(([kind, file, colour]) => ({ kind, file, colour, type: file[0] === 137 ? 'image/png' : 'image/jpeg' }));
