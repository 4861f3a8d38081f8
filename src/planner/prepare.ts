import type { Graph } from '../graph/graph.ts';
import { runPasses } from '../passes/index.ts';

/** `unfused`: one kernel an operation, with bias, activation and residual in it. `fused`: whole blocks in one kernel. */
export type PlanKind = 'unfused' | 'fused';

/** The graph after the passes, which an unfused plan runs. */
export const prepare = (graph: Graph): Graph => (graph.prepared ? graph : runPasses(graph));

/** The graph that a plan of this kind runs. */
export async function prepareFor(graph: Graph, kind: PlanKind): Promise<Graph> {
  const prepared = prepare(graph);
  if (kind === 'unfused') return prepared;
  const { fuse } = await import('./fuse.ts');
  return fuse(prepared);
}
