import type { Node, Padding } from '../graph/ops.ts';
import { type Pass, rewriteAll } from './pass.ts';

/**
 * Zeros around a tensor go into the padding of the convolution, or of the average pool that counts its padding, that
 * reads it; any other padding becomes a depthwise convolution with a kernel of one.
 */
export const absorbPad: Pass = (graph) =>
  rewriteAll(graph, (node, links) => {
    if (node.op !== 'pad') return null;
    const consumers = links.consumers(node.output);
    const takesAll = consumers.length > 0 && !links.isOutput(node.output) && consumers.every(takesPadding(node.output));
    if (!takesAll) {
      const channels = links.shapes.get(node.output)![3];
      const identity: Node = {
        op: 'conv2d',
        name: node.name,
        inputs: node.inputs,
        output: node.output,
        weights: new Float32Array(channels).fill(1),
        bias: null,
        kernel: [1, 1],
        stride: [1, 1],
        dilation: [1, 1],
        padding: node.padding,
        groups: channels,
        outChannels: channels,
        activation: 'none',
      };
      return new Map([[node, [identity]]]);
    }
    const replacements = new Map<Node, readonly Node[]>([[node, []]]);
    for (const consumer of consumers) {
      if (!('padding' in consumer)) continue;
      const inputs = consumer.inputs.map((name, i) => (i === 0 ? node.inputs[0]! : name));
      replacements.set(consumer, [{ ...consumer, inputs, padding: sum(node.padding, consumer.padding) }]);
    }
    return replacements;
  });

const takesPadding = (tensor: string) => (node: Node) => {
  if (node.inputs.slice(1).includes(tensor)) return false;
  if (node.op === 'conv2d') return true;
  return node.op === 'pool' && node.kind === 'average' && node.countPadding;
};

const sum = (a: Padding, b: Padding): Padding => ({
  top: a.top + b.top,
  left: a.left + b.left,
  bottom: a.bottom + b.bottom,
  right: a.right + b.right,
});
