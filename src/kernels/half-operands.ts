import type { Graph } from '../graph/graph.ts';
import { MOST_INPUT } from '../graph/half-weights.ts';
import type { Activation, Node } from '../graph/ops.ts';

/**
 * Which tensors a plan in which these nodes compute in halves stores as such: those that no value is too large in, whatever
 * the weights, and that such convolutions and fully connected layers alone read, as what they multiply: they round it in any case.
 */
export function halfOperands(graph: Graph, computing: ReadonlySet<Node>): ReadonlySet<string> {
  const { nodes, outputs } = graph;
  const most = largestValues(graph);
  const multiplies = (node: Node, name: string) =>
    computing.has(node) &&
    (node.op === 'conv2d' || node.op === 'fully-connected') &&
    node.inputs.lastIndexOf(name) === 0;
  const alone = (name: string) =>
    outputs.every(({ tensor }) => tensor !== name) &&
    nodes.every((node) => !node.inputs.includes(name) || multiplies(node, name));
  return new Set(nodes.map(({ output }) => output).filter((name) => most.get(name)! <= MOST_INPUT && alone(name)));
}

const activated: Readonly<Record<Activation, (most: number) => number>> = {
  none: (most) => most,
  relu: (most) => most,
  'hard-swish': (most) => most,
  relu6: (most) => Math.min(most, 6),
  'hard-sigmoid': () => 1,
  sigmoid: () => 1,
};

/** The largest magnitude that each tensor can have, by activations alone: weights may not be there yet. */
function largestValues({ nodes }: Graph): ReadonlyMap<string, number> {
  const most = new Map<string, number>();
  const of = (name: string | undefined) => most.get(name!) ?? Number.POSITIVE_INFINITY;
  const found = (node: Node): number => {
    const all = node.inputs.map(of);
    switch (node.op) {
      case 'conv2d':
      case 'fully-connected':
        return activated[node.activation](Number.POSITIVE_INFINITY) + (node.inputs.length > 1 ? all[1]! : 0);
      case 'add':
        return activated[node.activation](all[0]! + all[1]!);
      case 'multiply':
        return activated[node.activation](all[0]! * all[1]!);
      case 'activation':
        return activated[node.activation](all[0]!);
      case 'softmax':
        return 1;
      case 'global-average-pool':
      case 'pool':
      case 'reshape':
      case 'transpose':
      case 'concat':
      case 'resize':
        return Math.max(...all);
      default:
        return Number.POSITIVE_INFINITY;
    }
  };
  for (const node of nodes) most.set(node.output, found(node));
  return most;
}
