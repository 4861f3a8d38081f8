/** As operations.ts, of operations that only some networks have. */
import type { Padding, Resize } from '../../graph/ops.ts';
import { type Constant, floats } from './constants.ts';
import type { Slice } from './fold.ts';
import { nhwc, type Value, type Variable } from './import-builder.ts';
import type { Operands } from './operands.ts';
import { floatData } from './operations.ts';
import { concat, padDimensions, prelu, resize } from './rarer-layers.ts';

/** x, or x · alpha below zero: |x| where alpha is −1. */
export const leaky = ({ builder, place, variable }: Operands, alpha: number): Value =>
  prelu(builder, place, variable(0), floats([1], Float32Array.of(alpha)));

/** A minimum (which cuts the `max` end of the range) or a maximum (the `min` end) with one constant. */
export function bounded({ builder, place, value }: Operands, end: 'min' | 'max'): Value {
  const [a, b] = [value(0), value(1)];
  const [x, limit] = a.kind === 'constant' ? [b, a] : [a, b];
  if (x.kind !== 'variable' || limit.kind !== 'constant' || limit.data.length !== 1) {
    return builder.unsupported(place, 'compares with something else than one constant');
  }
  const bounds = { min: -Infinity, max: Infinity, [end]: limit.data[0]! };
  return builder.clip(place, x, bounds.min, bounds.max);
}

/** Whether `pads`, before and after each memory axis, are whole numbers ≥ 0 around height and width only. */
export const padsImage = (pads: readonly number[]): boolean =>
  pads.length === 8 && pads.every((p, i) => Number.isSafeInteger(p) && p >= 0 && (p === 0 || (i >= 2 && i < 6)));

export const imagePadding = (pads: readonly number[]): Padding => ({
  top: pads[2]!,
  bottom: pads[3]!,
  left: pads[4]!,
  right: pads[5]!,
});

/** `pads`: before and after each dimension of the first input, filled with `filler`: 0, or what is refused. */
export function padded(
  { builder, place, variable }: Operands,
  pads: ArrayLike<number>,
  filler: number | string | undefined,
): Value {
  const x = variable(0);
  if (pads.length !== 2 * x.dims.length) {
    builder.damaged(place, `has ${pads.length} amounts of padding for [${x.dims}], expected two a dimension`);
  }
  const given = Array.from(pads);
  if (given.every((p) => p === 0)) return x;
  if (filler !== 0 || !given.every((p) => Number.isSafeInteger(p) && p >= 0)) {
    builder.unsupported(place, `pads [${x.dims}] by [${given}] with ${filler}; expected zeros around height and width`);
  }
  return padDimensions(builder, place, x, given);
}

/** TensorFlow's resize of an NHWC image: to the constant height and width of input 1. */
export function resized(
  { builder, place, variable, constant }: Operands,
  mode: Resize['mode'],
  alignCorners: boolean,
  halfPixelCenters: boolean,
): Value {
  const size = constant(1).data;
  if (size.length !== 2) builder.damaged(place, `has a size of ${size.length} numbers, expected height and width`);
  if (alignCorners && halfPixelCenters) builder.unsupported(place, 'has both align_corners and half_pixel_centers');
  const corners = alignCorners ? 'align' : halfPixelCenters ? 'half-pixel' : 'asymmetric';
  return resize(builder, place, variable(0), nhwc, [size[0]!, size[1]!], mode, corners);
}

/** Tensors of the network side by side; `axis` counts from the end where it is negative. */
export function joined({ builder, place }: Operands, values: readonly Value[], axis: number): Variable {
  const rank = values[0]?.dims.length ?? 0;
  const dim = axis < 0 ? axis + rank : axis;
  if (!(dim >= 0 && dim < rank)) builder.damaged(place, `joins along dimension ${axis} of ${rank}`);
  const variables = values.filter((value) => value.kind === 'variable');
  if (variables.length < values.length) builder.unsupported(place, 'joins constants to tensors of the network');
  return concat(builder, place, variables, dim);
}

/** The tensor itself: a slice of the network's tensors must take everything. */
export function wholeSlice({ builder, place }: Operands, x: Variable, slices: readonly Slice[]): Variable {
  if (slices.some(({ start, length, step }, i) => start !== 0 || step !== 1 || length !== x.dims[i])) {
    builder.unsupported(place, `takes a part of [${x.dims}]`);
  }
  return x;
}

/** A constant with one value for each of `length` channels; `what` it is, for the message. */
export function vector({ builder, place }: Operands, value: Constant, what: string, length: number): Float32Array {
  if (value.data.length !== length)
    builder.damaged(place, `${what} has ${value.data.length} values, expected ${length}`);
  return floatData(value);
}
