import type { Node } from '../graph/ops.ts';
import { inPlaceOf, type Pass, rewriteAll } from './pass.ts';

/** Pads by nothing and concatenations of one become reshapes to the same shape; a concatenation of many becomes pairs. */
export const simplifyConcats: Pass = (graph) =>
  rewriteAll(graph, (node, { shapes }) => {
    const { name, inputs, output } = node;
    const asReshape: Node = { op: 'reshape', name, inputs, output, shape: shapes.get(output)! };
    if (node.op === 'pad') {
      const keepsShape = shapes.get(inputs[0]!)!.join() === shapes.get(output)!.join();
      return keepsShape ? inPlaceOf(node, [asReshape]) : null;
    }
    if (node.op !== 'concat' || inputs.length === 2) return null;
    if (inputs.length === 1) return inPlaceOf(node, [asReshape]);
    const pairs: Node[] = [];
    let joined = inputs[0]!;
    inputs.slice(1).forEach((input, i) => {
      const last = i === inputs.length - 2;
      const written = last ? output : `${output}/first ${i + 2}`;
      pairs.push({ ...node, name: last ? name : written, inputs: [joined, input], output: written });
      joined = written;
    });
    return inPlaceOf(node, pairs);
  });
