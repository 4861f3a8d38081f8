import type { Node } from '../graph/ops.ts';
import { type Pass, rewriteAll } from './pass.ts';

/**
 * Reshapes that change nothing for who reads them go: to the same shape, before a fully connected layer (which flattens
 * by itself) and before another reshape. A pool over the whole picture becomes a global one; a concatenation of many
 * becomes pairs.
 */
export const simplifyShapes: Pass = (graph) =>
  rewriteAll(graph, (node, links, { outputs }) => {
    const shape = (tensor: string) => links.shapes.get(tensor)!.join();
    switch (node.op) {
      case 'reshape': {
        const [source] = node.inputs;
        const flattened = (consumer: Node) =>
          (consumer.op === 'fully-connected' || consumer.op === 'reshape') && keepsImages(node, links.shapes);
        const useless =
          shape(source!) === shape(node.output) ||
          (!links.isOutput(node.output) && links.consumers(node.output).every(flattened));
        if (!useless) return null;
        if (links.isOutput(node.output)) {
          // The tensor is an output by its name: its producer takes the name over, where nobody else reads it.
          const producer = links.soleProducer(source!);
          if (!producer || outputs.some(({ tensor }) => tensor === source)) return null;
          return new Map<Node, readonly Node[]>([
            [producer, []],
            [node, [{ ...producer, output: node.output }]],
          ]);
        }
        return new Map<Node, readonly Node[]>([
          [node, []],
          ...links
            .consumers(node.output)
            .map((consumer) => [consumer, [renameInput(consumer, node.output, source!)]] as const),
        ]);
      }
      case 'pool': {
        const [, height, width] = links.shapes.get(node.inputs[0]!)!;
        const whole = node.kernel[0] === height && node.kernel[1] === width;
        const bare = Object.values(node.padding).every((side) => side === 0);
        if (node.kind !== 'average' || !whole || !bare) return null;
        const { name, inputs, output } = node;
        return new Map([[node, [{ op: 'global-average-pool', name, inputs, output }]]]);
      }
      case 'concat': {
        if (node.inputs.length <= 2) return null;
        const pairs: Node[] = [];
        let joined = node.inputs[0]!;
        node.inputs.slice(1).forEach((input, i) => {
          const last = i === node.inputs.length - 2;
          const output = last ? node.output : `${node.output}/first ${i + 2}`;
          pairs.push({ op: 'concat', name: last ? node.name : output, inputs: [joined, input], output });
          joined = output;
        });
        return new Map([[node, pairs]]);
      }
      default:
        return null;
    }
  });

/** Whether each image of the batch keeps its own elements. */
function keepsImages(node: Node, shapes: ReadonlyMap<string, readonly number[]>): boolean {
  return shapes.get(node.inputs[0]!)![0] === shapes.get(node.output)![0];
}

const renameInput = (node: Node, from: string, to: string): Node => ({
  ...node,
  inputs: node.inputs.map((name) => (name === from ? to : name)),
});
