import type { Graph, OutputMeaning } from './graph.ts';
import type { Node } from './ops.ts';

/** The graph with the meaning of each output on it; one that is there already stays. */
export function withMeanings(graph: Graph): Graph {
  const producers = new Map(graph.nodes.map((node) => [node.output, node]));
  const outputs = graph.outputs.map((output) => ({ meaning: meaningOf(output.tensor, producers), ...output }));
  return { ...graph, outputs };
}

/** By the operation that makes the values, behind what only restates them or keeps them within a range. */
function meaningOf(output: string, producers: ReadonlyMap<string, Node>): OutputMeaning {
  let node = producers.get(output);
  // A hard sigmoid that is spelled out ends in this.
  let toUnit = false;
  while (node && ['reshape', 'transpose', 'resize', 'clip'].includes(node.op)) {
    toUnit ||= node.op === 'clip' && node.min >= 0 && node.max <= 1;
    node = producers.get(node.inputs[0]!);
  }
  const meaning = ownMeaning(node);
  return meaning === 'logits' && toUnit ? 'sigmoids' : meaning;
}

function ownMeaning(node: Node | undefined): OutputMeaning {
  if (!node) return 'features';
  switch (node.op) {
    case 'pool':
    case 'global-average-pool':
    case 'l2-normalize':
    case 'prelu':
      return 'features';
    case 'softmax':
      return 'probabilities';
  }
  const activation = 'activation' in node ? node.activation : 'none';
  if (activation === 'none') return 'logits';
  return activation === 'sigmoid' || activation === 'hard-sigmoid' ? 'sigmoids' : 'features';
}
