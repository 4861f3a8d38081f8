import type { Graph } from '../graph/graph.ts';
import type { KernelPreferences } from './select.ts';

/** `unfused`: one kernel an operation, with bias, activation and residual in it. `fused`: whole blocks in one kernel. */
export type PlanKind = 'unfused' | 'fused';

/** The graph that a plan of this kind runs. The passes are fetched, as a saved model has been through them. */
export async function prepareFor(graph: Graph, kind: PlanKind): Promise<Graph> {
  const prepared = graph.prepared ? graph : (await import('../passes/index.ts')).runPasses(graph);
  if (kind === 'unfused') return prepared;
  const { fuse } = await import('./fuse.ts');
  return fuse(prepared);
}

/** The graph that runs by these preferences, of one that has been prepared: the same unless they fuse blocks of it. */
export async function withBlocks(prepared: Graph, { fused = [] }: Pick<KernelPreferences, 'fused'>): Promise<Graph> {
  if (fused.length === 0) return prepared;
  const { fuse } = await import('./fuse.ts');
  return fuse(prepared, new Set(fused));
}
