import type { Node } from '../graph/ops.ts';
import type { Pass } from './pass.ts';

/** Drops the nodes whose outputs reach no output of the graph. */
export const removeDeadNodes: Pass = (graph) => {
  const needed = new Set(graph.outputs.map(({ tensor }) => tensor));
  const nodes: Node[] = [];
  for (const node of [...graph.nodes].reverse()) {
    if (!needed.has(node.output)) continue;
    for (const input of node.inputs) needed.add(input);
    nodes.push(node);
  }
  return { ...graph, nodes: nodes.reverse() };
};
