/** Small networks whose outputs are decoded, for tests: a 1×1 convolution of the picture for each head. */
import type { Decoding } from '../../src/graph/decoding.ts';
import type { Graph } from '../../src/graph/graph.ts';
import { plainImage } from '../../src/graph/image-rule.ts';
import { noPadding } from '../../src/graph/shapes.ts';

/** A 1×1 convolution with `weights` `[3][channels]` over every pixel of `[1, height, width, 3]` for each output. */
export function headsGraph(
  [height, width]: readonly [number, number],
  heads: Readonly<Record<string, readonly number[]>>,
  decoding: Decoding,
): Graph {
  const nodes = Object.entries(heads).map(([name, weights]) => ({
    op: 'conv2d' as const,
    name,
    inputs: ['picture'],
    output: name,
    weights: Float32Array.from(weights),
    bias: null,
    kernel: [1, 1] as const,
    stride: [1, 1] as const,
    dilation: [1, 1] as const,
    padding: noPadding,
    groups: 1,
    outChannels: weights.length / 3,
    activation: 'none' as const,
  }));
  return {
    name: 'heads',
    inputs: [{ name: 'picture', shape: [1, height, width, 3] }],
    outputs: nodes.map(({ name }) => ({ name, tensor: name })),
    nodes,
    image: plainImage,
    labels: ['red', 'green'],
    decoding,
  };
}
