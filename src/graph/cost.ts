import type { Graph } from './graph.ts';
import type { Conv2d, Node, Shape } from './ops.ts';
import { inferShapes, sizeOf } from './shapes.ts';

/** What a layer is, as the field names it. */
export type LayerKind = 'normal' | 'depthwise' | 'pointwise' | 'grouped' | 'fully-connected' | 'other';

/** One node in numbers; bytes are float32. */
export interface LayerCost {
  readonly name: string;
  readonly op: Node['op'];
  readonly kind: LayerKind;
  readonly inputShapes: readonly Shape[];
  readonly shape: Shape;
  /** Multiplications by a weight, those of padded zeros included: what "MACs" counts. */
  readonly multiplications: number;
  /** Weights, biases, and scale and shift of a batch-norm; not its statistics. */
  readonly parameters: number;
  readonly inputBytes: number;
  readonly outputBytes: number;
  readonly weightBytes: number;
}

export interface NetworkCost {
  readonly parameters: number;
  readonly macs: number;
  /**
   * The same network where each depthwise convolution and the pointwise one that follows it are one normal convolution
   * of the same kernel, stride, input and output channels.
   */
  readonly macsWithNormalConvolutions: number;
}

/** The cost of every node, in order. Throws `GraphError` where the graph is inconsistent. */
export function layerCosts(graph: Graph): LayerCost[] {
  const shapes = inferShapes(graph);
  return graph.nodes.map((node) => {
    const inputShapes = node.inputs.map((name) => shapes.get(name)!);
    const shape = shapes.get(node.output)!;
    const parameters = parametersOf(node);
    return {
      name: node.name,
      op: node.op,
      kind: kindOf(node, inputShapes[0]!),
      inputShapes,
      shape,
      multiplications: multiplicationsOf(node, inputShapes[0]!, shape),
      parameters,
      inputBytes: 4 * inputShapes.reduce((sum, input) => sum + sizeOf(input), 0),
      outputBytes: 4 * sizeOf(shape),
      weightBytes: 4 * parameters,
    };
  });
}

export function networkCost(graph: Graph): NetworkCost {
  const shapes = inferShapes(graph);
  const layers = layerCosts(graph);
  const macs = layers.reduce((sum, { multiplications }) => sum + multiplications, 0);
  let difference = 0;
  graph.nodes.forEach((node, i) => {
    if (layers[i]!.kind !== 'depthwise') return;
    const pointwise = followingPointwise(graph, node.output, shapes);
    if (!pointwise) return;
    const depthwise = node as Conv2d;
    const [batch, height, width, channels] = layers[i]!.shape;
    const taps = depthwise.kernel[0] * depthwise.kernel[1];
    const normal = batch * height * width * taps * layers[i]!.inputShapes[0]![3] * pointwise.outChannels;
    difference += normal - layers[i]!.multiplications - batch * height * width * channels * pointwise.outChannels;
  });
  return {
    parameters: layers.reduce((sum, { parameters }) => sum + parameters, 0),
    macs,
    macsWithNormalConvolutions: macs + difference,
  };
}

/**
 * Multiplications of a depthwise separable convolution over those of a normal one: 1/n_c′ + 1/f²
 * (Howard et al. 2017, "MobileNets", section 3.1).
 */
export const separableRatio = (outChannels: number, kernel: number): number => 1 / outChannels + 1 / kernel ** 2;

function kindOf(node: Node, input: Shape): LayerKind {
  if (node.op === 'fully-connected') return 'fully-connected';
  if (node.op !== 'conv2d') return 'other';
  if (node.groups > 1) return node.groups === input[3] ? 'depthwise' : 'grouped';
  if (node.kernel[0] === 1 && node.kernel[1] === 1) return 'pointwise';
  return input[3] === 1 && node.outChannels === 1 ? 'depthwise' : 'normal';
}

function multiplicationsOf(node: Node, input: Shape, output: Shape): number {
  if (node.op === 'fused') {
    const graph = {
      name: node.name,
      inputs: [{ name: node.inputs[0]!, shape: input }],
      outputs: [],
      nodes: node.parts,
    };
    return layerCosts(graph).reduce((sum, { multiplications }) => sum + multiplications, 0);
  }
  if (node.op === 'conv2d') return sizeOf(output) * node.kernel[0] * node.kernel[1] * (input[3] / node.groups);
  if (node.op === 'fully-connected') return sizeOf(input) * node.outFeatures;
  return 0;
}

function parametersOf(node: Node): number {
  switch (node.op) {
    case 'conv2d':
    case 'fully-connected':
      return node.weights.length + (node.bias?.length ?? 0);
    case 'batch-norm':
    case 'affine':
      return node.scale.length + node.shift.length;
    case 'fused':
      return node.parts.reduce((sum, part) => sum + parametersOf(part), 0);
    default:
      return 0;
  }
}

/**
 * The pointwise convolution that a depthwise one's output reaches through elementwise nodes of the same size:
 * batch-norm, activation, a multiplication by a squeeze-and-excitation gate.
 */
function followingPointwise(graph: Graph, tensor: string, shapes: ReadonlyMap<string, Shape>): Conv2d | null {
  const size = shapes.get(tensor)!.join();
  for (const node of graph.nodes) {
    if (!node.inputs.includes(tensor)) continue;
    if (node.op === 'conv2d') {
      const pointwise = node.groups === 1 && node.kernel[0] === 1 && node.kernel[1] === 1;
      if (pointwise && node.inputs[0] === tensor) return node;
    } else if (elementwise.has(node.op) && shapes.get(node.output)!.join() === size) {
      const found = followingPointwise(graph, node.output, shapes);
      if (found) return found;
    }
  }
  return null;
}

const elementwise: ReadonlySet<Node['op']> = new Set(['batch-norm', 'affine', 'activation', 'clip', 'multiply', 'pad']);
