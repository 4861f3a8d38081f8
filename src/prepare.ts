import type { Graph } from './graph/graph.ts';
import { isInvertedResidual } from './kernels/inverted-residual.ts';
import { fuseBlocks } from './passes/fuse-blocks.ts';
import { runPasses } from './passes/index.ts';

/** `unfused`: one kernel an operation, with bias, activation and residual in it. `fused`: whole blocks in one kernel. */
export type PlanKind = 'unfused' | 'fused';

/** The graph that a plan of this kind runs. */
export function prepare(graph: Graph, kind: PlanKind): Graph {
  const passed = graph.prepared ? graph : runPasses(graph);
  if (kind === 'unfused') return passed;
  return fuseBlocks(passed, (node, { shapes }) =>
    isInvertedResidual(node, {
      inputs: node.inputs.map((name) => shapes.get(name)!),
      output: shapes.get(node.output)!,
    }),
  );
}
