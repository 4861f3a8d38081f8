/** x / ‖x‖ as exporters spell it out, found as one operation. Fetched where a file takes a root or a norm. */
import { broadcastDims, type Constant, elementCount, type FoldBudget, floats, integers } from '../core/constants.ts';
import { axisOf } from '../core/dims.ts';
import { expand } from '../core/fold.ts';
import type { Value } from '../core/import-builder.ts';
import * as rarer from '../core/rarer-layers.ts';
import { attribute, constantOf, floatOf, intOf, intsOf, isStandard } from './attributes.ts';
import type { Handler } from './operations.ts';
import type { GraphProto, NodeProto, TensorProto } from './proto.ts';
import type { QuantisedCall } from './quantised.ts';

interface Norm {
  readonly axes: readonly number[];
  /** The least that is divided by. */
  readonly epsilon: number;
}

/** A norm of `x`, or its square. */
interface Sum extends Norm {
  readonly x: string;
}

/** Where the file has no least norm: that of `LpNormalization` here. */
const least = 1e-12;

/**
 * The graph with each quotient of a tensor and its own norm as one node, and those nodes. Known are `ReduceL2`, or the root
 * of `ReduceSumSquare` or of the sum of x · x or x², bounded by a constant from below (`Clip`, `Max`), repeated to x's shape
 * (`Expand`), as divisor or as the reciprocal that x is multiplied by. A constant that is added is not a bound, and stays.
 */
export function withNorms(
  graph: GraphProto,
  decode: (tensor: TensorProto) => Constant,
): { readonly graph: GraphProto; readonly norms: ReadonlyMap<NodeProto, Norm> } {
  const constant = shortConstants(graph, decode);
  const standard = graph.nodes.filter(isStandard);
  const writers = new Map(standard.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
  const writer = (name: string | undefined) => (name ? writers.get(name) : undefined);
  const number = (name: string | undefined) => {
    const data = constant(name ?? '')?.data;
    return data?.length === 1 ? data[0] : undefined;
  };

  /** What a bound from below is put on, and the bound. */
  const bounded = (name: string | undefined): { inner: string | undefined; bound: number } => {
    const node = writer(name);
    const [first, second, third] = node?.inputs ?? [];
    if (node?.op === 'Max' && node.inputs.length === 2) {
      const other = number(first) === undefined ? second : first;
      return { inner: other === first ? second : first, bound: number(other) ?? Number.NaN };
    }
    if (node?.op !== 'Clip') return { inner: name, bound: 0 };
    const max = third ? number(third) : floatOf(node, 'max', Infinity);
    return { inner: first, bound: max! >= 3e38 ? (second ? number(second)! : floatOf(node, 'min', 0)) : Number.NaN };
  };

  const summed = (node: NodeProto, x: string | undefined): Sum | null => {
    const axes = node.inputs[1] ? constant(node.inputs[1])?.data : intsOf(node, 'axes');
    if (!x || !axes?.length || intOf(node, 'keepdims', 1) !== 1) return null;
    return { x, axes: [...axes], epsilon: 0 };
  };
  const squares = (name: string | undefined): Sum | null => {
    const node = writer(name);
    if (node?.op === 'ReduceSumSquare') return summed(node, node.inputs[0]);
    const square = node?.op === 'ReduceSum' ? writer(node.inputs[0]) : undefined;
    const [a, b] = square?.inputs ?? [];
    const own = (square?.op === 'Mul' && a === b) || (square?.op === 'Pow' && number(b) === 2);
    return own ? summed(node!, a) : null;
  };
  const rooted = (name: string | undefined): Sum | null => {
    const node = writer(name);
    if (node?.op === 'ReduceL2') return summed(node, node.inputs[0]);
    if (node?.op !== 'Sqrt' && !(node?.op === 'Pow' && number(node.inputs[1]) === 0.5)) return null;
    const { inner, bound } = bounded(node.inputs[0]);
    const sum = squares(inner);
    return sum && { ...sum, epsilon: Math.sqrt(bound) };
  };

  const norms = new Map<NodeProto, Norm>();
  const quotient = (node: NodeProto, x: string | undefined, divisor: string | undefined): NodeProto | null => {
    const expanded = writer(divisor)?.op === 'Expand' ? writer(divisor) : undefined;
    const { inner, bound } = bounded(expanded ? expanded.inputs[0] : divisor);
    const norm = rooted(inner);
    const epsilon = Math.max(bound, norm?.epsilon ?? 0);
    if (!norm || norm.x !== x || !(epsilon >= 0)) return null;
    const whole = { ...node, inputs: [x, ...(expanded ? [expanded.inputs[1] ?? ''] : [])] };
    norms.set(whole, { axes: norm.axes, epsilon: epsilon || least });
    return whole;
  };
  const nodes = graph.nodes.map((node) => {
    const [a, b] = node.inputs;
    if (node.op === 'Div') return quotient(node, a, b) ?? node;
    if (node.op !== 'Mul') return node;
    const inverse = (name: string | undefined) =>
      writer(name)?.op === 'Reciprocal' ? writer(name)!.inputs[0] : undefined;
    return quotient(node, a, inverse(b)) ?? quotient(node, b, inverse(a)) ?? node;
  });
  return { graph: norms.size > 0 ? { ...graph, nodes } : graph, norms };
}

/** Constants of a few numbers by name, initializers or nodes. */
function shortConstants(graph: GraphProto, decode: (tensor: TensorProto) => Constant) {
  const tensors = new Map(graph.initializers.map((tensor) => [tensor.name, tensor]));
  const nodes = new Map(graph.nodes.flatMap((node) => (node.op === 'Constant' ? [[node.outputs[0], node]] : [])));
  const isShort = ({ dims }: TensorProto) => dims.reduce((product, d) => product * d, 1) <= 8;
  return (name: string): Constant | undefined => {
    const tensor = tensors.get(name);
    if (tensor) return isShort(tensor) ? decode(tensor) : undefined;
    const node = nodes.get(name);
    const value = node && attribute(node, 'value')?.tensor;
    return node && (!value || isShort(value)) ? constantOf(node, decode) : undefined;
  };
}

/** The handler of quotients and products of which some are such norms; input 1 is then the shape that the norm is repeated to. */
export const normalised =
  (norms: ReadonlyMap<NodeProto, Norm>, otherwise: Handler): Handler =>
  (operation) => {
    const { builder, place, node, variable, optional } = operation;
    const norm = norms.get(node);
    if (!norm) return otherwise(operation);
    const x = variable(0);
    const rank = x.dims.length;
    const like = optional(1)?.data ?? [];
    const shift = rank - like.length;
    if (shift < 0 || Array.from(like).some((d, i) => d !== 1 && d !== x.dims[i + shift])) {
      builder.unsupported(place, `divides [${x.dims}] by its norm, which is repeated to another shape`);
    }
    return rarer.l2Normalize(
      builder,
      place,
      x,
      norm.axes.map((axis) => axisOf(axis, rank)),
      norm.epsilon,
    );
  };

/** The value of such a norm of a constant, as the weights of a cosine head are; null for all else. */
export const foldedNorm =
  (norms: ReadonlyMap<NodeProto, Norm>) =>
  ({ node, place, builder, budget, inputs }: QuantisedCall<{ readonly kind: string }>): [Constant] | null => {
    const norm = norms.get(node);
    const [x, like] = inputs as (Value | undefined)[];
    if (!norm || x?.kind !== 'constant') return null;
    if (x.type !== 'float') builder.unsupported(place, 'divides integers by their norm');
    const result = dividedByNorm(x, norm, budget);
    if (!like) return [result];
    if (like.kind !== 'constant')
      return builder.unsupported(place, 'repeats a norm to a shape that the network computes');
    const shape = Array.from(like.data);
    elementCount(shape);
    return [expand(result, broadcastDims(x.dims, shape), budget)];
  };

function dividedByNorm(x: Constant, { axes, epsilon }: Norm, budget: FoldBudget): Constant {
  const summed = new Set(axes.map((axis) => axisOf(axis, x.dims.length)));
  const dims = x.dims.map((d, i) => (summed.has(i) ? 1 : d));
  const count = elementCount(dims);
  budget.take(4 * count + x.data.length);
  const sums = new Float64Array(count);
  /** For each element the sum that it is in. */
  const { data: own } = expand(
    integers(
      dims,
      sums.map((_, i) => i),
    ),
    x.dims,
    budget,
  );
  x.data.forEach((value, i) => {
    sums[own[i]!]! += value * value;
  });
  return floats(
    x.dims,
    Float32Array.from(x.data, (value, i) => value / Math.max(Math.sqrt(sums[own[i]!]!), epsilon)),
  );
}
