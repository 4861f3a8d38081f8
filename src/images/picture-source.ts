import type { Picture } from './picture.ts';

/**
 * What may be passed as a picture: RGBA bytes (`{ data, width, height }`, an `ImageData`), an element or a canvas, an
 * `ImageBitmap`, a picture file (`Blob`, `File`), a frame of video, or a texture of the model's own device. It is read by
 * the time that the promise settles: until then it is not to be changed or closed. Pixels are those of sRGB, alpha not
 * multiplied in, upright as EXIF data say.
 *
 * A `GPUTexture` is 2-D, of one layer and sample, made with `TEXTURE_BINDING`, of the formats rgba8unorm, bgra8unorm, rgba16float
 * or rgba32float, whose values 0 … 1 stand for 0 … 255, gamma-coded. It stays the caller's.
 */
export type PictureSource =
  | Picture
  | HTMLImageElement
  | HTMLCanvasElement
  | OffscreenCanvas
  | ImageBitmap
  | Blob
  | VideoFrame
  | HTMLVideoElement
  | GPUTexture;

/** A picture that is no bytes, ready for the GPU. */
export interface GpuPicture {
  readonly width: number;
  readonly height: number;
  /** `copy`: into a texture of the engine's; `external`: read as it is, in the task in which it was imported. */
  readonly way: 'copy' | 'external' | 'texture';
  /** What it is read from: a texture of bytes, of floats, or a frame of video. */
  readonly form: 'bytes' | 'floats' | 'external';
  readonly source: ImageBitmap | VideoFrame | HTMLVideoElement | GPUTexture;
  /** Frees what was made of the caller's. */
  close(): void;
}

/** What a picture becomes before it is run. */
export type OpenPicture = Picture | GpuPicture;
