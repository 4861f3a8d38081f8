/** What each ONNX operation on tensors of the network becomes in the graph. Constants are folded before (fold.ts). */
import type { Padding, Pair, Pool } from '../../graph/ops.ts';
import { noPadding, samePadding, windowOutput } from '../../graph/shapes.ts';
import type { Constant, FoldBudget } from '../core/constants.ts';
import { axisOf, flattenedDims, resolveReshape, squeezedDims, unsqueezedDims } from '../core/dims.ts';
import { transpose } from '../core/fold.ts';
import { nchw, type Value, type Variable } from '../core/import-builder.ts';
import type { Operands } from '../core/operands.ts';
import { activation, floatData } from '../core/operations.ts';
import * as rarer from '../core/rarer-layers.ts';
import { bounded, joined, leaky, padded, vector, wholeSlice } from '../core/rarer-operations.ts';
import { axesOf, floatOf, intOf, intsOf, permutationOf, shapeOf, slicesOf, stringOf } from './attributes.ts';
import type { NodeProto } from './proto.ts';
import { isFloat, typeName } from './tensor.ts';

/** A node of the file with its inputs. */
export interface Operation extends Operands {
  readonly node: NodeProto;
  readonly opset: number;
  readonly budget: FoldBudget;
}

export type Handler = (operation: Operation) => Value;

const arithmetic =
  (op: 'add' | 'subtract' | 'multiply' | 'divide'): Handler =>
  ({ builder, place, value }) =>
    builder.arithmetic(place, op, value(0), value(1));

const identity: Handler = ({ variable }) => variable(0);

export const operations = new Map<string, Handler>([
  ['Identity', identity],
  ['Dropout', identity],
  ['Cast', castTo],
  ['CastLike', identity],
  ['Relu', activation('relu')],
  ['Sigmoid', activation('sigmoid')],
  ['Tanh', ({ builder, place, variable }) => rarer.tanh(builder, place, variable(0))],
  ['HardSwish', activation('hard-swish')],
  ['Swish', swish],
  [
    'HardSigmoid',
    ({ builder, place, variable, node }) =>
      rarer.hardSigmoid(builder, place, variable(0), floatOf(node, 'alpha', 0.2), floatOf(node, 'beta', 0.5)),
  ],
  [
    'Neg',
    ({ builder, place, variable }) => builder.affine(place, variable(0), Float32Array.of(-1), Float32Array.of(0)),
  ],
  ['PRelu', ({ builder, place, variable, constant }) => rarer.prelu(builder, place, variable(0), constant(1))],
  ['Abs', (operation) => leaky(operation, -1)],
  ['LeakyRelu', (operation) => leaky(operation, floatOf(operation.node, 'alpha', 0.01))],
  ['Clip', clip],
  ['Min', (operation) => bound(operation, 'max')],
  ['Max', (operation) => bound(operation, 'min')],
  ['Add', arithmetic('add')],
  ['Sub', arithmetic('subtract')],
  ['Mul', arithmetic('multiply')],
  ['Div', arithmetic('divide')],
  ['Sum', sum],
  ['Conv', conv],
  ['BatchNormalization', batchNormalization],
  ['GlobalAveragePool', (operation) => globalPool(operation, 'average')],
  ['GlobalMaxPool', (operation) => globalPool(operation, 'max')],
  ['AveragePool', (operation) => pool(operation, 'average')],
  ['MaxPool', (operation) => pool(operation, 'max')],
  ['ReduceMean', (operation) => reduce(operation, 'average')],
  ['ReduceMax', (operation) => reduce(operation, 'max')],
  ['Pad', pad],
  ['Concat', concat],
  ['Gemm', gemm],
  ['MatMul', matMul],
  ['Softmax', softmax],
  ['LpNormalization', lpNormalization],
  ['Reshape', reshape],
  [
    'Flatten',
    ({ builder, place, variable, node }) =>
      builder.reshape(place, variable(0), flattenedDims(variable(0).dims, intOf(node, 'axis', 1))),
  ],
  [
    'Squeeze',
    ({ builder, place, variable, node, optional }) =>
      builder.reshape(
        place,
        variable(0),
        squeezedDims(variable(0).dims, axesOf(node, optional(1), variable(0).dims.length)),
      ),
  ],
  [
    'Unsqueeze',
    ({ builder, place, variable, node, optional }) => {
      const axes = optional(1) ? [...optional(1)!.data] : (intsOf(node, 'axes') ?? []);
      return builder.reshape(place, variable(0), unsqueezedDims(variable(0).dims, axes));
    },
  ],
  [
    'Transpose',
    ({ builder, variable, node }) => builder.transpose(variable(0), permutationOf(node, variable(0).dims.length)),
  ],
  ['Shape', ({ variable, node }) => shapeOf(variable(0).dims, node)],
  ['Slice', sliced],
  ['Gather', wholeGather],
  ['Expand', sameExpand],
]);

function lpNormalization({ builder, place, variable, node }: Operation): Value {
  const x = variable(0);
  if (intOf(node, 'p', 2) !== 2) builder.unsupported(place, 'divides by another norm than the second');
  return rarer.l2Normalize(builder, place, x, [axisOf(intOf(node, 'axis', -1), x.dims.length)], 1e-12);
}

// Elementwise

function castTo({ builder, place, variable, node }: Operation): Value {
  const to = intOf(node, 'to', 0);
  if (!isFloat(to)) builder.unsupported(place, `converts the network's tensors to ${typeName(to)}, expected floats`);
  return variable(0);
}

/** x · sigmoid(alpha · x), from operator set 24. */
function swish({ builder, place, variable, node }: Operation): Value {
  const x = variable(0);
  const alpha = floatOf(node, 'alpha', 1);
  const step = (what: string) => ({ ...place, node: `${place.node}/${what}`, output: `${place.output}/${what}` });
  const scaled = alpha === 1 ? x : builder.affine(step('alpha'), x, Float32Array.of(alpha), Float32Array.of(0));
  return builder.arithmetic(place, 'multiply', x, builder.activation(step('sigmoid'), scaled, 'sigmoid'));
}

function clip({ builder, place, variable, optional, node, opset }: Operation): Value {
  const limit = (i: number, name: string, otherwise: number) =>
    opset < 11 ? floatOf(node, name, otherwise) : (optional(i)?.data[0] ?? otherwise);
  const [min, max] = [limit(1, 'min', -Infinity), limit(2, 'max', Infinity)];
  const largest = 3.4028234663852886e38;
  return builder.clip(place, variable(0), min <= -largest ? -Infinity : min, max >= largest ? Infinity : max);
}

function bound(operation: Operation, end: 'min' | 'max'): Value {
  const { builder, place, value, count } = operation;
  if (count === 1) return value(0);
  return count === 2 ? bounded(operation, end) : builder.unsupported(place, `has ${count} inputs, expected 2`);
}

function sum({ builder, place, value, count }: Operation): Value {
  let total = value(0);
  for (let i = 1; i < count; i++) {
    const step = i === count - 1 ? place : { ...place, output: `${place.output}/${i}`, node: `${place.node}/${i}` };
    total = builder.arithmetic(step, 'add', total, value(i));
  }
  return total;
}

// Convolution and windows

/** Checks that the tensor is an image, and says where height and width are in it. */
export function image({ builder, place, variable }: Operation): { x: Variable; size: Pair } {
  const x = variable(0);
  if (x.dims.length !== 4) {
    builder.unsupported(place, `works on [${x.dims}], expected four dimensions, [N, C, H, W]`);
  }
  return { x, size: [x.dims[2]!, x.dims[3]!] };
}

export function pairOf({ builder, place, node }: Operation, name: string, otherwise: Pair): Pair {
  const values = intsOf(node, name);
  if (!values || values.length === 0) return otherwise;
  if (values.length !== 2 || !values.every((v) => Number.isSafeInteger(v) && v > 0)) {
    builder.damaged(place, `${name} is [${values}], expected two whole numbers ≥ 1`);
  }
  return [values[0]!, values[1]!];
}

export function paddingOf(operation: Operation, size: Pair, kernel: Pair, stride: Pair, dilation: Pair): Padding {
  const { builder, place, node } = operation;
  const auto = stringOf(node, 'auto_pad', 'NOTSET') || 'NOTSET';
  if (auto === 'VALID') return noPadding;
  if (auto === 'SAME_UPPER' || auto === 'SAME_LOWER') {
    const { top, left, bottom, right } = samePadding(size, kernel, stride, dilation);
    const upper = auto === 'SAME_UPPER';
    return upper ? { top, left, bottom, right } : { top: bottom, left: right, bottom: top, right: left };
  }
  if (auto !== 'NOTSET') builder.damaged(place, `auto_pad is "${auto}"`);
  const pads = intsOf(node, 'pads') ?? [0, 0, 0, 0];
  if (pads.length !== 4 || !pads.every((v) => Number.isSafeInteger(v) && v >= 0)) {
    builder.unsupported(place, `pads is [${pads}], expected four whole numbers ≥ 0`);
  }
  return { top: pads[0]!, left: pads[1]!, bottom: pads[2]!, right: pads[3]! };
}

/** Height and width of the kernel: what the weights have, which the node may state again. */
export function kernelOf(operation: Operation, { dims }: Constant, kernel: Pair): Pair {
  if (pairOf(operation, 'kernel_shape', kernel).join() !== kernel.join()) {
    const stated = intsOf(operation.node, 'kernel_shape');
    operation.builder.damaged(operation.place, `kernel_shape is [${stated}], the weights are [${dims}]`);
  }
  return kernel;
}

function conv(operation: Operation): Value {
  const { builder, place, node, optional, budget } = operation;
  const { x, size } = image(operation);
  const weights = optional(1) ?? builder.damaged(place, 'has no weights');
  const groups = intOf(node, 'group', 1);
  if (weights.dims.length !== 4)
    builder.unsupported(place, `has weights of [${weights.dims}], expected [O, I, kH, kW]`);
  const [outChannels, perGroup, height, width] = weights.dims as [number, number, number, number];
  const kernel = kernelOf(operation, weights, [height, width]);
  if (!Number.isSafeInteger(groups) || groups < 1 || perGroup * groups !== x.dims[1]) {
    builder.damaged(place, `has ${groups} groups, weights of [${weights.dims}] and an input of [${x.dims}]`);
  }
  const bias = optional(2);
  const stride = pairOf(operation, 'strides', [1, 1]);
  const dilation = pairOf(operation, 'dilations', [1, 1]);
  return builder.conv(place, x, nchw, {
    weights: floatData(transpose(weights, [2, 3, 1, 0], budget)),
    bias: bias ? vector(operation, bias, 'bias', outChannels) : null,
    kernel,
    stride,
    dilation,
    padding: paddingOf(operation, size, kernel, stride, dilation),
    groups,
    outChannels,
    activation: 'none',
  });
}

function batchNormalization(operation: Operation): Value {
  const { builder, place, node, variable, optional } = operation;
  const x = variable(0);
  if (intOf(node, 'training_mode', 0) !== 0) builder.unsupported(place, 'is in training mode');
  if (intOf(node, 'spatial', 1) !== 1) builder.unsupported(place, 'has statistics for each pixel (spatial = 0)');
  const channels = x.dims[1] ?? builder.damaged(place, `has an input of [${x.dims}]`);
  const parameter = (i: number, what: string) =>
    vector(operation, optional(i) ?? builder.damaged(place, `has no ${what}`), what, channels);
  return rarer.batchNorm(builder, place, x, 1, {
    scale: parameter(1, 'scale'),
    shift: parameter(2, 'shift'),
    mean: parameter(3, 'mean'),
    variance: parameter(4, 'variance'),
    epsilon: floatOf(node, 'epsilon', 1e-5),
  });
}

function globalPool({ builder, place, variable }: Operation, kind: Pool['kind']): Value {
  const x = variable(0);
  return builder.reduce(place, x, kind, x.dims.map((_, i) => i).slice(2), true);
}

function reduce({ builder, place, variable, optional, node }: Operation, kind: Pool['kind']): Value {
  const x = variable(0);
  const axes = axesOf(node, optional(1), x.dims.length);
  if (!axes?.length && intOf(node, 'noop_with_empty_axes', 0) === 1) return x;
  const all = x.dims.map((_, i) => i);
  return builder.reduce(place, x, kind, axes?.length ? axes : all, intOf(node, 'keepdims', 1) === 1);
}

function pool(operation: Operation, kind: Pool['kind']): Value {
  const { builder, place, node } = operation;
  const { x, size } = image(operation);
  if (!intsOf(node, 'kernel_shape')) builder.damaged(place, 'has no kernel_shape');
  const kernel = pairOf(operation, 'kernel_shape', [1, 1]);
  const stride = pairOf(operation, 'strides', [1, 1]);
  if (pairOf(operation, 'dilations', [1, 1]).join() !== '1,1') builder.unsupported(place, 'is dilated');
  const given = paddingOf(operation, size, kernel, stride, [1, 1]);
  const counts = kind === 'average' && intOf(node, 'count_include_pad', 0) === 1;
  // What a last window takes beyond the picture (ceil_mode) is never counted.
  const countPadding = counts && Object.values(given).some((side) => side > 0);
  const padding = intOf(node, 'ceil_mode', 0) === 1 ? ceiled(size, kernel, stride, given) : given;
  if (countPadding && (padding.bottom !== given.bottom || padding.right !== given.right)) {
    builder.unsupported(place, 'counts padding in a mean whose last window leaves the picture (ceil_mode)');
  }
  return builder.pool(place, x, nchw, { kind, kernel, stride, padding, countPadding });
}

/** Padding with which the output size is rounded up, but no window starts beyond the picture. */
function ceiled(size: Pair, kernel: Pair, stride: Pair, padding: Padding): Padding {
  const extra = (axis: 0 | 1, before: number, after: number) => {
    const room = size[axis] + before + after;
    const down = windowOutput(size[axis], kernel[axis], stride[axis], 1, before + after);
    const up = Math.ceil((room - kernel[axis]) / stride[axis]) + 1;
    const starts = up > down && (up - 1) * stride[axis] >= size[axis] + before ? down : up;
    return Math.max(0, (starts - 1) * stride[axis] + kernel[axis] - room);
  };
  return {
    ...padding,
    bottom: padding.bottom + extra(0, padding.top, padding.bottom),
    right: padding.right + extra(1, padding.left, padding.right),
  };
}

function pad(operation: Operation): Value {
  const { builder, place, node, variable, optional, opset } = operation;
  const x = variable(0);
  const mode = stringOf(node, 'mode', 'constant');
  const pads = opset < 11 ? (intsOf(node, 'pads') ?? []) : [...(optional(1)?.data ?? [])];
  const value = opset < 11 ? floatOf(node, 'value', 0) : (optional(2)?.data[0] ?? 0);
  const stated = opset >= 18 ? optional(3) : undefined;
  const axes = stated ? [...stated.data].map((axis) => axisOf(axis, x.dims.length)) : x.dims.map((_, i) => i);
  if (pads.length !== 2 * axes.length) builder.damaged(place, `has ${pads.length} pads for ${axes.length} dimensions`);
  const sides = new Array<number>(2 * x.dims.length).fill(0);
  axes.forEach((axis, i) => {
    sides[2 * axis] = pads[i]!;
    sides[2 * axis + 1] = pads[i + axes.length]!;
  });
  return padded(operation, sides, mode === 'constant' ? value : mode);
}

// Products

function gemm(operation: Operation): Value {
  const { builder, place, node, variable, optional, budget } = operation;
  const a = variable(0);
  const given = optional(1) ?? builder.damaged(place, 'has no weights');
  if (given.dims.length !== 2 || a.dims.length !== 2) {
    builder.damaged(place, `multiplies [${a.dims}] with [${given.dims}], expected two dimensions each`);
  }
  const x = intOf(node, 'transA', 0) === 0 ? a : builder.transpose(a, [1, 0]);
  const weights = intOf(node, 'transB', 0) === 1 ? transpose(given, [1, 0], budget) : given;
  const [features, outputs] = weights.dims as [number, number];
  const alpha = floatOf(node, 'alpha', 1);
  const beta = floatOf(node, 'beta', 1);
  const data = alpha === 1 ? floatData(weights) : floatData(weights).map((w) => w * alpha);
  return builder.matMul(place, x, { data, features, outputs }, gemmBias(operation, outputs, beta));
}

function gemmBias({ builder, place, optional }: Operation, outputs: number, beta: number): Float32Array | null {
  const c = optional(2);
  if (!c || beta === 0) return null;
  if (c.data.length === 1) return new Float32Array(outputs).fill(c.data[0]! * beta);
  if (c.data.length !== outputs || c.dims[c.dims.length - 1] !== outputs) {
    builder.unsupported(place, `adds a constant of [${c.dims}], expected one value for each of ${outputs} outputs`);
  }
  return floatData(c).map((v) => v * beta);
}

function matMul({ builder, place, variable, optional }: Operation): Value {
  const weights = optional(1) ?? builder.damaged(place, 'has no second input');
  const [features, outputs] = weights.dims.slice(-2);
  if (features === undefined || outputs === undefined || weights.data.length !== features * outputs) {
    return builder.unsupported(place, `multiplies with a constant of [${weights.dims}], expected two dimensions`);
  }
  return builder.matMul(place, variable(0), { data: floatData(weights), features, outputs }, null);
}

function softmax({ builder, place, variable, node, opset }: Operation): Value {
  const x = variable(0);
  const rank = x.dims.length;
  const axis = axisOf(intOf(node, 'axis', opset < 13 ? 1 : -1), rank);
  const all = x.dims.map((_, i) => i);
  return builder.softmax(place, x, opset < 13 ? all.slice(axis) : [axis]);
}

// Shapes

function concat(operation: Operation): Value {
  const { node, count, value } = operation;
  const values = Array.from({ length: count }, (_, i) => value(i));
  return joined(operation, values, intOf(node, 'axis', 1));
}

function reshape({ builder, place, node, variable, optional, opset }: Operation): Value {
  const x = variable(0);
  const wanted = optional(1) ?? builder.damaged(place, 'has no shape');
  const allowZero = opset >= 14 && intOf(node, 'allowzero', 0) === 1;
  return builder.reshape(place, x, resolveReshape(x.dims, wanted.data, allowZero));
}

function sliced(operation: Operation): Value {
  const { builder, place, node, variable, optional, count } = operation;
  const x = variable(0);
  const inputs = Array.from({ length: count }, (_, i) => (i === 0 ? undefined : optional(i)));
  const slices = slicesOf(node, x.dims, inputs);
  const cut = slices.flatMap(({ start, length, step }, i) =>
    start !== 0 || step !== 1 || length !== x.dims[i] ? [i] : [],
  );
  const { start, length, step } = slices[cut[0]!] ?? { start: 0, length: 0, step: 0 };
  if (cut.length !== 1 || length < 1) return wholeSlice(operation, x, slices);
  return rarer.part(builder, place, x, cut[0]!, start, length, step);
}

/**
 * A gather of everything in its own order, which only changes the shape: what is left of PyTorch's `as_strided` once
 * its indices are folded.
 */
function wholeGather({ builder, place, node, variable, optional, budget }: Operation): Value {
  const x = variable(0);
  const indices = optional(1) ?? builder.damaged(place, 'has no indices');
  budget.take(indices.data.length);
  const axis = axisOf(intOf(node, 'axis', 0), x.dims.length);
  if (indices.data.length !== x.dims[axis] || !indices.data.every((index, i) => index === i)) {
    builder.unsupported(place, `takes elements of [${x.dims}] along dimension ${axis}, not all in their order`);
  }
  return builder.reshape(place, x, [...x.dims.slice(0, axis), ...indices.dims, ...x.dims.slice(axis + 1)]);
}

function sameExpand({ builder, place, variable, optional }: Operation): Value {
  const x = variable(0);
  const wanted = [...(optional(1)?.data ?? [])];
  const shift = x.dims.length - wanted.length;
  if (shift < 0 || wanted.some((d, i) => d !== 1 && d !== x.dims[i + shift])) {
    builder.unsupported(place, `repeats [${x.dims}] to [${wanted}]`);
  }
  return x;
}
