import type { Node } from '../graph/ops.ts';
import { inPlaceOf, type Links, type Pass, type Replacements, rewriteAll } from './pass.ts';

/**
 * Nodes that change nothing for who reads them go: reshapes to the same shape, before a fully connected layer (which
 * flattens by itself) and before another reshape. A pool over the whole picture becomes a global one.
 */
export const simplifyShapes: Pass = (graph) =>
  rewriteAll(graph, (node, links) => {
    const shape = (tensor: string) => links.shapes.get(tensor)!.join();
    const keepsShape = shape(node.inputs[0]!) === shape(node.output);
    switch (node.op) {
      case 'reshape': {
        const flattened = (consumer: Node) =>
          consumer.op === 'reshape' || (consumer.op === 'fully-connected' && keepsImages(node, links.shapes));
        const unseen = !links.isOutput(node.output) && links.consumers(node.output).every(flattened);
        return keepsShape || unseen ? bypass(node, links) : null;
      }
      case 'pool': {
        const [, height, width] = links.shapes.get(node.inputs[0]!)!;
        const whole = node.kernel[0] === height && node.kernel[1] === width;
        const bare = Object.values(node.padding).every((side) => side === 0);
        if (node.kind !== 'average' || !whole || !bare) return null;
        const { name, inputs, output } = node;
        return inPlaceOf(node, [{ op: 'global-average-pool', name, inputs, output }]);
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
