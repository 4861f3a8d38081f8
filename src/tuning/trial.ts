import { GraphError } from '../errors.ts';
import type { Graph } from '../graph/graph.ts';
import type { Integer } from '../graph/integers.ts';
import { hasByteWeights } from '../graph/layers.ts';
import type { Conv2d, FullyConnected, GlobalAveragePool, Node, Pool, Shape } from '../graph/ops.ts';
import { seededUniform } from '../graph/random.ts';
import { inferShapes } from '../graph/shapes.ts';
import type { KernelRegistry } from '../kernels/index.ts';
import type { NodeShapes } from '../kernels/kernel.ts';
import { UNIT } from '../kernels/trial-values.ts';
import { createPlan, storedBytes } from '../planner/create-plan.ts';
import type { Plan, Precision } from '../planner/plan.ts';
import { layerKey } from '../planner/select.ts';
import type { TensorDifference, TrialInput } from '../scheduler/trial-bench.ts';

/** Nodes that kernels can be tried on. */
export type Tunable = Conv2d | FullyConnected | GlobalAveragePool | Pool | Integer;

const tunable: readonly Node['op'][] = ['conv2d', 'fully-connected', 'global-average-pool', 'pool'];

/** Of operations on stored integers, those that several kernels may run. */
const tunableKinds: readonly string[] = ['conv2d', 'fully-connected', 'mean'];

export const isTunable = (node: Node): node is Tunable =>
  tunable.includes(node.op) || (node.op === 'integer' && tunableKinds.includes(node.body.kind));

/** A kind of layer as a plan stores it. */
export interface LayerStorage {
  readonly precision: Precision;
  /** Which inputs are halves, and whether the output is. */
  readonly halfInputs: readonly boolean[];
  readonly halfOutput: boolean;
  /** Whether kernels compute in halves. */
  readonly computesInHalves?: boolean;
}

/** Bytes of a trial's inputs and of its output, which is there twice. */
export const TENSOR_BYTES = 32 * 2 ** 20;

/** Bytes of the constants of a kernel; those of two are there at a time. */
export const CONSTANT_BYTES = 12 * 2 ** 20;

/** Rows that a picture keeps where it is cut to fit. */
const FEWEST_ROWS = 16;

/** A half holds whole numbers up to it, and ± so many units are a tensor's or weight's range at most. */
const MOST = 2048;

/** A half holds 16 products of two whole numbers up to it, in any order. */
const MOST_IN_HALVES = 11;

/** Of weights as bytes. */
const MOST_IN_BYTES = 127;

/** A sum of products of two multiples of 2^-12 is exact in float32, in any order, while it stays below 1. */
const EXACT = 2 ** 24;

/**
 * One layer with made-up values of both signs, for trying kernels on: inputs and weights are multiples of 2^-12, so small
 * that Σ|w·x| + |bias| ≤ 1 for every output. Every product and partial sum is then a multiple of 2^-24 of at most 1, which
 * float32 holds exactly: two right kernels have the same sum, in whatever order. For kernels that compute in halves they are
 * so few multiples that short sums are exact as well, and the weights larger for it. Weights that are bytes are multiples of the
 * power of two that kernels find to be their scale, as the first of each output are the largest. One on stored integers keeps
 * its weights and has any integers as inputs: two right kernels give the same ones. A picture too large for `TENSOR_BYTES` is cut
 * to fewer images and rows.
 */
export class Trial {
  readonly graph: Graph;
  readonly inputs: readonly TrialInput[];
  readonly output = 'y';
  /** Most that the outputs of two right kernels may differ by. */
  readonly tolerance: number;
  readonly #storage: LayerStorage;
  readonly #key: string;

  constructor(node: Tunable, { inputs, dense = false }: NodeShapes, storage: LayerStorage) {
    this.#storage = storage;
    const names = inputs.map((_, i) => `x${i}`);
    const shapes = fitting(node, inputs, storage);
    const [input] = shapes;
    const terms = termsOf(node, input!);
    const inHalves = 'weights' in node && storage.computesInHalves === true;
    const inBytes = hasByteWeights(node) && !inHalves;
    const most = inHalves ? MOST_IN_HALVES : inBytes ? MOST_IN_BYTES : mostOf(terms, 'weights' in node);
    const unit = inHalves || inBytes ? 2 ** Math.floor(Math.log2(0.9 / (UNIT * terms * most ** 2))) : UNIT;
    // A residual is added to a sum of less than 1: no bit is lost that a half would keep.
    this.inputs = names.map((tensor, i) => ({ tensor, most: i === 0 ? most : MOST / 2 }));
    const made =
      'weights' in node
        ? {
            weights: pattern(node.weights.length, most, unit),
            bias: node.bias && pattern(node.bias.length, Math.floor(0.1 * EXACT), 1 / EXACT),
          }
        : {};
    if (inBytes) made.weights?.fill(most * unit, 0, outputOf(node, input!)[3]);
    const tried: Tunable = { ...node, ...made, inputs: names, output: this.output };
    this.graph = {
      name: `trial of ${node.name}`,
      inputs: names.map((name, i) => ({ name, shape: shapes[i]! })),
      // An input that is an output as well is not stored dense: nor is one in the middle of a network.
      outputs: [this.output, ...(dense ? [] : [names[0]!])].map((tensor) => ({ name: tensor, tensor })),
      nodes: [tried],
    };
    this.#key = layerKey(tried, { inputs: shapes, output: inferShapes(this.graph).get(this.output)! });
    // On sums from −1 to 1 no activation is steeper than 1, and what it rounds itself, or a mean's division does, is less
    // than 16 units in the last place of 1 for each of the two (the sigmoid's exponential most). A stored half rounds once.
    this.tolerance = node.op === 'integer' ? 0 : 2 * (16 * 2 ** -24 + (storage.halfOutput ? 2 ** -11 : 0));
  }

  /** The layer's plan by this kernel. Throws `GraphError` where another would run in its place. */
  plan(kernels: KernelRegistry, features: readonly string[], kernel: string): Plan {
    const { precision, halfInputs, halfOutput } = this.#storage;
    const half = [...this.inputs.map(({ tensor }) => tensor).filter((_, i) => halfInputs[i])];
    const plan = createPlan(this.graph, kernels, {
      precision,
      preferences: { features, prefer: [], tuned: { [this.#key]: kernel } },
      halves: new Set(halfOutput ? [...half, this.output] : half),
    });
    const [dispatch] = plan.dispatches;
    if (dispatch!.kernel !== kernel) {
      throw new GraphError(`${this.graph.name}: ${dispatch!.kernel} would run in the place of ${kernel}`);
    }
    return plan;
  }

  agrees({ largest, finite }: TensorDifference): boolean {
    return finite && largest <= this.tolerance;
  }
}

/** Terms of the sum that an output is. */
function termsOf(node: Tunable, [, height, width, channels]: Shape): number {
  switch (node.op) {
    case 'conv2d':
      return node.kernel[0] * node.kernel[1] * (channels / node.groups);
    case 'fully-connected':
      return height * width * channels;
    case 'pool':
      return node.kernel[0] * node.kernel[1];
    default:
      return height * width;
  }
}

/** Units that values may have for sums of so many terms to be exact, the bias beside them. */
const mostOf = (terms: number, weighted: boolean): number =>
  Math.max(1, Math.min(MOST, Math.floor(weighted ? Math.sqrt((0.9 * EXACT) / terms) : EXACT / terms)));

/** Input shapes of as many images and rows as fit. */
function fitting(node: Tunable, inputs: readonly Shape[], { precision, halfInputs, halfOutput }: LayerStorage) {
  const stored = node.op === 'integer' ? 'int8' : 'float32';
  const bytesOf = (shape: Shape, half: boolean | undefined) => storedBytes(shape, half ? precision : stored);
  const fewest = 'kernel' in node ? FEWEST_ROWS + node.kernel[0] * 2 : FEWEST_ROWS;
  let [batch, rows, ...rest] = inputs[0]!;
  const rowsMatter = node.op === 'fully-connected' || (node.op === 'integer' && node.body.kind !== 'conv2d');
  for (;;) {
    const input: Shape = [batch, rows, ...rest];
    const output = outputOf(node, input);
    const shapes = inputs.map((_, i) => (i === 0 ? input : output));
    const bytes =
      shapes.reduce((sum, shape, i) => sum + bytesOf(shape, halfInputs[i]), 0) + 2 * bytesOf(output, halfOutput);
    const share = TENSOR_BYTES / bytes;
    if (share >= 1) return shapes;
    if (batch > 1) batch = Math.max(1, Math.floor(batch * share));
    else if (rowsMatter || rows <= fewest) return shapes;
    else rows = Math.max(fewest, Math.min(rows - 1, Math.floor(rows * share)));
  }
}

/** Of the first input alone: a residual has the output's shape. */
function outputOf(node: Tunable, shape: Shape): Shape {
  const graph: Graph = {
    name: node.name,
    inputs: [{ name: 'x', shape }],
    outputs: [],
    nodes: [{ ...node, inputs: ['x'], output: 'y' }],
  };
  return inferShapes(graph).get('y')!;
}

/** A prime, so that no row of weights is like the next. */
const PERIOD = 4093;

/** Seeded whole multiples of a unit, up to `most` of them on either side, again and again. */
function pattern(length: number, most: number, unit: number): Float32Array {
  const random = seededUniform(1);
  const period = Float32Array.from(
    { length: Math.min(PERIOD, length) },
    () => (Math.floor(random() * (2 * most + 1)) - most) * unit,
  );
  const out = new Float32Array(length);
  for (let at = 0; at < length; at += PERIOD) out.set(period.subarray(0, Math.min(PERIOD, length - at)), at);
  return out;
}
