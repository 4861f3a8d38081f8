import type { Graph } from '../graph/graph.ts';
import type { Fused, Shape } from '../graph/ops.ts';
import { usual as blockKernels } from '../kernels/blocks.ts';
import { tileOf } from '../kernels/expand-depthwise.ts';
import { fuseBlocks } from '../passes/fuse-blocks.ts';
import { fuseSqueezeExcite } from '../passes/fuse-squeeze-excite.ts';
import { shapesOf } from './select.ts';

/** The graph with every fusion for which there is a kernel; it has been through the passes. */
export const fuse = (graph: Graph): Graph => fuseBlocks(fuseSqueezeExcite(graph, { runs, tileOf }), runs);

function runs(node: Fused, shapes: ReadonlyMap<string, Shape>): boolean {
  return blockKernels.some((kernel) => kernel.accepts(node, shapesOf(node, shapes)));
}
