import type { Affine, BatchNorm, Conv2d, FullyConnected, Node } from '../graph/ops.ts';
import { inPlaceOf, type Pass, rewriteAll } from './pass.ts';
import { type Factors, factorsOf, scaleInputs, scaleOutputs } from './scale-weights.ts';

/**
 * A batch-norm or affine after a convolution or fully connected layer goes into its weights and bias, in float64; one
 * before a convolution that pads nothing too. What is left over becomes affine, and affines in a row become one.
 */
export const foldBatchNorm: Pass = (graph) =>
  rewriteAll(graph, (node, links) => {
    if (node.op !== 'batch-norm' && node.op !== 'affine') return null;
    const [source] = node.inputs;
    const channels = links.shapes.get(node.output)![3];
    const factors = factorsOf(node, channels);
    const before = links.soleProducer(source!);
    if (before && isLinear(before)) {
      return inPlaceOf(node, [{ ...scaleOutputs(before, factors), output: node.output }], [before]);
    }
    if (before?.op === 'affine') {
      const inner = factorsOf(before, channels);
      const merged = affine(node, before.inputs, {
        scale: factors.scale.map((value, c) => value * inner.scale[c]!),
        shift: factors.shift.map((value, c) => value + factors.scale[c]! * inner.shift[c]!),
      });
      return inPlaceOf(node, [merged], [before]);
    }
    const [after, ...others] = links.consumers(node.output);
    if (after && others.length === 0 && !links.isOutput(node.output) && takesInputScale(after, node.output)) {
      return inPlaceOf(after, [{ ...scaleInputs(after, factors), inputs: [source!] }], [node]);
    }
    return node.op === 'batch-norm' ? inPlaceOf(node, [affine(node, node.inputs, factors)]) : null;
  });

const affine = (node: BatchNorm | Affine, inputs: readonly string[], { scale, shift }: Factors): Affine => ({
  op: 'affine',
  name: node.name,
  inputs,
  output: node.output,
  scale: Float32Array.from(scale),
  shift: Float32Array.from(shift),
});

/** A convolution or fully connected layer that does nothing after its sum. */
export function isLinear(node: Node): node is Conv2d | FullyConnected {
  return (
    (node.op === 'conv2d' || node.op === 'fully-connected') && node.activation === 'none' && node.inputs.length === 1
  );
}

/** A shift before padding would have to be padded too, so only what pads nothing takes one in. */
function takesInputScale(node: Node, tensor: string): node is Conv2d | FullyConnected {
  if (node.inputs[0] !== tensor || node.inputs.length > 1) return false;
  if (node.op === 'fully-connected') return true;
  return node.op === 'conv2d' && Object.values(node.padding).every((side) => side === 0);
}
