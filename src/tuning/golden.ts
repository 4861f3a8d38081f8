/** A network of small layers, one for each thing that a plan's pipelines are asked to do, with inputs whose sums are exact. */
import type { Graph } from '../graph/graph.ts';
import type { IntegerBody } from '../graph/integers.ts';
import { hasByteWeights, isPointwise } from '../graph/layers.ts';
import { type Conv2d, type FullyConnected, type Node, type Shape, writtenBy } from '../graph/ops.ts';
import { seededUniform } from '../graph/random.ts';
import { inferShapes, sizeOf } from '../graph/shapes.ts';
import type { KernelRegistry } from '../kernels/index.ts';
import type { Kernel, NodeShapes } from '../kernels/kernel.ts';
import type { Plan } from '../planner/plan.ts';
import { kernelNamed, layerKey, shapesOf } from '../planner/select.ts';

/** One layer of it. */
export interface GoldenLayer {
  /** As it is called in the golden network. */
  readonly node: string;
  /** A layer of the model that runs on the same pipeline, and the kernel. */
  readonly of: string;
  readonly kernel: string;
  /** What passes with it: a pipeline of the plan, and a layer by `layerKey`. */
  readonly pipeline: number;
  readonly key: string;
}

export interface Golden {
  readonly graph: Graph;
  /** In the order of the nodes. */
  readonly layers: readonly GoldenLayer[];
  /** The kernel of each layer, by `layerKey`. */
  readonly tuned: Readonly<Record<string, string>>;
  /** Tensors that are stored as halves. */
  readonly halves: ReadonlySet<string>;
  /** Layers of the model that have no small likeness, and would take the CPU too long. */
  readonly unchecked: readonly string[];
}

/**
 * Rows and columns: odd ones, more than a tile of any kernel, and even ones, which tiles fill; with strides of two, one of
 * them reads the padding behind a picture and the other does not.
 */
const sizes = [
  [9, 17],
  [8, 16],
] as const;

/** Multiplications that the CPU does for a layer that has no small likeness. */
const MOST_WORK = 500_000;
/** The same of depthwise convolutions, whose tiles are smaller on small tensors. */
const MOST_DEPTHWISE_WORK = 5_000_000;

/** Operations whose attributes do not depend on the sizes of what they read. */
const sizeless: readonly Node['op'][] = [
  ...(['conv2d', 'fully-connected', 'pool', 'global-average-pool', 'softmax', 'l2-normalize'] as const),
  ...(['add', 'multiply', 'affine', 'prelu', 'clip', 'activation'] as const),
];

/** At most `most` channels and, beyond them, as many as make the same remainder of four. */
export const fewer = (channels: number, most: number): number =>
  channels <= most + 3 ? channels : most + (channels % 4);

/** Noise begins again after so many values, a prime: rows and channels of a tensor are never alike for it. */
const PERIOD = 4093;
const noises = new Map<number, Float32Array>();

/** Whole multiples of `unit`, up to `most` of them on either side. */
function multiples(length: number, most: number, unit: number, seed: number): Float32Array {
  const largest = most * unit;
  let noise = noises.get(largest);
  if (!noise) {
    const random = seededUniform(1);
    noise = Float32Array.from({ length: PERIOD }, () => (Math.floor(random() * (2 * most + 1)) - most) * unit);
    noises.set(largest, noise);
  }
  const values = new Float32Array(length);
  // Copied, not computed: what runs for the first time runs slowly.
  let from = (seed * 977) % PERIOD;
  for (let at = 0; at < length; at += PERIOD - from, from = 0) values.set(noise.subarray(from, from + length - at), at);
  return values;
}

/** Up to 127 units of 2^-7, which the first of each output has: bytes with a scale of a power of two. */
const bytes = (length: number, outputs: number, seed: number): Float32Array =>
  multiples(length, 127, 2 ** -7, seed).fill(127 / 128, 0, outputs);

/**
 * Of ±1.5: with weights of ±0.75 every product is a multiple of 2^-3, and a sum of thousands exact, in halves that of 16. Stored
 * integers are any of theirs.
 */
export function goldenInputs({ inputs, nodes }: Graph): Record<string, Float32Array> {
  const stored = new Set(
    nodes.flatMap((node) => (node.op === 'integer' && node.body.kind !== 'quantise' ? node.inputs : [])),
  );
  return Object.fromEntries(
    inputs.map(({ name, shape }, i) => [
      name,
      stored.has(name) ? multiples(sizeOf(shape), 127, 1, i + 1) : multiples(sizeOf(shape), 3, 0.5, i + 1),
    ]),
  );
}

/** With arrays of other lengths, of zeros: most such nodes are only looked at. */
function resized<N extends Node>(node: N, lengthOf: (name: string) => number): N {
  const made = Object.entries(node).map(([name, value]) => {
    return [name, value instanceof Float32Array ? new Float32Array(lengthOf(name)) : value];
  });
  return Object.fromEntries(made) as N;
}

function withGoldenWeights<N extends Node>(node: N): N {
  const made = Object.entries(node).map(([name, value], i) => {
    if (name === 'parts') return [name, (value as Node[]).map(withGoldenWeights)];
    if (!(value instanceof Float32Array)) return [name, value];
    const { length } = value;
    if (name === 'weights' && hasByteWeights(node)) {
      const { outChannels, outFeatures } = node as Partial<Conv2d & FullyConnected>;
      return [name, bytes(length, (outChannels ?? outFeatures)!, 91 + i)];
    }
    return [name, name === 'weights' ? multiples(length, 3, 0.25, 91 + i) : multiples(length, 6, 0.5, 91 + i)];
  });
  return Object.fromEntries(made) as N;
}

export const smaller =
  (rows: number, columns: number, most: number) =>
  ([images, height, width, channels]: Shape): Shape => [
    Math.min(images, 2),
    height === 1 ? 1 : rows,
    width === 1 ? 1 : columns,
    fewer(channels, most),
  ];

/** More than a workgroup of its kernels has. */
const mostChannels: Partial<Record<Node['op'], number>> = {
  conv2d: 16,
  'fully-connected': 64,
};

/** The node on smaller tensors, of so many rows and columns; null where there is none. */
export type Likeness = (
  node: Node,
  inputs: readonly Shape[],
  rows: number,
  columns: number,
) => { readonly node: Node; readonly inputs: readonly Shape[]; readonly output?: Shape } | null;

const likeness: Likeness = (node, inputs, rows, columns) => {
  const [first] = inputs;
  const depthwise = node.op === 'conv2d' && node.groups > 1;
  const most = depthwise ? 8 : (mostChannels[node.op] ?? 40);
  const small = smaller(rows, columns, most);
  const input = small(first!);
  const channels = input[3];
  if (node.op === 'conv2d') {
    const outChannels = depthwise ? channels : fewer(node.outChannels, 40);
    const groups = depthwise ? channels : 1;
    const taps = (node.kernel[0] * node.kernel[1] * channels) / groups;
    const made = resized({ ...node, outChannels, groups }, (name) =>
      name === 'weights' ? taps * outChannels : outChannels,
    );
    const graph: Graph = {
      ...{ name: '', inputs: [{ name: 'x', shape: input }], outputs: [] },
      nodes: [{ ...made, inputs: ['x'], output: 'y' }],
    };
    return { node: made, inputs: inputs.map((_, i) => (i === 0 ? input : inferShapes(graph).get('y')!)) };
  }
  if (node.op === 'fully-connected') {
    const outFeatures = fewer(node.outFeatures, 40);
    const features = input[1] * input[2] * channels;
    const made = resized({ ...node, outFeatures }, (name) =>
      name === 'weights' ? features * outFeatures : outFeatures,
    );
    return { node: made, inputs: [input] };
  }
  const shapes = inputs.map(small);
  return { node: resized(node, () => channels), inputs: shapes };
};

const isGrouped = (node: Node): boolean =>
  node.op === 'integer' ? 'groups' in node.body && node.body.groups > 1 : node.op === 'conv2d' && node.groups > 1;

function workOf(node: Node, { inputs, output }: NodeShapes): number {
  const parts = node.op === 'fused' ? node.parts : [node];
  const lengthOf = (part: Node | IntegerBody): number =>
    'body' in part ? lengthOf(part.body) : 'weights' in part ? part.weights.length : 0;
  const weights = parts.map(lengthOf).reduce((a, b) => a + b, 0);
  return weights * output[1] * output[2] + inputs.reduce((sum, shape) => sum + sizeOf(shape), 0);
}

/** Whatever the size, a pixel of a pointwise layer sees itself alone. */
const isSizeless = (node: Node): boolean =>
  node.op === 'fully-connected' || (node.op === 'conv2d' && isPointwise(node));

/**
 * What a pipeline is told of a layer, a word for each thing that does not depend on the others: how far its window reaches, in an odd
 * size and an even one; what comes after a sum; how many channels. Null where layers are not taken apart like that.
 */
function traitsOf(node: Node, { inputs }: NodeShapes, which: number): readonly string[] | null {
  if (node.op === 'global-average-pool') return [`size ${which}`, `${inputs[0]![3]} in`];
  if (node.op !== 'conv2d' && node.op !== 'fully-connected') return null;
  const end = JSON.stringify([node.activation, node.inputs.length]);
  if (node.op === 'fully-connected') return [end, `${inputs[0]![3]} in`, `${node.outFeatures} out`];
  const { kernel, stride, dilation, padding, groups, outChannels } = node;
  const window = JSON.stringify([kernel, stride, dilation, padding, groups]);
  return [isSizeless(node) ? window : window + which, end, `${inputs[0]![3]} in`, `${outChannels} out`];
}

/**
 * For the graph of a plan, whose kernels are those of `registry`, but for what has `passed`. Of layers that run on one pipeline, those
 * that tell it something that no other does.
 */
export function goldenOf(
  graph: Graph,
  plan: Plan,
  registry: KernelRegistry,
  passed: { has(pipeline: number, key: string): boolean },
  rarer: Likeness | null = null,
): Golden {
  const shapes = inferShapes(graph);
  const inputs: Graph['inputs'][number][] = [];
  const nodes: Node[] = [];
  const outputs: Graph['outputs'][number][] = [];
  const layers: GoldenLayer[] = [];
  const tuned: Record<string, string> = {};
  const halves = new Set<string>();
  const unchecked: string[] = [];
  /** Of layers that there are already, by pipeline. */
  const told = new Set<string>();
  /** Inputs that layers share. */
  const shared = new Map<string, string>();
  /** Nodes that one size is enough for. */
  const settled = new Set<Node>();
  const twice = graph.nodes.flatMap((node, i) => sizes.map((size, at) => ({ node, i, size, at })));
  for (const { node, i, size, at: which } of twice) {
    if (settled.has(node)) continue;
    const { kernel: name, pipeline } = plan.dispatches[i]!;
    const kernel = kernelNamed(registry, name, node.op);
    const own = shapesOf(node, shapes);
    const made = fitting(kernel, node, own, tuned, size, rarer);
    if (made && isSizeless(node)) settled.add(node);
    if (made === 'known') continue;
    if (!made) {
      if (which === 0) unchecked.push(node.name);
      continue;
    }
    const traits = traitsOf(made.node, made.shapes, which)?.map((trait) => `${pipeline} ${trait}`);
    if (traits?.every((trait) => told.has(trait))) continue;
    for (const trait of traits ?? []) told.add(trait);
    tuned[made.key] = name;
    if (passed.has(pipeline, made.key)) continue;
    const called = `golden${i}${'ab'[which]}`;
    const inputNames = made.shapes.inputs.map((shape, at) => {
      const own = `${called}x${at}`;
      // Pixels as the caller gave them, and stored integers, are nobody else's.
      if (kernel.readsDense || node.op === 'integer') return own;
      const sharing = JSON.stringify([shape, at, plan.tensors[node.inputs[at]!]!.precision]);
      const name = shared.get(sharing) ?? own;
      shared.set(sharing, name);
      return name;
    });
    const outputNames = writtenBy(node).map((_, at) => `${called}y${at}`);
    const renamed = renames(node, inputNames, outputNames);
    nodes.push({ ...withGoldenWeights(made.node), ...renamed(made.node), name: called } as Node);
    for (const [at, shape] of made.shapes.inputs.entries()) {
      if (inputNames[at]!.startsWith(called)) inputs.push({ name: inputNames[at]!, shape });
      if (plan.tensors[node.inputs[at]!]!.precision.startsWith('float16')) halves.add(inputNames[at]!);
    }
    for (const [at, output] of outputNames.entries()) {
      outputs.push({ name: output, tensor: output });
      if (plan.tensors[writtenBy(node)[at]!]!.precision.startsWith('float16')) halves.add(output);
    }
    layers.push({ node: called, of: node.name, kernel: name, pipeline, key: made.key });
  }
  return { graph: { name: 'self-check', inputs, outputs, nodes }, layers, tuned, halves, unchecked };
}

/** The names of a node and of its parts, as others. */
function renames(node: Node, inputs: readonly string[], outputs: readonly string[]) {
  const names = new Map<string, string>();
  for (const [i, name] of node.inputs.entries()) names.set(name, inputs[i]!);
  for (const [i, name] of writtenBy(node).entries()) names.set(name, outputs[i]!);
  const called = (name: string) => names.get(name) ?? name;
  const renamed = (made: Node): object => ({
    inputs: made.inputs.map(called),
    output: called(made.output),
    ...(made.op === 'fused'
      ? {
          parts: made.parts.map((part) => ({ ...part, ...renamed(part) })),
          ...(made.also ? { also: made.also.map(called) } : {}),
        }
      : {}),
  });
  return renamed;
}

/**
 * A layer that has the kernel do on small tensors, or on its own, what it does for the node, on the same pipeline. `known`
 * where there is one already; null where the CPU would take too long.
 */
function fitting(
  kernel: Kernel,
  node: Node,
  own: NodeShapes,
  tuned: Readonly<Record<string, string>>,
  [rows, least]: readonly [number, number],
  rarer: Likeness | null = null,
) {
  const program = (made: Node, shapes: NodeShapes) => {
    const { file, constants, overrides } = kernel.program(made, shapes);
    return JSON.stringify([file, constants, overrides]);
  };
  const depthwise = node.op === 'conv2d' && node.groups === own.inputs[0]![3] && node.outChannels === node.groups;
  const small =
    node.op === 'integer' || node.op === 'fused'
      ? rarer
      : sizeless.includes(node.op) && (node.op !== 'conv2d' || node.groups === 1 || depthwise)
        ? likeness
        : null;
  if (small) {
    // Two kernels on layers that are alike when they are small: one of them is given others.
    const asked = program(node, { ...own, dense: kernel.readsDense === true });
    for (let columns = least; columns < least + 8; columns += 2) {
      const likely = small(node, own.inputs, rows, columns);
      if (!likely) break;
      const { node: made, inputs, output = outputShape(made, inputs) } = likely;
      const shapes = { ...own, inputs, output, dense: kernel.readsDense === true };
      if (!kernel.accepts(made, shapes) || program(made, shapes) !== asked) break;
      const key = layerKey(made, shapes);
      if (tuned[key] === kernel.name) return 'known';
      if (tuned[key] === undefined) return { node: made, shapes, key };
    }
  }
  const key = layerKey(node, own);
  if (tuned[key] === kernel.name) return 'known';
  if (tuned[key] !== undefined || workOf(node, own) > (isGrouped(node) ? MOST_DEPTHWISE_WORK : MOST_WORK)) return null;
  return { node, shapes: own, key };
}

export function outputShape(node: Node, inputs: readonly Shape[]): Shape {
  const names = inputs.map((_, i) => `x${i}`);
  const graph: Graph = {
    name: node.name,
    inputs: names.map((name, i) => ({ name, shape: inputs[i]! })),
    outputs: [],
    nodes: [{ ...node, inputs: names, output: 'y' } as Node],
  };
  return inferShapes(graph).get('y')!;
}

/** A small network of one picture, whose first convolution is the model's where that can read pixels; a mean of it is scored. */
export function goldenPictures(graph: Graph, plan: Plan, registry: KernelRegistry): Pick<Golden, 'graph' | 'tuned'> {
  const [input] = graph.inputs;
  const [node] = graph.nodes;
  const own = shapesOf(node!, inferShapes(graph));
  const kernel = kernelNamed(registry, plan.dispatches[0]!.kernel, node!.op);
  const made = kernel.readsDense && node!.inputs.length === 1 ? fitting(kernel, node!, own, {}, [16, 18]) : null;
  const nodes: Node[] = [];
  const tuned: Record<string, string> = {};
  let shape: Shape = [1, 16, 18, input!.shape[3]];
  if (made && made !== 'known') {
    nodes.push({ ...withGoldenWeights(made.node), name: 'stem', inputs: ['picture'], output: 'stem' } as Node);
    tuned[made.key] = kernel.name;
    shape = made.shapes.inputs[0]!;
  }
  nodes.push({ op: 'global-average-pool', name: 'mean', inputs: [nodes[0]?.output ?? 'picture'], output: 'scores' });
  const outputs = [{ name: 'scores', tensor: 'scores' }];
  return { graph: { name: 'self-check', inputs: [{ name: 'picture', shape }], outputs, nodes }, tuned };
}
