import { type Classification, load, type PlanKind, type Precision } from '../../src/index.ts';
import { signedPixels } from '../support/image-rule.ts';

/** In the browser: the best classes of a picture file, on WebGPU. */
export async function classifyFile({
  model: address,
  picture,
  plan,
  precision,
}: {
  model: string;
  picture: string;
  plan: PlanKind;
  precision: Precision;
}): Promise<Classification[]> {
  const bitmap = await createImageBitmap(await (await fetch(picture)).blob(), { colorSpaceConversion: 'none' });
  const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d')!;
  context.drawImage(bitmap, 0, 0);
  const model = await load(address, { device: 'webgpu', plan, precision });
  try {
    // For a file that does not say.
    const image = model.graph.image ?? signedPixels;
    return await model.classify(context.getImageData(0, 0, bitmap.width, bitmap.height), { image });
  } finally {
    model.dispose();
  }
}
