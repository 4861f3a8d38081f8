/** Scores of classes. */

/** The `k` largest values and their indices, largest first. */
export function topK(values: Float32Array, k: number): { index: number; score: number }[] {
  return [...values.keys()]
    .sort((a, b) => values[b]! - values[a]!)
    .slice(0, k)
    .map((index) => ({ index, score: values[index]! }));
}

/** Probabilities of logits. */
export function softmax(logits: Float32Array): Float32Array {
  const maximum = logits.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const exponentials = logits.map((value) => Math.exp(value - maximum));
  const sum = exponentials.reduce((a, b) => a + b, 0);
  return exponentials.map((value) => value / sum);
}
