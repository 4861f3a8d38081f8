import type { Graph } from '../graph/graph.ts';
import { isDepthwise, isPointwise, productOf } from '../graph/layers.ts';
import type { Conv2d, Fused, Node, Shape } from '../graph/ops.ts';
import { Links, replaceNodes } from './pass.ts';

/**
 * Joins nodes whose hidden channels nobody else reads, as far as `runs` says that a kernel takes them:
 *
 * - [expand,] depthwise, project: an inverted residual, or a depthwise separable convolution;
 * - depthwise, expand[, depthwise], project: a universal inverted bottleneck that starts with a depthwise convolution,
 *   told from depthwise separable convolutions by the missing activation of the first or the last. Where a kernel takes
 *   the last three but not all four, the first is left alone: its output is smaller than that of the expansion;
 * - a normal convolution and the pointwise one that follows;
 * - global average pool and the product that follows.
 */
export function fuseBlocks(graph: Graph, runs: (node: Fused, shapes: ReadonlyMap<string, Shape>) => boolean): Graph {
  const links = new Links(graph);
  const replacements = new Map<Node, readonly Node[]>();
  const fuse = (parts: readonly (Node | null | undefined)[]): boolean => {
    const chain = parts.filter((part) => part !== null);
    if (!chain.every((part): part is Node => part !== undefined && !replacements.has(part))) return false;
    const last = chain.at(-1)!;
    const fused: Fused = {
      op: 'fused',
      name: last.name,
      inputs: [chain[0]!.inputs[0]!, ...last.inputs.slice(1)],
      output: last.output,
      parts: chain,
    };
    if (!runs(fused, links.shapes)) return false;
    for (const part of chain) replacements.set(part, part === last ? [fused] : []);
    return true;
  };

  for (const node of graph.nodes) {
    if (replacements.has(node)) continue;
    const next = soleReader(node, links);
    if (isFilter(node, links)) {
      if (!isPointwise(next)) continue;
      const after = soleReader(next, links);
      if (after && next.inputs.length === 1 && next.outChannels > node.outChannels) {
        const middle = isFilter(after, links) ? after : null;
        const project = middle ? soleReader(middle, links) : after;
        const linear = node.activation === 'none';
        const starts = isPointwise(project) && (linear || project.activation === 'none');
        if (starts && fuse([node, next, middle, project])) continue;
        if (middle && linear) continue;
      }
      const before = links.soleProducer(node.inputs[0]!);
      const expand = isPointwise(before) && before.inputs.length === 1 ? before : null;
      (expand && fuse([expand, node, next])) || fuse([node, next]);
    } else if (isNormal(node)) {
      if (isPointwise(next)) fuse([node, next]);
    } else if (node.op === 'global-average-pool' && productOf(next)) fuse([node, next]);
  }
  return replaceNodes(graph, replacements);
}

/** The node that alone reads this one's output, once, as its first input. */
function soleReader(node: Node, links: Links): Node | undefined {
  const [reader] = links.consumers(node.output);
  const alone = reader && links.soleProducer(node.output) === node;
  return alone && reader.inputs[0] === node.output && reader.inputs[1] !== node.output ? reader : undefined;
}

/** A depthwise convolution without residual. */
const isFilter = (node: Node, links: Links): node is Conv2d =>
  isDepthwise(node, links.shapes.get(node.inputs[0]!)![3]) && node.inputs.length === 1;

/** A convolution of one group with a kernel larger than one pixel. */
const isNormal = (node: Node): node is Conv2d =>
  node.op === 'conv2d' && node.groups === 1 && node.inputs.length === 1 && Math.max(...node.kernel) > 1;
