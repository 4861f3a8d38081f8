/**
 * Builds a `Graph` from the operations of a file, whatever the file's own order of dimensions.
 *
 * The graph holds every tensor as NHWC. A file sees it through a view of its own: NCHW, a flattened vector, a transposed
 * tensor. The builder keeps for each tensor how the file's dimensions lie on the four axes in memory, so that layout
 * operations (transpose, squeeze, flatten) cost nothing and weights are permuted once, here. Where an operation needs
 * elements in another order, a transpose is emitted.
 */
import { GraphError, ModelFormatError, UnsupportedOpError } from '../../errors.ts';
import type { Graph, GraphInput, GraphOutput } from '../../graph/graph.ts';
import type { Activation, Node, Pair, Permutation, Pool, Shape } from '../../graph/ops.ts';
import { inferShapes, permuted, sizeOf, windowOutput } from '../../graph/shapes.ts';
import { broadcastDims, type Constant, type FoldBudget, FoldError } from './constants.ts';

/** An axis in memory: 0 batch, 1 height, 2 width, 3 channels. */
export type Axis = 0 | 1 | 2 | 3;

/** The memory axes of a four-dimensional tensor as formats order them. */
export const nchw: readonly Axis[] = [0, 3, 1, 2];
export const nhwc: readonly Axis[] = [0, 1, 2, 3];

/** A tensor of the graph as the file sees it. */
export interface Variable {
  readonly kind: 'variable';
  /** Name of the tensor in the graph. */
  readonly tensor: string;
  /** NHWC. */
  readonly shape: Shape;
  /** The file's dimensions. */
  readonly dims: readonly number[];
  /**
   * For each dimension of the file the memory axes that it consists of, major first. Axes of one element appear
   * nowhere, every other exactly once, and the product of their lengths is the dimension.
   */
  readonly axes: readonly (readonly Axis[])[];
}

export type Value = Constant | Variable;

/** Where in the file an operation stands. */
export interface Place {
  readonly node: string;
  readonly op: string;
  /** `node 12, inputs a, b`. */
  readonly where: string;
  /** Name of the tensor that the file gives to the result. */
  readonly output: string;
}

/** Names for a message: the first few of them. */
export const listed = (names: readonly string[]): string => {
  const few = names.slice(0, 12).join(', ') || 'none';
  return names.length > 12 ? `${few} and ${names.length - 12} more` : few;
};

/** The numbers from `low` to `high`. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

type NodeBody = Node extends infer N ? (N extends Node ? Omit<N, 'name' | 'output'> : never) : never;

/** Largest height, width or channel count that is accepted: a size beyond it is damage or an attack. */
const maxLength = 1 << 24;
/** Largest stride and dilation of a convolution, likewise. */
const maxStep = 4096;

export class ImportBuilder {
  readonly file: string;
  /** Between which numbers tensors lie for certain, where that was asked. */
  readonly intervals = new Map<string, Interval>();
  private readonly weights: FoldBudget;
  private readonly inputs: GraphInput[] = [];
  /** By the tensor that they write, in order. */
  private readonly nodes = new Map<string, Node>();
  private readonly names = new UniqueNames();
  private readonly tensors = new UniqueNames();

  /** `weights`: how many constants the nodes may hold together; one that many nodes share counts for each. */
  constructor(file: string, weights: FoldBudget) {
    this.file = file;
    this.weights = weights;
  }

  // Troubles

  damaged(place: Place, message: string): never {
    throw new ModelFormatError(this.file, `node "${place.node}" (${place.op}): ${message} (${place.where})`);
  }

  unsupported(place: Place, message: string): never {
    throw new UnsupportedOpError(this.file, place.node, place.op, `${message} (${place.where})`);
  }

  // Inputs and outputs

  /** `axes`: the memory axis of each dimension. */
  input(name: string, dims: readonly number[], axes: readonly Axis[]): Variable {
    const shape: [number, number, number, number] = [1, 1, 1, 1];
    dims.forEach((d, i) => {
      shape[axes[i]!] = d;
    });
    this.checkShape(`input "${name}"`, shape);
    if (this.tensors.take(name) !== name) throw new ModelFormatError(this.file, `has two inputs named "${name}"`);
    this.inputs.push({ name, shape });
    return { kind: 'variable', tensor: name, shape, dims, axes: dims.map((d, i) => (d === 1 ? [] : [axes[i]!])) };
  }

  /** Throws `ModelFormatError` where what the file says does not fit together. */
  finish(outputs: readonly { readonly name: string; readonly value: Value }[]): Graph {
    const graphOutputs = outputs.map(({ name, value }): GraphOutput => {
      if (value.kind === 'constant') {
        throw new ModelFormatError(this.file, `output "${name}" is a constant: it does not depend on any input`);
      }
      return { name, tensor: this.asOutput(name, value).tensor };
    });
    const graph: Graph = {
      name: this.file,
      inputs: this.inputs,
      outputs: graphOutputs,
      nodes: [...this.nodes.values()],
    };
    try {
      inferShapes(graph);
    } catch (error) {
      if (!(error instanceof GraphError)) throw error;
      throw new ModelFormatError(this.file, error.message.replace(`${this.file}: `, ''), { cause: error });
    }
    return graph;
  }

  /** In the order of the file, or with the second dimension, the channels, behind the others: NCHW as NHWC. */
  private asOutput(name: string, x: Variable): Variable {
    const long = x.dims.flatMap((d, i) => (d > 1 ? [i] : []));
    const channelsLast = [...long.filter((i) => i !== 1), ...long.filter((i) => i === 1)];
    if ([long, channelsLast].some((order) => order.join() === memoryOrder(x)?.join())) return x;
    const orders: readonly (readonly Axis[])[] = [[], [3], [0, 3], [0, 2, 3], nhwc];
    const place = { node: name, op: 'output', where: `of [${x.dims}]`, output: name };
    const order =
      orders[x.dims.length] ?? this.unsupported(place, `has ${x.dims.length} dimensions, expected at most 4`);
    return this.arrange(place, x, order);
  }

  // Layout: no arithmetic, and mostly no node

  /** Regroups the dimensions; a node is emitted only where memory has to be seen with other axes. */
  reshape(place: Place, x: Variable, dims: readonly number[]): Variable {
    const count = dims.reduce((product, d) => product * d, 1);
    if (dims.some((d) => !Number.isSafeInteger(d) || d < 1) || count !== sizeOf(x.shape)) {
      this.damaged(place, `cannot reshape [${x.dims}] to [${dims}]`);
    }
    const axes = regroup(x.shape, x.axes.flat(), dims);
    if (axes) return { ...x, dims, axes };
    const long = dims.flatMap((d, i) => (d > 1 ? [i] : []));
    const batched = long[0] === 0 && (dims[0] === x.shape[0] || long.length === 4);
    if (long.length > (batched ? 4 : 3)) {
      return this.split(place, x, dims) ?? this.unsupported(place, `makes a tensor of five dimensions, [${dims}]`);
    }
    const wanted = dims.map((): Axis => 0);
    const rest = batched ? long.slice(1) : long;
    rest.forEach((dim, i) => {
      wanted[dim] = (4 - rest.length + i) as Axis;
    });
    return this.place(place, this.inOrder(place, x, x.axes.flat()), dims, wanted);
  }

  /**
   * Memory with its axes cut where a dimension ends inside one, as in a shuffle of channels, [1, C, H, W] → [1, g, C / g, H, W].
   * Null where more than four axes are left, or a length is no multiple.
   */
  private split(place: Place, x: Variable, dims: readonly number[]): Variable | null {
    const parts: { readonly axis: Axis; readonly dim: number; readonly length: number }[] = [];
    let dim = 0;
    let open = dims[0]!;
    for (const axis of x.axes.flat()) {
      for (let rest = x.shape[axis]; rest > 1; ) {
        while (open === 1) open = dims[++dim]!;
        const length = Math.min(open, rest);
        if (open % length !== 0 || rest % length !== 0) return null;
        parts.push({ axis, dim, length });
        open /= length;
        rest /= length;
      }
    }
    if (parts.length > 4) return null;
    const inMemory = nhwc.flatMap((axis) => parts.filter((part) => part.axis === axis));
    const shape: [number, number, number, number] = [1, 1, 1, 1];
    const axes = dims.map((): Axis[] => []);
    for (const part of parts) {
      const axis = (4 - parts.length + inMemory.indexOf(part)) as Axis;
      shape[axis] = part.length;
      axes[part.dim]!.push(axis);
    }
    return { ...this.emit(place, { op: 'reshape', inputs: [x.tensor], shape }, shape, 'reshape'), dims, axes };
  }

  transpose(x: Variable, permutation: readonly number[]): Variable {
    return { ...x, dims: permutation.map((i) => x.dims[i]!), axes: permutation.map((i) => x.axes[i]!) };
  }

  /** The tensor with `dims[i]` on memory axis `order[i]`, transposed where its elements lie in another order. */
  arrange(place: Place, x: Variable, order: readonly Axis[]): Variable {
    if (x.dims.length !== order.length) {
      this.unsupported(place, `reads a tensor of ${x.dims.length} dimensions ([${x.dims}]), expected ${order.length}`);
    }
    if (x.axes.every((axes, i) => axes.length === 0 || (axes.length === 1 && axes[0] === order[i]))) return x;
    const wanted = x.dims.flatMap((d, i) => (d > 1 ? [i] : [])).sort((a, b) => order[a]! - order[b]!);
    const sequence = wanted.flatMap((i) => x.axes[i]!);
    const single = wanted.every((i) => x.axes[i]!.length === 1);
    if (single && !isAscending(sequence)) {
      const places = new Map(wanted.map((i) => [order[i]!, x.axes[i]![0]!]));
      return this.transposed(place, x, places);
    }
    return this.place(place, this.inOrder(place, x, sequence), x.dims, order);
  }

  /** The tensor whose elements lie in memory in the order of `sequence`, all its axes of more than one element. */
  private inOrder(place: Place, x: Variable, sequence: readonly Axis[]): Variable {
    if (isAscending(sequence)) return x;
    return this.transposed(place, x, new Map(sequence.map((axis, i) => [(4 - sequence.length + i) as Axis, axis])));
  }

  /** `from`: for axes of the result those of `x` that they come from; what it leaves out has one element. */
  private transposed(place: Place, x: Variable, from: ReadonlyMap<Axis, Axis>): Variable {
    const rest = nhwc.filter((axis) => ![...from.values()].includes(axis));
    const permutation = nhwc.map((axis) => from.get(axis) ?? rest.shift()!) as unknown as Permutation;
    const shape = permuted(x.shape, permutation);
    const axes = x.axes.map((own) => own.map((axis) => permutation.indexOf(axis) as Axis));
    return {
      ...x,
      ...this.emit(place, { op: 'transpose', inputs: [x.tensor], permutation }, shape, 'transpose'),
      axes,
    };
  }

  /** The tensor with dimension `dim` alone on the channels in memory. */
  onChannels(place: Place, x: Variable, dim: number): Variable {
    const axes = x.axes[dim]!;
    if (axes.join() === '3' || (axes.length === 0 && x.shape[3] === 1)) return x;
    const rest = x.dims.flatMap((d, i) => (d > 1 && i !== dim ? [i] : []));
    if (rest.length > 3) this.unsupported(place, `works along dimension ${dim} of [${x.dims}], of five`);
    // A dimension on the batch stays there.
    const batched = rest.length > 0 && (rest.length === 3 || x.axes[rest[0]!]!.join() === '0');
    const order = x.dims.map((): Axis => 0);
    order[dim] = 3;
    rest.forEach((i, at) => {
      order[i] = (batched && at === 0 ? 0 : 3 - rest.length + at) as Axis;
    });
    return this.arrange(place, x, order);
  }

  /** Sees memory as it lies with `dims[i]` on axis `order[i]`. */
  private place(place: Place, x: Variable, dims: readonly number[], order: readonly Axis[]): Variable {
    const shape: [number, number, number, number] = [1, 1, 1, 1];
    dims.forEach((d, i) => {
      if (d > 1) shape[order[i]!] = d;
    });
    const axes = dims.map((d, i) => (d > 1 ? [order[i]!] : []));
    if (shape.join() === x.shape.join()) return { ...x, dims, axes };
    return { ...this.emit(place, { op: 'reshape', inputs: [x.tensor], shape }, shape, 'reshape'), dims, axes };
  }

  /** The node that writes a tensor of the graph; undefined for an input. */
  producer(tensor: string): Node | undefined {
    return this.nodes.get(tensor);
  }

  // Elementwise

  activation(place: Place, x: Variable, activation: Activation): Variable {
    return this.same(place, x, { op: 'activation', inputs: [x.tensor], activation });
  }

  clip(place: Place, x: Variable, min: number, max: number): Variable {
    if (!(min <= max)) this.damaged(place, `clips to ${min} … ${max}`);
    return this.same(place, x, { op: 'clip', inputs: [x.tensor], min, max });
  }

  affine(place: Place, x: Variable, scale: Float32Array, shift: Float32Array, suffix?: string): Variable {
    return this.same(place, x, { op: 'affine', inputs: [x.tensor], scale, shift }, suffix);
  }

  /** x + y, x − y, x · y, x / y, broadcast. */
  arithmetic(place: Place, op: 'add' | 'subtract' | 'multiply' | 'divide', a: Value, b: Value): Variable {
    if (a.kind === 'constant' && b.kind === 'constant') return this.damaged(place, 'both operands are constants');
    if (b.kind === 'constant') return this.withConstant(place, op, a as Variable, b);
    if (a.kind === 'constant') {
      if (op === 'divide') this.unsupported(place, 'divides by a tensor');
      if (op !== 'subtract') return this.withConstant(place, op, b, a);
      const { x, values } = this.perChannel(place, b, a);
      return this.affine(place, x, Float32Array.of(-1), values);
    }
    if (op === 'divide') return this.unsupported(place, 'divides by a tensor');
    const y = op === 'subtract' ? this.affine(place, b, Float32Array.of(-1), Float32Array.of(0), 'negative') : b;
    return this.combine(place, op === 'multiply' ? 'multiply' : 'add', a, y);
  }

  private withConstant(
    place: Place,
    op: 'add' | 'subtract' | 'multiply' | 'divide',
    input: Variable,
    c: Constant,
  ): Variable {
    const { x, values } = this.perChannel(place, input, c);
    const [one, zero] = [Float32Array.of(1), Float32Array.of(0)];
    switch (op) {
      case 'add':
        return this.affine(place, x, one, values);
      case 'subtract':
        return this.affine(
          place,
          x,
          one,
          values.map((v) => -v),
        );
      case 'multiply':
        return this.affine(place, x, values, zero);
      case 'divide':
        return this.affine(
          place,
          x,
          values.map((v) => 1 / v),
          zero,
        );
    }
  }

  /** A constant broadcast against `x` as `[channels]` or `[1]`, and `x` where those are its channels in memory. */
  perChannel(place: Place, x: Variable, constant: Constant): { readonly x: Variable; readonly values: Float32Array } {
    // Negated and inverted, too.
    this.weights.take(2 * constant.data.length);
    const values = constant.data instanceof Float32Array ? constant.data : Float32Array.from(constant.data);
    if (values.length === 1 && constant.dims.length <= x.dims.length) return { x, values };
    const shift = x.dims.length - constant.dims.length;
    const long = constant.dims.flatMap((d, i) => (d > 1 ? [i + shift] : []));
    const fits = shift >= 0 && long.length === 1 && constant.dims.every((d, i) => d === 1 || d === x.dims[i + shift]);
    if (!fits || values.length === 0) {
      this.unsupported(
        place,
        `combines a tensor of [${x.dims}] with a constant of [${constant.dims}], expected one value, or one a channel`,
      );
    }
    return { x: this.onChannels(place, x, long[0]!), values };
  }

  private combine(place: Place, op: 'add' | 'multiply', a: Variable, b: Variable): Variable {
    let dims: number[];
    try {
      dims = broadcastDims(a.dims, b.dims);
    } catch (error) {
      if (!(error instanceof FoldError)) throw error;
      return this.damaged(place, error.message);
    }
    const full = (v: Variable) => sizeOf(v.shape) === dims.reduce((product, d) => product * d, 1);
    const [x, other] = full(a) ? [a, b] : [b, a];
    if (!full(x)) this.unsupported(place, `broadcasts both [${a.dims}] and [${b.dims}]`);
    const pad = (v: Variable) => [...new Array<Axis[]>(dims.length - v.dims.length).fill([]), ...v.axes];
    const xAxes = pad(x);
    const isAligned = (v: Variable) => pad(v).every((axes, i) => axes.length === 0 || axes.join() === xAxes[i]!.join());
    const y = isAligned(other) ? other : this.laidOutAs(place, other, xAxes, x.shape);
    const broadcast = y.shape[1] === 1 && y.shape[2] === 1 && y.shape[3] === x.shape[3];
    if (!(broadcast || sizeOf(x.shape) === sizeOf(y.shape))) {
      this.unsupported(
        place,
        `combines tensors of [${a.dims}] and [${b.dims}] (in memory, NHWC, [${a.shape}] and [${b.shape}]); ` +
          'expected equal shapes, or one value a channel',
      );
    }
    const body = { op, inputs: [x.tensor, y.tensor], activation: 'none' } as const;
    return { ...this.emit(place, body, x.shape), dims, axes: xAxes };
  }

  /** `x` with each of its longer dimensions on the axes, of a tensor of `shape`, that `axes` has for it from the end. */
  private laidOutAs(place: Place, x: Variable, axes: Variable['axes'], shape: Shape): Variable {
    const shift = axes.length - x.dims.length;
    const long = x.dims.flatMap((d, i) => (d > 1 ? [i] : []));
    const owner = new Map(long.flatMap((i) => axes[i + shift]!.map((axis) => [axis, i] as const)));
    // Both as the other tensor lies: its axes in memory, and where each is in its dimension.
    const wanted = [...owner.keys()].sort();
    const parts = new Map(
      long.map((i) => [
        i,
        this.partsOf(
          x,
          i,
          axes[i + shift]!.map((axis) => shape[axis]),
        ),
      ]),
    );
    const split = wanted.map((axis) => {
      const i = owner.get(axis)!;
      return parts.get(i)?.[axes[i + shift]!.indexOf(axis)];
    });
    if (split.some((part) => part === undefined)) {
      this.unsupported(place, `combines a tensor of [${x.dims}] with one that lies in memory as [${shape}] (NHWC)`);
    }
    const sorted = this.inOrder(place, x, (split as Axis[][]).flat());
    const target: [number, number, number, number] = [1, 1, 1, 1];
    for (const axis of wanted) target[axis] = shape[axis];
    const laid = x.dims.map((d, i) => (d > 1 ? axes[i + shift]! : []));
    if (sorted.shape.join() === target.join()) return { ...sorted, axes: laid };
    const body = { op: 'reshape', inputs: [sorted.tensor], shape: target } as const;
    return { ...x, ...this.emit(place, body, target, 'reshape'), axes: laid };
  }

  /** The axes in memory of dimension `dim` as parts of `lengths`; undefined where a border falls inside an axis. */
  private partsOf(x: Variable, dim: number, lengths: readonly number[]): Axis[][] | undefined {
    return regroup(x.shape, x.axes[dim]!, lengths) ?? undefined;
  }

  // Normalisation and softmax

  /** Over all elements of `dims` together. */
  softmax(place: Place, input: Variable, dims: readonly number[]): Variable {
    const x = this.alongChannels(place, input, dims);
    return this.same(place, x, { op: 'softmax', inputs: [x.tensor] });
  }

  /** The tensor with `dims` together exactly the channels in memory. One dimension is moved there, several are refused. */
  alongChannels(place: Place, input: Variable, dims: readonly number[]): Variable {
    const x = dims.length === 1 ? this.onChannels(place, input, dims[0]!) : input;
    const axes = dims.flatMap((i) => x.axes[i] ?? []);
    if (axes.join() !== '3' && !(axes.length === 0 && x.shape[3] === 1)) {
      this.unsupported(place, `works along dimension ${dims} of [${x.dims}], which is not the channels`);
    }
    return x;
  }

  /**
   * `length` places of dimension `dim`, `step` apart: a pointwise convolution by ones and zeros, which is exact for all numbers
   * that are finite.
   */
  part(place: Place, input: Variable, dim: number, start: number, length: number, step: number): Variable {
    const x = this.onChannels(place, input, dim);
    const [n, h, w, channels] = x.shape;
    this.weights.take(channels * length);
    const weights = new Float32Array(channels * length);
    for (let i = 0; i < length; i++) weights[(start + i * step) * length + i] = 1;
    const axes = x.axes.map((own, i) => (i === dim ? (length > 1 ? [3 as Axis] : []) : own));
    const dims = x.dims.map((d, i) => (i === dim ? length : d));
    return { ...this.emit(place, pointwise(x.tensor, weights, null, length), [n, h, w, length]), dims, axes };
  }

  // Windows

  conv(
    place: Place,
    input: Variable,
    order: readonly Axis[],
    convolution: Omit<Extract<Node, { op: 'conv2d' }>, 'name' | 'output' | 'op' | 'inputs'>,
  ): Variable {
    const x = this.arrange(place, input, order);
    const { kernel, stride, dilation, padding, outChannels } = convolution;
    const shape: Shape = [
      x.shape[0],
      windowOutput(x.shape[1], kernel[0], stride[0], dilation[0], padding.top + padding.bottom),
      windowOutput(x.shape[2], kernel[1], stride[1], dilation[1], padding.left + padding.right),
      outChannels,
    ];
    return this.image(place, { op: 'conv2d', inputs: [x.tensor], ...convolution }, shape, order);
  }

  pool(
    place: Place,
    input: Variable,
    order: readonly Axis[],
    { kind, kernel, stride, padding, countPadding }: Omit<Pool, 'name' | 'output' | 'op' | 'inputs'>,
  ): Variable {
    const x = this.arrange(place, input, order);
    const shape: Shape = [
      x.shape[0],
      windowOutput(x.shape[1], kernel[0], stride[0], 1, padding.top + padding.bottom),
      windowOutput(x.shape[2], kernel[1], stride[1], 1, padding.left + padding.right),
      x.shape[3],
    ];
    const body = { op: 'pool', inputs: [x.tensor], kind, kernel, stride, padding, countPadding } as const;
    return this.image(place, body, shape, order);
  }

  /** Mean or maximum over `dims`, which must be rows or columns in memory. */
  reduce(place: Place, x: Variable, kind: Pool['kind'], dims: readonly number[], keepDims: boolean): Variable {
    const reduced = new Set(dims.flatMap((i) => x.axes[i]!));
    if (reduced.has(0) || reduced.has(3)) {
      this.unsupported(place, `reduces dimensions ${dims} of [${x.dims}]; only height and width can be reduced`);
    }
    const kept = x.dims.flatMap((_, i) => (dims.includes(i) ? (keepDims ? [i] : []) : [i]));
    const view = {
      dims: kept.map((i) => (dims.includes(i) ? 1 : x.dims[i]!)),
      axes: kept.map((i) => (dims.includes(i) ? [] : x.axes[i]!)),
    };
    if (reduced.size === 0) return { ...x, ...view };
    const [n, h, w, c] = x.shape;
    const whole = (h === 1 || reduced.has(1)) && (w === 1 || reduced.has(2));
    const kernel: Pair = [reduced.has(1) ? h : 1, reduced.has(2) ? w : 1];
    const shape: Shape = [n, h / kernel[0], w / kernel[1], c];
    const padding = { top: 0, left: 0, bottom: 0, right: 0 };
    const body: NodeBody =
      whole && kind === 'average'
        ? { op: 'global-average-pool', inputs: [x.tensor] }
        : { op: 'pool', inputs: [x.tensor], kind, kernel, stride: kernel, padding, countPadding: false };
    return { ...this.emit(place, body, shape), ...view };
  }

  /**
   * x · weights + bias over the last dimension. `weights` are `[features][outputs]` in the file's order of features;
   * where those lie in another order in memory, rows are permuted.
   */
  matMul(
    place: Place,
    input: Variable,
    weights: { readonly data: Float32Array; readonly features: number; readonly outputs: number },
    bias: Float32Array | null,
    activation: Activation = 'none',
  ): Variable {
    const { features, outputs } = weights;
    const last = input.dims.length - 1;
    if (last < 0 || input.dims[last] !== features) {
      this.damaged(place, `multiplies a tensor of [${input.dims}] with weights of [${features},${outputs}]`);
    }
    const x = last === 1 && input.axes[0]!.some((axis) => axis !== 0) ? this.arrange(place, input, [0, 3]) : input;
    const axesOf = (v: Variable) => [...v.axes.slice(0, last), outputs > 1 ? [3 as Axis] : []];
    const dims = [...x.dims.slice(0, last), outputs];
    const before = x.axes.slice(0, last).flat();
    if (before.every((axis) => axis === 0) && !x.axes[last]!.includes(0)) {
      const n = x.shape[0];
      const shape: Shape = [n, 1, 1, outputs];
      const rows = permuteRows(weights.data, x, x.axes[last]!, outputs);
      const body = { op: 'fully-connected', weights: rows, bias, outFeatures: outputs, activation } as const;
      return { ...this.emit(place, { ...body, inputs: [x.tensor] }, shape), dims, axes: axesOf(x) };
    }
    const y = this.onChannels(place, x, last);
    const [n, h, w] = y.shape;
    const shape: Shape = [n, h, w, outputs];
    const body = { ...pointwise(y.tensor, weights.data, bias, outputs), activation };
    return { ...this.emit(place, body, shape), dims, axes: axesOf(y) };
  }

  // Emission

  /** A node whose result lies as `x`. */
  same(place: Place, x: Variable, body: NodeBody, suffix?: string): Variable {
    return { ...this.emit(place, body, x.shape, suffix), dims: x.dims, axes: x.axes };
  }

  /** A node whose result is an image that the file sees in this order. */
  image(place: Place, body: NodeBody, shape: Shape, order: readonly Axis[]): Variable {
    return { ...this.emit(place, body, shape), ...viewOf(shape, order) };
  }

  /** `suffix` marks a step on the way to the file's own tensor. */
  emit(place: Place, body: NodeBody, shape: Shape, suffix?: string): Pick<Variable, 'kind' | 'tensor' | 'shape'> {
    this.checkShape(`output of node "${place.node}" (${place.op}, ${place.where})`, shape);
    if (body.op === 'conv2d' || body.op === 'conv-transpose2d') {
      const steps = [...body.stride, ...body.dilation];
      if (steps.some((step) => step > maxStep)) {
        this.damaged(place, `has strides and dilations of [${steps}], expected at most ${maxStep}`);
      }
    }
    for (const [what, values] of Object.entries(body)) {
      if (!(values instanceof Float32Array)) continue;
      this.weights.take(values.length);
      const bad = firstNotFinite(values);
      if (bad >= 0) this.damaged(place, `${what}[${bad}] is ${values[bad]}, expected finite numbers`);
    }
    const mark = suffix ? `/${suffix}` : '';
    const output = this.tensors.take(place.output + mark);
    this.nodes.set(output, { ...body, name: this.names.take(place.node + mark), output } as Node);
    return { kind: 'variable', tensor: output, shape };
  }

  private checkShape(what: string, shape: Shape): void {
    const sound = shape.every((d) => Number.isSafeInteger(d) && d > 0 && d <= maxLength) && sizeOf(shape) <= 2 ** 31;
    if (!sound) {
      throw new ModelFormatError(this.file, `${what} has the shape [${shape}] (NHWC): sizes are damaged or do not fit`);
    }
  }
}

/** `weights`: `[channels][outChannels]`. */
const pointwise = (input: string, weights: Float32Array, bias: Float32Array | null, outChannels: number) =>
  ({
    op: 'conv2d',
    inputs: [input],
    weights,
    bias,
    kernel: [1, 1],
    stride: [1, 1],
    dilation: [1, 1],
    padding: { top: 0, left: 0, bottom: 0, right: 0 },
    groups: 1,
    outChannels,
    activation: 'none',
  }) as const;

/** The view in which `dims[i]` lies on memory axis `order[i]`. */
function viewOf(shape: Shape, order: readonly Axis[]): Pick<Variable, 'dims' | 'axes'> {
  return {
    dims: order.map((axis) => shape[axis]),
    axes: order.map((axis) => (shape[axis] > 1 ? [axis] : [])),
  };
}

/** The memory axes in `order` dealt out to `dims`, or null where a border of a dimension falls inside an axis. */
function regroup(shape: Shape, order: readonly Axis[], dims: readonly number[]): Axis[][] | null {
  let next = 0;
  const axes: Axis[][] = [];
  for (const d of dims) {
    const own: Axis[] = [];
    let product = 1;
    while (product < d && next < order.length) {
      product *= shape[order[next]!];
      own.push(order[next]!);
      next++;
    }
    if (product !== d) return null;
    axes.push(own);
  }
  return axes;
}

/** The file's longer dimensions in the order in which they lie in memory, or null where one of them is scattered. */
function memoryOrder(x: Variable): number[] | null {
  const owner = new Map<Axis, number>();
  x.axes.forEach((axes, i) => {
    for (const axis of axes) owner.set(axis, i);
  });
  const sequence = [...owner.keys()].sort().map((axis) => owner.get(axis)!);
  const order = sequence.filter((dim, i) => dim !== sequence[i - 1]);
  const ascending = x.axes.every((axes) => axes.every((axis, i) => i === 0 || axis > axes[i - 1]!));
  return ascending && new Set(order).size === order.length ? order : null;
}

const isAscending = (axes: readonly Axis[]): boolean => axes.every((axis, i) => i === 0 || axis > axes[i - 1]!);

/** Rows of `[features][outputs]` from the order of `axes` (major first) to the order in memory. */
function permuteRows(weights: Float32Array, x: Variable, axes: readonly Axis[], outputs: number): Float32Array {
  if (isAscending(axes)) return weights;
  const stride = [0, 0, 0, 0];
  let product = 1;
  for (const axis of [...axes].reverse()) {
    stride[axis] = product;
    product *= x.shape[axis];
  }
  const [, height, width, channels] = x.shape;
  const result = new Float32Array(weights.length);
  let to = 0;
  for (let h = 0; h < height; h++) {
    for (let w = 0; w < width; w++) {
      for (let c = 0; c < channels; c++) {
        const row = h * stride[1]! + w * stride[2]! + c * stride[3]!;
        result.set(weights.subarray(row * outputs, (row + 1) * outputs), to);
        to += outputs;
      }
    }
  }
  return result;
}

function firstNotFinite(values: Float32Array): number {
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) return i;
  return -1;
}

/** Deals out names, with a number behind those that are taken. */
class UniqueNames {
  private readonly next = new Map<string, number>();

  take(wanted: string): string {
    let name = wanted;
    while (this.next.has(name)) {
      const number = this.next.get(wanted)!;
      this.next.set(wanted, number + 1);
      name = `${wanted}#${number}`;
    }
    this.next.set(name, 2);
    return name;
  }
}
