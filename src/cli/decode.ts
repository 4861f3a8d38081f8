/** Picture files to pixels in Node, by decoders in WebAssembly and JavaScript: nothing is installed for them. */
import { readFile } from 'node:fs/promises';
import jpegCode from '@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm?url&inline';
import decodeJpeg, { init as initJpeg } from '@jsquash/jpeg/decode.js';
import pngCode from '@jsquash/png/codec/pkg/squoosh_png_bg.wasm?url&inline';
import decodePng, { init as initPng } from '@jsquash/png/decode.js';
import webpCode from '@jsquash/webp/codec/dec/webp_dec.wasm?url&inline';
import decodeWebp, { init as initWebp } from '@jsquash/webp/decode.js';
import { decode as decodeBmp } from 'bmp-ts';
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
    decode: withCode(initJpeg, jpegCode, (bytes) => decodeJpeg(bytes, { preserveOrientation: true })),
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

/** A decoder whose code is compiled when it is first needed. */
function withCode(
  init: (code: WebAssembly.Module) => Promise<unknown>,
  code: string,
  decode: (bytes: ArrayBuffer) => Promise<Picture>,
): Decoder {
  let ready: Promise<unknown> | undefined;
  return async (bytes) => {
    Object.assign(globalThis, { ImageData: globalThis.ImageData ?? Pixels });
    ready ??= WebAssembly.compile(Buffer.from(code.slice(code.indexOf(',') + 1), 'base64')).then(init);
    await ready;
    return decode(new Uint8Array(bytes).buffer);
  };
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
    return await kind.decode(bytes);
  } catch (error) {
    throw new UsageError(
      `${file} could not be decoded as a picture: ${kind.name}, ${(error as Error).message ?? error}`,
    );
  }
}
