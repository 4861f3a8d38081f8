import type { Conv2d, Node, Pair, Pool, Shape } from '../../src/graph/ops.ts';
import { noPadding } from '../../src/graph/shapes.ts';
import type { Tensor } from '../../src/reference/index.ts';
import { seededUniform } from '../support/random-values.ts';

type Options<N extends Node> = Partial<Omit<N, 'op'>>;

export const tensor = (shape: Shape, data: ArrayLike<number>): Tensor => ({ shape, data: Float32Array.from(data) });

/** 1, 2, 3, … */
export const counting = (shape: Shape): Tensor =>
  tensor(
    shape,
    Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => i + 1),
  );

/** The part of a node that every kind has. */
export const base = { name: 'node', inputs: ['a'], output: 'b' } as const;

export const conv = (
  kernel: Pair,
  outChannels: number,
  weights: ArrayLike<number>,
  options: Options<Conv2d> = {},
): Conv2d => ({
  ...base,
  op: 'conv2d',
  kernel,
  outChannels,
  weights: Float32Array.from(weights),
  bias: null,
  stride: [1, 1],
  dilation: [1, 1],
  padding: noPadding,
  groups: 1,
  activation: 'none',
  ...options,
});

export const pooling = (kind: Pool['kind'], kernel: Pair, stride: Pair, options: Options<Pool> = {}): Pool => ({
  ...base,
  op: 'pool',
  kind,
  kernel,
  stride,
  padding: noPadding,
  countPadding: false,
  ...options,
});

/** Reproducible values in [−1, 1). */
export function seeded(seed: number): () => number {
  const uniform = seededUniform(seed);
  return () => 2 * uniform() - 1;
}

export const random = (shape: Shape, seed: number): Tensor =>
  tensor(shape, Array.from({ length: shape.reduce((a, b) => a * b) }, seeded(seed)));
