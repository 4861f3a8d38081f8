import type { Graph } from './graph/graph.ts';
import { runPasses } from './passes/index.ts';

/** `unfused`: one kernel an operation, with bias, activation and residual in it. `fused`: operations joined too. */
export type PlanKind = 'unfused' | 'fused';

/** The graph that a plan of this kind runs. */
export function prepare(graph: Graph, kind: PlanKind): Graph {
  return kind === 'fused' ? runPasses(graph) : runPasses(graph);
}
