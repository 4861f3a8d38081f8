import { type Conv2d, load } from '../../src/index.ts';
import { explain, mapOnPicture, withClassMaps } from '../../src/tasks/index.ts';
import { signedPixels } from '../support/image-rule.ts';

interface SideBySide {
  readonly model: string;
  /** Addresses of two photographs. */
  readonly pictures: readonly [left: string, right: string];
  /** Indices of the classes on them. */
  readonly classes: readonly [left: number, right: number];
}

export interface Explained {
  /** Of each class's positive map, the share on its own half. */
  readonly shares: number[];
  /** |mean of the map + bias − logit|, and how much it may be. */
  readonly differences: { readonly found: number; readonly bound: number }[];
}

/** γ(n) of Higham, section 3.1: the share by which n roundings of float32 in a row change a value. */
const gamma = (n: number) => (n * 2 ** -24) / (1 - n * 2 ** -24);

/** In the browser: where a classifier looks on two photographs side by side, on WebGPU. */
export async function explainSideBySide({ model: address, pictures, classes }: SideBySide): Promise<Explained> {
  const context = new OffscreenCanvas(448, 448).getContext('2d')!;
  for (const [i, picture] of pictures.entries()) {
    const bitmap = await createImageBitmap(await (await fetch(picture)).blob(), { colorSpaceConversion: 'none' });
    context.drawImage(bitmap, i * 224, 0, 224, 448);
  }
  const file = await load(address, { device: 'reference', precision: 'float32' });
  const graph = await withClassMaps(file.graph);
  const maps = graph.nodes.find(({ name }) => name === 'class-maps') as Conv2d;
  const model = await load(
    { ...graph, outputs: [...graph.outputs, { name: 'features', tensor: maps.inputs[0]! }] },
    { device: 'webgpu', precision: 'float32' },
  );
  try {
    const pixels = context.getImageData(0, 0, 448, 448);
    const image = model.graph.image ?? signedPixels;
    const { features } = await model.runPicture(pixels, { image });
    const seen = await explain(model, pixels, { image, top: maps.outChannels });
    const places = seen.size[0] * seen.size[1];
    const channels = features!.length / places;
    const found = classes.map((index) => seen.classes.find((one) => one.index === index)!);
    return {
      shares: found.map((one, half) => {
        const heat = mapOnPicture(seen, one);
        let [own, all] = [0, 0];
        for (let i = 0; i < heat.length; i++) {
          const value = Math.max(0, heat[i]!);
          all += value;
          if (Math.floor((i % 448) / 224) === half) own += value;
        }
        return own / all;
      }),
      differences: found.map(({ index, map, bias, logit }) => {
        let magnitude = 0;
        for (let i = 0; i < features!.length; i++) {
          magnitude += Math.abs(features![i]! * maps.weights[(i % channels) * maps.outChannels + index]!);
        }
        // The map: a product of `channels` terms. The logit: a sum of `places` terms, a division (5 roundings), that
        // product, and the bias.
        const roundings = gamma(channels) + gamma(places + 5 + channels + 1);
        const mean = map.reduce((sum, value) => sum + value, 0) / places;
        return {
          found: Math.abs(mean + bias - logit),
          bound: (roundings * magnitude) / places + gamma(2) * Math.abs(bias),
        };
      }),
    };
  } finally {
    model.dispose();
    file.dispose();
  }
}
