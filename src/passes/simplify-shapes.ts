import type { Node } from '../graph/ops.ts';
import { inPlaceOf, type Links, type Pass, type Replacements, rewriteAll } from './pass.ts';

/**
 * Nodes that change nothing for who reads them go: reshapes to the same shape, before a fully connected layer (which
 * flattens by itself) and before another reshape; so do pads by nothing and concatenations of one, as such reshapes. A
 * pool over the whole picture becomes a global one; a concatenation of many becomes pairs.
 */
export const simplifyShapes: Pass = (graph) =>
  rewriteAll(graph, (node, links) => {
    const shape = (tensor: string) => links.shapes.get(tensor)!.join();
    const keepsShape = shape(node.inputs[0]!) === shape(node.output);
    const asReshape = (): Node => {
      const { name, inputs, output } = node;
      return { op: 'reshape', name, inputs, output, shape: links.shapes.get(output)! };
    };
    switch (node.op) {
      case 'reshape': {
        const flattened = (consumer: Node) =>
          consumer.op === 'reshape' || (consumer.op === 'fully-connected' && keepsImages(node, links.shapes));
        const unseen = !links.isOutput(node.output) && links.consumers(node.output).every(flattened);
        return keepsShape || unseen ? bypass(node, links) : null;
      }
      case 'pad':
        return keepsShape ? inPlaceOf(node, [asReshape()]) : null;
      case 'pool': {
        const [, height, width] = links.shapes.get(node.inputs[0]!)!;
        const whole = node.kernel[0] === height && node.kernel[1] === width;
        const bare = Object.values(node.padding).every((side) => side === 0);
        if (node.kind !== 'average' || !whole || !bare) return null;
        const { name, inputs, output } = node;
        return inPlaceOf(node, [{ op: 'global-average-pool', name, inputs, output }]);
      }
      case 'concat': {
        if (node.inputs.length === 1) return inPlaceOf(node, [asReshape()]);
        if (node.inputs.length <= 2) return null;
        const pairs: Node[] = [];
        let joined = node.inputs[0]!;
        node.inputs.slice(1).forEach((input, i) => {
          const last = i === node.inputs.length - 2;
          const output = last ? node.output : `${node.output}/first ${i + 2}`;
          pairs.push({ ...node, name: last ? node.name : output, inputs: [joined, input], output });
          joined = output;
        });
        return inPlaceOf(node, pairs);
      }
      default:
        return null;
    }
  });

/** Who reads the node reads its input; an output of the graph keeps its name. */
function bypass(node: Node, links: Links): Replacements | null {
  const source = node.inputs[0]!;
  if (links.isOutput(node.output)) {
    // The tensor is an output by its name: its producer takes the name over, where nobody else reads it.
    const producer = links.soleProducer(source);
    return producer ? inPlaceOf(node, [{ ...producer, output: node.output }], [producer]) : null;
  }
  return new Map<Node, readonly Node[]>([
    [node, []],
    ...links
      .consumers(node.output)
      .map((consumer) => [consumer, [renameInput(consumer, node.output, source)]] as const),
  ]);
}

/** Whether each image of the batch keeps its own elements. */
function keepsImages(node: Node, shapes: ReadonlyMap<string, readonly number[]>): boolean {
  return shapes.get(node.inputs[0]!)![0] === shapes.get(node.output)![0];
}

const renameInput = (node: Node, from: string, to: string): Node => ({
  ...node,
  inputs: node.inputs.map((name) => (name === from ? to : name)),
});
