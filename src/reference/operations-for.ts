import type { Graph } from '../graph/graph.ts';
import type { Node } from '../graph/ops.ts';
import { commonOperations } from './common.ts';
import type { Operations } from './run.ts';

/** Those that the network is made of: the others are fetched where it has one. */
export async function operationsFor({ nodes }: Graph): Promise<Operations> {
  const isCommon = (node: Node): boolean =>
    node.op === 'fused' ? node.parts.every(isCommon) : Object.hasOwn(commonOperations, node.op);
  return nodes.every(isCommon) ? commonOperations : (await import('./index.ts')).operations;
}
