/** The passes of graphs on which the others have nothing to do: those of most files whose converter folded and fused already. */
import type { Graph } from '../graph/graph.ts';
import type { OpName } from '../graph/ops.ts';
import { fuseResidual } from './fuse-residual.ts';
import { removeDeadNodes } from './remove-dead-nodes.ts';
import { simplifyShapes } from './simplify-shapes.ts';

/** Without others, of all passes only those of `runPlainPasses` find what they look for, and they make no others. */
const plain: ReadonlySet<OpName> = new Set<OpName>([
  ...(['conv2d', 'fully-connected', 'pool', 'global-average-pool', 'softmax'] as const),
  ...(['add', 'reshape'] as const),
]);

export const isPlain = ({ nodes }: Graph): boolean => nodes.every(({ op }) => plain.has(op));

/** What `runPasses` (index.ts) makes of a plain graph. Throws `GraphError` where the graph is inconsistent. */
export const runPlainPasses = (graph: Graph): Graph => fuseResidual(simplifyShapes(removeDeadNodes(graph)));

/** What makes of this graph what `runPasses` does, with no more passes than it needs. */
export const passesFor = async (graph: Graph): Promise<(graph: Graph) => Graph> =>
  isPlain(graph) ? runPlainPasses : (await import('./index.ts')).runPasses;
