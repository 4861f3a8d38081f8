import { bytesOf, floatsOf, mayBeBytes } from '../graph/byte-weights.ts';
import type { Graph } from '../graph/graph.ts';
import type { Node } from '../graph/ops.ts';
import { runPasses } from './index.ts';

/** The layer with weights that are bytes exactly: each is rounded to the nearest. */
export const withBytes = <N extends Node>(node: N): N =>
  mayBeBytes(node) ? { ...node, weights: floatsOf(bytesOf(node)), weightsAs: 'int8' } : node;

/** The graph after the passes, with weights as bytes where these are kept. */
export function withByteWeights(graph: Graph): Graph {
  const prepared = graph.prepared ? graph : runPasses(graph);
  return { ...prepared, nodes: prepared.nodes.map(withBytes), prepared: true };
}
