import { eitherFirst, inPlaceOf, type Pass, rewriteAll } from './pass.ts';

/** A sum of a convolution's output, which nobody else reads, and a tensor of its shape: the convolution adds it. */
export const fuseResidual: Pass = (graph) =>
  rewriteAll(graph, (node, links) => {
    if (node.op !== 'add' || node.activation !== 'none') return null;
    const [a, b] = node.inputs;
    if (a === b || links.shapes.get(a!)!.join() !== links.shapes.get(b!)!.join()) return null;
    for (const [tensor, residual] of eitherFirst(node)) {
      const producer = links.soleProducer(tensor);
      if (producer?.op !== 'conv2d' || producer.inputs.length > 1) continue;
      // In the place of the sum, both of its inputs are there.
      const inputs = [producer.inputs[0]!, residual];
      return inPlaceOf(node, [{ ...producer, inputs, output: node.output }], [producer]);
    }
    return null;
  });
