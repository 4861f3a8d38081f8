/** Scores of classes, on the CPU. */

/** The `k` largest values and their indices, largest first. */
export function topK(values: Float32Array, k: number): { index: number; score: number }[] {
  return [...values.keys()]
    .sort((a, b) => values[b]! - values[a]!)
    .slice(0, k)
    .map((index) => ({ index, score: values[index]! }));
}

/**
 * The `count` best classes in the order of the output's own values, the lower index first where they are equal, as
 * shaders/rank-classes.wgsl has them.
 */
export function bestClasses(values: Float32Array, logits: boolean, count: number): { index: number; score: number }[] {
  const scores = logits ? softmax(values) : values;
  const valid = !scores.some(Number.isNaN);
  return topK(values, count).map(({ index }) => ({ index, score: valid ? scores[index]! : Number.NaN }));
}

/** Probabilities of logits. */
export function softmax(logits: Float32Array): Float32Array {
  const maximum = logits.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const exponentials = logits.map((value) => Math.exp(value - maximum));
  const sum = exponentials.reduce((a, b) => a + b, 0);
  return exponentials.map((value) => value / sum);
}
