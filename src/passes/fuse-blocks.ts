import type { Graph } from '../graph/graph.ts';
import type { Conv2d, Fused, Node } from '../graph/ops.ts';
import { Links, replaceNodes } from './pass.ts';

/**
 * Joins a depthwise convolution with the pointwise one that alone reads it, and with the pointwise one that expands
 * into it alone: a block as one kernel, whose hidden channels never reach memory. `runs` says whether a kernel takes
 * the block.
 */
export function fuseBlocks(graph: Graph, runs: (node: Fused, links: Links) => boolean): Graph {
  const links = new Links(graph);
  const taken = new Set<Node>();
  const replacements = new Map<Node, readonly Node[]>();
  for (const depthwise of graph.nodes) {
    if (!isDepthwise(depthwise, links)) continue;
    const project = links.consumers(depthwise.output)[0];
    if (!project || !isPointwise(project) || links.soleProducer(depthwise.output) !== depthwise) continue;
    // The hidden tensor may be read once only: not as the residual too.
    if (project.inputs[0] !== depthwise.output || project.inputs[1] === depthwise.output) continue;
    if (taken.has(project)) continue;
    const before = links.soleProducer(depthwise.inputs[0]!);
    const expand = before && isPointwise(before) && before.inputs.length === 1 && !taken.has(before) ? before : null;
    for (const parts of expand
      ? [
          [expand, depthwise, project],
          [depthwise, project],
        ]
      : [[depthwise, project]]) {
      const fused: Fused = {
        op: 'fused',
        name: project.name,
        inputs: [parts[0]!.inputs[0]!, ...project.inputs.slice(1)],
        output: project.output,
        parts,
      };
      if (!runs(fused, links)) continue;
      for (const part of parts) {
        taken.add(part);
        replacements.set(part, part === project ? [fused] : []);
      }
      break;
    }
  }
  return replaceNodes(graph, replacements);
}

function isDepthwise(node: Node, links: Links): node is Conv2d {
  if (node.op !== 'conv2d' || node.inputs.length > 1) return false;
  const channels = links.shapes.get(node.inputs[0]!)![3];
  return channels > 1 && node.groups === channels && node.outChannels === channels;
}

const isPointwise = (node: Node): node is Conv2d =>
  node.op === 'conv2d' && node.groups === 1 && node.kernel[0] === 1 && node.kernel[1] === 1;
