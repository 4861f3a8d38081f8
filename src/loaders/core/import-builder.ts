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
import type { Activation, Node, Pair, Pool, Shape } from '../../graph/ops.ts';
import { inferShapes, sizeOf, windowOutput } from '../../graph/shapes.ts';
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

/** What few files need, in layouts.ts, which is fetched for those. */
export interface Layouts {
  readonly reshaped: (builder: ImportBuilder, place: Place, x: Variable, dims: readonly number[]) => Variable;
  readonly arranged: (builder: ImportBuilder, place: Place, x: Variable, order: readonly Axis[]) => Variable;
  readonly onChannels: (builder: ImportBuilder, place: Place, x: Variable, dim: number) => Variable;
  readonly arithmetic: (builder: ImportBuilder, place: Place, op: Arithmetic, a: Value, b: Value) => Variable;
  readonly laidOutAs: (
    builder: ImportBuilder,
    place: Place,
    x: Variable,
    axes: Variable['axes'],
    shape: Shape,
  ) => Variable;
  readonly permutedRows: (weights: Float32Array, x: Variable, axes: readonly Axis[], outputs: number) => Float32Array;
  readonly pointwise: (
    builder: ImportBuilder,
    place: Place,
    x: Variable,
    weights: Float32Array,
    bias: Float32Array | null,
    outChannels: number,
    activation?: Activation,
  ) => Pick<Variable, 'kind' | 'tensor' | 'shape'>;
}

export type Arithmetic = 'add' | 'subtract' | 'multiply' | 'divide';

/** A builder was made without `Layouts`, and the file needs them: it is to be read again with one that has them. */
export class LayoutsNeeded extends Error {}

export class ImportBuilder {
  readonly file: string;
  /** Between which numbers tensors lie for certain, where that was asked. */
  readonly intervals = new Map<string, Interval>();
  /** How many constants the nodes may hold together; one that many nodes share counts for each. */
  readonly weights: FoldBudget;
  readonly #layouts: Layouts | null;
  private readonly inputs: GraphInput[] = [];
  /** By the tensor that they write, in order. */
  private readonly nodes = new Map<string, Node>();
  private readonly names = new UniqueNames();
  private readonly tensors = new UniqueNames();

  /** Without `layouts` it throws `LayoutsNeeded` where it would need them. */
  constructor(file: string, weights: FoldBudget, layouts: Layouts | null) {
    this.file = file;
    this.weights = weights;
    this.#layouts = layouts;
  }

  private get layouts(): Layouts {
    if (!this.#layouts) throw new LayoutsNeeded();
    return this.#layouts;
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
    return axes ? { ...x, dims, axes } : this.layouts.reshaped(this, place, x, dims);
  }

  transpose(x: Variable, permutation: readonly number[]): Variable {
    return { ...x, dims: permutation.map((i) => x.dims[i]!), axes: permutation.map((i) => x.axes[i]!) };
  }

  /** The tensor with `dims[i]` on memory axis `order[i]`, transposed where its elements lie in another order. */
  arrange(place: Place, x: Variable, order: readonly Axis[]): Variable {
    if (x.dims.length !== order.length) {
      this.unsupported(place, `reads a tensor of ${x.dims.length} dimensions ([${x.dims}]), expected ${order.length}`);
    }
    const lies = x.axes.every((axes, i) => axes.length === 0 || (axes.length === 1 && axes[0] === order[i]));
    return lies ? x : this.layouts.arranged(this, place, x, order);
  }

  /** The tensor with dimension `dim` alone on the channels in memory. */
  onChannels(place: Place, x: Variable, dim: number): Variable {
    const axes = x.axes[dim]!;
    if (axes.join() === '3' || (axes.length === 0 && x.shape[3] === 1)) return x;
    return this.layouts.onChannels(this, place, x, dim);
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
  arithmetic(place: Place, op: Arithmetic, a: Value, b: Value): Variable {
    const both = a.kind === 'variable' && b.kind === 'variable';
    return both && (op === 'add' || op === 'multiply')
      ? this.combine(place, op, a, b)
      : this.layouts.arithmetic(this, place, op, a, b);
  }

  /** x + y, x · y. */
  combine(place: Place, op: 'add' | 'multiply', a: Variable, b: Variable): Variable {
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
    const y = isAligned(other) ? other : this.layouts.laidOutAs(this, place, other, xAxes, x.shape);
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
      const own = x.axes[last]!;
      const rows = isAscending(own) ? weights.data : this.layouts.permutedRows(weights.data, x, own, outputs);
      const body = { op: 'fully-connected', weights: rows, bias, outFeatures: outputs, activation } as const;
      return { ...this.emit(place, { ...body, inputs: [x.tensor] }, shape), dims, axes: axesOf(x) };
    }
    const y = this.onChannels(place, x, last);
    const pixels = this.layouts.pointwise(this, place, y, weights.data, bias, outputs, activation);
    return { ...pixels, dims, axes: axesOf(y) };
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

/** The view in which `dims[i]` lies on memory axis `order[i]`. */
function viewOf(shape: Shape, order: readonly Axis[]): Pick<Variable, 'dims' | 'axes'> {
  return {
    dims: order.map((axis) => shape[axis]),
    axes: order.map((axis) => (shape[axis] > 1 ? [axis] : [])),
  };
}

/** The memory axes in `order` dealt out to `dims`, or null where a border of a dimension falls inside an axis. */
export function regroup(shape: Shape, order: readonly Axis[], dims: readonly number[]): Axis[][] | null {
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

export const isAscending = (axes: readonly Axis[]): boolean => axes.every((axis, i) => i === 0 || axis > axes[i - 1]!);

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
