/** Dimensions that follow from others. Whatever does not fit throws `FoldError`. */
import { checkRank, elementCount, FoldError } from './constants.ts';

/** The axis that `axis` names in a tensor of `rank` dimensions, counted from the end when negative. */
export function axisOf(axis: number, rank: number): number {
  const result = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(axis) || result < 0 || result >= rank) {
    throw new FoldError(`names the axis ${axis} of a tensor of ${rank} dimensions`);
  }
  return result;
}

/** What a reshape to `wanted` makes: −1 is whatever is left, 0 keeps a dimension unless `allowZero`. */
export function resolveReshape(dims: readonly number[], wanted: ArrayLike<number>, allowZero: boolean): number[] {
  checkRank(wanted.length);
  const result = Array.from(wanted, (d, i) => (d === 0 && !allowZero ? (dims[i] ?? 0) : d));
  const unknown = result.indexOf(-1);
  if (unknown >= 0) {
    const known = result.reduce((product, d, i) => (i === unknown ? product : product * d), 1);
    result[unknown] = known > 0 ? elementCount(dims) / known : 0;
  }
  elementCount(result);
  return result;
}

export function squeezedDims(dims: readonly number[], axes: readonly number[] | undefined): number[] {
  for (const axis of axes ?? []) {
    if (dims[axis] !== 1) throw new FoldError(`squeezes dimension ${axis} of [${dims}], which is not 1`);
  }
  return dims.filter((d, i) => (axes ? !axes.includes(i) : d !== 1));
}

/** `axes` count in the result. */
export function unsqueezedDims(dims: readonly number[], axes: readonly number[]): number[] {
  const rank = dims.length + axes.length;
  checkRank(rank);
  const added = new Set(axes.map((axis) => axisOf(axis, rank)));
  if (added.size !== axes.length) throw new FoldError(`adds a dimension twice: [${axes}]`);
  const rest = [...dims];
  return Array.from({ length: rank }, (_, i) => (added.has(i) ? 1 : rest.shift()!));
}

export function flattenedDims(dims: readonly number[], axis: number): [number, number] {
  const at = axis === dims.length ? axis : axisOf(axis, dims.length);
  return [elementCount(dims.slice(0, at)), elementCount(dims.slice(at))];
}

/** `axes` as an order of `rank` dimensions, each once. */
export function permutationIn(axes: readonly number[], rank: number): number[] {
  const permutation = axes.map((axis) => (axis < 0 ? axis + rank : axis));
  if (permutation.length !== rank || [...permutation].sort((a, b) => a - b).some((axis, i) => axis !== i)) {
    throw new FoldError(`has the permutation [${axes}] for ${rank} dimensions`);
  }
  return permutation;
}

/** Of row-major elements. */
export function stridesOf(dims: readonly number[]): number[] {
  const strides = new Array<number>(dims.length).fill(1);
  for (let i = dims.length - 2; i >= 0; i--) strides[i] = strides[i + 1]! * dims[i + 1]!;
  return strides;
}
