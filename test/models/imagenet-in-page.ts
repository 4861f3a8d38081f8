import { type Classification, type ImageRule, load, type PlanKind } from '../../src/index.ts';

/** For a file that does not say: pixels to [−1, 1], the whole picture squashed. */
const signed: ImageRule = {
  fit: 'stretch',
  cropFraction: 1,
  filter: 'bilinear',
  antialias: true,
  corners: 'half-pixel',
  channels: 'rgb',
  scale: [1 / 127.5],
  offset: [-1],
};

/** In the browser: the best classes of a picture file, on WebGPU. */
export async function classifyFile({
  model: address,
  picture,
  plan,
}: {
  model: string;
  picture: string;
  plan: PlanKind;
}): Promise<Classification[]> {
  const bitmap = await createImageBitmap(await (await fetch(picture)).blob(), { colorSpaceConversion: 'none' });
  const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d')!;
  context.drawImage(bitmap, 0, 0);
  const model = await load(address, { device: 'webgpu', plan });
  try {
    const image = model.graph.image ?? signed;
    return await model.classify(context.getImageData(0, 0, bitmap.width, bitmap.height), { image });
  } finally {
    model.dispose();
  }
}
