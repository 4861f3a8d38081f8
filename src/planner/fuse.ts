import type { Graph } from '../graph/graph.ts';
import type { Fused, Shape } from '../graph/ops.ts';
import { convPointwiseGated } from '../kernels/conv-pointwise-gated.ts';
import { convProject } from '../kernels/conv-project.ts';
import { expandDepthwise, tileOf } from '../kernels/expand-depthwise.ts';
import { addBlockKernels } from '../kernels/index.ts';
import { invertedResidual } from '../kernels/inverted-residual.ts';
import type { Kernel } from '../kernels/kernel.ts';
import { poolFullyConnected } from '../kernels/pool-fully-connected.ts';
import { squeezeExciteGate } from '../kernels/squeeze-excite-gate.ts';
import { universalBottleneck } from '../kernels/universal-bottleneck.ts';
import { fuseBlocks } from '../passes/fuse-blocks.ts';
import { fuseSqueezeExcite } from '../passes/fuse-squeeze-excite.ts';

/** A kernel for each kind of fused node. */
export const kernelsOfBlocks: readonly Kernel[] = [
  invertedResidual,
  universalBottleneck,
  expandDepthwise,
  squeezeExciteGate,
  convPointwiseGated,
  convProject,
  poolFullyConnected,
];

/** The graph with every fusion for which there is a kernel; it has been through the passes. */
export function fuse(graph: Graph): Graph {
  addBlockKernels(kernelsOfBlocks);
  const gated = fuseSqueezeExcite(graph, { runs, tileOf });
  return fuseBlocks(gated, (node, { shapes }) => runs(node, shapes));
}

function runs(node: Fused, shapes: ReadonlyMap<string, Shape>): boolean {
  const nodeShapes = { inputs: node.inputs.map((name) => shapes.get(name)!), output: shapes.get(node.output)! };
  return kernelsOfBlocks.some((kernel) => kernel.accepts(node, nodeShapes));
}
