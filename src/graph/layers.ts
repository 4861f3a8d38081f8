/** What kinds of layers nodes are: said once, for passes and kernels. */
import type { Activation, Conv2d, Node } from './ops.ts';

const isOne = (value: number): boolean => value === 1;

const hasNoPadding = ({ padding }: Conv2d): boolean => Object.values(padding).every((pixels) => pixels === 0);

/** A 1×1 convolution of one group, stride 1, without padding: no pixel sees another. */
export const isPointwise = (node: Node | null | undefined): node is Conv2d =>
  node?.op === 'conv2d' && node.groups === 1 && [...node.kernel, ...node.stride].every(isOne) && hasNoPadding(node);

/** A convolution of each of several channels by itself, one output a channel. */
export const isDepthwise = (node: Node | null | undefined, channels: number): node is Conv2d =>
  node?.op === 'conv2d' && channels > 1 && node.groups === channels && node.outChannels === channels;

/** A layer whose weights a GPU keeps as bytes (byte-weights.ts). */
export const hasByteWeights = (node: Node): boolean => 'weightsAs' in node && node.weightsAs === 'int8';

/** A matrix-vector product for each image of a batch. */
export interface Product {
  readonly outputs: number;
  /** `[inputs][outputs]`. */
  readonly weights: Float32Array;
  readonly bias: Float32Array | null;
  readonly activation: Activation;
}

/** The product that a node is of a single pixel: a fully connected layer, or a 1×1 convolution without residual; else null. */
export function productOf(node: Node | undefined): Product | null {
  if (node?.op === 'fully-connected') return { ...node, outputs: node.outFeatures };
  if (node?.op !== 'conv2d' || node.groups !== 1 || node.inputs.length > 1) return null;
  return node.kernel.every(isOne) && hasNoPadding(node) ? { ...node, outputs: node.outChannels } : null;
}
