import type { Graph } from './graph.ts';
import { isPointwise } from './layers.ts';
import type { Conv2d, Node, Shape } from './ops.ts';
import { realNode } from './real-node.ts';
import { inferShapes, sizeOf } from './shapes.ts';

/** What a layer is, as the field names it. */
export type LayerKind = 'normal' | 'depthwise' | 'pointwise' | 'grouped' | 'transposed' | 'fully-connected' | 'other';

/** One node in numbers; bytes are float32, or those of stored integers. */
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
    const real = node.op === 'integer' ? realNode(node) : node;
    const parameters = parametersOf(real);
    const [read, written, weight] = bytesOf(node);
    return {
      name: node.name,
      op: node.op,
      kind: kindOf(real, inputShapes[0]!),
      inputShapes,
      shape,
      multiplications: multiplicationsOf(real, inputShapes, shape),
      parameters,
      inputBytes: read * inputShapes.reduce((sum, input) => sum + sizeOf(input), 0),
      outputBytes: written * sizeOf(shape),
      weightBytes: weight * parameters,
    };
  });
}

/** The cost of the whole network, of graphs before and after passes alike. Throws `GraphError` as `layerCosts` does. */
export function networkCost(graph: Graph): NetworkCost {
  const parts = { ...graph, nodes: graph.nodes.flatMap(partsOf) };
  const layers = layerCosts(parts);
  const macs = layers.reduce((sum, { multiplications }) => sum + multiplications, 0);
  const shapes = new Map(parts.nodes.map(({ output }, i) => [output, layers[i]!.shape]));
  const layerOf = new Map(layers.map((layer) => [layer.name, layer]));
  const consumers = consumersOf(parts.nodes);
  const joined = new Set<Node>();
  let difference = 0;
  parts.nodes.forEach((node, i) => {
    if (node.op !== 'conv2d' || layers[i]!.kind !== 'depthwise') return;
    const next = followingPointwise(node, shapes, consumers, joined);
    if (!next) return;
    joined.add(next);
    const [depthwise, pointwise] = [layers[i]!, layerOf.get(next.name)!];
    const normal = sizeOf(pointwise.shape) * node.kernel[0] * node.kernel[1] * depthwise.inputShapes[0]![3];
    difference += normal - depthwise.multiplications - pointwise.multiplications;
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
  if (node.op === 'conv-transpose2d') return 'transposed';
  if (node.op !== 'conv2d') return 'other';
  if (node.groups > 1) return node.groups === input[3] ? 'depthwise' : 'grouped';
  if (node.kernel[0] === 1 && node.kernel[1] === 1) return 'pointwise';
  return input[3] === 1 && node.outChannels === 1 ? 'depthwise' : 'normal';
}

function multiplicationsOf(node: Node, inputs: readonly Shape[], output: Shape): number {
  if (node.op === 'fused') {
    const outside = new Map(node.inputs.map((name, i) => [name, inputs[i]!]));
    const graph = {
      name: node.name,
      inputs: [...outside].map(([name, shape]) => ({ name, shape })),
      outputs: [],
      nodes: node.parts,
    };
    return layerCosts(graph).reduce((sum, { multiplications }) => sum + multiplications, 0);
  }
  const input = inputs[0]!;
  if (node.op === 'conv2d') return sizeOf(output) * node.kernel[0] * node.kernel[1] * (input[3] / node.groups);
  if (node.op === 'conv-transpose2d') return sizeOf(input) * node.kernel[0] * node.kernel[1] * node.outChannels;
  if (node.op === 'fully-connected') return sizeOf(input) * node.outFeatures;
  return 0;
}

function parametersOf(node: Node): number {
  switch (node.op) {
    case 'conv2d':
    case 'conv-transpose2d':
    case 'fully-connected':
      return node.weights.length + (node.bias?.length ?? 0);
    case 'batch-norm':
    case 'affine':
      return node.scale.length + node.shift.length;
    case 'prelu':
      return node.slope.length;
    case 'fused':
      return node.parts.reduce((sum, part) => sum + parametersOf(part), 0);
    default:
      return 0;
  }
}

/** Of an element that is read, one that is written, and a weight. */
function bytesOf(node: Node): readonly [read: number, written: number, weight: number] {
  if (node.op !== 'integer') return [4, 4, 4];
  return [node.body.kind === 'quantise' ? 4 : 1, node.body.kind === 'dequantise' ? 4 : 1, 1];
}

/** The nodes that a fused one runs, else the node itself, on real numbers. */
function partsOf(node: Node): readonly Node[] {
  if (node.op === 'integer') return [realNode(node)];
  return node.op === 'fused' ? node.parts.flatMap(partsOf) : [node];
}

function consumersOf(nodes: readonly Node[]): ReadonlyMap<string, readonly Node[]> {
  const consumers = new Map<string, Node[]>();
  for (const node of nodes) {
    for (const input of new Set(node.inputs)) {
      const readers = consumers.get(input);
      if (readers) readers.push(node);
      else consumers.set(input, [node]);
    }
  }
  return consumers;
}

/**
 * The pointwise convolution, not one of `joined`, that a depthwise one's output reaches through elementwise nodes of its
 * own shape: batch-norm, activation, a multiplication by a squeeze-and-excitation gate.
 */
function followingPointwise(
  depthwise: Conv2d,
  shapes: ReadonlyMap<string, Shape>,
  consumers: ReadonlyMap<string, readonly Node[]>,
  joined: ReadonlySet<Node>,
): Conv2d | null {
  const shape = shapes.get(depthwise.output)!.join();
  const reached = new Set([depthwise.output]);
  for (const tensor of reached) {
    for (const node of consumers.get(tensor) ?? []) {
      if (node.op === 'conv2d') {
        if (isPointwise(node) && node.inputs[0] === tensor && !joined.has(node)) return node;
      } else if (elementwise.has(node.op) && shapes.get(node.output)!.join() === shape) {
        reached.add(node.output);
      }
    }
  }
  return null;
}

const elementwise: ReadonlySet<Node['op']> = new Set([
  'batch-norm',
  'affine',
  'prelu',
  'activation',
  'clip',
  'multiply',
]);
