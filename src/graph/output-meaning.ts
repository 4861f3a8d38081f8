import type { Graph, OutputMeaning } from './graph.ts';
import type { Node } from './ops.ts';

/** The graph with the meaning of each output on it; one that is there already stays. */
export function withMeanings(graph: Graph): Graph {
  const producers = new Map(graph.nodes.map((node) => [node.output, node]));
  const outputs = graph.outputs.map((output) => ({ meaning: meaningOf(output.tensor, producers), ...output }));
  return { ...graph, outputs };
}

/** By the operation that makes the values, behind what only restates them or keeps them within a range. */
function meaningOf(tensor: string, producers: ReadonlyMap<string, Node>): OutputMeaning {
  const node = producers.get(tensor);
  if (!node) return 'features';
  switch (node.op) {
    case 'reshape':
    case 'clip':
      return meaningOf(node.inputs[0]!, producers);
    case 'softmax':
      return 'probabilities';
    case 'pool':
    case 'global-average-pool':
      return 'features';
  }
  const activation = 'activation' in node ? node.activation : 'none';
  if (activation === 'none') return 'logits';
  return activation === 'sigmoid' || activation === 'hard-sigmoid' ? 'sigmoids' : 'features';
}
