/** Picture files to pixels in Node, by decoders in WebAssembly and JavaScript: nothing is installed for them. */
import { readFile } from 'node:fs/promises';
import jpegCode from '@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm?url&inline';
import decodeJpeg, { init as initJpeg } from '@jsquash/jpeg/decode.js';
import pngCode from '@jsquash/png/codec/pkg/squoosh_png_bg.wasm?url&inline';
import decodePng, { init as initPng } from '@jsquash/png/decode.js';
import webpCode from '@jsquash/webp/codec/dec/webp_dec.wasm?url&inline';
import decodeWebp, { init as initWebp } from '@jsquash/webp/decode.js';
import { decode as decodeBmp } from 'bmp-ts';
import { decode as decodeInks } from 'jpeg-js';
import { type Picture, UsageError } from '../node/index.ts';

type Decoder = (bytes: Buffer) => Promise<Picture>;

/** The decoders make one, and Node has none. */
class Pixels implements Picture {
  readonly data: Uint8ClampedArray;
  readonly width: number;
  readonly height: number;

  constructor(data: Uint8ClampedArray, width: number, height: number) {
    this.data = data;
    this.width = width;
    this.height = height;
  }
}

/** By the first bytes of a file. */
const kinds: readonly { readonly name: string; readonly begins: RegExp; readonly decode: Decoder }[] = [
  {
    name: 'JPEG',
    begins: /^\xff\xd8\xff/,
    decode: withCode(initJpeg, jpegCode, (bytes) => decodeJpeg(bytes, { preserveOrientation: true }), inks),
  },
  { name: 'PNG', begins: /^\x89PNG/, decode: withCode(initPng, pngCode, (bytes) => decodePng(bytes)) },
  { name: 'WebP', begins: /^RIFF....WEBP/s, decode: withCode(initWebp, webpCode, (bytes) => decodeWebp(bytes)) },
  {
    name: 'BMP',
    begins: /^BM/,
    decode: async (bytes) => {
      const { data, width, height, bitPP } = decodeBmp(bytes, { toRGBA: true });
      const pixels = new Uint8ClampedArray(data);
      // Without a channel for it, alpha is zero.
      if (bitPP < 32) for (let i = 3; i < pixels.length; i += 4) pixels[i] = 255;
      return new Pixels(pixels, width, height);
    },
  },
];

/**
 * A decoder whose code is compiled when it is first needed, and made anew after a file that ended it; `other` is tried with
 * such files.
 */
function withCode(
  init: (code: WebAssembly.Module) => Promise<unknown>,
  code: string,
  decode: (bytes: ArrayBuffer) => Promise<Picture>,
  other?: (bytes: Buffer) => Picture | null,
): Decoder {
  let compiled: Promise<WebAssembly.Module> | undefined;
  let ready: Promise<unknown> | undefined;
  return async (bytes) => {
    Object.assign(globalThis, { ImageData: globalThis.ImageData ?? Pixels });
    compiled ??= WebAssembly.compile(Buffer.from(code.slice(code.indexOf(',') + 1), 'base64'));
    ready ??= compiled.then(init);
    await ready;
    try {
      return await decode(new Uint8Array(bytes).buffer);
    } catch (error) {
      ready = undefined;
      const picture = other?.(bytes);
      if (picture) return picture;
      throw error;
    }
  };
}

/** A JPEG of four inks, CMYK or YCCK, which the other decoder lacks; null for any other. */
function inks(bytes: Buffer): Picture | null {
  // A frame header: its marker, length, bits a sample, height and width, and how many components.
  const frame = bytes.findIndex(
    (byte, i) => byte === 0xff && bytes[i + 1]! >> 2 === 0xc0 >> 2 && bytes[i + 4] === 8 && bytes[i + 9] === 4,
  );
  if (frame < 0) return null;
  const { data, width, height } = decodeInks(bytes, { useTArray: true, formatAsRGBA: true, maxMemoryUsageInMB: 4096 });
  return new Pixels(new Uint8ClampedArray(data), width, height);
}

/**
 * The pixels of a picture file, upright: turned and mirrored as a JPEG's EXIF data say, as browsers do. Throws `UsageError`,
 * which names the file.
 */
export async function decode(file: string): Promise<Picture> {
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (error) {
    throw new UsageError(`${file}: ${(error as Error).message}`);
  }
  const start = bytes.toString('latin1', 0, 16);
  const kind = kinds.find(({ begins }) => begins.test(start));
  if (!kind) throw new UsageError(`${file} could not be decoded as a picture: it is no JPEG, PNG, WebP or BMP`);
  try {
    return withoutHidden(await kind.decode(bytes));
  } catch (error) {
    throw new UsageError(
      `${file} could not be decoded as a picture: ${kind.name}, ${(error as Error).message ?? error}`,
    );
  }
}

/** What is wholly transparent is black, as on a canvas. */
function withoutHidden(picture: Picture): Picture {
  const { data } = picture;
  for (let i = 0; i < data.length; i += 4) if (data[i + 3] === 0) data.fill(0, i, i + 3);
  return picture;
}
