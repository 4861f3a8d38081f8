/** Layers that only some networks have, and formats that must reckon with all: nodes as `ImportBuilder` makes them. */
import type { Node, Padding, Pair, Resize, Shape } from '../../graph/ops.ts';
import type { Constant } from './constants.ts';
import { type Axis, type ImportBuilder, nhwc, type Place, type Variable } from './import-builder.ts';
import { perChannel, pointwise } from './layouts.ts';

/** `slopes` broadcast as `perChannel` says. */
export function prelu(builder: ImportBuilder, place: Place, input: Variable, slopes: Constant): Variable {
  const { x, values: slope } = perChannel(builder, place, input, slopes);
  if (slope.every((value) => value === 1)) return x;
  if (slope.every((value) => value === 0)) return builder.activation(place, x, 'relu');
  return builder.same(place, x, { op: 'prelu', inputs: [x.tensor], slope });
}

/** max(min(alpha · x + beta, 1), 0); relu6(x + 3) / 6 where that is what it is. */
export function hardSigmoid(builder: ImportBuilder, place: Place, x: Variable, alpha: number, beta: number): Variable {
  if (Math.abs(alpha - 1 / 6) < 1e-7 && beta === 0.5) return builder.activation(place, x, 'hard-sigmoid');
  return builder.clip(place, builder.affine(place, x, Float32Array.of(alpha), Float32Array.of(beta), 'affine'), 0, 1);
}

/** 2 · sigmoid(2x) − 1. */
export function tanh(builder: ImportBuilder, place: Place, x: Variable): Variable {
  const twice = builder.affine(place, x, Float32Array.of(2), Float32Array.of(0), 'twice');
  const sigmoid = { op: 'activation', inputs: [twice.tensor], activation: 'sigmoid' } as const;
  const half = builder.same(place, twice, sigmoid, 'sigmoid');
  return builder.affine(place, half, Float32Array.of(2), Float32Array.of(-1));
}

export function batchNorm(
  builder: ImportBuilder,
  place: Place,
  x: Variable,
  channelDim: number,
  parameters: Pick<Extract<Node, { op: 'batch-norm' }>, 'scale' | 'shift' | 'mean' | 'variance' | 'epsilon'>,
): Variable {
  const { variance, epsilon } = parameters;
  const bad = variance.findIndex((v) => !(v + epsilon > 0));
  if (bad >= 0) builder.damaged(place, `has the variance ${variance[bad]} in channel ${bad} and epsilon ${epsilon}`);
  const y = builder.onChannels(place, x, channelDim);
  return builder.same(place, y, { op: 'batch-norm', inputs: [y.tensor], ...parameters });
}

/** Over all elements of `dims` together. */
export function l2Normalize(
  builder: ImportBuilder,
  place: Place,
  input: Variable,
  dims: readonly number[],
  epsilon: number,
): Variable {
  const x = builder.alongChannels(place, input, dims);
  return builder.same(place, x, { op: 'l2-normalize', inputs: [x.tensor], epsilon });
}

export function convTranspose(
  builder: ImportBuilder,
  place: Place,
  input: Variable,
  order: readonly Axis[],
  convolution: Omit<Extract<Node, { op: 'conv-transpose2d' }>, 'name' | 'output' | 'op' | 'inputs'>,
): Variable {
  const x = builder.arrange(place, input, order);
  const shape: Shape = [x.shape[0], convolution.size[0], convolution.size[1], convolution.outChannels];
  return builder.image(place, { op: 'conv-transpose2d', inputs: [x.tensor], ...convolution }, shape, order);
}

export function pad(
  builder: ImportBuilder,
  place: Place,
  input: Variable,
  order: readonly Axis[],
  padding: Padding,
): Variable {
  const x = builder.arrange(place, input, order);
  const [n, h, w, c] = x.shape;
  const shape: Shape = [n, h + padding.top + padding.bottom, w + padding.left + padding.right, c];
  return builder.image(place, { op: 'pad', inputs: [x.tensor], padding }, shape, order);
}

/** `sides`: zeros before and after each of the file's dimensions, whole numbers. Two of them at most are padded. */
export function padDimensions(
  builder: ImportBuilder,
  place: Place,
  input: Variable,
  sides: readonly number[],
): Variable {
  const chosen = input.dims.flatMap((_, i) => (sides[2 * i] === 0 && sides[2 * i + 1] === 0 ? [] : [i]));
  const rest = input.dims.flatMap((d, i) => (d > 1 && !chosen.includes(i) ? [i] : []));
  if (chosen.length > 2 || rest.length + chosen.length > 4) {
    builder.unsupported(place, `pads [${input.dims}] by [${sides}], expected zeros around two dimensions at most`);
  }
  if (chosen.length === 0) return input;
  const asItLies = imageAxes(input, chosen);
  const on = asItLies ?? ([1, 2] as const);
  const others = nhwc.filter((axis) => !on.slice(0, chosen.length).includes(axis as 1 | 2));
  const order = input.dims.map((_, i): Axis => {
    if (chosen.includes(i)) return on[chosen.indexOf(i)]!;
    return rest.at(-1) === i ? others.at(-1)! : (others[rest.indexOf(i)] ?? 0);
  });
  const x = asItLies ? input : builder.arrange(place, input, order);
  const padding = { top: 0, left: 0, bottom: 0, right: 0 };
  const shape: [number, number, number, number] = [...x.shape];
  chosen.forEach((dim, i) => {
    const [before, after] = [sides[2 * dim]!, sides[2 * dim + 1]!];
    Object.assign(padding, on[i] === 1 ? { top: before, bottom: after } : { left: before, right: after });
    shape[on[i]!] += before + after;
  });
  return {
    ...builder.emit(place, { op: 'pad', inputs: [x.tensor], padding }, shape),
    dims: x.dims.map((d, i) => d + sides[2 * i]! + sides[2 * i + 1]!),
    axes: x.axes.map((own, i) => (chosen.includes(i) ? [on[chosen.indexOf(i)]!] : own)),
  };
}

export function resize(
  builder: ImportBuilder,
  place: Place,
  input: Variable,
  order: readonly Axis[],
  size: Pair,
  mode: Resize['mode'],
  corners: Resize['corners'],
): Variable {
  const x = builder.arrange(place, input, order);
  const shape: Shape = [x.shape[0], size[0], size[1], x.shape[3]];
  return builder.image(place, { op: 'resize', inputs: [x.tensor], size, mode, corners }, shape, order);
}

/**
 * `length` places of dimension `dim`, `step` apart: a pointwise convolution by ones and zeros, which is exact for all numbers
 * that are finite.
 */
export function part(
  builder: ImportBuilder,
  place: Place,
  input: Variable,
  dim: number,
  start: number,
  length: number,
  step: number,
): Variable {
  const x = builder.onChannels(place, input, dim);
  const channels = x.shape[3];
  builder.weights.take(channels * length);
  const weights = new Float32Array(channels * length);
  for (let i = 0; i < length; i++) weights[(start + i * step) * length + i] = 1;
  const axes = x.axes.map((own, i) => (i === dim ? (length > 1 ? [3 as Axis] : []) : own));
  const dims = x.dims.map((d, i) => (i === dim ? length : d));
  return { ...pointwise(builder, place, x, weights, null, length), dims, axes };
}

/** Tensors side by side along the file's dimension `dim`, which is brought onto one axis in memory. */
export function concat(builder: ImportBuilder, place: Place, values: readonly Variable[], dim: number): Variable {
  const [first] = values as [Variable, ...Variable[]];
  const fit = values.every(
    ({ dims }) => dims.length === first.dims.length && dims.every((d, i) => i === dim || d === first.dims[i]),
  );
  const all = () => values.map((v) => `[${v.dims}]`).join(', ');
  if (!fit) builder.damaged(place, `joins tensors of ${all()} along dimension ${dim}, expected equal others`);
  const dims = first.dims.map((d, i) => (i === dim ? values.reduce((sum, v) => sum + v.dims[dim]!, 0) : d));
  const long = dims.flatMap((d, i) => (d > 1 ? [i] : []));
  if (long.length > 4) builder.unsupported(place, `joins tensors of ${all()}: five dimensions`);
  // Where all lie alike and the dimension is one axis, nothing moves; else the longer dimensions are laid out anew.
  const own = dims.map((_, i) => values.find((v) => v.axes[i]!.length > 0)?.axes[i] ?? []);
  const free = ([3, 2, 1, 0] as const).find((axis) => !own.flat().includes(axis));
  if (own[dim]!.length === 0 && free !== undefined) own[dim] = [free];
  const alike = values.every((v) => v.axes.every((axes, i) => axes.length === 0 || axes.join() === own[i]!.join()));
  const laid = alike && own[dim]!.length === 1 && new Set(own.flat()).size === own.flat().length;
  const order = dims.map((_, i): Axis => (long.includes(i) ? ((4 - long.length + long.indexOf(i)) as Axis) : 0));
  const parts = laid ? values : values.map((v) => builder.arrange(place, v, order));
  const axis = laid ? own[dim]![0]! : order[dim]!;
  const joined = parts.reduce((sum, { shape }) => sum + shape[axis], 0);
  const shape = parts[0]!.shape.map((d, i) => (i === axis ? joined : d)) as unknown as Shape;
  const body = { op: 'concat', inputs: parts.map((v) => v.tensor), ...(axis === 3 ? {} : { axis }) } as const;
  const axes = dims.map((d, i) => (d === 1 ? [] : laid ? own[i]! : [order[i]!]));
  return { ...builder.emit(place, body, shape), dims, axes };
}

/** Height and width for the dimensions `chosen`, one or two, where they lie there, or could for all that is there. */
function imageAxes(x: Variable, chosen: readonly number[]): readonly (1 | 2)[] | null {
  const free = ([1, 2] as const).filter((axis) => !x.axes.flat().includes(axis));
  const axes = chosen.map((dim) => {
    const own = x.axes[dim]!;
    return own.length === 0 ? free.shift() : own.length === 1 && (own[0] === 1 || own[0] === 2) ? own[0] : undefined;
  });
  return axes.every((axis) => axis !== undefined) ? (axes as (1 | 2)[]) : null;
}
