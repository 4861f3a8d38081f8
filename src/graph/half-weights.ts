/*
 * What keeps halves, whose largest is 65504, from overflow where layers compute in them: an input is at most `MOST_INPUT`,
 * by what its layer's activation allows or because a shader divides those of a short sum by their largest; a weight at most
 * `MOST_WEIGHT`; and a short sum has at most `MOST_TERMS` terms, which is 40,960 together, and less than 1 % of it is added
 * by roundings.
 */
export const MOST_INPUT = 160;
export const MOST_WEIGHT = 16;
export const MOST_TERMS = 16;

/** Terms of a short sum over input channels. */
export const TERMS = 8;

/** Smallest normal half: a GPU may take what is smaller for zero. */
const SMALLEST = 2 ** -14;

/** Weights as halves hold them: each is a value times the scale of its output. */
export interface HalfWeights {
  /** Powers of two, so that nothing is rounded by them; `outputs` of them. */
  readonly scales: Float32Array;
  /** In the order of the weights, between −16 and 16; what would be subnormal is zero. Not rounded yet. */
  readonly values: Float32Array;
}

/** Weights `[rows][outputs]`, the largest of each output above `MOST_WEIGHT` / 2. */
export function halfWeights(weights: Float32Array, outputs: number): HalfWeights {
  const largest = new Float32Array(outputs);
  for (let i = 0; i < weights.length; i++) {
    largest[i % outputs] = Math.max(largest[i % outputs]!, Math.abs(weights[i]!));
  }
  // Below 2^-100 nothing is left of a product in float32 either.
  const scales = largest.map((most) => 2 ** Math.max(-100, Math.ceil(Math.log2(most)) - Math.log2(MOST_WEIGHT)));
  const values = weights.map((weight, i) => {
    const value = weight / scales[i % outputs]!;
    return Math.abs(value) < SMALLEST ? 0 : value;
  });
  return { scales, values };
}
