/** What each TensorFlow Lite operator becomes in the graph. Indices of fields are those of TensorFlow's schema.fbs. */
import type { Activation, Padding, Pair, Pool } from '../../graph/ops.ts';
import { noPadding, samePadding } from '../../graph/shapes.ts';
import { type Constant, type FoldBudget, reshape as reshapeConstant } from '../core/constants.ts';
import { type Interval, nhwc, type Value, type Variable } from '../core/import-builder.ts';
import { activationInterval } from '../core/intervals.ts';
import type { Operands } from '../core/operands.ts';
import { activation, floatData, reduced } from '../core/operations.ts';
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

export type Handler = (operation: TfliteOperation) => Value;

/** Operators by the number of BuiltinOperator; `options` is the type in the union BuiltinOptions, where the handler reads them. */
export type Operators = ReadonlyMap<number, readonly [name: string, handler: Handler, options?: number]>;

/** Those of most classifiers; the others are in rare-operations.ts. */
export const operators: Operators = new Map([
  [0, ['ADD', arithmetic('add'), 11]],
  [1, ['AVERAGE_POOL_2D', (operation) => pool(operation, 'average'), 5]],
  [3, ['CONV_2D', (operation) => conv(operation, false), 1]],
  [4, ['DEPTHWISE_CONV_2D', (operation) => conv(operation, true), 2]],
  [6, ['DEQUANTIZE', ({ value }) => value(0)]],
  [9, ['FULLY_CONNECTED', fullyConnected, 8]],
  [14, ['LOGISTIC', activation('sigmoid')]],
  [17, ['MAX_POOL_2D', (operation) => pool(operation, 'max'), 5]],
  [18, ['MUL', arithmetic('multiply'), 21]],
  [19, ['RELU', activation('relu')]],
  [21, ['RELU6', activation('relu6')]],
  [22, ['RESHAPE', reshape]],
  [25, ['SOFTMAX', softmax, 9]],
  [40, ['MEAN', (call) => reduced(call, 'average', call.constant(1).data, call.options?.bool(0) ?? false), 27]],
  [41, ['SUB', arithmetic('subtract'), 28]],
  [42, ['DIV', arithmetic('divide'), 29]],
  [43, ['SQUEEZE', reshape]],
  [53, ['CAST', cast]],
  [70, ['EXPAND_DIMS', reshape]],
  [114, ['QUANTIZE', ({ value }) => value(0)]],
  [117, ['HARD_SWISH', activation('hard-swish')]],
]);

/** Largest kernel, stride, dilation: beyond it is damage or an attack. */
const mostPixels = 4096;

/** ActivationFunctionType. */
function stated({ builder, place, options }: TfliteOperation, field: number): Activation {
  const code = options?.byte(field) ?? 0;
  const name = (['none', 'relu', null, 'relu6'] as const)[code];
  return name ?? builder.unsupported(place, `fuses the activation ${code}, expected none, RELU or RELU6`);
}

/** Of a linear layer: none where the range of the output's integers is the same activation and cuts closer. */
export function fused(operation: TfliteOperation, field: number): Activation {
  const [name, { range }] = [stated(operation, field), operation];
  const own = activationInterval[name];
  return own && range && range.low >= own.low && range.high < own.high ? 'none' : name;
}

export function withActivation(operation: TfliteOperation, y: Variable, field: number): Variable {
  const name = stated(operation, field);
  const { builder, place } = operation;
  return name === 'none' ? y : builder.activation({ ...place, node: `${place.node}/${name}` }, y, name);
}

/** Input `i`, numbers of the network where the output is: integers without a scale are none. */
export function real(operation: TfliteOperation, i: number): Value {
  const x = operation.value(i);
  if (x.kind === 'constant' && x.type === 'integer' && operation.outputType === 'FLOAT32') {
    operation.builder.damaged(operation.place, `input ${i} holds integers without a scale, expected floats`);
  }
  return x;
}

/** Input `i`, a constant that was learnt. */
export function learnt(operation: TfliteOperation, i: number): Constant {
  real(operation, i);
  return operation.constant(i);
}

function arithmetic(op: 'add' | 'subtract' | 'multiply' | 'divide'): Handler {
  return (operation) => {
    const { builder, place } = operation;
    return withActivation(operation, builder.arithmetic(place, op, real(operation, 0), real(operation, 1)), 0);
  };
}

export function imageSize({ builder, place, variable }: TfliteOperation): Pair {
  const { dims } = variable(0);
  if (dims.length !== 4) builder.damaged(place, `works on [${dims}], expected four dimensions`);
  return [dims[1]!, dims[2]!];
}

export function positive({ builder, place }: TfliteOperation, what: string, height: number, width: number): Pair {
  if (!(height > 0 && width > 0 && height <= mostPixels && width <= mostPixels)) {
    builder.damaged(place, `has the ${what} ${height} × ${width}, expected 1 to ${mostPixels}`);
  }
  return [height, width];
}

/** Padding of schema.fbs: 0 SAME, 1 VALID. */
export function paddingOf(operation: TfliteOperation, size: Pair, kernel: Pair, stride: Pair, dilation: Pair): Padding {
  const code = operation.options?.byte(0) ?? 0;
  if (code === 0) return samePadding(size, kernel, stride, dilation);
  if (code === 1) return noPadding;
  return operation.builder.damaged(operation.place, `has the padding ${code}, expected 0 (SAME) or 1 (VALID)`);
}

function conv(operation: TfliteOperation, depthwise: boolean): Value {
  const { builder, place, options, variable, count } = operation;
  const weights = learnt(operation, 1);
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
  const bias = count > 2 ? floatData(learnt(operation, 2)) : null;
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
  return spread ? spread.convolve(operation, spread, convolution) : builder.conv(place, x, nhwc, convolution);
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
  const { builder, place, options, variable, count } = operation;
  const weights = learnt(operation, 1);
  const [outputs, features] = weights.dims as [number, number];
  if (weights.dims.length !== 2) builder.damaged(place, `has weights of [${weights.dims}], expected two dimensions`);
  if ((options?.byte(1) ?? 0) !== 0) builder.unsupported(place, 'has shuffled weights');
  const x = variable(0);
  const rows = x.dims.reduce((product, d) => product * d, 1) / features;
  const keeps = options?.bool(2) ?? false;
  const flat =
    keeps || (x.dims.length === 2 && x.dims[1] === features) ? x : builder.reshape(place, x, [rows, features]);
  const bias = count > 2 ? floatData(learnt(operation, 2)) : null;
  const data = outputsLast(floatData(weights), outputs, features);
  return builder.matMul(place, flat, { data, features, outputs }, bias, fused(operation, 0));
}

function softmax({ builder, place, options, variable }: TfliteOperation): Value {
  const beta = options?.float(0) ?? 1;
  if (beta !== 1 && beta !== 0) builder.unsupported(place, `has beta ${beta}, expected 1`);
  const x = variable(0);
  return builder.softmax(place, x, [x.dims.length - 1]);
}

/** RESHAPE, SQUEEZE, EXPAND_DIMS: the output's shape is stated by the file. */
function reshape({ builder, place, value, outputDims }: TfliteOperation): Value {
  const x = value(0);
  return x.kind === 'constant' ? reshapeConstant(x, outputDims) : builder.reshape(place, x, outputDims);
}
