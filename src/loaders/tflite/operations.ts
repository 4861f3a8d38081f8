/** What each TensorFlow Lite operator becomes in the graph. Indices of fields are those of TensorFlow's schema.fbs. */
import type { Activation, ConvTranspose2d, Padding, Pair, Pool, Resize } from '../../graph/ops.ts';
import { noPadding, samePadding, transposedOutput } from '../../graph/shapes.ts';
import type { Constant, FoldBudget } from '../core/constants.ts';
import { permutationIn } from '../core/dims.ts';
import { reshape as reshapeConstant, transpose as transposeConstant } from '../core/fold.ts';
import { type Interval, nhwc, type Value, type Variable } from '../core/import-builder.ts';
import type { Operands } from '../core/operands.ts';
import { activation, bounded, floatData, joined, leaky, padded, reduced, resized, vector } from '../core/operations.ts';
import { activationInterval } from '../core/saturation.ts';
import { batchToSpace, convolveSpread, spaceToBatch } from '../core/space-to-batch.ts';
import { outputsLast } from '../core/weights.ts';
import type { FlatTable } from './flat-table.ts';

export interface TfliteOperation extends Operands {
  /** The operator's options; null where the file has none. */
  readonly options: FlatTable | null;
  /** The bytes of a custom operator's options; empty for others. */
  readonly customOptions: Uint8Array;
  /** What the integers of the output can hold; null where it holds floats. */
  readonly range: Interval | null;
  readonly budget: FoldBudget;
  /** Dimensions that the file states for the output. */
  readonly outputDims: readonly number[];
  readonly outputType: string;
}

type Handler = (operation: TfliteOperation) => Value;

/** By the number of BuiltinOperator; `options` is the type in the union BuiltinOptions, where the handler reads them. */
export const operators = new Map<number, readonly [name: string, handler: Handler, options?: number]>([
  [0, ['ADD', arithmetic('add'), 11]],
  [1, ['AVERAGE_POOL_2D', (operation) => pool(operation, 'average'), 5]],
  [2, ['CONCATENATION', concat, 10]],
  [3, ['CONV_2D', (operation) => conv(operation, false), 1]],
  [4, ['DEPTHWISE_CONV_2D', (operation) => conv(operation, true), 2]],
  [6, ['DEQUANTIZE', ({ value }) => value(0)]],
  [9, ['FULLY_CONNECTED', fullyConnected, 8]],
  [11, ['L2_NORMALIZATION', l2Normalization, 20]],
  [14, ['LOGISTIC', activation('sigmoid')]],
  [17, ['MAX_POOL_2D', (operation) => pool(operation, 'max'), 5]],
  [18, ['MUL', arithmetic('multiply'), 21]],
  [19, ['RELU', activation('relu')]],
  [20, ['RELU_N1_TO_1', ({ builder, place, variable }) => builder.clip(place, variable(0), -1, 1)]],
  [21, ['RELU6', activation('relu6')]],
  [22, ['RESHAPE', reshape]],
  [23, ['RESIZE_BILINEAR', (operation) => resize(operation, 'bilinear', 2), 15]],
  [25, ['SOFTMAX', softmax, 9]],
  [34, ['PAD', pad]],
  [37, ['BATCH_TO_SPACE_ND', batchToSpace]],
  [38, ['SPACE_TO_BATCH_ND', spaceToBatch]],
  [39, ['TRANSPOSE', transpose]],
  [40, ['MEAN', (call) => reduced(call, 'average', call.constant(1).data, call.options?.bool(0) ?? false), 27]],
  [41, ['SUB', arithmetic('subtract'), 28]],
  [42, ['DIV', arithmetic('divide'), 29]],
  [43, ['SQUEEZE', reshape]],
  [53, ['CAST', cast]],
  [54, ['PRELU', ({ builder, place, variable, constant }) => builder.prelu(place, variable(0), constant(1))]],
  [55, ['MAXIMUM', (operation) => bounded(operation, 'min')]],
  [57, ['MINIMUM', (operation) => bounded(operation, 'max')]],
  [60, ['PADV2', pad]],
  [67, ['TRANSPOSE_CONV', transposeConv, 49]],
  [70, ['EXPAND_DIMS', reshape]],
  [97, ['RESIZE_NEAREST_NEIGHBOR', (operation) => resize(operation, 'nearest', 0), 74]],
  [98, ['LEAKY_RELU', (operation) => leaky(operation, operation.options?.float(0) ?? 0), 75]],
  [101, ['ABS', (operation) => leaky(operation, -1)]],
  [114, ['QUANTIZE', ({ value }) => value(0)]],
  [117, ['HARD_SWISH', activation('hard-swish')]],
]);

/** Custom operators by their names. */
export const customOperators = new Map<string, Handler>([['Convolution2DTransposeBias', transposeConvBias]]);

/** Largest kernel, stride, dilation: beyond it is damage or an attack. */
const mostPixels = 4096;

/** ActivationFunctionType. */
function stated({ builder, place, options }: TfliteOperation, field: number): Activation {
  const code = options?.byte(field) ?? 0;
  const name = (['none', 'relu', null, 'relu6'] as const)[code];
  return name ?? builder.unsupported(place, `fuses the activation ${code}, expected none, RELU or RELU6`);
}

/** Of a linear layer: none where the range of the output's integers is the same activation and cuts closer. */
function fused(operation: TfliteOperation, field: number): Activation {
  const [name, { range }] = [stated(operation, field), operation];
  const own = activationInterval[name];
  return own && range && range.low >= own.low && range.high < own.high ? 'none' : name;
}

function withActivation(operation: TfliteOperation, y: Variable, field: number): Variable {
  const name = stated(operation, field);
  const { builder, place } = operation;
  return name === 'none' ? y : builder.activation({ ...place, node: `${place.node}/${name}` }, y, name);
}

function arithmetic(op: 'add' | 'subtract' | 'multiply' | 'divide'): Handler {
  return (operation) => {
    const { builder, place, value } = operation;
    return withActivation(operation, builder.arithmetic(place, op, value(0), value(1)), 0);
  };
}

function imageSize({ builder, place, variable }: TfliteOperation): Pair {
  const { dims } = variable(0);
  if (dims.length !== 4) builder.damaged(place, `works on [${dims}], expected four dimensions`);
  return [dims[1]!, dims[2]!];
}

function positive({ builder, place }: TfliteOperation, what: string, height: number, width: number): Pair {
  if (!(height > 0 && width > 0 && height <= mostPixels && width <= mostPixels)) {
    builder.damaged(place, `has the ${what} ${height} × ${width}, expected 1 to ${mostPixels}`);
  }
  return [height, width];
}

/** Padding of schema.fbs: 0 SAME, 1 VALID. */
function paddingOf(operation: TfliteOperation, size: Pair, kernel: Pair, stride: Pair, dilation: Pair): Padding {
  const code = operation.options?.byte(0) ?? 0;
  if (code === 0) return samePadding(size, kernel, stride, dilation);
  if (code === 1) return noPadding;
  return operation.builder.damaged(operation.place, `has the padding ${code}, expected 0 (SAME) or 1 (VALID)`);
}

function conv(operation: TfliteOperation, depthwise: boolean): Value {
  const { builder, place, options, variable, constant, count } = operation;
  const weights = constant(1);
  if (weights.dims.length !== 4) builder.damaged(place, `has weights of [${weights.dims}], expected four dimensions`);
  const spread = operation.spread(0);
  const x = spread?.x ?? variable(0);
  const size = spread?.size ?? imageSize(operation);
  const channels = x.dims[3]!;
  const [outer, height, width, last] = weights.dims as [number, number, number, number];
  const outChannels = depthwise ? last : outer;
  const groups = depthwise ? channels : channels / last;
  if (depthwise ? outer !== 1 || outChannels % channels !== 0 : !Number.isInteger(groups)) {
    builder.damaged(place, `has weights of [${weights.dims}] for an input of [${x.dims}]`);
  }
  const kernel = positive(operation, 'kernel', height, width);
  const stride = positive(operation, 'stride', options?.int(2) ?? 0, options?.int(1) ?? 0);
  const at = depthwise ? 5 : 4;
  const dilation = positive(operation, 'dilation', options?.int(at + 1, 1) ?? 1, options?.int(at, 1) ?? 1);
  const bias = count > 2 ? floatData(constant(2)) : null;
  if (bias && bias.length !== outChannels)
    builder.damaged(place, `has ${bias.length} biases for ${outChannels} outputs`);
  const convolution = {
    weights: depthwise
      ? floatData(weights)
      : outputsLast(floatData(weights), outChannels, weights.data.length / outChannels),
    bias,
    kernel,
    stride,
    dilation,
    padding: paddingOf(operation, size, kernel, stride, dilation),
    groups,
    outChannels,
    activation: fused(operation, depthwise ? 4 : 3),
  };
  return spread ? convolveSpread(operation, spread, convolution) : builder.conv(place, x, nhwc, convolution);
}

/** TRANSPOSE_CONV: inputs are the output's shape, weights, the tensor, and a bias in later versions. */
function transposeConv(operation: TfliteOperation): Value {
  const { builder, place, options, value, constant, count, outputDims } = operation;
  const shape = value(0);
  const [height, width] = (shape.kind === 'constant' ? [...shape.data] : outputDims).slice(1);
  const size = positive(operation, 'output', height ?? 0, width ?? 0);
  const stride = positive(operation, 'stride', options?.int(2) ?? 0, options?.int(1) ?? 0);
  const kernelOf = (axis: 1 | 2) => constant(1).dims[axis] ?? 0;
  // The padding of the convolution that leads the other way.
  const { top, left } = paddingOf(operation, size, [kernelOf(1), kernelOf(2)], stride, [1, 1]);
  const bias = count > 3 ? constant(3) : null;
  const y = transposed(operation, 2, bias, { size, stride, crop: [top, left], activation: fused(operation, 3) });
  return y.dims[3] === outputDims[3] || outputDims.length !== 4
    ? y
    : builder.damaged(place, `makes [${y.dims}], where the file states [${outputDims}]`);
}

/** MediaPipe's operator (mediapipe/util/tflite/operations/transpose_conv_bias.cc): padding, width and height of the stride. */
function transposeConvBias(operation: TfliteOperation): Value {
  const { builder, place, customOptions, variable, constant } = operation;
  if (customOptions.length < 12) builder.damaged(place, `has ${customOptions.length} bytes of options, expected 12`);
  const view = new DataView(customOptions.buffer, customOptions.byteOffset);
  const [padding, strideX, strideY] = [0, 4, 8].map((at) => view.getInt32(at, true)) as [number, number, number];
  if (padding !== 1 && padding !== 2)
    builder.damaged(place, `has the padding ${padding}, expected 1 (SAME) or 2 (VALID)`);
  const stride = positive(operation, 'stride', strideY, strideX);
  const x = variable(0);
  const along = (axis: 0 | 1) => {
    const kernel = constant(1).dims[axis + 1] ?? 0;
    const input = x.dims[axis + 1] ?? 0;
    const cut = padding === 1 ? Math.max(0, kernel - ((input - 1) % stride[axis]) - 1) : 0;
    return { size: transposedOutput(input, kernel, stride[axis], 1) - cut, crop: Math.floor(cut / 2) };
  };
  const [y, z] = [along(0), along(1)];
  const size = positive(operation, 'output', y.size, z.size);
  const spec = { size, stride, crop: [y.crop, z.crop], activation: 'none' } as const;
  return transposed(operation, 0, constant(2), spec);
}

/** Weights are `[outputs][height][width][inputs]`. */
function transposed(
  operation: TfliteOperation,
  input: number,
  bias: Constant | null,
  spec: Pick<ConvTranspose2d, 'size' | 'stride' | 'crop' | 'activation'>,
): Variable {
  const { builder, place, constant, variable } = operation;
  const [x, weights] = [variable(input), constant(1)];
  const [outChannels, height, width, inputs] = weights.dims as [number, number, number, number];
  if (weights.dims.length !== 4 || x.dims.length !== 4 || inputs !== x.dims[3]) {
    builder.damaged(place, `has weights of [${weights.dims}] for an input of [${x.dims}]`);
  }
  return builder.convTranspose(place, x, nhwc, {
    ...spec,
    weights: outputsLast(floatData(weights), outChannels, weights.data.length / outChannels),
    bias: bias && vector(operation, bias, 'bias', outChannels),
    kernel: positive(operation, 'kernel', height, width),
    dilation: [1, 1],
    outChannels,
  });
}

/** To floats, of whatever it is that the network computes in real numbers. */
function cast({ builder, place, value, outputType }: TfliteOperation): Value {
  const x = value(0);
  if (x.kind === 'variable' && outputType !== 'FLOAT32') {
    builder.unsupported(place, `converts the network's tensors to ${outputType}, expected FLOAT32`);
  }
  return x;
}

function pool(operation: TfliteOperation, kind: Pool['kind']): Value {
  const { builder, place, options, variable } = operation;
  const size = imageSize(operation);
  const stride = positive(operation, 'stride', options?.int(2) ?? 0, options?.int(1) ?? 0);
  const kernel = positive(operation, 'window', options?.int(4) ?? 0, options?.int(3) ?? 0);
  const padding = paddingOf(operation, size, kernel, stride, [1, 1]);
  const y = builder.pool(place, variable(0), nhwc, { kind, kernel, stride, padding, countPadding: false });
  return withActivation(operation, y, 5);
}

function fullyConnected(operation: TfliteOperation): Value {
  const { builder, place, options, variable, constant, count } = operation;
  const weights = constant(1);
  const [outputs, features] = weights.dims as [number, number];
  if (weights.dims.length !== 2) builder.damaged(place, `has weights of [${weights.dims}], expected two dimensions`);
  if ((options?.byte(1) ?? 0) !== 0) builder.unsupported(place, 'has shuffled weights');
  const x = variable(0);
  const rows = x.dims.reduce((product, d) => product * d, 1) / features;
  const keeps = options?.bool(2) ?? false;
  const flat =
    keeps || (x.dims.length === 2 && x.dims[1] === features) ? x : builder.reshape(place, x, [rows, features]);
  const bias = count > 2 ? floatData(constant(2)) : null;
  const data = outputsLast(floatData(weights), outputs, features);
  return builder.matMul(place, flat, { data, features, outputs }, bias, fused(operation, 0));
}

function softmax({ builder, place, options, variable }: TfliteOperation): Value {
  const beta = options?.float(0) ?? 1;
  if (beta !== 1 && beta !== 0) builder.unsupported(place, `has beta ${beta}, expected 1`);
  const x = variable(0);
  return builder.softmax(place, x, [x.dims.length - 1]);
}

/** Over the last dimension; 10⁻⁶ is that of TensorFlow Lite's own kernels. */
function l2Normalization(operation: TfliteOperation): Value {
  const { builder, place, variable } = operation;
  const x = variable(0);
  return withActivation(operation, builder.l2Normalize(place, x, [x.dims.length - 1], 1e-6), 0);
}

/** RESHAPE, SQUEEZE, EXPAND_DIMS: the output's shape is stated by the file. */
function reshape({ builder, place, value, outputDims }: TfliteOperation): Value {
  const x = value(0);
  return x.kind === 'constant' ? reshapeConstant(x, outputDims) : builder.reshape(place, x, outputDims);
}

/** Of weights too: LiteRT Torch writes them in PyTorch's order, and what transposes them. */
function transpose({ builder, value, constant, budget }: TfliteOperation): Value {
  const x = value(0);
  const permutation = permutationIn([...constant(1).data], x.dims.length);
  return x.kind === 'constant' ? transposeConstant(x, permutation, budget) : builder.transpose(x, permutation);
}

function pad(operation: TfliteOperation): Value {
  const { constant, count } = operation;
  return padded(operation, constant(1).data, count > 2 ? constant(2).data[0] : 0);
}

function resize(operation: TfliteOperation, mode: Resize['mode'], field: number): Value {
  const { options } = operation;
  imageSize(operation);
  return resized(operation, mode, options?.bool(field) ?? false, options?.bool(field + 1) ?? false);
}

function concat(operation: TfliteOperation): Value {
  const { options, value, count } = operation;
  const values = Array.from({ length: count }, (_, i) => value(i));
  return withActivation(operation, joined(operation, values, options?.int(0) ?? 0), 1);
}
