import type { Graph } from '../graph/graph.ts';
import { isDepthwise, isPointwise, productOf } from '../graph/layers.ts';
import type { Conv2d, FullyConnected, Fused, Node, Pair, Shape, SumTiles } from '../graph/ops.ts';
import { Links, replaceNodes } from './pass.ts';

type Multiply = Extract<Node, { op: 'multiply' }>;

export interface SqueezeExciteOptions {
  /** Whether a kernel takes the node. */
  readonly runs: (node: Fused, shapes: ReadonlyMap<string, Shape>) => boolean;
  /** Tile whose sums the kernel of the first half writes. */
  readonly tileOf: (depthwise: Conv2d, output: Shape) => Pair;
}

/**
 * A block with squeeze-and-excitation as four kernels. The mean is over all pixels and the squeeze over all channels, which
 * no workgroup sees, so the block is cut there: [expand,] depthwise and the sums of its tiles; mean and squeeze; excite; the
 * gate's product and the projection. The squeeze's weights take the number of tiles over that of pixels.
 */
export function fuseSqueezeExcite(graph: Graph, options: SqueezeExciteOptions): Graph {
  const links = new Links(graph);
  const replacements = new Map<Node, readonly Node[]>();
  for (const node of graph.nodes) {
    const block = node.op === 'multiply' ? blockAt(node, links) : null;
    if (!block) continue;
    const { expand, depthwise, pool, squeeze, multiply, project } = block;
    const shape = links.shapes.get(depthwise.output)!;
    const tile = options.tileOf(depthwise, shape);
    const tiles = Math.ceil(shape[1] / tile[0]) * Math.ceil(shape[2] / tile[1]);
    const sums: SumTiles = {
      op: 'sum-tiles',
      name: `${depthwise.name}/sums`,
      inputs: [depthwise.output],
      output: `${depthwise.output}/sums`,
      tile,
    };
    const first: Fused = {
      op: 'fused',
      name: depthwise.name,
      inputs: [(expand ?? depthwise).inputs[0]!],
      output: depthwise.output,
      also: [sums.output],
      parts: [...(expand ? [expand] : []), depthwise, sums],
    };
    const share = tiles / (shape[1] * shape[2]);
    const means: Fused = {
      op: 'fused',
      name: squeeze.name,
      inputs: [sums.output],
      output: squeeze.output,
      parts: [
        { ...pool, inputs: [sums.output] },
        { ...squeeze, weights: squeeze.weights.map((weight) => weight * share) },
      ],
    };
    const second = gated(multiply, project);
    const shapes = new Map([...links.shapes, [sums.output, [shape[0], tiles, 1, shape[3]] as Shape]]);
    if (![first, means, second].every((fused) => options.runs(fused, shapes))) continue;
    for (const part of [expand, depthwise, pool, squeeze, multiply, project]) {
      if (part) replacements.set(part, []);
    }
    replacements.set(depthwise, [first]);
    replacements.set(squeeze, [means]);
    replacements.set(project, [second]);
  }
  return replaceNodes(graph, replacements);
}

/** Gates' products and the projections that read them, as one kernel each, as far as `runs` says that one takes them. */
export function fuseGates(graph: Graph, runs: SqueezeExciteOptions['runs']): Graph {
  const links = new Links(graph);
  const replacements = new Map<Node, readonly Node[]>();
  for (const node of graph.nodes) {
    if (node.op !== 'multiply' || links.soleProducer(node.output) !== node) continue;
    const [project] = links.consumers(node.output);
    if (project?.op !== 'conv2d' || project.inputs[1] === node.output) continue;
    const fused = gated(node, project);
    if (runs(fused, links.shapes)) replacements.set(node, []).set(project, [fused]);
  }
  return replaceNodes(graph, replacements);
}

/** As one node; the gate is the second of what the product reads. */
const gated = (multiply: Multiply, project: Conv2d): Fused => ({
  op: 'fused',
  name: project.name,
  inputs: [...multiply.inputs, ...project.inputs.slice(1)],
  output: project.output,
  parts: [multiply, project],
});

function blockAt(multiply: Multiply, links: Links) {
  const [features, factors] = multiply.inputs;
  const depthwise = links.producer(features!);
  const excite = links.soleProducer(factors!);
  const squeeze = isProduct(excite) ? links.soleProducer(excite.inputs[0]!) : undefined;
  const pool = isProduct(squeeze) ? links.soleProducer(squeeze.inputs[0]!) : undefined;
  if (!isProduct(excite) || !isProduct(squeeze) || pool?.op !== 'global-average-pool') return null;
  if (pool.inputs[0] !== features || multiply.activation !== 'none' || links.isOutput(features!)) return null;
  if (!isDepthwise(depthwise, links.shapes.get(features!)![3])) return null;
  if (depthwise.inputs.length > 1 || links.consumers(features!).length !== 2) return null;
  const project = links.consumers(multiply.output)[0];
  if (project?.op !== 'conv2d' || project.inputs[1] === multiply.output) return null;
  if (links.soleProducer(multiply.output) !== multiply) return null;
  const before = links.soleProducer(depthwise.inputs[0]!);
  const expand = isPointwise(before) && before.inputs.length === 1 ? before : null;
  return { expand, depthwise, pool, squeeze, excite, multiply, project };
}

const isProduct = (node: Node | undefined): node is Conv2d | FullyConnected => productOf(node) !== null;
