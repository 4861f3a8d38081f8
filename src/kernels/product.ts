import type { Activation, Node } from '../graph/ops.ts';

/** A matrix-vector product, written as a 1×1 convolution of one pixel or as a fully connected layer. */
export interface Product {
  readonly outputs: number;
  /** `[inputs][outputs]`. */
  readonly weights: Float32Array;
  readonly bias: Float32Array | null;
  readonly activation: Activation;
}

/** The product that a node is, or null. */
export function productOf(node: Node | undefined): Product | null {
  if (node?.op === 'fully-connected') return { ...node, outputs: node.outFeatures };
  if (node?.op !== 'conv2d' || node.groups !== 1 || node.inputs.length > 1) return null;
  const single = [...node.kernel].every((taps) => taps === 1) && Object.values(node.padding).every((p) => p === 0);
  return single ? { ...node, outputs: node.outChannels } : null;
}
