/** Between which numbers lies what integers stand for, and what activations give. */
import type { Interval } from './import-builder.ts';

/** One scale and zero point for a whole tensor: real = (stored − zeroPoint) · scale. */
export interface UniformScale {
  readonly scale: number;
  readonly zeroPoint: number;
}

/** The range of a tensor of integers from `least` to `most`. A bound that is 6 but for less than half a step is ReLU6's. */
export function rangeOf({ scale, zeroPoint }: UniformScale, least: number, most: number): Interval {
  const high = (most - zeroPoint) * scale;
  return { low: (least - zeroPoint) * scale, high: Math.abs(high - 6) < scale / 2 ? 6 : high };
}

export const activationInterval: Readonly<Record<string, Interval>> = {
  relu: { low: 0, high: Infinity },
  relu6: { low: 0, high: 6 },
  'hard-sigmoid': { low: 0, high: 1 },
  sigmoid: { low: 0, high: 1 },
  // At x = −3/2.
  'hard-swish': { low: -0.375, high: Infinity },
};
