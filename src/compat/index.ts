/**
 * `load`, `classify` and `infer` of `@tensorflow-models/mobilenet` 2.1.1 with its numerics, on this engine: the whole frame
 * stretched by bilinear interpolation between aligned corners, the pixels in its input range, class 0 (background) dropped.
 */
import { UsageError } from '../errors.ts';
import { softmax, topK } from '../graph/scores.ts';
import {
  catalogue,
  type LoadOptions,
  load as loadModel,
  type Model,
  type ModelSource,
  outputShapes,
} from '../index.ts';
import { imagenetLabels } from '../labels/imagenet.ts';
import { Inference } from './inference.ts';
import { type IOHandler, modelOf } from './io-handler.ts';
import { type Image, isTensor, Picture } from './picture.ts';

export { Inference, type TensorMaker } from './inference.ts';
export type { IOHandler, ModelArtifacts } from './io-handler.ts';
export type { Image, ImageTensor } from './picture.ts';

export interface ModelConfig {
  readonly version: 1 | 2;
  /** Of the widths that there are: 0.25, 0.5, 0.75, 1 of version 1; 0.5, 0.75, 1 of version 2. Default 1. */
  readonly alpha?: 0.25 | 0.5 | 0.75 | 1 | undefined;
  /** A graph model's model.json, in place of one of the catalogue (`catalogue()`), or else of TensorFlow Hub. */
  readonly modelUrl?: string | IOHandler | undefined;
  /** What black and white become; default [0, 1], and [-1, 1] with `modelUrl`. */
  readonly inputRange?: readonly [low: number, high: number] | undefined;
}

/** The class's name, and how likely it is among the 1,000 without the background. */
export interface ClassProbability {
  readonly className: string;
  readonly probability: number;
}

const widths: Readonly<Record<number, readonly number[]>> = { 1: [0.25, 0.5, 0.75, 1], 2: [0.5, 0.75, 1] };

/**
 * Loads a network of the version and width, as the package does; `options` are those of this engine's `load`. Throws
 * `UsageError` for another version or width, and as `load` does.
 */
export async function load(
  { version, alpha = 1, modelUrl, inputRange }: ModelConfig = { version: 1, alpha: 1 },
  options: LoadOptions = {},
): Promise<MobileNet> {
  const known = widths[version];
  if (!known) throw new UsageError(`version is ${version}, expected 1 or 2`);
  if (modelUrl === undefined && !known.includes(alpha)) {
    throw new UsageError(`alpha is ${alpha}, expected ${known.join(', ')} of version ${version}, or pass "modelUrl"`);
  }
  const { source, range } = await where(version, alpha, modelUrl);
  const model = await loadModel(source, { ...options, embedding: true });
  const probabilities = modelUrl === undefined && model.outputs.some(({ meaning }) => meaning === 'probabilities');
  return new MobileNet(model, inputRange ?? range, probabilities);
}

/** The file, and the range that its pixels are in unless something else is said. */
async function where(
  version: number,
  alpha: number,
  modelUrl: ModelConfig['modelUrl'],
): Promise<{ readonly source: ModelSource; readonly range: readonly [number, number] }> {
  if (typeof modelUrl === 'string') return { source: modelUrl, range: [-1, 1] };
  if (modelUrl) return { source: await modelOf(modelUrl), range: [-1, 1] };
  const width = Number.isInteger(alpha) ? alpha.toFixed(1) : String(alpha);
  const entry = (await catalogue()).find(({ id }) => id === `imagenet/v${version}-${width}`);
  return entry ? { source: entry.id, range: [-1, 1] } : { source: hubAddress(version, alpha), range: [0, 1] };
}

/** Where TensorFlow Hub has it. */
const hubAddress = (version: number, alpha: number): string => {
  const width = (100 * alpha).toFixed(0).padStart(3, '0');
  return `https://tfhub.dev/google/imagenet/mobilenet_v${version}_${width}_224/classification/${version}/model.json?tfjs-format=file`;
};

/** The package spells it otherwise. */
const JELLYFISH = 107;

/** The least normal float32, in place of a probability that was flushed to zero. */
const MINUTE = 2 ** -126;

/** A network of `load`. */
export class MobileNet {
  /** On this engine. */
  readonly model: Model;
  readonly #picture: Picture;
  readonly #scores: { readonly name: string; readonly classes: number };
  /** Of a file of the catalogue that ends in a softmax, to which logarithms are logits as good as any. */
  readonly #logarithm: boolean;
  readonly #features: number;

  /** @internal `load` makes it. */
  constructor(model: Model, range: readonly [number, number], logarithm = false) {
    this.model = model;
    this.#logarithm = logarithm;
    this.#picture = new Picture(model, range);
    const shapes = [...outputShapes(model.graph)];
    const sizes = shapes.map(([name, shape]) => ({ name, classes: shape.reduce((a, b) => a * b) }));
    this.#scores = sizes.find(({ name }) => name !== 'embedding')!;
    this.#features = sizes.find(({ name }) => name === 'embedding')!.classes;
  }

  /** The package has it; the network is there already. */
  async load(): Promise<void> {}

  /**
   * The logits of the 1,000 classes, `[1, 1000]`, or the features before them, `[1, n]`, of an image as it is now. Returns at
   * once: `data()` and `array()` wait for the GPU. The package's result is a tensor: `await result.toTensor(tf)`.
   */
  infer(image: Image, embedding = false): Inference {
    const outputs = isTensor(image) ? this.#picture.runTensor(image) : this.#picture.run(image);
    const values = outputs.then((found) => {
      if (embedding) return found.embedding!;
      const logits = found[this.#scores.name]!.slice(1);
      return this.#logarithm ? logits.map((value) => Math.log(Math.max(value, MINUTE))) : logits;
    });
    return new Inference(values, [1, embedding ? this.#features : this.#scores.classes - 1]);
  }

  /** The `topk` likeliest classes. */
  async classify(image: Image, topk = 3): Promise<ClassProbability[]> {
    const probabilities = softmax(await this.infer(image).data());
    return topK(probabilities, topk).map(({ index, score }) => ({
      className: index === JELLYFISH ? 'jelly fish' : imagenetLabels[index]!,
      probability: score,
    }));
  }

  /** Frees the GPU's memory; the package has nothing like it. */
  dispose(): void {
    this.model.dispose();
  }
}
