import type { Node, Pad, Padding } from '../graph/ops.ts';
import { inPlaceOf, type Pass, rewriteAll } from './pass.ts';

/**
 * Zeros around a tensor go into the padding of the convolutions and average pools that read it. A pool that divides by
 * the places inside must have no padding of its own, and counts its padding from then on; a window must stay larger
 * than the padding. A pad that some reader cannot take becomes a depthwise convolution with a kernel of one.
 */
export const absorbPad: Pass = (graph) =>
  rewriteAll(graph, (node, links) => {
    if (node.op !== 'pad') return null;
    const consumers = links.consumers(node.output);
    const takesAll =
      consumers.length > 0 &&
      !links.isOutput(node.output) &&
      consumers.every((consumer) => takesPadding(consumer, node));
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
      return inPlaceOf(node, [identity]);
    }
    const replacements = new Map<Node, readonly Node[]>([[node, []]]);
    for (const consumer of consumers) {
      if (consumer.op !== 'conv2d' && consumer.op !== 'pool') continue;
      const inputs = consumer.inputs.map((name, i) => (i === 0 ? node.inputs[0]! : name));
      const padded = { ...consumer, inputs, padding: sum(node.padding, consumer.padding) };
      replacements.set(consumer, [padded.op === 'pool' ? { ...padded, countPadding: true } : padded]);
    }
    return replacements;
  });

function takesPadding(node: Node, pad: Pad): boolean {
  if (node.inputs.slice(1).includes(pad.output)) return false;
  if (node.op === 'conv2d') return true;
  if (node.op !== 'pool' || node.kind !== 'average') return false;
  const { top, left, bottom, right } = sum(pad.padding, node.padding);
  const [height, width] = node.kernel;
  return (node.countPadding || isZero(node.padding)) && Math.max(top, bottom) < height && Math.max(left, right) < width;
}

const isZero = (padding: Padding) => Object.values(padding).every((side) => side === 0);

const sum = (a: Padding, b: Padding): Padding => ({
  top: a.top + b.top,
  left: a.left + b.left,
  bottom: a.bottom + b.bottom,
  right: a.right + b.right,
});
