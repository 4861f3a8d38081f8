/** What the attributes of an ONNX node say, and the shapes that follow from them. */
import {
  type Constant,
  checkRank,
  elementCount,
  FoldError,
  floats,
  integers,
  resolveSlice,
} from '../core/constants.ts';
import type { AttributeProto, NodeProto, TensorProto } from './proto.ts';

export const attribute = (node: NodeProto, name: string): AttributeProto | undefined =>
  node.attributes.find((own) => own.name === name);

export const intOf = (node: NodeProto, name: string, otherwise: number): number =>
  attribute(node, name)?.int ?? otherwise;

export const floatOf = (node: NodeProto, name: string, otherwise: number): number =>
  attribute(node, name)?.float ?? otherwise;

export const stringOf = (node: NodeProto, name: string, otherwise: string): string =>
  attribute(node, name)?.string ?? otherwise;

export const intsOf = (node: NodeProto, name: string): readonly number[] | undefined => attribute(node, name)?.ints;

export const floatsOf = (node: NodeProto, name: string): readonly number[] | undefined => attribute(node, name)?.floats;

/** The axis that `axis` names in a tensor of `rank` dimensions, counted from the end when negative. */
export function axisOf(axis: number, rank: number): number {
  const result = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(axis) || result < 0 || result >= rank) {
    throw new FoldError(`names the axis ${axis} of a tensor of ${rank} dimensions`);
  }
  return result;
}

/** Axes from the second input (later operator sets) or the attribute (earlier ones). */
export function axesOf(node: NodeProto, input: Constant | undefined, rank: number): number[] | undefined {
  const axes = input ? [...input.data] : intsOf(node, 'axes');
  if (axes && axes.length > rank) throw new FoldError(`names ${axes.length} axes of a tensor of ${rank} dimensions`);
  return axes?.map((axis) => axisOf(axis, rank));
}

/** What `Reshape` makes of `wanted`: 0 keeps a dimension (unless `allowZero`), −1 is whatever is left. */
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

/** `Shape`, with the `start` and `end` of later operator sets. */
export function shapeOf(dims: readonly number[], node: NodeProto): Constant {
  const part = dims.slice(intOf(node, 'start', 0), intOf(node, 'end', dims.length));
  return integers([part.length], part);
}

export function permutationOf(node: NodeProto, rank: number): number[] {
  const permutation = [...(intsOf(node, 'perm') ?? Array.from({ length: rank }, (_, i) => rank - 1 - i))];
  if (permutation.length !== rank || [...permutation].sort((a, b) => a - b).some((axis, i) => axis !== i)) {
    throw new FoldError(`has the permutation [${permutation}] for ${rank} dimensions`);
  }
  return permutation;
}

/** Ranges of `Slice`, from attributes (before operator set 10) or inputs. */
export function slicesOf(node: NodeProto, dims: readonly number[], inputs: readonly (Constant | undefined)[]) {
  const list = (i: number, name: string) => (inputs[i] ? [...inputs[i].data] : intsOf(node, name));
  const starts = list(1, 'starts') ?? [];
  const ends = list(2, 'ends') ?? [];
  const axes = list(3, 'axes') ?? starts.map((_, i) => i);
  const steps = list(4, 'steps') ?? starts.map(() => 1);
  if (ends.length !== starts.length || axes.length !== starts.length || steps.length !== starts.length) {
    throw new FoldError('has starts, ends, axes and steps of different lengths');
  }
  if (starts.length > dims.length) throw new FoldError(`cuts ${starts.length} of ${dims.length} dimensions`);
  const slices = dims.map((length) => ({ start: 0, length, step: 1 }));
  starts.forEach((start, i) => {
    const axis = axisOf(axes[i]!, dims.length);
    slices[axis] = { ...resolveSlice(dims[axis]!, start, ends[i]!, steps[i]!) };
  });
  return slices;
}

/** The value of a `Constant` node. Throws `FoldError`. */
export function constantOf(node: NodeProto, decode: (tensor: TensorProto) => Constant): Constant {
  for (const { name, tensor, float, floats: list, int, ints } of node.attributes) {
    if (name === 'value' && tensor) return decode(tensor);
    if (name === 'value_float') return floats([], Float32Array.of(float));
    if (name === 'value_floats') return floats([list.length], Float32Array.from(list));
    if (name === 'value_int') return integers([], [int]);
    if (name === 'value_ints') return integers([ints.length], ints);
  }
  throw new FoldError(
    `has no value of numbers, only ${node.attributes.map(({ name }) => name).join(', ') || 'nothing'}`,
  );
}
