import { UsageError } from '../errors.ts';
import type { Graph } from '../graph/graph.ts';
import { hasByteWeights } from '../graph/layers.ts';
import type { Fused, Shape } from '../graph/ops.ts';
import { usual as blockKernels } from '../kernels/blocks.ts';
import { tileOf } from '../kernels/expand-depthwise.ts';
import { fuseBlocks } from '../passes/fuse-blocks.ts';
import { fuseGates, fuseSqueezeExcite } from '../passes/fuse-squeeze-excite.ts';
import { shapesOf } from './select.ts';

/**
 * The graph with every fusion for which there is a kernel, or with those of these blocks, by the names of `blocksOf`; it has been
 * through the passes. Throws `UsageError` where weights are bytes: those kernels read floats.
 */
export function fuse(graph: Graph, blocks?: ReadonlySet<string>): Graph {
  if (graph.nodes.some(hasByteWeights)) {
    throw new UsageError(`${graph.name} has weights as bytes, with which no block is fused yet: use plan "unfused"`);
  }
  const wanted = (node: Fused) => blocks?.has(node.name) ?? true;
  // A block with squeeze-and-excitation is several nodes, of which the last begins with the gate's product.
  const first = fuseSqueezeExcite(graph, {
    runs: (node, shapes) => (node.parts[0]!.op !== 'multiply' || wanted(node)) && runs(node, shapes),
    tileOf,
  });
  const gates = (node: Fused, shapes: ReadonlyMap<string, Shape>) => blocks!.has(gateOf(node)) && runs(node, shapes);
  const second = blocks ? fuseGates(first, gates) : first;
  return fuseBlocks(second, (node, shapes) => wanted(node) && runs(node, shapes));
}

const runs = (node: Fused, shapes: ReadonlyMap<string, Shape>): boolean =>
  blockKernels.some((kernel) => kernel.accepts(node, shapesOf(node, shapes)));

/** A gate's product with its projection is called by the product: the projection's name is the whole block's. */
const gateOf = ({ parts: [multiply] }: Fused): string => multiply!.name;

/** Names of the blocks that `fuse` may make of a graph: of whole ones, the nodes that they end with. */
export function blocksOf(graph: Graph): string[] {
  const { nodes } = fuse(graph);
  const fused = nodes.filter((node): node is Fused => node.op === 'fused');
  // Of a block with squeeze-and-excitation the last node alone.
  const named = fused.filter(({ also, parts: [part] }) => !also && part!.op !== 'global-average-pool');
  const pools = fused.filter(({ parts: [part], inputs }) => part!.op === 'global-average-pool' && !made(fused, inputs));
  return [...[...named, ...pools].map(({ name }) => name), ...gatesOf(graph)];
}

/** Those of gates with their projections. */
export const gatesOf = (graph: Graph): string[] =>
  fuseGates(graph, runs)
    .nodes.filter((node): node is Fused => node.op === 'fused')
    .map(gateOf);

/** Whether a fused node writes one of these as its second tensor: sums of tiles. */
const made = (fused: readonly Fused[], inputs: readonly string[]): boolean =>
  fused.some(({ also = [] }) => also.some((tensor) => inputs.includes(tensor)));
