import type { Add, Multiply } from '../graph/ops.ts';
import { activate } from './activation.ts';
import type { Tensor } from './tensor.ts';

/**
 * The element of `other` that meets element `i` of `first`: the same one where shapes are equal, else the one of the
 * same channel in the same image (or in the only one).
 */
export function partner(first: Tensor, other: Tensor): (i: number) => number {
  const [, height, width, channels] = first.shape;
  if (other.data.length === first.data.length) return (i) => i;
  const image = height * width * channels;
  const stride = other.shape[0] === 1 ? 0 : channels;
  return (i) => Math.floor(i / image) * stride + (i % channels);
}

export function add(node: Add, [a, b]: readonly [Tensor, Tensor]): Tensor {
  const at = partner(a, b);
  return { shape: a.shape, data: a.data.map((x, i) => activate(node.activation, x + b.data[at(i)]!)) };
}

export function multiply(node: Multiply, [a, b]: readonly [Tensor, Tensor]): Tensor {
  const at = partner(a, b);
  return { shape: a.shape, data: a.data.map((x, i) => activate(node.activation, x * b.data[at(i)]!)) };
}
