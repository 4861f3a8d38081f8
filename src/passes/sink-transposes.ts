import type { Node, Permutation, Transpose } from '../graph/ops.ts';
import { type Links, type Pass, rewriteAll } from './pass.ts';

/**
 * Transposes go down, below element-wise nodes that treat all channels alike, where they meet: two in a row are one, and
 * one that moves no element is a reshape, as is a pair that cancels. One that nobody reads any more goes.
 */
export const sinkTransposes: Pass = (graph) =>
  rewriteAll(graph, (node, links) => (node.op === 'transpose' ? merged(node, links) : sunk(node, links)));

function merged(node: Transpose, links: Links): Map<Node, readonly Node[]> | null {
  const { permutation, name, inputs, output } = node;
  if (links.consumers(output).length === 0 && !links.isOutput(output)) return new Map([[node, []]]);
  const shape = links.shapes.get(inputs[0]!)!;
  // Axes of one element may go anywhere.
  const long = permutation.filter((axis) => shape[axis] > 1);
  if (long.every((axis, i) => i === 0 || axis > long[i - 1]!)) {
    return new Map([[node, [{ op: 'reshape', name, inputs, output, shape: links.shapes.get(output)! }]]]);
  }
  const before = links.producer(inputs[0]!);
  if (before?.op !== 'transpose') return null;
  const composed = permutation.map((axis) => before.permutation[axis]!) as unknown as Permutation;
  const both = { ...node, inputs: before.inputs, permutation: composed };
  return new Map<Node, readonly Node[]>([
    [node, [both]],
    ...(links.soleProducer(inputs[0]!) ? [[before, []] as const] : []),
  ]);
}

/** The node on what its transposes read, and one transpose behind it. */
function sunk(node: Node, links: Links): Map<Node, readonly Node[]> | null {
  if (!treatsChannelsAlike(node)) return null;
  const above = node.inputs.map((tensor) => links.soleProducer(tensor));
  const [first] = above;
  if (first?.op !== 'transpose') return null;
  const shape = links.shapes.get(first.inputs[0]!)!.join();
  const alike = above.every(
    (other) =>
      other?.op === 'transpose' &&
      other.permutation.join() === first.permutation.join() &&
      links.shapes.get(other.inputs[0]!)!.join() === shape,
  );
  if (!alike) return null;
  const moved = { ...node, inputs: above.map((transpose) => transpose!.inputs[0]!), output: first.output };
  const behind = { ...first, inputs: [first.output], output: node.output };
  return new Map<Node, readonly Node[]>([
    ...above.map((transpose) => [transpose!, []] as const),
    [node, [moved, behind]],
  ]);
}

function treatsChannelsAlike(node: Node): boolean {
  if (node.op === 'affine') return node.scale.length === 1 && node.shift.length === 1;
  return node.op === 'activation' || node.op === 'clip' || node.op === 'add' || node.op === 'multiply';
}
