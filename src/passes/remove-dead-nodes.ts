import { withoutDeadNodes } from '../graph/dead-nodes.ts';
import type { Pass } from './pass.ts';

/** Drops the nodes whose outputs reach no output of the graph. */
export const removeDeadNodes: Pass = withoutDeadNodes;
