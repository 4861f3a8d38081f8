/** TensorFlow Lite operators that few files have, fetched for those. Indices of fields are those of TensorFlow's schema.fbs. */
import type { ConvTranspose2d, Resize } from '../../graph/ops.ts';
import { transposedOutput } from '../../graph/shapes.ts';
import type { Constant } from '../core/constants.ts';
import { permutationIn } from '../core/dims.ts';
import { transpose as transposeConstant } from '../core/fold.ts';
import { nhwc, type Value, type Variable } from '../core/import-builder.ts';
import { floatData } from '../core/operations.ts';
import * as rarer from '../core/rarer-layers.ts';
import { bounded, joined, leaky, padded, resized, vector } from '../core/rarer-operations.ts';
import { batchToSpace, spaceToBatch } from '../core/space-to-batch.ts';
import { outputsLast } from '../core/weights.ts';
import {
  fused,
  type Handler,
  imageSize,
  learnt,
  type Operators,
  paddingOf,
  positive,
  real,
  type TfliteOperation,
  withActivation,
} from './operations.ts';

export { isTransposedFromNchw } from './input-order.ts';

export const rareOperators: Operators = new Map([
  [2, ['CONCATENATION', concat, 10]],
  [20, ['RELU_N1_TO_1', ({ builder, place, variable }) => builder.clip(place, variable(0), -1, 1)]],
  [23, ['RESIZE_BILINEAR', (operation) => resize(operation, 'bilinear', 2), 15]],
  [28, ['TANH', ({ builder, place, variable }) => rarer.tanh(builder, place, variable(0))]],
  [34, ['PAD', pad]],
  [55, ['MAXIMUM', (operation) => bound(operation, 'min')]],
  [57, ['MINIMUM', (operation) => bound(operation, 'max')]],
  [60, ['PADV2', pad]],
  [97, ['RESIZE_NEAREST_NEIGHBOR', (operation) => resize(operation, 'nearest', 0), 74]],
  [11, ['L2_NORMALIZATION', l2Normalization, 20]],
  [37, ['BATCH_TO_SPACE_ND', batchToSpace]],
  [38, ['SPACE_TO_BATCH_ND', spaceToBatch]],
  [39, ['TRANSPOSE', transpose]],
  [
    54,
    [
      'PRELU',
      (operation) => rarer.prelu(operation.builder, operation.place, operation.variable(0), learnt(operation, 1)),
    ],
  ],
  [67, ['TRANSPOSE_CONV', transposeConv, 49]],
  [69, ['TILE', tile]],
  [98, ['LEAKY_RELU', (operation) => leaky(operation, operation.options?.float(0) ?? 0), 75]],
  [101, ['ABS', (operation) => leaky(operation, -1)]],
]);

/** Custom operators by their names. */
export const customOperators = new Map<string, Handler>([['Convolution2DTransposeBias', transposeConvBias]]);

const bound = (operation: TfliteOperation, end: 'min' | 'max'): Value =>
  bounded({ ...operation, value: (i) => real(operation, i) }, end);

/** One value a channel, repeated for each pixel: as pooled features are joined to others. */
function tile({ builder, place, variable, constant }: TfliteOperation): Value {
  const x = variable(0);
  const [n, height, width, c] = constant(1).data;
  const fits = x.dims.length === 4 && x.dims[1] === 1 && x.dims[2] === 1 && constant(1).data.length === 4;
  if (!fits || n !== 1 || c !== 1 || !(height! > 0 && width! > 0)) {
    builder.unsupported(place, `repeats [${x.dims}], expected one pixel that is repeated along height and width`);
  }
  return height === 1 && width === 1
    ? x
    : rarer.resize(builder, place, x, nhwc, [height!, width!], 'nearest', 'asymmetric');
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
  const bias = count > 3 ? learnt(operation, 3) : null;
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
  return transposed(operation, 0, learnt(operation, 2), spec);
}

/** Weights are `[outputs][height][width][inputs]`. */
function transposed(
  operation: TfliteOperation,
  input: number,
  bias: Constant | null,
  spec: Pick<ConvTranspose2d, 'size' | 'stride' | 'crop' | 'activation'>,
): Variable {
  const { builder, place, variable } = operation;
  const [x, weights] = [variable(input), learnt(operation, 1)];
  const [outChannels, height, width, inputs] = weights.dims as [number, number, number, number];
  if (weights.dims.length !== 4 || x.dims.length !== 4 || inputs !== x.dims[3]) {
    builder.damaged(place, `has weights of [${weights.dims}] for an input of [${x.dims}]`);
  }
  return rarer.convTranspose(builder, place, x, nhwc, {
    ...spec,
    weights: outputsLast(floatData(weights), outChannels, weights.data.length / outChannels),
    bias: bias && vector(operation, bias, 'bias', outChannels),
    kernel: positive(operation, 'kernel', height, width),
    dilation: [1, 1],
    outChannels,
  });
}

/** Over the last dimension; 10⁻⁶ is that of TensorFlow Lite's own kernels. */
function l2Normalization(operation: TfliteOperation): Value {
  const { builder, place, variable } = operation;
  const x = variable(0);
  return withActivation(operation, rarer.l2Normalize(builder, place, x, [x.dims.length - 1], 1e-6), 0);
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
