import type { Affine, BatchNorm, Clip, Prelu } from '../graph/ops.ts';
import type { Tensor } from './tensor.ts';

/** x · scale + shift. */
export function affine(node: Affine, input: Tensor): Tensor {
  const channels = input.shape[3];
  const of = (constants: Float32Array, i: number) => constants[constants.length === 1 ? 0 : i % channels]!;
  return { shape: input.shape, data: input.data.map((x, i) => x * of(node.scale, i) + of(node.shift, i)) };
}

/** x, or x · slope below zero. */
export function prelu({ slope }: Prelu, { shape, data }: Tensor): Tensor {
  const of = (i: number) => slope[slope.length === 1 ? 0 : i % shape[3]]!;
  return { shape, data: data.map((x, i) => (x < 0 ? x * of(i) : x)) };
}

/** (x − mean) / √(variance + epsilon) · scale + shift. */
export function batchNorm(node: BatchNorm, input: Tensor): Tensor {
  const { scale, shift, mean, variance, epsilon } = node;
  const channels = input.shape[3];
  const normalise = (x: number, c: number) =>
    ((x - mean[c]!) / Math.sqrt(variance[c]! + epsilon)) * scale[c]! + shift[c]!;
  return { shape: input.shape, data: input.data.map((x, i) => normalise(x, i % channels)) };
}

/** min(max(x, node.min), node.max). */
export function clip(node: Clip, input: Tensor): Tensor {
  return { shape: input.shape, data: input.data.map((x) => Math.min(Math.max(x, node.min), node.max)) };
}
