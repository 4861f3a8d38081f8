/** What each TensorFlow operation becomes in the graph; those whose inputs are all constant are folded here too. */
import type { Activation, Padding, Pair, Pool, Resize } from '../../graph/ops.ts';
import { noPadding, samePadding } from '../../graph/shapes.ts';
import { type FoldBudget, FoldError, floats, integers, reshape as reshapeConstant } from '../core/constants.ts';
import { axisOf, permutationIn, resolveReshape, squeezedDims, unsqueezedDims } from '../core/dims.ts';
import { cast, combine, concat as concatConstants, gather, map, resolveSlice, slice, transpose } from '../core/fold.ts';
import { nhwc, type Value, type Variable } from '../core/import-builder.ts';
import type { Operands } from '../core/operands.ts';
import { activation, floatData, reduced } from '../core/operations.ts';
import * as rarer from '../core/rarer-layers.ts';
import {
  bounded,
  imagePadding,
  joined,
  leaky,
  padded,
  padsImage,
  resized,
  vector,
  wholeSlice,
} from '../core/rarer-operations.ts';
import { tapsOutputsLast } from '../core/rarer-weights.ts';
import { batchToSpace, spaceToBatch } from '../core/space-to-batch.ts';
import { floatTypes, type TfjsAttributes } from './attributes.ts';

export interface TfjsOperation extends Operands {
  readonly attributes: TfjsAttributes;
  readonly budget: FoldBudget;
}

type Handler = (operation: TfjsOperation) => Value;

const identity: Handler = ({ value }) => value(0);

export const operations = new Map<string, Handler>([
  ['Identity', identity],
  ['StopGradient', identity],
  ['PreventGradient', identity],
  ['Snapshot', identity],
  ['Cast', castTo],
  ['Relu', activation('relu')],
  ['Relu6', activation('relu6')],
  ['Sigmoid', activation('sigmoid')],
  ['Tanh', ({ builder, place, variable }) => rarer.tanh(builder, place, variable(0))],
  ['Prelu', ({ builder, place, variable, constant }) => rarer.prelu(builder, place, variable(0), constant(1))],
  ['Abs', (operation) => leaky(operation, -1)],
  ['LeakyRelu', (operation) => leaky(operation, operation.attributes.float('alpha', 0.2))],
  ['ClipByValue', clipByValue],
  ['Minimum', (operation) => bound(operation, 'max')],
  ['Maximum', (operation) => bound(operation, 'min')],
  ['Add', arithmetic('add')],
  ['AddV2', arithmetic('add')],
  ['BiasAdd', arithmetic('add')],
  ['Sub', arithmetic('subtract')],
  ['Mul', arithmetic('multiply')],
  ['RealDiv', arithmetic('divide')],
  ['Div', arithmetic('divide')],
  ['Neg', negate],
  ['Conv2D', (operation) => conv(operation, false)],
  ['_FusedConv2D', (operation) => conv(operation, false)],
  ['DepthwiseConv2dNative', (operation) => conv(operation, true)],
  ['DepthwiseConv2d', (operation) => conv(operation, true)],
  ['FusedDepthwiseConv2dNative', (operation) => conv(operation, true)],
  ['Conv2DBackpropInput', convTranspose],
  ['SpaceToBatchND', spaceToBatch],
  ['BatchToSpaceND', batchToSpace],
  ['FusedBatchNorm', batchNorm],
  ['FusedBatchNormV2', batchNorm],
  ['FusedBatchNormV3', batchNorm],
  ['AvgPool', (operation) => pool(operation, 'average')],
  ['MaxPool', (operation) => pool(operation, 'max')],
  ['Mean', (operation) => reduce(operation, 'average')],
  ['Max', (operation) => reduce(operation, 'max')],
  ['Pad', pad],
  ['PadV2', pad],
  ['ResizeBilinear', (operation) => resize(operation, 'bilinear')],
  ['ResizeNearestNeighbor', (operation) => resize(operation, 'nearest')],
  ['MatMul', matMul],
  ['_FusedMatMul', matMul],
  ['BatchMatMul', matMul],
  ['BatchMatMulV2', matMul],
  ['Softmax', softmax],
  ['ConcatV2', concat],
  ['Reshape', reshape],
  ['Squeeze', squeeze],
  ['ExpandDims', expandDims],
  ['Transpose', transposeOperation],
  ['Shape', ({ value }) => integers([value(0).dims.length], value(0).dims)],
  ['StridedSlice', stridedSlice],
  ['Pack', pack],
  ['Unpack', unpack],
  ['GatherV2', gatherConstants],
  ['Prod', product],
]);

// Elementwise

const scalarOperations = {
  add: (x: number, y: number) => x + y,
  subtract: (x: number, y: number) => x - y,
  multiply: (x: number, y: number) => x * y,
  divide: (x: number, y: number) => x / y,
};

function arithmetic(op: keyof typeof scalarOperations): Handler {
  return ({ builder, place, value, budget, attributes }) => {
    const [a, b] = [value(0), value(1)];
    if (attributes.string('data_format', 'NHWC') !== 'NHWC') builder.unsupported(place, 'is not NHWC');
    if (a.kind === 'variable' || b.kind === 'variable') return builder.arithmetic(place, op, a, b);
    const whole = a.type === 'integer' && op === 'divide';
    return combine(a, b, budget, whole ? (x, y) => Math.trunc(x / y) : scalarOperations[op]);
  };
}

function negate({ builder, place, value, budget }: TfjsOperation): Value {
  const x = value(0);
  if (x.kind === 'constant') return map(x, budget, (v) => -v);
  return builder.affine(place, x, Float32Array.of(-1), Float32Array.of(0));
}

function castTo({ builder, place, value, attributes, budget }: TfjsOperation): Value {
  const x = value(0);
  const to = attributes.type('DstT') ?? 'DT_FLOAT';
  if (x.kind === 'constant') return cast(x, floatTypes.has(to) ? 'float' : 'integer', budget);
  if (!floatTypes.has(to)) builder.unsupported(place, `converts the network's tensors to ${to}, expected floats`);
  return x;
}

function clipByValue({ builder, place, variable, constant }: TfjsOperation): Value {
  const [low, high] = [constant(1).data, constant(2).data];
  if (low.length !== 1 || high.length !== 1) builder.unsupported(place, 'has a limit for each channel');
  return builder.clip(place, variable(0), low[0]!, high[0]!);
}

function bound(operation: TfjsOperation, end: 'min' | 'max'): Value {
  const { value, budget } = operation;
  const [a, b] = [value(0), value(1)];
  if (a.kind === 'variable' || b.kind === 'variable') return bounded(operation, end);
  return combine(a, b, budget, end === 'max' ? Math.min : Math.max);
}

// Convolution and windows

/** Height and width of the input, which must be NHWC of four dimensions. */
function imageSize({ builder, place, variable, attributes }: TfjsOperation): Pair {
  const { dims } = variable(0);
  const format = attributes.string('data_format', 'NHWC');
  if (format !== 'NHWC' || dims.length !== 4) {
    builder.unsupported(place, `works on [${dims}] (${format}), expected four dimensions, NHWC`);
  }
  return [dims[1]!, dims[2]!];
}

/** Height and width of an attribute of four numbers, NHWC. */
function pairOf({ builder, place, attributes }: TfjsOperation, name: string): Pair {
  const values = attributes.ints(name);
  if (values.length === 0) return [1, 1];
  const [n, h, w, c] = values;
  if (values.length !== 4 || n !== 1 || c !== 1 || !values.every((v) => v > 0)) {
    builder.unsupported(place, `${name} is [${values}], expected [1, height, width, 1]`);
  }
  return [h!, w!];
}

function paddingOf(operation: TfjsOperation, size: Pair, kernel: Pair, stride: Pair, dilation: Pair): Padding {
  const { builder, place, attributes } = operation;
  const padding = attributes.string('padding', 'VALID');
  if (padding === 'SAME') return samePadding(size, kernel, stride, dilation);
  if (padding === 'VALID') return noPadding;
  const explicit = attributes.ints('explicit_paddings');
  if (padding !== 'EXPLICIT' || !padsImage(explicit)) {
    builder.unsupported(place, `has the padding ${padding} [${explicit}], expected SAME, VALID or height and width`);
  }
  return imagePadding(explicit);
}

/**
 * What a fused operation adds to a linear layer: a bias, an activation, slopes of its own below zero. `first` is the first
 * input after the weights; `layer` makes the node.
 */
function fused(
  operation: TfjsOperation,
  first: number,
  outputs: number,
  layer: (bias: Float32Array | null, activation: Activation) => Variable,
): Value {
  const { builder, place, attributes, constant } = operation;
  const steps = attributes.strings('fused_ops');
  const activations = new Map<string, Activation>([
    ['Relu', 'relu'],
    ['Relu6', 'relu6'],
    ['Sigmoid', 'sigmoid'],
  ]);
  const biased = steps[0] === 'BiasAdd';
  const [last, ...others] = biased ? steps.slice(1) : steps;
  const activation = last === undefined ? 'none' : activations.get(last);
  const sloped = last === 'Prelu' || last === 'LeakyRelu';
  if (others.length > 0 || (!activation && !sloped)) {
    builder.unsupported(place, `fuses ${steps.join(', ')}, expected BiasAdd and then Relu, Relu6, Sigmoid or Prelu`);
  }
  const x = layer(biased ? vector(operation, constant(first), 'bias', outputs) : null, activation ?? 'none');
  if (!sloped) return x;
  const after = { ...place, node: `${place.node}/${last}`, output: `${place.output}/${last}` };
  const alpha = Float32Array.of(attributes.float('leakyrelu_alpha', 0.2));
  return rarer.prelu(builder, after, x, last === 'Prelu' ? constant(first + Number(biased)) : floats([1], alpha));
}

function conv(operation: TfjsOperation, depthwise: boolean): Value {
  const { builder, place, variable, constant } = operation;
  const spread = operation.spread(0);
  const x = spread?.x ?? variable(0);
  const size = spread?.size ?? imageSize(operation);
  const weights = constant(1);
  const { dims } = weights;
  if (dims.length !== 4) builder.damaged(place, `has weights of [${dims}], expected four dimensions`);
  const [height, width, inputs, last] = dims as [number, number, number, number];
  const channels = x.dims[3]!;
  if (depthwise ? inputs !== channels : inputs < 1 || channels % inputs !== 0) {
    builder.damaged(place, `has weights of [${dims}] for an input of [${x.dims}]`);
  }
  const outChannels = depthwise ? channels * last : last;
  const kernel: Pair = [height, width];
  const stride = pairOf(operation, 'strides');
  const dilation = pairOf(operation, 'dilations');
  const padding = paddingOf(operation, size, kernel, stride, dilation);
  const groups = depthwise ? channels : channels / inputs;
  const convolution = { weights: floatData(weights), kernel, stride, dilation, padding, groups, outChannels };
  return fused(operation, 2, outChannels, (bias, activation) =>
    spread
      ? spread.convolve(operation, spread, { ...convolution, bias, activation })
      : builder.conv(place, x, nhwc, { ...convolution, bias, activation }),
  );
}

/** Inputs are the output's shape, weights `[height][width][outputs][inputs]` and the tensor. */
function convTranspose(operation: TfjsOperation): Value {
  const { builder, place, variable, constant, attributes } = operation;
  if (attributes.string('data_format', 'NHWC') !== 'NHWC') builder.unsupported(place, 'is not NHWC');
  const [shape, weights, x] = [constant(0), constant(1), variable(2)];
  const { dims } = weights;
  const [height, width, outChannels, inputs] = dims as [number, number, number, number];
  if (dims.length !== 4 || x.dims.length !== 4 || inputs !== x.dims[3] || shape.data.length !== 4) {
    builder.damaged(place, `has weights of [${dims}] for [${x.dims}] and an output of [${shape.data.slice(0, 8)}]`);
  }
  const kernel: Pair = [height, width];
  const stride = pairOf(operation, 'strides');
  const dilation = pairOf(operation, 'dilations');
  const size: Pair = [shape.data[1]!, shape.data[2]!];
  // The padding of the convolution that leads the other way.
  const { top, left } = paddingOf(operation, size, kernel, stride, dilation);
  return rarer.convTranspose(builder, place, x, nhwc, {
    weights: tapsOutputsLast(floatData(weights), height * width, outChannels, inputs),
    bias: null,
    kernel,
    stride,
    dilation,
    crop: [top, left],
    size,
    outChannels,
    activation: 'none',
  });
}

function batchNorm(operation: TfjsOperation): Value {
  const { builder, place, variable, constant, attributes } = operation;
  imageSize(operation);
  if (attributes.bool('is_training', false)) builder.unsupported(place, 'is in training mode');
  const x = variable(0);
  const parameter = (i: number, what: string) => vector(operation, constant(i), what, x.dims[3]!);
  return rarer.batchNorm(builder, place, x, 3, {
    scale: parameter(1, 'scale'),
    shift: parameter(2, 'offset'),
    mean: parameter(3, 'mean'),
    variance: parameter(4, 'variance'),
    epsilon: attributes.float('epsilon', 1e-4),
  });
}

function pool(operation: TfjsOperation, kind: Pool['kind']): Value {
  const { builder, place, variable } = operation;
  const size = imageSize(operation);
  const kernel = pairOf(operation, 'ksize');
  const stride = pairOf(operation, 'strides');
  const padding = paddingOf(operation, size, kernel, stride, [1, 1]);
  return builder.pool(place, variable(0), nhwc, { kind, kernel, stride, padding, countPadding: false });
}

function reduce(operation: TfjsOperation, kind: Pool['kind']): Value {
  return reduced(operation, kind, operation.constant(1).data, operation.attributes.bool('keep_dims', false));
}

function pad(operation: TfjsOperation): Value {
  const { constant, count } = operation;
  return padded(operation, constant(1).data, count > 2 ? constant(2).data[0] : 0);
}

function resize(operation: TfjsOperation, mode: Resize['mode']): Value {
  const { attributes } = operation;
  imageSize(operation);
  const [align, half] = [attributes.bool('align_corners', false), attributes.bool('half_pixel_centers', false)];
  return resized(operation, mode, align, half);
}

// Products

function matMul(operation: TfjsOperation): Value {
  const { builder, place, variable, constant, attributes, budget } = operation;
  if (attributes.bool('transpose_a', false) || attributes.bool('adj_x', false)) {
    builder.unsupported(place, 'transposes its input');
  }
  const given = constant(1);
  if (given.dims.length !== 2) builder.unsupported(place, `has weights of [${given.dims}], expected two dimensions`);
  const turned = attributes.bool('transpose_b', false) || attributes.bool('adj_y', false);
  const weights = turned ? transpose(given, [1, 0], budget) : given;
  const [features, outputs] = weights.dims as [number, number];
  return fused(operation, 2, outputs, (bias, activation) =>
    builder.matMul(place, variable(0), { data: floatData(weights), features, outputs }, bias, activation),
  );
}

function softmax({ builder, place, variable }: TfjsOperation): Value {
  return builder.softmax(place, variable(0), [variable(0).dims.length - 1]);
}

// Shapes

function concat(operation: TfjsOperation): Value {
  const { value, constant, count } = operation;
  const values = Array.from({ length: count - 1 }, (_, i) => value(i));
  return joinedOrFolded(operation, values, constant(count - 1).data[0]!);
}

function joinedOrFolded(operation: TfjsOperation, values: readonly Value[], axis: number): Value {
  const constants = values.filter((x) => x.kind === 'constant');
  if (constants.length === 0 || constants.length < values.length) return joined(operation, values, axis);
  return concatConstants(constants, axisOf(axis, constants[0]!.dims.length), operation.budget);
}

/** The same elements in other dimensions. */
function reshapeTo({ builder, place }: TfjsOperation, x: Value, dims: readonly number[]): Value {
  return x.kind === 'constant' ? reshapeConstant(x, dims) : builder.reshape(place, x, dims);
}

function reshape(operation: TfjsOperation): Value {
  const x = operation.value(0);
  return reshapeTo(operation, x, resolveReshape(x.dims, operation.constant(1).data, true));
}

function squeeze(operation: TfjsOperation): Value {
  const { value, attributes } = operation;
  const x = value(0);
  const listed = [...attributes.ints('squeeze_dims'), ...attributes.ints('axis')];
  const axes = listed.map((axis) => axisOf(axis, x.dims.length));
  return reshapeTo(operation, x, squeezedDims(x.dims, axes.length > 0 ? axes : undefined));
}

function expandDims(operation: TfjsOperation): Value {
  const x = operation.value(0);
  return reshapeTo(operation, x, unsqueezedDims(x.dims, [operation.constant(1).data[0]!]));
}

function transposeOperation({ builder, value, constant, budget }: TfjsOperation): Value {
  const x = value(0);
  const permutation = permutationIn([...constant(1).data], x.dims.length);
  return x.kind === 'constant' ? transpose(x, permutation, budget) : builder.transpose(x, permutation);
}

function stridedSlice(operation: TfjsOperation): Value {
  const { builder, place, value, constant, attributes, budget } = operation;
  const x = value(0);
  const [begin, end, strides] = [constant(1).data, constant(2).data, constant(3).data];
  const mask = (name: string, i: number) => ((attributes.int(name, 0) >> i) & 1) === 1;
  if (attributes.int('ellipsis_mask', 0) !== 0 || attributes.int('new_axis_mask', 0) !== 0) {
    builder.unsupported(place, 'slices with an ellipsis or a new axis');
  }
  if (end.length !== begin.length || strides.length !== begin.length || begin.length > x.dims.length) {
    builder.damaged(place, `slices [${x.dims}] from [${begin}] to [${end}] by [${strides}]`);
  }
  const slices = x.dims.map((length, i) => {
    if (i >= begin.length) return { start: 0, length, step: 1 };
    if (mask('shrink_axis_mask', i)) {
      const at = begin[i]! < 0 ? begin[i]! + length : begin[i]!;
      if (!(at >= 0 && at < length)) throw new FoldError(`takes element ${begin[i]} of ${length}`);
      return { start: at, length: 1, step: 1 };
    }
    const step = strides[i]!;
    const from = mask('begin_mask', i) ? (step > 0 ? 0 : length - 1) : begin[i]!;
    const to = mask('end_mask', i) ? (step > 0 ? length : -length - 1) : end[i]!;
    return resolveSlice(length, from, to, step);
  });
  const dims = slices.flatMap(({ length }, i) => (i < begin.length && mask('shrink_axis_mask', i) ? [] : [length]));
  if (x.kind === 'constant') return reshapeConstant(slice(x, slices, budget), dims);
  return builder.reshape(place, wholeSlice(operation, x, slices), dims);
}

function pack(operation: TfjsOperation): Value {
  const { value, count, attributes, builder, place } = operation;
  const axis = attributes.int('axis', 0);
  const values = Array.from({ length: count }, (_, i) => value(i));
  const added = values.map((x) => reshapeTo(operation, x, unsqueezedDims(x.dims, [axis])));
  if (added.length === 1) return added[0]!;
  if (values.some((x) => x.kind === 'variable')) return builder.unsupported(place, 'stacks tensors of the network');
  return joinedOrFolded(operation, added, axis);
}

function unpack(operation: TfjsOperation): Value {
  const x = operation.value(0);
  const axis = axisOf(operation.attributes.int('axis', 0), x.dims.length);
  if (x.dims[axis] !== 1) operation.builder.unsupported(operation.place, `takes [${x.dims}] apart along axis ${axis}`);
  return reshapeTo(operation, x, squeezedDims(x.dims, [axis]));
}

function gatherConstants({ constant, count, budget }: TfjsOperation): Value {
  const x = constant(0);
  return gather(x, constant(1), axisOf(count > 2 ? constant(2).data[0]! : 0, x.dims.length), budget);
}

function product({ constant, builder, place, attributes }: TfjsOperation): Value {
  const x = constant(0);
  if (x.dims.length !== 1) builder.unsupported(place, 'multiplies more than a vector');
  const total = [...x.data].reduce((a, b) => a * b, 1);
  return integers(attributes.bool('keep_dims', false) ? [1] : [], [total]);
}
