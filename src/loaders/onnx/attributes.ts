/** What the attributes of an ONNX node say, and the shapes that follow from them. */
import { type Constant, FoldError, floats, integers } from '../core/constants.ts';
import { axisOf, permutationIn } from '../core/dims.ts';
import { resolveSlice } from '../core/fold.ts';
import type { AttributeProto, NodeProto, TensorProto } from './proto.ts';

export const attribute = (node: NodeProto, name: string): AttributeProto | undefined =>
  node.attributes.find((own) => own.name === name);

/** Whether the operation is one of ONNX's own. */
export const isStandard = ({ domain }: NodeProto): boolean => domain === '' || domain === 'ai.onnx';

/** Numbers of AttributeType. */
const types = { float: 1, int: 2, string: 3, floats: 6, ints: 7 } as const;

/** Undefined where the node has none of that name. Throws `FoldError` where it is of another type. */
function stated<T extends keyof typeof types>(node: NodeProto, name: string, type: T): AttributeProto[T] | undefined {
  const own = attribute(node, name);
  if (own && own.type !== 0 && own.type !== types[type]) {
    const whose = node.name || node.outputs[0];
    throw new FoldError(
      `states the attribute ${name} of "${whose}" as type ${own.type}, expected ${types[type]} (${type})`,
    );
  }
  return own?.[type];
}

export const intOf = (node: NodeProto, name: string, otherwise: number): number =>
  stated(node, name, 'int') ?? otherwise;

export const floatOf = (node: NodeProto, name: string, otherwise: number): number =>
  stated(node, name, 'float') ?? otherwise;

export const stringOf = (node: NodeProto, name: string, otherwise: string): string =>
  stated(node, name, 'string') ?? otherwise;

export const intsOf = (node: NodeProto, name: string): readonly number[] | undefined => stated(node, name, 'ints');

export const floatsOf = (node: NodeProto, name: string): readonly number[] | undefined => stated(node, name, 'floats');

/** Axes from the second input (later operator sets) or the attribute (earlier ones). */
export function axesOf(node: NodeProto, input: Constant | undefined, rank: number): number[] | undefined {
  const axes = input ? [...input.data] : intsOf(node, 'axes');
  if (axes && axes.length > rank) throw new FoldError(`names ${axes.length} axes of a tensor of ${rank} dimensions`);
  return axes?.map((axis) => axisOf(axis, rank));
}

/** `Shape`, with the `start` and `end` of later operator sets. */
export function shapeOf(dims: readonly number[], node: NodeProto): Constant {
  const part = dims.slice(intOf(node, 'start', 0), intOf(node, 'end', dims.length));
  return integers([part.length], part);
}

export const permutationOf = (node: NodeProto, rank: number): number[] =>
  permutationIn(intsOf(node, 'perm') ?? Array.from({ length: rank }, (_, i) => rank - 1 - i), rank);

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
