import type { Graph } from '../graph/graph.ts';
import type { Node } from '../graph/ops.ts';
import type { KernelRegistry } from '../kernels/index.ts';
import { isHalf, type Precision } from './plan.ts';

/** Which tensors a plan stores as halves; `kernels` as those that it is made of. */
export function halvesOf(
  graph: Graph,
  { halfOperands }: KernelRegistry,
  precision: Precision,
  arithmetic?: 'float16',
): ReadonlySet<string> {
  if (!isHalf(precision)) return new Set();
  return arithmetic && halfOperands ? halfOperands(graph, nodesInHalves(graph)) : halfTensors(graph);
}

/**
 * Which tensors of a graph a float16 plan stores as halves: what the expansions of inverted residual blocks write for
 * their depthwise convolutions, the largest tensors of such a network. Every other tensor stays float32:
 *
 * - what blocks hand on, linear outputs and sums, as what is rounded there is carried to the end;
 * - the input, the stem and the first block, which hold few values that every later layer meets;
 * - what is read by a projection: it is smaller, and its rounding shows more than that of what a depthwise convolution
 *   averages;
 * - outputs of the network.
 *
 * docs/models.md has what this and other choices cost nine real networks.
 */
export function halfTensors({ nodes, outputs }: Graph): ReadonlySet<string> {
  const producers = new Map(nodes.map((node) => [node.output, node]));
  const readers = new Map<string, Node[]>();
  for (const node of nodes) {
    for (const name of node.inputs) readers.set(name, [...(readers.get(name) ?? []), node]);
  }
  const named = new Set(outputs.map(({ tensor }) => tensor));
  const first = endOfFirstBlock(nodes);
  const isExpansion = (node: Node): boolean => {
    if (node.op !== 'conv2d' || node.groups > 1 || node.activation === 'none' || named.has(node.output)) return false;
    const [reader, ...others] = readers.get(node.output) ?? [];
    // MobileNetV1 has no expansions: a convolution after an activated depthwise one ends a block.
    return others.length === 0 && isGrouped(reader) && !isGrouped(producers.get(node.inputs[0]!), true);
  };
  return new Set(nodes.filter((node, i) => i > first && isExpansion(node)).map(({ output }) => output));
}

const isGrouped = (node: Node | undefined, activated = false): boolean =>
  node?.op === 'conv2d' && node.groups > 1 && (!activated || node.activation !== 'none');

/**
 * Which nodes of a graph compute in halves, where their kernels can: all but the stem and the first block, which hold few
 * values that every later layer meets.
 */
export const nodesInHalves = ({ nodes }: Graph): ReadonlySet<Node> => new Set(nodes.slice(endOfFirstBlock(nodes) + 1));

const endOfFirstBlock = (nodes: readonly Node[]): number => nodes.findIndex(({ op }) => op === 'conv2d') + 2;

/**
 * Tensors of stored integers, which are bytes in every plan: what operations on integers write but real numbers, and inputs of
 * the graph that they read as integers.
 */
export function integerTensors({ inputs, nodes }: Graph): ReadonlySet<string> {
  const integers = new Set<string>();
  const given = new Set(inputs.map(({ name }) => name));
  for (const node of nodes) {
    if (node.op !== 'integer') continue;
    if (node.body.kind !== 'dequantise') integers.add(node.output);
    if (node.body.kind !== 'quantise') for (const name of node.inputs) if (given.has(name)) integers.add(name);
  }
  return integers;
}

/** Inputs of a graph that one node alone reads: where that is a kernel that can, they are stored as the caller gives them. */
export function inputsOfOneReader({ inputs, nodes, outputs }: Graph): ReadonlySet<string> {
  const read = nodes.flatMap((node) => node.inputs);
  const alone = (name: string) =>
    read.indexOf(name) === read.lastIndexOf(name) && outputs.every(({ tensor }) => tensor !== name);
  return new Set(inputs.map(({ name }) => name).filter(alone));
}
