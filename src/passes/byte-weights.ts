import { UsageError } from '../errors.ts';
import { bytesOf, floatsOf, mayBeBytes } from '../graph/byte-weights.ts';
import type { Graph } from '../graph/graph.ts';
import type { Node } from '../graph/ops.ts';
import { runPasses } from './index.ts';

/** The layer with weights that are bytes exactly: each is rounded to the nearest. */
export const withBytes = <N extends Node>(node: N): N =>
  mayBeBytes(node) ? { ...node, weights: floatsOf(bytesOf(node)), weightsAs: 'int8' } : node;

/**
 * The graph after the passes, with weights as bytes where these are kept. Throws `UsageError` for a choice that has no such: of
 * fused blocks, or of arithmetic in halves.
 */
export function withByteWeights(graph: Graph, { plan, precision }: { plan?: string; precision?: string } = {}): Graph {
  if (plan === 'fused' || precision === 'float16') {
    throw new UsageError(
      'weights "int8" go with plan "auto" or "unfused", and precision "auto", "float32" or "float16-storage"',
    );
  }
  const prepared = graph.prepared ? graph : runPasses(graph);
  return { ...prepared, nodes: prepared.nodes.map(withBytes), prepared: true };
}
