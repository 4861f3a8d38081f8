import type { Graph } from '../graph/graph.ts';
import type { Node } from '../graph/ops.ts';
import { eitherFirst, inPlaceOf, type Pass, rewriteAll } from './pass.ts';

/** A sum of a convolution's output, which nobody else reads, and a tensor of its shape: the convolution adds it. */
export const fuseResidual: Pass = (graph) =>
  fuseSums(graph, (node, producer) =>
    node.op === 'add' && node.activation === 'none' && producer.op === 'conv2d' ? producer : null,
  );

/** `taken`: a convolution that makes input 0 or 1 of a node, as it is where it adds the other one; null where they do not fit. */
export function fuseSums(graph: Graph, taken: (node: Node, producer: Node, convolution: number) => Node | null): Graph {
  return rewriteAll(graph, (node, links) => {
    const [a, b] = node.inputs;
    if (b === undefined || a === b || links.shapes.get(a!)!.join() !== links.shapes.get(b)!.join()) return null;
    for (const [convolution, [tensor, residual]] of eitherFirst(node).entries()) {
      const producer = links.soleProducer(tensor);
      const fused = producer?.inputs.length === 1 && taken(node, producer, convolution);
      if (!fused) continue;
      // In the place of the sum, both of its inputs are there.
      const inputs = [fused.inputs[0]!, residual];
      return inPlaceOf(node, [{ ...fused, inputs, output: node.output }], [producer]);
    }
    return null;
  });
}
