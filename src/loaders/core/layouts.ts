/**
 * Tensors laid out anew, and combined with constants: what `ImportBuilder` does not need for networks whose layers follow one
 * another as NHWC, as those of TensorFlow Lite mostly do.
 */
import type { Activation, Permutation, Shape } from '../../graph/ops.ts';
import { noPadding, permuted } from '../../graph/shapes.ts';
import type { Constant } from './constants.ts';
import {
  type Arithmetic,
  type Axis,
  type ImportBuilder,
  isAscending,
  type Layouts,
  nhwc,
  type Place,
  regroup,
  type Value,
  type Variable,
} from './import-builder.ts';

/** With other dimensions, whose borders fall inside axes in memory. */
function reshaped(builder: ImportBuilder, at: Place, x: Variable, dims: readonly number[]): Variable {
  const long = dims.flatMap((d, i) => (d > 1 ? [i] : []));
  const batched = long[0] === 0 && (dims[0] === x.shape[0] || long.length === 4);
  if (long.length > (batched ? 4 : 3)) {
    return split(builder, at, x, dims) ?? builder.unsupported(at, `makes a tensor of five dimensions, [${dims}]`);
  }
  const wanted = dims.map((): Axis => 0);
  const rest = batched ? long.slice(1) : long;
  rest.forEach((dim, i) => {
    wanted[dim] = (4 - rest.length + i) as Axis;
  });
  return placed(builder, at, inOrder(builder, at, x, x.axes.flat()), dims, wanted);
}

/**
 * Memory with its axes cut where a dimension ends inside one, as in a shuffle of channels, [1, C, H, W] → [1, g, C / g, H, W].
 * Null where more than four axes are left, or a length is no multiple.
 */
function split(builder: ImportBuilder, place: Place, x: Variable, dims: readonly number[]): Variable | null {
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
  return { ...builder.emit(place, { op: 'reshape', inputs: [x.tensor], shape }, shape, 'reshape'), dims, axes };
}

/** With `dims[i]` on memory axis `order[i]`, where it does not lie so. */
function arranged(builder: ImportBuilder, at: Place, x: Variable, order: readonly Axis[]): Variable {
  const wanted = x.dims.flatMap((d, i) => (d > 1 ? [i] : [])).sort((a, b) => order[a]! - order[b]!);
  const sequence = wanted.flatMap((i) => x.axes[i]!);
  const single = wanted.every((i) => x.axes[i]!.length === 1);
  if (single && !isAscending(sequence)) {
    const places = new Map(wanted.map((i) => [order[i]!, x.axes[i]![0]!]));
    return transposed(builder, at, x, places);
  }
  return placed(builder, at, inOrder(builder, at, x, sequence), x.dims, order);
}

/** The tensor whose elements lie in memory in the order of `sequence`, all its axes of more than one element. */
function inOrder(builder: ImportBuilder, place: Place, x: Variable, sequence: readonly Axis[]): Variable {
  if (isAscending(sequence)) return x;
  return transposed(builder, place, x, new Map(sequence.map((axis, i) => [(4 - sequence.length + i) as Axis, axis])));
}

/** `from`: for axes of the result those of `x` that they come from; what it leaves out has one element. */
function transposed(builder: ImportBuilder, place: Place, x: Variable, from: ReadonlyMap<Axis, Axis>): Variable {
  const rest = nhwc.filter((axis) => ![...from.values()].includes(axis));
  const permutation = nhwc.map((axis) => from.get(axis) ?? rest.shift()!) as unknown as Permutation;
  const shape = permuted(x.shape, permutation);
  const axes = x.axes.map((own) => own.map((axis) => permutation.indexOf(axis) as Axis));
  return {
    ...x,
    ...builder.emit(place, { op: 'transpose', inputs: [x.tensor], permutation }, shape, 'transpose'),
    axes,
  };
}

/** With dimension `dim` alone on the channels, where it is not. */
function onChannels(builder: ImportBuilder, at: Place, x: Variable, dim: number): Variable {
  const rest = x.dims.flatMap((d, i) => (d > 1 && i !== dim ? [i] : []));
  if (rest.length > 3) builder.unsupported(at, `works along dimension ${dim} of [${x.dims}], of five`);
  // A dimension on the batch stays there.
  const batched = rest.length > 0 && (rest.length === 3 || x.axes[rest[0]!]!.join() === '0');
  const order = x.dims.map((): Axis => 0);
  order[dim] = 3;
  rest.forEach((i, n) => {
    order[i] = (batched && n === 0 ? 0 : 3 - rest.length + n) as Axis;
  });
  return builder.arrange(at, x, order);
}

/** Sees memory as it lies with `dims[i]` on axis `order[i]`. */
function placed(
  builder: ImportBuilder,
  place: Place,
  x: Variable,
  dims: readonly number[],
  order: readonly Axis[],
): Variable {
  const shape: [number, number, number, number] = [1, 1, 1, 1];
  dims.forEach((d, i) => {
    if (d > 1) shape[order[i]!] = d;
  });
  const axes = dims.map((d, i) => (d > 1 ? [order[i]!] : []));
  if (shape.join() === x.shape.join()) return { ...x, dims, axes };
  return { ...builder.emit(place, { op: 'reshape', inputs: [x.tensor], shape }, shape, 'reshape'), dims, axes };
}

/** x + y, x − y, x · y, x / y, broadcast. */
function arithmetic(builder: ImportBuilder, place: Place, op: Arithmetic, a: Value, b: Value): Variable {
  if (a.kind === 'constant' && b.kind === 'constant') return builder.damaged(place, 'both operands are constants');
  if (b.kind === 'constant') return withConstant(builder, place, op, a as Variable, b);
  if (a.kind === 'constant') {
    if (op === 'divide') builder.unsupported(place, 'divides by a tensor');
    if (op !== 'subtract') return withConstant(builder, place, op, b, a);
    const { x, values } = perChannel(builder, place, b, a);
    return builder.affine(place, x, Float32Array.of(-1), values);
  }
  if (op === 'divide') return builder.unsupported(place, 'divides by a tensor');
  const y = op === 'subtract' ? builder.affine(place, b, Float32Array.of(-1), Float32Array.of(0), 'negative') : b;
  return builder.combine(place, op === 'multiply' ? 'multiply' : 'add', a, y);
}

function withConstant(builder: ImportBuilder, place: Place, op: Arithmetic, input: Variable, c: Constant): Variable {
  const { x, values } = perChannel(builder, place, input, c);
  const [one, zero] = [Float32Array.of(1), Float32Array.of(0)];
  switch (op) {
    case 'add':
      return builder.affine(place, x, one, values);
    case 'subtract':
      return builder.affine(
        place,
        x,
        one,
        values.map((v) => -v),
      );
    case 'multiply':
      return builder.affine(place, x, values, zero);
    case 'divide':
      return builder.affine(
        place,
        x,
        values.map((v) => 1 / v),
        zero,
      );
  }
}

/** A constant broadcast against `x` as `[channels]` or `[1]`, and `x` where those are its channels in memory. */
export function perChannel(
  builder: ImportBuilder,
  place: Place,
  x: Variable,
  constant: Constant,
): { readonly x: Variable; readonly values: Float32Array } {
  // Negated and inverted, too.
  builder.weights.take(2 * constant.data.length);
  const values = constant.data instanceof Float32Array ? constant.data : Float32Array.from(constant.data);
  if (values.length === 1 && constant.dims.length <= x.dims.length) return { x, values };
  const shift = x.dims.length - constant.dims.length;
  const long = constant.dims.flatMap((d, i) => (d > 1 ? [i + shift] : []));
  const fits = shift >= 0 && long.length === 1 && constant.dims.every((d, i) => d === 1 || d === x.dims[i + shift]);
  if (!fits || values.length === 0) {
    builder.unsupported(
      place,
      `combines a tensor of [${x.dims}] with a constant of [${constant.dims}], expected one value, or one a channel`,
    );
  }
  return { x: builder.onChannels(place, x, long[0]!), values };
}

/** `x` with each of its longer dimensions on the axes, of a tensor of `shape`, that `axes` has for it from the end. */
function laidOutAs(builder: ImportBuilder, place: Place, x: Variable, axes: Variable['axes'], shape: Shape): Variable {
  const shift = axes.length - x.dims.length;
  const long = x.dims.flatMap((d, i) => (d > 1 ? [i] : []));
  const owner = new Map(long.flatMap((i) => axes[i + shift]!.map((axis) => [axis, i] as const)));
  // Both as the other tensor lies: its axes in memory, and where each is in its dimension.
  const wanted = [...owner.keys()].sort();
  const parts = new Map(
    long.map((i) => [
      i,
      regroup(
        x.shape,
        x.axes[i]!,
        axes[i + shift]!.map((axis) => shape[axis]),
      ),
    ]),
  );
  const split = wanted.map((axis) => {
    const i = owner.get(axis)!;
    return parts.get(i)?.[axes[i + shift]!.indexOf(axis)];
  });
  if (split.some((part) => part === undefined)) {
    builder.unsupported(place, `combines a tensor of [${x.dims}] with one that lies in memory as [${shape}] (NHWC)`);
  }
  const sorted = inOrder(builder, place, x, (split as Axis[][]).flat());
  const target: [number, number, number, number] = [1, 1, 1, 1];
  for (const axis of wanted) target[axis] = shape[axis];
  const laid = x.dims.map((d, i) => (d > 1 ? axes[i + shift]! : []));
  if (sorted.shape.join() === target.join()) return { ...sorted, axes: laid };
  const body = { op: 'reshape', inputs: [sorted.tensor], shape: target } as const;
  return { ...x, ...builder.emit(place, body, target, 'reshape'), axes: laid };
}

/** A convolution of one tap. `weights`: `[channels][outChannels]`. */
export function pointwise(
  builder: ImportBuilder,
  at: Place,
  { tensor, shape: [n, h, w] }: Variable,
  weights: Float32Array,
  bias: Float32Array | null,
  outChannels: number,
  activation: Activation = 'none',
): Pick<Variable, 'kind' | 'tensor' | 'shape'> {
  const body = {
    op: 'conv2d',
    inputs: [tensor],
    weights,
    bias,
    kernel: [1, 1],
    stride: [1, 1],
    dilation: [1, 1],
    padding: noPadding,
    groups: 1,
    outChannels,
    activation,
  } as const;
  return builder.emit(at, body, [n, h, w, outChannels]);
}

/** Rows of `[features][outputs]` from the order of `axes` (major first) to the order in memory. */
function permutedRows(weights: Float32Array, x: Variable, axes: readonly Axis[], outputs: number): Float32Array {
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

/** What `ImportBuilder` is given of it. */
export const layouts: Layouts = { reshaped, arranged, onChannels, arithmetic, laidOutAs, permutedRows, pointwise };
