import type { Shape } from '../../src/graph/ops.ts';
import { channelCounts } from './conv-cases.ts';

/** Tensors of every kind of channel count, a single pixel, a large one and a batch. */
export const elementwiseShapes: readonly Shape[] = [
  ...channelCounts.map((channels): Shape => [1, 5, 7, channels]),
  [1, 1, 1, 6],
  [1, 40, 41, 24],
  [3, 3, 5, 7],
];

export const titleOf = (shape: Shape): string => shape.join('×');
