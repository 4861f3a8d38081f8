import { createCanvas, loadImage } from '@napi-rs/canvas';
import type { ImageRule } from '../../src/graph/graph.ts';
import { imageToTensor } from '../../src/images/image-to-tensor.ts';

/** The input tensor `[1, size, size, 3]` of a picture file. */
export async function photograph(path: string, rule: ImageRule, size: number): Promise<Float32Array> {
  const image = await loadImage(path);
  const context = createCanvas(image.width, image.height).getContext('2d');
  context.drawImage(image, 0, 0);
  return imageToTensor(context.getImageData(0, 0, image.width, image.height), rule, [size, size], 3);
}
