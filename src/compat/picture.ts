import { UsageError } from '../errors.ts';
import type { ImageRule, Model, Outputs, PictureSource as Source } from '../index.ts';

/** A tensor of TensorFlow.js, `[height, width, 3]`, values 0 … 255. */
export interface ImageTensor {
  readonly shape: readonly number[];
  data(): Promise<ArrayLike<number>>;
}

/** An image as the package takes it: an element, pixels, or a tensor. */
export type Image = Source | ImageTensor;

export const isTensor = (image: Image): image is ImageTensor =>
  'shape' in image && 'data' in image && !('width' in image);

/** How the package makes the input of a picture. */
export class Picture {
  readonly #model: Model;
  readonly #rule: ImageRule;

  constructor(model: Model, [low, high]: readonly [number, number]) {
    this.#model = model;
    this.#rule = {
      fit: 'stretch',
      cropFraction: 1,
      filter: 'bilinear',
      antialias: false,
      corners: 'align',
      channels: 'rgb',
      scale: [(high - low) / 255],
      offset: [low],
    };
  }

  /** The picture is as it is now, whatever becomes of it while the GPU works. */
  async run(image: Source): Promise<Outputs> {
    const copy = await asItIs(image);
    try {
      return await this.#model.runPicture(copy, { image: this.#rule });
    } finally {
      if (copy !== image) (copy as { close?(): void }).close?.();
    }
  }

  /** Interpolated here: what a tensor holds may be no bytes. */
  async runTensor(image: ImageTensor): Promise<Outputs> {
    const { shape } = image;
    const [height = 0, width = 0, channels] = shape;
    if (shape.length !== 3 || channels !== 3) {
      throw new UsageError(`the tensor is ${shape.join('×')}, expected [height, width, 3]`);
    }
    const [, rows, columns] = this.#model.inputs[0]!.shape;
    const { scale, offset } = this.#rule;
    const values = alignedBilinear(await image.data(), [height, width], [rows, columns]);
    return this.#model.run(values.map((value) => value * scale[0]! + offset[0]!));
  }
}

/** What a page may draw on before the engine looks is copied, at once. */
async function asItIs(image: Source): Promise<Source> {
  const { HTMLCanvasElement, OffscreenCanvas, HTMLVideoElement } = globalThis;
  for (const kind of [HTMLCanvasElement, OffscreenCanvas, HTMLVideoElement]) {
    if (kind && (image as unknown) instanceof kind)
      return (await createImageBitmap(image as never)) as unknown as Source;
  }
  if ('data' in image && ArrayBuffer.isView(image.data)) {
    return { width: image.width, height: image.height, data: (image.data as Uint8Array).slice() } as Source;
  }
  return image;
}

/** `tf.image.resizeBilinear` with aligned corners, of three channels. */
function alignedBilinear(
  values: ArrayLike<number>,
  [height, width]: readonly [number, number],
  [rows, columns]: readonly [number, number],
): Float32Array {
  const axis = (input: number, output: number) =>
    Array.from({ length: output }, (_, o) => {
      const at = output > 1 ? (o * (input - 1)) / (output - 1) : 0;
      const from = Math.floor(at);
      return { from, to: Math.min(from + 1, input - 1), share: at - from };
    });
  const across = axis(width, columns);
  const resized = new Float32Array(rows * columns * 3);
  for (const [y, down] of axis(height, rows).entries()) {
    for (const [x, { from, to, share }] of across.entries()) {
      for (let c = 0; c < 3; c++) {
        const pixel = (row: number, column: number) => values[(row * width + column) * 3 + c]!;
        const above = pixel(down.from, from) * (1 - share) + pixel(down.from, to) * share;
        const below = pixel(down.to, from) * (1 - share) + pixel(down.to, to) * share;
        resized[(y * columns + x) * 3 + c] = above * (1 - down.share) + below * down.share;
      }
    }
  }
  return resized;
}
