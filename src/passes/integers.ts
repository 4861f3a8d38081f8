/**
 * A quantised network on integers: from the operations of its file, with a rounding after each tensor (`Graph.quantisation`), to
 * operations that read and write stored integers, as the file's own runtime has them.
 */
import { ModelFormatError, UnsupportedOpError } from '../errors.ts';
import { withoutDeadNodes } from '../graph/dead-nodes.ts';
import type { Graph } from '../graph/graph.ts';
import type {
  Dequantise,
  Integer,
  IntegerBody,
  IntegerConcat,
  IntegerWeights,
  Quantisation,
  Quantise,
  StoredRange,
} from '../graph/integers.ts';
import type { Activation, Affine, Conv2d, ConvTranspose2d, FullyConnected, Node } from '../graph/ops.ts';
import { withMeanings } from '../graph/output-meaning.ts';
import type { GraphQuantisation, StoredTensor, WeightQuantisation } from '../graph/quantisation.ts';
import { inferShapes } from '../graph/shapes.ts';
import { fuseIntegerResidual } from './fuse-integer-residual.ts';
import {
  type Arithmetic,
  mlas,
  multiplierOf,
  resultOf,
  storedOf,
  tableOf,
  tableOfReal,
  whole,
  xnnpack,
} from './integer-arithmetic.ts';

/**
 * The network of a graph that was read with its quantisation, on integers, with the real numbers of its inputs and outputs.
 * Throws `UnsupportedOpError` for an operation that is not computed on integers here, `ModelFormatError` where scales do not fit
 * together.
 */
export function integerGraph(graph: Graph): Graph {
  const { quantisation } = graph;
  if (!quantisation) throw new UnsupportedOpError(graph.name, graph.name, 'network', 'its file holds no integers');
  if (quantisation.refused) {
    const { node, op, message } = quantisation.refused;
    throw new UnsupportedOpError(graph.name, node, op, message.replace(/^.*?\): /, ''));
  }
  const { quantisation: _, ...rest } = graph;
  const { nodes, named } = new Conversion(graph, quantisation).run();
  const meanings = new Map(withMeanings(graph).outputs.map(({ name, meaning }) => [name, meaning!]));
  const outputs = quantisation.outputs.map((output) => ({
    ...output,
    tensor: named(output.tensor),
    meaning: meanings.get(output.name)!,
  }));
  return fuseIntegerResidual(withoutDeadNodes({ ...rest, nodes, outputs, prepared: true }));
}

/** A tensor of stored integers. */
interface Stored {
  readonly tensor: string;
  readonly step: StoredTensor;
}

/** Between which numbers an activation cuts; undefined for one that is no cut. */
const cuts: Readonly<Partial<Record<Activation, readonly [number, number]>>> = {
  none: [-Infinity, Infinity],
  relu: [0, Infinity],
  relu6: [0, 6],
};

/** What one kernel joins: a stage has eight storage buffers everywhere. */
const MOST_JOINED = 5;

type Weighted = Conv2d | ConvTranspose2d | FullyConnected;

class Conversion {
  readonly #graph: Graph;
  readonly #quantisation: GraphQuantisation;
  readonly #arithmetic: Arithmetic;
  readonly #producers: ReadonlyMap<string, Node>;
  readonly #shapes: ReturnType<typeof inferShapes>;
  readonly #nodes: Node[] = [];
  /** By the tensor of real numbers that they stand for. */
  readonly #stored = new Map<string, Stored>();
  /** What a tensor became that is the same as another. */
  readonly #same = new Map<string, string>();

  constructor(graph: Graph, quantisation: GraphQuantisation) {
    this.#graph = graph;
    this.#quantisation = quantisation;
    this.#arithmetic = quantisation.runtime === 'mlas' ? mlas : xnnpack;
    this.#producers = new Map(quantisation.nodes.map((node) => [node.output, node]));
    this.#shapes = inferShapes({ ...graph, nodes: quantisation.nodes, outputs: quantisation.outputs });
  }

  /** The nodes, and what a tensor of the file's operations is called among them. */
  run(): { readonly nodes: readonly Node[]; readonly named: (tensor: string) => string } {
    for (const node of this.#quantisation.nodes) {
      if (node.op === 'integer' && node.body.kind === 'quantise') this.#quantise(node as Integer<Quantise>);
      else if (node.op === 'integer') this.#dequantise(node as Integer<Dequantise>);
      else if (isPassage(node)) this.#same.set(node.output, this.#renamed(node).inputs[0]!);
      else {
        this.#nodes.push(this.#renamed(node));
        this.#move(node);
      }
    }
    return { nodes: this.#nodes, named: (tensor) => this.#named(tensor) };
  }

  #named(tensor: string): string {
    return this.#same.get(tensor) ?? tensor;
  }

  #renamed<N extends Node>(node: N): N {
    return { ...node, inputs: node.inputs.map((input) => this.#named(input)) };
  }

  #dequantise(node: Integer<Dequantise>): void {
    const renamed = this.#renamed(node);
    const { scale, zeroPoint } = node.body;
    const step = { ...this.#quantisation.tensors.get(node.inputs[0]!)!, scale, zeroPoint };
    this.#stored.set(node.output, { tensor: renamed.inputs[0]!, step });
    this.#nodes.push(renamed);
  }

  /** What moves numbers moves integers: it is there on both. */
  #move(node: Node): void {
    const [first] = node.inputs.map((input) => this.#stored.get(input));
    if (!first) return;
    const body = this.#moved(node, first.step.zeroPoint);
    if (!body) return;
    const tensor = `${node.output}/moved`;
    this.#nodes.push({ op: 'integer', name: `${node.name}/moved`, inputs: [first.tensor], output: tensor, body });
    this.#stored.set(node.output, { tensor, step: first.step });
  }

  #moved(node: Node, filler: number): IntegerBody | null {
    switch (node.op) {
      case 'reshape':
        return { kind: 'reshape', shape: node.shape };
      case 'transpose':
        return { kind: 'transpose', permutation: node.permutation };
      case 'pad':
        return { kind: 'pad', padding: node.padding, filler };
      case 'resize':
        return node.mode === 'nearest'
          ? { kind: 'resize', size: node.size, mode: node.mode, corners: node.corners }
          : null;
      case 'pool': {
        const { kernel: window, stride, padding } = node;
        if (node.kind !== 'max') return null;
        return { kind: 'pool', pool: 'max', halves: 'away', window, stride, padding, range: whole };
      }
    }
    return null;
  }

  /** A rounding, with what is before it as far as that computes on integers. */
  #quantise(node: Integer<Quantise>): void {
    const to = this.#quantisation.tensors.get(node.output)!;
    const chain: Node[] = [];
    let x = node.inputs[0]!;
    for (;;) {
      const stored = this.#stored.get(x);
      if (stored) {
        this.#elementwise(node, stored, chain, to);
        return;
      }
      const producer = this.#producers.get(x);
      if (!producer || producer.op === 'integer') break;
      if (!isElementwise(producer)) {
        const inputs = producer.inputs.map((input) => this.#operand(input));
        const known = inputs.filter((input) => input !== null);
        if (known.length < inputs.length) break;
        const body = this.#body(producer, known, chain, to);
        if (body === 'real') break;
        if (body.kind === 'concat') this.#join(producer.name, node.output, known, body);
        else this.#emit(producer.name, node.output, known, body);
        return;
      }
      if (isPassage(producer)) break;
      chain.unshift(producer);
      x = producer.inputs[0]!;
    }
    this.#nodes.push(this.#renamed(node));
  }

  #emit(name: string, output: string, inputs: readonly Stored[], body: IntegerBody): void {
    this.#nodes.push({ op: 'integer', name, inputs: inputs.map(({ tensor }) => tensor), output, body });
  }

  /** Many are joined in groups, whose tables are applied where they are read first. */
  #join(name: string, output: string, inputs: readonly Stored[], body: IntegerConcat): void {
    type Part = { readonly tensor: string; readonly table: Int8Array | null };
    let parts: readonly Part[] = inputs.map(({ tensor }, i) => ({ tensor, table: body.tables[i] ?? null }));
    const node = (suffix: string, to: string, joined: readonly Part[]): Node => ({
      op: 'integer',
      name: `${name}${suffix}`,
      inputs: joined.map(({ tensor }) => tensor),
      output: to,
      body: { ...body, tables: joined.map(({ table }) => table) },
    });
    for (let level = 0; parts.length > MOST_JOINED; level++) {
      const groups = Array.from({ length: Math.ceil(parts.length / MOST_JOINED) }, (_, i) =>
        parts.slice(i * MOST_JOINED, (i + 1) * MOST_JOINED),
      );
      parts = groups.map((group, i) => {
        if (group.length === 1) return group[0]!;
        const suffix = `/joined-${level}-${i}`;
        this.#nodes.push(node(suffix, output + suffix, group));
        return { tensor: output + suffix, table: null };
      });
    }
    this.#nodes.push(node('', output, parts));
  }

  /** An operand on integers, or what is the negative of one. */
  #operand(tensor: string): (Stored & { readonly negative?: boolean }) | null {
    const stored = this.#stored.get(tensor);
    if (stored) return stored;
    const node = this.#producers.get(tensor);
    const negates = node?.op === 'affine' && isAll(node.scale, -1) && isAll(node.shift, 0);
    const negated = negates && this.#stored.get(node.inputs[0]!);
    return negated ? { ...negated, negative: true } : null;
  }

  /** A function of one stored integer, or of a constant beside it. */
  #elementwise(node: Integer<Quantise>, x: Stored, chain: readonly Node[], to: StoredTensor): void {
    const [first, ...others] = chain;
    if (!first) {
      const { scale, zeroPoint } = x.step;
      if (scale === to.scale && zeroPoint === to.zeroPoint) {
        this.#same.set(node.output, x.tensor);
        return;
      }
      const table = this.#arithmetic.rescale(x.step, to);
      this.#emit(node.name, node.output, [x], { kind: 'lookup', table });
      return;
    }
    const constant = first.op === 'affine' && this.#quantisation.weights.get(first.name);
    const body =
      first.op === 'affine' && constant
        ? this.#withConstant(first, x.step, constant, this.#range(others, to, first))
        : this.#function(chain, x.step, to);
    this.#emit(first.name, node.output, [x], body(to));
  }

  #function(chain: readonly Node[], x: Quantisation, to: StoredTensor): () => IntegerBody {
    const table =
      chain.length === 1 && this.#arithmetic.table(chain[0]!, x, to, this.#quantisation.weights.get(chain[0]!.name));
    if (table) return () => ({ kind: 'lookup', table });
    const functions = chain.map((node) => functionOf(node) ?? this.#refuse(node, to, 'is no function of one integer'));
    const all = tableOfReal(x, to, (real) => functions.reduce((value, f) => f(value), real));
    return () => ({ kind: 'lookup', table: all });
  }

  #withConstant(
    node: Affine,
    x: Quantisation,
    constant: WeightQuantisation,
    range: StoredRange,
  ): (to: StoredTensor) => IntegerBody {
    const { scale, shift } = node;
    const step = { scale: constant.scales[0]!, zeroPoint: constant.zeroPoints[0]! };
    const real = (q: number) => Math.fround((q - x.zeroPoint) * x.scale);
    return (to) => {
      if (constant.scales.length > 1)
        this.#refuse(node, to, `has a constant "${constant.name}" with a scale a channel`);
      const stored = (values: Float32Array) =>
        Array.from(values, (value) => this.#integer(node, to, value, step, constant.name));
      const lookup = (f: (q: number, channel: number) => number, channels: number): IntegerBody => ({
        kind: 'lookup',
        table: tableOf(f, channels),
      });
      /** As runtimes do that compute this operation in floats. */
      const rounded = (value: number) => Math.min(Math.max(storedOf(value, to), range[0]), range[1]);
      const operation = /(add|sub|mul|div)$/i.exec(constant.operation)?.[0].toLowerCase();
      const sign = isAll(scale, 1) ? 1 : isAll(scale, -1) ? -1 : 0;
      if (operation === 'mul') {
        const factors = stored(scale);
        const body = this.#arithmetic.multiply(x, step, to, range);
        return lookup((q, channel) => resultOf(body, q, factors[channel]!), factors.length);
      }
      if (operation === 'div') {
        if (this.#arithmetic !== mlas) return this.#refuse(node, to, 'divides by a constant');
        // The node has the inverse.
        const divisors = stored(scale.map((inverse) => 1 / inverse)).map((q) =>
          Math.fround((q - step.zeroPoint) * step.scale),
        );
        return lookup((q, channel) => rounded(real(q) / divisors[channel]!), divisors.length);
      }
      if (sign === 0) return this.#refuse(node, to, 'both multiplies by a constant and adds one');
      if (this.#arithmetic === mlas && operation !== 'add') {
        return lookup((q, channel) => rounded(sign * real(q) + shift[channel]!), shift.length);
      }
      const minus = operation === 'sub' && sign > 0;
      const constants = stored(minus ? shift.map((value) => -value) : shift);
      const body = this.#arithmetic.add(x, step, to, range, minus ? -1 : 1);
      return lookup(
        (q, channel) => resultOf(body, sign > 0 ? q : 2 * x.zeroPoint - q, constants[channel]!),
        constants.length,
      );
    };
  }

  /** What the file has for a constant's number; refused where that is no integer of 8 bits. */
  #integer(node: Node, to: StoredTensor, real: number, { scale, zeroPoint }: Quantisation, name: string): number {
    const stored = real / scale + zeroPoint;
    const whole = Math.round(stored);
    if (Math.abs(stored - whole) < 2 ** -10 && whole >= -128 && whole <= 127) return whole;
    return this.#refuse(node, to, `has ${real} among its weights, which is no integer of "${name}"`);
  }

  /** `real` for what is computed on real numbers between integers. */
  #body(
    node: Node,
    inputs: readonly (Stored & { readonly negative?: boolean })[],
    chain: readonly Node[],
    to: StoredTensor,
  ): IntegerBody | 'real' {
    if (node.op === 'softmax' || node.op === 'l2-normalize') return 'real';
    const range = this.#range(chain, to, node);
    const [x, other] = inputs as [Stored, Stored];
    if (inputs.some(({ negative }, i) => negative && (node.op !== 'add' || i === 0))) {
      this.#refuse(node, to, 'reads the negative of integers');
    }
    switch (node.op) {
      case 'conv2d': {
        if (node.inputs.length > 1) return this.#refuse(node, to, 'has a residual');
        const { kernel, stride, dilation, padding, groups, outChannels } = node;
        const own = { kind: node.op, kernel, stride, dilation, padding, groups, outChannels } as const;
        return { ...own, ...this.#weights(node, outChannels, x.step, to, range) };
      }
      case 'conv-transpose2d': {
        const { kernel, stride, dilation, crop, size, outChannels } = node;
        const own = { kind: node.op, kernel, stride, dilation, crop, size, outChannels } as const;
        return { ...own, ...this.#weights(node, outChannels, x.step, to, range) };
      }
      case 'fully-connected': {
        const { outFeatures } = node;
        return { kind: node.op, outFeatures, ...this.#weights(node, outFeatures, x.step, to, range) };
      }
      case 'add':
        return this.#arithmetic.add(x.step, other.step, to, range, inputs[1]!.negative ? -1 : 1);
      case 'multiply':
        return this.#arithmetic.multiply(x.step, other.step, to, range);
      case 'global-average-pool': {
        const [, height, width] = this.#shapes.get(node.inputs[0]!)!;
        return {
          kind: 'mean',
          inputZeroPoint: x.step.zeroPoint,
          to: {
            multipliers: Float32Array.of(this.#arithmetic.mean(x.step, to, height * width)),
            zeroPoint: to.zeroPoint,
            range,
          },
        };
      }
      case 'pool': {
        const { kernel: window, stride, padding } = node;
        if (!this.#arithmetic.windows) this.#refuse(node, to, 'averages windows, which ONNX Runtime does in floats');
        if (node.countPadding) this.#refuse(node, to, 'counts padding in its average');
        this.#sameStep(node, x, to);
        // TensorFlow Lite adds half a count to sums of what the file holds.
        const halves = to.type === 'uint8' ? 'up' : 'away';
        return { kind: 'pool', pool: 'average', halves, window, stride, padding, range };
      }
      case 'resize': {
        const { size, mode, corners } = node;
        if (!this.#arithmetic.windows) this.#refuse(node, to, 'interpolates, which ONNX Runtime does in floats');
        this.#sameStep(node, x, to);
        return { kind: 'resize', size, mode, corners };
      }
      case 'concat': {
        const tables = inputs.map(({ step }) =>
          step.scale === to.scale && step.zeroPoint === to.zeroPoint ? null : this.#arithmetic.join(step, to),
        );
        return { kind: 'concat', axis: node.axis ?? 3, tables };
      }
    }
    return this.#refuse(node, to, 'is not computed on integers');
  }

  #sameStep(node: Node, { step }: Stored, to: StoredTensor): void {
    if (step.scale !== to.scale || step.zeroPoint !== to.zeroPoint) {
      this.#refuse(node, to, `has the scale ${to.scale} and the zero point ${to.zeroPoint}, expected its input's`);
    }
  }

  #weights(node: Weighted, outputs: number, x: StoredTensor, to: StoredTensor, range: StoredRange): IntegerWeights {
    const known = this.#quantisation.weights.get(node.name);
    if (!known)
      return this.#refuse(
        node,
        to,
        'has weights that are no integers, or of uint8 along a dimension that is not the first',
      );
    const { scales, zeroPoints, bias } = known;
    const zeroPoint = zeroPoints[0]!;
    if (zeroPoints.some((other) => other !== zeroPoint)) {
      this.#refuse(node, to, `has weights "${known.name}" with several zero points`);
    }
    const count = scales.length;
    if (count !== 1 && count !== outputs) {
      // The loader of ONNX has found them to fit a dimension, which may be another.
      if (this.#arithmetic === mlas)
        this.#refuse(node, to, `has weights "${known.name}" with ${count} scales for ${outputs} outputs`);
      this.#damaged(known.name, `has ${count} scales for ${outputs} outputs`);
    }
    if (node.bias && !bias) this.#refuse(node, to, 'has a bias of real numbers');
    if (bias) this.#checkBias(bias, scales, x, outputs);
    return {
      weights: Int8Array.from(node.weights, (real, i) =>
        this.#integer(node, to, real, { scale: scales[count === 1 ? 0 : i % outputs]!, zeroPoint }, known.name),
      ),
      weightZeroPoint: zeroPoint,
      inputZeroPoint: x.zeroPoint,
      bias: bias?.stored ?? null,
      to: {
        multipliers: scales.map((scale) => multiplierOf(x.scale, scale, to.scale)),
        zeroPoint: to.zeroPoint,
        range,
      },
    };
  }

  /** Its integers are added to products: they must have the products' scale. */
  #checkBias(
    { name, stored, scales }: NonNullable<WeightQuantisation['bias']>,
    weights: Float32Array,
    x: StoredTensor,
    outputs: number,
  ): void {
    if (stored.length !== outputs) this.#damaged(name, `has ${stored.length} biases for ${outputs} outputs`);
    if (scales.length !== 1 && scales.length !== weights.length) {
      this.#damaged(name, `has ${scales.length} scales, and the weights have ${weights.length}`);
    }
    weights.forEach((weight, i) => {
      const [scale, product] = [scales[scales.length === 1 ? 0 : i]!, x.scale * weight];
      if (Math.abs(scale - product) > 1e-4 * product) {
        this.#damaged(
          name,
          `is a bias with the scale ${scale}, expected that of the input "${x.name}" times that of the weights, ${product}`,
        );
      }
    });
  }

  /** What fused activations leave. */
  #range(chain: readonly Node[], to: StoredTensor, node: Node): StoredRange {
    const own = 'activation' in node ? [node.activation] : [];
    let [low, high] = [-Infinity, Infinity];
    for (const step of [...own, ...chain]) {
      const cut =
        typeof step === 'string'
          ? cuts[step]
          : step.op === 'clip'
            ? ([step.min, step.max] as const)
            : step.op === 'activation'
              ? cuts[step.activation]
              : undefined;
      if (!cut) return this.#refuse(node, to, 'has a function after it before its result is rounded');
      [low, high] = [Math.max(low, cut[0]), Math.min(high, cut[1])];
    }
    const end = (value: number, otherwise: number) => (Number.isFinite(value) ? storedOf(value, to) : otherwise);
    return [end(low, -128), end(high, 127)];
  }

  #refuse(node: Node, to: StoredTensor, message: string): never {
    throw new UnsupportedOpError(
      this.#graph.name,
      node.name,
      node.op,
      `${message} (tensor "${to.name}" of ${to.type}); precision "float32" computes it`,
    );
  }

  #damaged(tensor: string, message: string): never {
    throw new ModelFormatError(this.#graph.name, `tensor "${tensor}" ${message}`);
  }
}

/** Where the file itself goes to real numbers. */
const isPassage = (node: Node): boolean => node.op === 'activation' && node.activation === 'none';

const isElementwise = (node: Node): boolean => ['activation', 'clip', 'affine', 'prelu'].includes(node.op);

const isAll = (values: Float32Array, wanted: number): boolean => values.every((value) => value === wanted);

/** What a node makes of a number that has no channel; null where that is not one function. */
function functionOf(node: Node): ((x: number) => number) | null {
  if (node.op === 'clip') return (x) => Math.min(Math.max(x, node.min), node.max);
  if (node.op === 'prelu' && node.slope.length === 1) return (x) => (x < 0 ? x * node.slope[0]! : x);
  if (node.op === 'affine' && node.scale.length === 1 && node.shift.length === 1) {
    return (x) => x * node.scale[0]! + node.shift[0]!;
  }
  if (node.op !== 'activation') return null;
  const relu6 = (x: number) => Math.min(Math.max(x, 0), 6);
  switch (node.activation) {
    case 'none':
      return (x) => x;
    case 'relu':
      return (x) => Math.max(x, 0);
    case 'relu6':
      return relu6;
    case 'hard-sigmoid':
      return (x) => relu6(x + 3) / 6;
    case 'hard-swish':
      return (x) => (x * relu6(x + 3)) / 6;
    case 'sigmoid':
      return (x) => 1 / (1 + Math.exp(-x));
  }
}
