import type { Pass } from './pass.ts';

/** Drops the nodes whose outputs reach no output of the graph. */
export const removeDeadNodes: Pass = (graph) => {
  const needed = new Set(graph.outputs.map(({ tensor }) => tensor));
  const nodes = graph.nodes.toReversed().filter((node) => {
    if (!needed.has(node.output)) return false;
    for (const input of node.inputs) needed.add(input);
    return true;
  });
  return { ...graph, nodes: nodes.reverse() };
};
