import { ModelFormatError, UsageError } from '../errors.ts';
import { checkEmbedding, type Ranked, ranked, read, write } from './ranked.ts';

/** Embeddings by class. */
export type Examples = Readonly<Record<string, readonly Float32Array[]>>;

export interface HeadProgress {
  readonly epoch: number;
  readonly epochs: number;
  /** Mean over the epoch of the cross-entropy and the weights' penalty, as it was when each example was looked at. */
  readonly loss: number;
  /** Share of examples whose class was the best then. */
  readonly accuracy: number;
}

export interface HeadOptions {
  /** How often each example is looked at; default 50. */
  readonly epochs?: number | undefined;
  /** Of Adam (Kingma and Ba 2015); default 0.01. */
  readonly learningRate?: number | undefined;
  /** Examples to a step; default 32. */
  readonly batchSize?: number | undefined;
  /** Penalty λ: the loss has λ/2 · Σ weight², of weights on standardised features; default 0.001. */
  readonly regularisation?: number | undefined;
  /** Of the order of examples; the same gives the same head. Default 1. */
  readonly seed?: number | undefined;
  readonly onProgress?: ((progress: HeadProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A fully connected layer and a softmax: score = softmax(embedding · weights + bias). */
export class SoftmaxHead {
  readonly labels: readonly string[];
  /** `[features][classes]`. */
  readonly weights: Float32Array;
  readonly bias: Float32Array;

  /** @internal `trainHead` and `load` make it. */
  constructor(labels: readonly string[], weights: Float32Array, bias: Float32Array) {
    this.labels = labels;
    this.weights = weights;
    this.bias = bias;
  }

  /** Every class with its probability, the best first. Throws `UsageError` where the embedding does not fit. */
  classify(embedding: Float32Array): Ranked[] {
    checkEmbedding(embedding, this.weights.length / this.labels.length);
    return ranked(this.labels, probabilities(embedding, this.weights, this.bias));
  }

  /** One file (safetensors). */
  save(): Uint8Array<ArrayBuffer> {
    const { labels, weights, bias } = this;
    return write('head', labels, [
      ['weights', [weights.length / labels.length, labels.length], weights],
      ['bias', [1, labels.length], bias],
    ]);
  }

  /** What `save` wrote. Throws `ModelFormatError`. */
  static load(bytes: Uint8Array): SoftmaxHead {
    const { labels, matrix } = read('head', bytes);
    const [weights, bias] = [matrix('weights'), matrix('bias')];
    const classes = labels.length;
    if (classes < 2 || weights.rows < 1 || weights.columns !== classes || bias.rows !== 1 || bias.columns !== classes) {
      throw new ModelFormatError('head', `weights and bias do not fit ${classes} labels`);
    }
    return new SoftmaxHead(labels, weights.values, bias.values);
  }
}

/**
 * Trains a softmax head in slices of a few milliseconds. Features are standardised by the examples' mean and deviation, which
 * go into the weights at the end. Throws `UsageError` where there are fewer than two classes or an embedding does not fit, and
 * the signal's reason.
 */
export async function trainHead(examples: Examples, options: HeadOptions = {}): Promise<SoftmaxHead> {
  const labels = Object.keys(examples);
  if (labels.length < 2) throw new UsageError(`there are examples of ${labels.length} classes, expected two or more`);
  const rows = labels.flatMap((label, target) => examples[label]!.map((values) => ({ label, values, target })));
  const features = rows[0]?.values.length ?? 0;
  for (const { label, values } of rows) checkEmbedding(values, features, `an embedding of "${label}"`);
  for (const label of labels) if (examples[label]!.length === 0) throw new UsageError(`"${label}" has no examples`);
  for (const [name, value] of Object.entries({ epochs: options.epochs ?? 1, batchSize: options.batchSize ?? 1 })) {
    if (!(Number.isInteger(value) && value >= 1)) throw new UsageError(`${name} is ${value}, expected 1 or more`);
  }
  options.signal?.throwIfAborted();
  const steps = training(rows, labels.length, options);
  let rest = performance.now() + SLICE_MS;
  for (let step = steps.next(); ; step = steps.next()) {
    if (step.done) return new SoftmaxHead(labels, step.value.weights, step.value.bias);
    if (performance.now() < rest) continue;
    await new Promise((next) => setTimeout(next));
    rest = performance.now() + SLICE_MS;
  }
}

/** Milliseconds after which the page may do other things. */
const SLICE_MS = 4;

/** Uniform in [0, 1), the same for a seed: Steele and Vigna's linear congruential generator of 32 bits, its upper half. */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  const next = () => {
    state = (Math.imul(state, 0x915f77f5) + 1) >>> 0;
    return state >>> 16;
  };
  return () => (next() * 2 ** 16 + next()) / 2 ** 32;
}

interface Row {
  readonly values: Float32Array;
  readonly target: number;
}

/** A step is a batch. */
function* training(
  rows: readonly Row[],
  classes: number,
  {
    epochs = 50,
    learningRate = 0.01,
    batchSize = 32,
    regularisation = 1e-3,
    seed = 1,
    onProgress,
    signal,
  }: HeadOptions,
): Generator<void, { weights: Float32Array; bias: Float32Array }> {
  const { mean, deviation } = moments(rows);
  const features = mean.length;
  const standard = rows.map(({ values }) => values.map((value, i) => (value - mean[i]!) / deviation[i]!));
  const weights = new Float32Array(features * classes);
  const bias = new Float32Array(classes);
  const steps = [new Adam(weights, learningRate), new Adam(bias, learningRate)] as const;
  const uniform = seeded(seed);
  const order = [...rows.keys()];
  for (let epoch = 1; epoch <= epochs; epoch++) {
    // Fisher and Yates.
    for (let i = order.length - 1; i > 0; i--) {
      const j = Math.floor(uniform() * (i + 1));
      [order[i], order[j]] = [order[j]!, order[i]!];
    }
    let loss = 0;
    let right = 0;
    for (let from = 0; from < order.length; from += batchSize) {
      signal?.throwIfAborted();
      const batch = order.slice(from, from + batchSize);
      const gradient = weights.map((weight) => regularisation * weight);
      const biasGradient = new Float32Array(classes);
      loss += (batch.length * regularisation * weights.reduce((sum, weight) => sum + weight * weight, 0)) / 2;
      for (const row of batch) {
        const values = standard[row]!;
        const { target } = rows[row]!;
        const errors = probabilities(values, weights, bias);
        loss -= Math.log(Math.max(errors[target]!, Number.MIN_VALUE));
        if (errors.every((value, c) => c === target || value < errors[target]!)) right++;
        errors[target]! -= 1;
        for (let c = 0; c < classes; c++) biasGradient[c]! += errors[c]! / batch.length;
        for (let i = 0; i < features; i++) {
          const share = values[i]! / batch.length;
          for (let c = 0; c < classes; c++) gradient[i * classes + c]! += share * errors[c]!;
        }
      }
      steps[0].step(gradient);
      steps[1].step(biasGradient);
      yield;
    }
    onProgress?.({ epoch, epochs, loss: loss / rows.length, accuracy: right / rows.length });
  }
  // (x − mean) / deviation · w + b = x · (w / deviation) + (b − Σ mean / deviation · w)
  for (let i = 0; i < features; i++) {
    for (let c = 0; c < classes; c++) {
      weights[i * classes + c]! /= deviation[i]!;
      bias[c]! -= mean[i]! * weights[i * classes + c]!;
    }
  }
  return { weights, bias };
}

/** Of each feature; a feature that is the same in every example keeps its size. */
function moments(rows: readonly Row[]): { mean: Float64Array; deviation: Float64Array } {
  const mean = new Float64Array(rows[0]!.values.length);
  const deviation = new Float64Array(mean.length);
  for (const { values } of rows) for (const i of mean.keys()) mean[i]! += values[i]! / rows.length;
  for (const { values } of rows)
    for (const i of mean.keys()) deviation[i]! += (values[i]! - mean[i]!) ** 2 / rows.length;
  return { mean, deviation: deviation.map((variance) => Math.sqrt(variance) || 1) };
}

/** softmax(values · weights + bias), in float64. */
function probabilities(values: Float32Array, weights: Float32Array, bias: Float32Array): Float64Array {
  const classes = bias.length;
  const logits = Float64Array.from(bias);
  for (let i = 0; i < values.length; i++) {
    for (let c = 0; c < classes; c++) logits[c]! += values[i]! * weights[i * classes + c]!;
  }
  const most = logits.reduce((a, b) => Math.max(a, b));
  const exponentials = logits.map((logit) => Math.exp(logit - most));
  const sum = exponentials.reduce((a, b) => a + b);
  return exponentials.map((value) => value / sum);
}

/** Adam: Kingma and Ba 2015, algorithm 1, with its constants. */
class Adam {
  readonly #values: Float32Array;
  readonly #rate: number;
  readonly #first: Float64Array;
  readonly #second: Float64Array;
  #steps = 0;

  constructor(values: Float32Array, rate: number) {
    this.#values = values;
    this.#rate = rate;
    this.#first = new Float64Array(values.length);
    this.#second = new Float64Array(values.length);
  }

  step(gradient: Float32Array): void {
    this.#steps++;
    const [beta1, beta2] = [0.9, 0.999];
    const rate = (this.#rate * Math.sqrt(1 - beta2 ** this.#steps)) / (1 - beta1 ** this.#steps);
    for (let i = 0; i < gradient.length; i++) {
      this.#first[i] = beta1 * this.#first[i]! + (1 - beta1) * gradient[i]!;
      this.#second[i] = beta2 * this.#second[i]! + (1 - beta2) * gradient[i]! ** 2;
      this.#values[i]! -= (rate * this.#first[i]!) / (Math.sqrt(this.#second[i]!) + 1e-8);
    }
  }
}
