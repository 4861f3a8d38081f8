import { GraphError } from '../errors.ts';
import type { Node } from '../graph/ops.ts';
import { kernels } from '../kernels/index.ts';
import type { Kernel, NodeShapes } from '../kernels/kernel.ts';

/** The kernel that runs a node: the first of the registry that accepts it. Throws `GraphError` where there is none. */
export function selectKernel(node: Node, shapes: NodeShapes): Kernel {
  const kernel = kernels.find((candidate) => candidate.op === node.op && candidate.accepts(node, shapes));
  if (!kernel) {
    const inputs = shapes.inputs.map((shape) => `[${shape}]`).join(', ');
    throw new GraphError(`node "${node.name}" (${node.op}): no kernel runs it on ${inputs} → [${shapes.output}]`);
  }
  return kernel;
}
