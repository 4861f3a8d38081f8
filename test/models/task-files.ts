/**
 * Real pose estimators and segmentation networks, and what their own runtime makes of the same pixels. Of the folder that
 * IMAGENET_MODELS names: movenet_single_pose_lightning_ptq.tflite with its reference, squat.bmp, bird_segmentation.bmp
 * and its mask, and, where they are there, the quantised DeepLab, PoseNet and BodyPix of google-coral/test_data;
 * deeplabv3.tflite of tensorflow/tflite-support.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createCanvas, loadImage } from '@napi-rs/canvas';
import type { Picture } from '../../src/index.ts';
import { modelFolder } from '../support/real-models.ts';

export const inFolder = (name: string): string => join(modelFolder, name);

export const bytesOf = (path: string): Uint8Array => new Uint8Array(readFileSync(path));

export async function pictureOf(path: string): Promise<Picture> {
  const image = await loadImage(readFileSync(path));
  const context = createCanvas(image.width, image.height).getContext('2d');
  context.drawImage(image, 0, 0);
  return context.getImageData(0, 0, image.width, image.height);
}

/** Rows of a CSV of poses, columns by their names. */
export function posesOf(path: string): Record<string, number>[] {
  const [names, ...rows] = readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split(','));
  return rows.map((row) => Object.fromEntries(row.map((value, i) => [names![i]!, Number(value)])));
}

/** Values of an 8-bit BMP as they are stored, from the top left. */
export function indexedPixels(path: string): { width: number; height: number; values: Uint8Array } {
  const bytes = readFileSync(path);
  const [start, width, height] = [10, 18, 22].map((at) => bytes.readInt32LE(at)) as [number, number, number];
  const pitch = Math.ceil(width / 4) * 4;
  const values = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    const from = start + (height - 1 - y) * pitch;
    values.set(bytes.subarray(from, from + width), y * width);
  }
  return { width, height, values };
}

/** Intersection over union of the places that have `index` in two masks. */
export function overlapOf(a: ArrayLike<number>, b: ArrayLike<number>, index: number): number {
  let [both, either] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    if (a[i] === index && b[i] === index) both++;
    if (a[i] === index || b[i] === index) either++;
  }
  return both / either;
}
