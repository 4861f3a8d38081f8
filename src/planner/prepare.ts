import type { Graph } from '../graph/graph.ts';
import type { KernelPreferences } from './select.ts';

/** `unfused`: one kernel an operation, with bias, activation and residual in it. `fused`: whole blocks in one kernel. */
export type PlanKind = 'unfused' | 'fused';

/** The passes that a graph needs, which are fetched; none for a saved model's, which has been through them. */
export const passesFor = async (graph: Graph): Promise<(graph: Graph) => Graph> =>
  graph.prepared ? (same) => same : (await import('../passes/plain.ts')).passesFor(graph);

/** The graph that a plan of this kind runs. */
export async function prepareFor(graph: Graph, kind: PlanKind): Promise<Graph> {
  const prepared = (await passesFor(graph))(graph);
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
