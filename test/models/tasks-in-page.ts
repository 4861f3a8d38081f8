import { load } from '../../src/index.ts';
import { type PosedPerson, pose, type SegmentedClass, segment } from '../../src/tasks/index.ts';
import { paintedScene } from '../support/painted-scene.ts';

interface Files {
  readonly model: string;
  readonly picture: string;
}

async function opened({ model: address, picture }: Files) {
  const bitmap = await createImageBitmap(await (await fetch(picture)).blob(), { colorSpaceConversion: 'none' });
  const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d')!;
  context.drawImage(bitmap, 0, 0);
  const pixels = context.getImageData(0, 0, bitmap.width, bitmap.height);
  // On integers a pixel that lies half between two steps, which the GPU resizes in float32, may become either.
  return { model: await load(address, { device: 'webgpu', precision: 'float32' }), pixels };
}

/** In the browser: the people in a picture file, on WebGPU. */
export async function poseFile(files: Files): Promise<PosedPerson[]> {
  const { model, pixels } = await opened(files);
  try {
    return await pose(model, pixels);
  } finally {
    model.dispose();
  }
}

/** In the browser: the class of each pixel of a picture file, and scores of the foreground in steps of 1e-6. */
export async function segmentFile(
  files: Files,
): Promise<{ classes: readonly SegmentedClass[]; mask: number[]; foreground: number[] }> {
  const { model, pixels } = await opened(files);
  try {
    const { classes, mask, foreground } = await segment(model, pixels);
    return { classes, mask: [...mask], foreground: Array.from(foreground ?? [], (v) => Math.round(v * 1e6)) };
  } finally {
    model.dispose();
  }
}

/** In the browser: the only output for a painted scene from 0 to 1, on WebGPU. */
export async function runScene({ model: address }: { model: string }): Promise<{ outputs: number[] }> {
  const model = await load(address, { device: 'webgpu' });
  try {
    const [, height, width] = model.inputs[0]!.shape;
    const [output] = Object.values(await model.run(paintedScene([height, width, 3], 3, [0, 1])));
    return { outputs: [...output!] };
  } finally {
    model.dispose();
  }
}
