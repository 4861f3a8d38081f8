import type { Affine, Node } from '../graph/ops.ts';
import { type Links, type Pass, rewriteAll } from './pass.ts';
import { type Factors, factorsOf, scaleInputs, withScale } from './scale-weights.ts';

/**
 * A scale without shift goes down into the weights of the layers that read it, through products and averages, with
 * which it commutes: padding stays zero, so this holds where a batch-norm could not fold. It moves only where it ends in
 * weights on every way.
 */
export const sinkScales: Pass = (graph) =>
  rewriteAll(graph, (node, links) => {
    if (node.op !== 'affine' || node.shift.some((value) => value !== 0)) return null;
    if (!sinks(node.output, links, 3)) return null;
    const factors = factorsOf(node, links.shapes.get(node.output)![3]);
    const replacements = new Map<Node, readonly Node[]>([[node, []]]);
    for (const consumer of links.consumers(node.output)) replacements.set(consumer, below(consumer, node, factors));
    return replacements;
  });

/** Whether all readers of a tensor take a scale in, or pass it on to such, `hops` times at most. */
export function sinks(tensor: string, links: Links, hops: number): boolean {
  const consumers = links.consumers(tensor);
  return (
    consumers.length > 0 &&
    !links.isOutput(tensor) &&
    consumers.every((node) => {
      if (node.inputs.indexOf(tensor) !== node.inputs.lastIndexOf(tensor)) return false;
      if (node.op === 'conv2d' || node.op === 'fully-connected') return node.inputs[0] === tensor;
      return commutes(node) && hops > 0 && sinks(node.output, links, hops - 1);
    })
  );
}

function commutes(node: Node): boolean {
  if (node.op === 'multiply') return node.activation === 'none';
  return node.op === 'global-average-pool' || (node.op === 'pool' && node.kind === 'average');
}

/** The reader of a scale, without it: with scaled weights, or with the scale after it. */
function below(consumer: Node, { inputs: [source], output: scaled }: Affine, factors: Factors): readonly Node[] {
  const inputs = consumer.inputs.map((name) => (name === scaled ? source! : name));
  if (consumer.op === 'conv2d' || consumer.op === 'fully-connected') {
    return [{ ...scaleInputs(consumer, factors), inputs }];
  }
  return withScale({ ...consumer, inputs }, `${consumer.output}/scale`, Float32Array.from(factors.scale));
}
