/** A program as users of @tensorflow-models/mobilenet have it; only its import differs. */
interface Result {
  readonly shape: readonly number[];
  data(): Promise<ArrayLike<number>>;
  array(): Promise<unknown>;
  dispose(): void;
}

interface Network<Image> {
  classify(
    image: Image,
    topk?: number,
  ): Promise<readonly { readonly className: string; readonly probability: number }[]>;
  infer(image: Image, embedding?: boolean): Result;
}

export interface Config {
  readonly version: 1 | 2;
  readonly alpha: 0.25 | 0.5;
  readonly modelUrl: string;
  readonly inputRange?: [number, number];
}

export interface Found {
  readonly classes: readonly { readonly className: string; readonly probability: number }[];
  readonly five: number;
  readonly logits: readonly number[];
  readonly embedding: readonly number[];
  readonly shapes: readonly (readonly number[])[];
}

export async function program<Image>(
  mobilenet: { load(config: Config): Promise<Network<Image>> },
  config: Config,
  images: readonly Image[],
): Promise<Found[]> {
  const network = await mobilenet.load(config);
  const all: Found[] = [];
  for (const image of images) {
    const classes = await network.classify(image);
    const five = (await network.classify(image, 5)).length;
    const logits = network.infer(image);
    const embedding = network.infer(image, true);
    all.push({
      classes,
      five,
      logits: [...(Array.from(await logits.data()) as number[])],
      embedding: ((await embedding.array()) as number[][])[0]!,
      shapes: [[...logits.shape], [...embedding.shape]],
    });
    logits.dispose();
    embedding.dispose();
  }
  return all;
}
