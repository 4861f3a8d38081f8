import type { Graph } from './graph/graph.ts';
import type { Fused, Shape } from './graph/ops.ts';
import { tileOf } from './kernels/expand-depthwise.ts';
import { kernels } from './kernels/index.ts';
import { fuseBlocks } from './passes/fuse-blocks.ts';
import { fuseSqueezeExcite } from './passes/fuse-squeeze-excite.ts';
import { runPasses } from './passes/index.ts';

/** `unfused`: one kernel an operation, with bias, activation and residual in it. `fused`: whole blocks in one kernel. */
export type PlanKind = 'unfused' | 'fused';

/** The graph that a plan of this kind runs. */
export function prepare(graph: Graph, kind: PlanKind): Graph {
  const passed = graph.prepared ? graph : runPasses(graph);
  if (kind === 'unfused') return passed;
  const gated = fuseSqueezeExcite(passed, { runs, tileOf });
  return fuseBlocks(gated, (node, { shapes }) => runs(node, shapes));
}

function runs(node: Fused, shapes: ReadonlyMap<string, Shape>): boolean {
  const nodeShapes = { inputs: node.inputs.map((name) => shapes.get(name)!), output: shapes.get(node.output)! };
  return kernels.some((kernel) => kernel.op === 'fused' && kernel.accepts(node, nodeShapes));
}
