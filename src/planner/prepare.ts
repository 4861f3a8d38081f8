import type { Graph } from '../graph/graph.ts';

/** `unfused`: one kernel an operation, with bias, activation and residual in it. `fused`: whole blocks in one kernel. */
export type PlanKind = 'unfused' | 'fused';

/** The graph that a plan of this kind runs. The passes are fetched, as a saved model has been through them. */
export async function prepareFor(graph: Graph, kind: PlanKind): Promise<Graph> {
  const prepared = graph.prepared ? graph : (await import('../passes/index.ts')).runPasses(graph);
  if (kind === 'unfused') return prepared;
  const { fuse } = await import('./fuse.ts');
  return fuse(prepared);
}
