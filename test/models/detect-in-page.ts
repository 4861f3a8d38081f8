import { load } from '../../src/index.ts';
import { type DetectedBox, detect } from '../../src/tasks/index.ts';

/** In the browser: the objects in pictures of `[width, height, RGBA]`, on WebGPU. */
export async function detectIn({
  model: address,
  pictures,
}: {
  model: string;
  pictures: readonly { width: number; height: number; data: Uint8Array }[];
}): Promise<DetectedBox[][]> {
  const model = await load(address, { device: 'webgpu', tuning: 'off' });
  try {
    const found: DetectedBox[][] = [];
    for (const picture of pictures) found.push(await detect(model, picture));
    return found;
  } finally {
    model.dispose();
  }
}
