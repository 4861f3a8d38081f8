import { imageToTensor, softmax, topK } from '../../src/analysis/index.ts';
import { InvalidResultError, type Model, UsageError } from '../../src/index.ts';
import type { Stroke } from './drawing.ts';
import { rasterize } from './rasterize.ts';

export interface Guess {
  readonly index: number;
  /** From 0 to 1: a probability, or a sigmoid that stands for itself. */
  readonly score: number;
}

/** Height, width and channels of the picture that a model takes. Throws `UsageError` where it takes no picture. */
export function pictureInput({ inputs, graph }: Model): { height: number; width: number; channels: number } {
  const [input] = inputs;
  if (inputs.length === 1 && input) {
    const [batch, height, width, channels] = input.shape;
    if (batch === 1 && height >= 8 && width >= 8 && (channels === 1 || channels === 3))
      return { height, width, channels };
  }
  const found = inputs.map(({ name, shape }) => `${name} [${shape.join(', ')}]`).join(', ');
  throw new UsageError(
    `${graph.name} cannot look at a drawing: its input is ${found}; needed is one picture [1, height, width, 1 or 3]`,
  );
}

/** The drawing as the model's input, NHWC: by the model's own rule where it has one, else 0 (paper) … 1 (ink). */
export function drawingTensor(model: Model, strokes: readonly Stroke[]): Float32Array {
  const { height, width, channels } = pictureInput(model);
  const picture = rasterize(strokes, width, height);
  if (model.graph.image) return imageToTensor(picture, model.graph.image, [height, width], channels);
  return Float32Array.from(
    { length: height * width * channels },
    (_, i) => picture.data[4 * Math.floor(i / channels)]! / 255,
  );
}

/** The output that names classes: one that ends in a softmax, else the first with more than one value. */
export function classOutput({ graph, outputs }: Model, values: Readonly<Record<string, Float32Array>>) {
  const vectors = outputs.filter(({ name }) => (values[name]?.length ?? 0) > 1);
  const chosen = vectors.find(({ meaning }) => meaning === 'probabilities') ?? vectors[0];
  if (!chosen) throw new UsageError(`${graph.name} has no output with more than one value: it names no classes`);
  if (chosen.meaning === 'features') {
    throw new UsageError(`output "${chosen.name}" of ${graph.name} holds features, not scores of classes`);
  }
  const scores = values[chosen.name]!;
  if (scores.some(Number.isNaN))
    throw new InvalidResultError(`${graph.name}: scores of output "${chosen.name}" are NaN`);
  return chosen.meaning === 'logits' ? softmax(scores) : scores;
}

/** The best classes, most probable first. */
export const bestGuesses = (model: Model, values: Readonly<Record<string, Float32Array>>, count: number): Guess[] =>
  topK(classOutput(model, values), count);
