/** What each Keras layer becomes in the graph. */
import type { Activation, Padding, Pair, Pool } from '../../graph/ops.ts';
import { noPadding, samePadding } from '../../graph/shapes.ts';
import { floats } from '../core/constants.ts';
import { type Axis, type ImportBuilder, nchw, nhwc, type Place, type Variable } from '../core/import-builder.ts';
import { listOf } from '../core/json.ts';
import { perChannel } from '../core/layouts.ts';
import * as rarer from '../core/rarer-layers.ts';
import { tapsOutputsLast } from '../core/rarer-weights.ts';
import type { LayerConfig } from './layer-config.ts';

export interface LayerCall {
  readonly place: Place;
  readonly builder: ImportBuilder;
  readonly config: LayerConfig;
  readonly inputs: readonly Variable[];
  /** The only input. */
  readonly input: Variable;
  /** The weight of this layer; refused where its dimensions are others. */
  readonly weight: (name: string, dims: readonly number[]) => Float32Array;
  /** Whether Keras 3 wrote the file: it defines hard_sigmoid anew. */
  readonly keras3: boolean;
}

type Handler = (call: LayerCall) => Variable;

const identity: Handler = ({ input }) => input;

export const layers = new Map<string, Handler>([
  ['Dropout', identity],
  ['SpatialDropout2D', identity],
  ['GaussianDropout', identity],
  ['GaussianNoise', identity],
  ['AlphaDropout', identity],
  ['ActivityRegularization', identity],
  ['Conv2D', conv],
  ['Conv2DTranspose', convTranspose],
  ['DepthwiseConv2D', depthwiseConv],
  ['SeparableConv2D', separableConv],
  ['BatchNormalization', batchNorm],
  ['BatchNormalizationV1', batchNorm],
  ['BatchNormalizationV2', batchNorm],
  ['ReLU', relu],
  ['LeakyReLU', leakyRelu],
  ['PReLU', prelu],
  ['Activation', (call) => activate(call, call.input, call.config.functionName('activation', 'linear'))],
  ['Softmax', (call) => call.builder.softmax(call.place, call.input, [axisOf(call)])],
  ['ZeroPadding2D', zeroPadding],
  ['GlobalAveragePooling2D', (call) => globalPool(call, 'average')],
  ['GlobalMaxPooling2D', (call) => globalPool(call, 'max')],
  ['AveragePooling2D', (call) => pool(call, 'average')],
  ['MaxPooling2D', (call) => pool(call, 'max')],
  ['Dense', dense],
  ['Add', (call) => merge(call, 'add')],
  ['Subtract', (call) => merge(call, 'subtract')],
  ['Multiply', (call) => merge(call, 'multiply')],
  ['Concatenate', concatenate],
  ['Reshape', reshape],
  ['Flatten', flatten],
  ['Permute', permute],
  ['Rescaling', rescaling],
  ['UpSampling2D', upSampling],
]);

const axisOf = ({ config, input }: LayerCall): number => config.axis('axis', input.dims.length);

// Activations

/** Those that the graph has under a name of its own. */
const activations = new Map<string, Activation>([
  ['linear', 'none'],
  ['relu', 'relu'],
  ['relu6', 'relu6'],
  ['sigmoid', 'sigmoid'],
  ['hard_swish', 'hard-swish'],
  ['hard_silu', 'hard-swish'],
]);

function activate({ builder, place, keras3 }: LayerCall, x: Variable, name: string): Variable {
  const own = activations.get(name);
  if (own === 'none') return x;
  if (own) return builder.activation(place, x, own);
  switch (name) {
    case 'softmax':
      return builder.softmax(place, x, [x.dims.length - 1]);
    case 'hard_sigmoid':
      return keras3 ? builder.activation(place, x, 'hard-sigmoid') : rarer.hardSigmoid(builder, place, x, 0.2, 0.5);
    case 'swish':
    case 'silu':
      return builder.arithmetic(place, 'multiply', x, builder.activation(place, x, 'sigmoid'));
    default:
      return builder.unsupported(place, `has the activation ${JSON.stringify(name)}`);
  }
}

/** The activation of a layer's own: what its node applies, and what follows it. */
function ownActivation({ config }: LayerCall): { activation: Activation; after: string } {
  const name = config.functionName('activation', 'linear');
  const activation = activations.get(name);
  return activation ? { activation, after: 'linear' } : { activation: 'none', after: name };
}

function relu({ builder, place, config, input }: LayerCall): Variable {
  const slope = config.number('negative_slope', 0);
  const limited = config.get('max_value') !== undefined;
  if ((slope !== 0 && limited) || config.number('threshold', 0) !== 0) {
    return builder.unsupported(place, 'has a slope below zero beside a largest value, or a threshold');
  }
  if (!limited) return rarer.prelu(builder, place, input, floats([1], Float32Array.of(slope)));
  const max = config.number('max_value', 0);
  return max === 6 ? builder.activation(place, input, 'relu6') : builder.clip(place, input, 0, max);
}

/** Keras 2 calls the slope alpha, Keras 3 negative_slope. */
function leakyRelu({ builder, place, config, input }: LayerCall): Variable {
  const alpha = config.number('negative_slope', config.number('alpha', 0.3));
  return rarer.prelu(builder, place, input, floats([1], Float32Array.of(alpha)));
}

/** A slope for each element of an image, but where axes share one. */
function prelu({ builder, place, config, input, weight }: LayerCall): Variable {
  const shared = config.get('shared_axes') === undefined ? [] : config.integers('shared_axes', 1);
  const dims = input.dims.slice(1).map((d, i) => (shared.includes(i + 1) ? 1 : d));
  return rarer.prelu(builder, place, input, floats(dims, weight('alpha', dims)));
}

// Convolution and windows

interface Image {
  readonly order: readonly Axis[];
  readonly size: Pair;
  readonly channels: number;
}

function imageOf({ builder, place, config, input }: LayerCall): Image {
  const { dims } = input;
  if (dims.length !== 4) builder.damaged(place, `works on [${dims}], expected four dimensions`);
  const [, a, b, c] = dims as [number, number, number, number];
  return config.channelsFirst()
    ? { order: nchw, size: [b, c], channels: a }
    : { order: nhwc, size: [a, b], channels: c };
}

function paddingOf({ builder, place, config }: LayerCall, size: Pair, window: Window): Padding {
  const padding = config.string('padding', 'valid');
  if (padding === 'same') return samePadding(size, window.kernel, window.stride, window.dilation);
  if (padding !== 'valid') builder.unsupported(place, `has the padding "${padding}", expected same or valid`);
  return noPadding;
}

interface Window {
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly dilation: Pair;
}

const windowOf = ({ config }: LayerCall): Window => ({
  kernel: config.pair('kernel_size', undefined),
  stride: config.pair('strides', [1, 1]),
  dilation: config.pair('dilation_rate', [1, 1]),
});

const biasOf = ({ config, weight }: LayerCall, outputs: number): Float32Array | null =>
  config.bool('use_bias', true) ? weight('bias', [outputs]) : null;

function conv(call: LayerCall): Variable {
  const { builder, place, config, input, weight } = call;
  const { order, size, channels } = imageOf(call);
  const window = windowOf(call);
  const outChannels = config.count('filters');
  const groups = config.count('groups', 1);
  if (channels % groups !== 0 || outChannels % groups !== 0) config.fail('groups', `a divisor of ${channels} channels`);
  const { activation, after } = ownActivation(call);
  const result = builder.conv(place, input, order, {
    ...window,
    weights: weight('kernel', [...window.kernel, channels / groups, outChannels]),
    bias: biasOf(call, outChannels),
    padding: paddingOf(call, size, window),
    groups,
    outChannels,
    activation,
  });
  return activate(call, result, after);
}

function convTranspose(call: LayerCall): Variable {
  const { builder, place, config, input, weight } = call;
  const { order, size: from, channels } = imageOf(call);
  const window = windowOf(call);
  const outChannels = config.count('filters');
  if (window.dilation.some((d) => d !== 1) || (config.get('output_padding') ?? null) !== null) {
    builder.unsupported(place, 'has a dilation or output_padding');
  }
  const same = config.string('padding', 'valid') === 'same';
  const along = (axis: 0 | 1) =>
    from[axis] * window.stride[axis] + (same ? 0 : Math.max(window.kernel[axis] - window.stride[axis], 0));
  const size: Pair = [along(0), along(1)];
  // The padding of the convolution that leads the other way.
  const { top, left } = paddingOf(call, size, window);
  const kernel = weight('kernel', [...window.kernel, outChannels, channels]);
  const { activation, after } = ownActivation(call);
  const result = rarer.convTranspose(builder, place, input, order, {
    ...window,
    weights: tapsOutputsLast(kernel, window.kernel[0] * window.kernel[1], outChannels, channels),
    bias: biasOf(call, outChannels),
    crop: [top, left],
    size,
    outChannels,
    activation,
  });
  return activate(call, result, after);
}

/** Dilated as Keras has it; TensorFlow.js 4.22 drops the dilation of this layer. */
function depthwiseConv(call: LayerCall): Variable {
  const { channels } = imageOf(call);
  const outChannels = channels * call.config.count('depth_multiplier', 1);
  const { activation, after } = ownActivation(call);
  return activate(call, depthwise(call, biasOf(call, outChannels), activation), after);
}

function depthwise(call: LayerCall, bias: Float32Array | null, activation: Activation): Variable {
  const { builder, place, config, input, weight } = call;
  const { order, size, channels } = imageOf(call);
  const window = windowOf(call);
  const multiplier = config.count('depth_multiplier', 1);
  return builder.conv(place, input, order, {
    ...window,
    weights: weight('depthwise_kernel', [...window.kernel, channels, multiplier]),
    bias,
    padding: paddingOf(call, size, window),
    groups: channels,
    outChannels: channels * multiplier,
    activation,
  });
}

function separableConv(call: LayerCall): Variable {
  const { builder, place, config, weight } = call;
  const { order, channels } = imageOf(call);
  const outChannels = config.count('filters');
  const { activation, after } = ownActivation(call);
  const middle = { ...place, node: `${place.node}/depthwise`, output: `${place.output}/depthwise` };
  const filtered = depthwise({ ...call, place: middle }, null, 'none');
  const inChannels = channels * config.count('depth_multiplier', 1);
  const result = builder.conv(place, filtered, order, {
    weights: weight('pointwise_kernel', [1, 1, inChannels, outChannels]),
    bias: biasOf(call, outChannels),
    kernel: [1, 1],
    stride: [1, 1],
    dilation: [1, 1],
    padding: noPadding,
    groups: 1,
    outChannels,
    activation,
  });
  return activate(call, result, after);
}

function batchNorm(call: LayerCall): Variable {
  const { builder, place, config, input, weight } = call;
  const axis = axisOf(call);
  const channels = input.dims[axis]!;
  const parameter = (name: string, wanted: boolean, otherwise: number) =>
    wanted ? weight(name, [channels]) : new Float32Array(channels).fill(otherwise);
  return rarer.batchNorm(builder, place, input, axis, {
    scale: parameter('gamma', config.bool('scale', true), 1),
    shift: parameter('beta', config.bool('center', true), 0),
    mean: parameter('moving_mean', true, 0),
    variance: parameter('moving_variance', true, 1),
    epsilon: config.number('epsilon', 1e-3),
  });
}

function pool(call: LayerCall, kind: Pool['kind']): Variable {
  const { builder, place, config, input } = call;
  const { order, size } = imageOf(call);
  const kernel = config.pair('pool_size', [2, 2]);
  const stride = config.pair('strides', kernel);
  const padding = paddingOf(call, size, { kernel, stride, dilation: [1, 1] });
  return builder.pool(place, input, order, { kind, kernel, stride, padding, countPadding: false });
}

function globalPool(call: LayerCall, kind: Pool['kind']): Variable {
  const { builder, place, config, input } = call;
  const dims = imageOf(call).order === nchw ? [2, 3] : [1, 2];
  return builder.reduce(place, input, kind, dims, config.bool('keepdims', false));
}

function zeroPadding(call: LayerCall): Variable {
  const { builder, place, config, input } = call;
  const { order } = imageOf(call);
  const given = config.get('padding') ?? 1;
  const sides = typeof given === 'number' ? [given, given] : listOf(given);
  const pairs = sides.map((side) => (typeof side === 'number' ? [side, side] : listOf(side)));
  const sound = pairs.length === 2 && pairs.every((pair) => pair.length === 2 && pair.every(isPadding));
  if (!sound) config.fail('padding', 'whole numbers ≥ 0: one, two, or two pairs');
  const [[top, bottom], [left, right]] = pairs as [Pair, Pair];
  return rarer.pad(builder, place, input, order, { top, bottom, left, right });
}

const isPadding = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;

/** As TensorFlow.js computes it: without half-pixel centres, where Python's Keras has them for bilinear. */
function upSampling(call: LayerCall): Variable {
  const { builder, place, config, input } = call;
  const { order, size } = imageOf(call);
  const [vertical, horizontal] = config.pair('size', [2, 2]);
  const mode = config.string('interpolation', 'nearest');
  if (mode !== 'nearest' && mode !== 'bilinear') return builder.unsupported(place, `interpolates by "${mode}"`);
  return rarer.resize(builder, place, input, order, [size[0] * vertical, size[1] * horizontal], mode, 'asymmetric');
}

// Products and sums

function dense(call: LayerCall): Variable {
  const { builder, place, config, input, weight } = call;
  const features = input.dims.at(-1)!;
  const outputs = config.count('units');
  const { activation, after } = ownActivation(call);
  const weights = { data: weight('kernel', [features, outputs]), features, outputs };
  return activate(call, builder.matMul(place, input, weights, biasOf(call, outputs), activation), after);
}

function merge({ builder, place, inputs }: LayerCall, op: 'add' | 'subtract' | 'multiply'): Variable {
  if (inputs.length < 2 || (op === 'subtract' && inputs.length > 2)) {
    builder.damaged(place, `combines ${inputs.length} tensors`);
  }
  return inputs.reduce((a, b) => builder.arithmetic(place, op, a, b));
}

function concatenate(call: LayerCall): Variable {
  const { builder, place, inputs, config } = call;
  if (inputs.length < 2) builder.damaged(place, `joins ${inputs.length} tensors`);
  return rarer.concat(builder, place, inputs, config.axis('axis', inputs[0]!.dims.length));
}

function rescaling({ builder, place, config, input }: LayerCall): Variable {
  const numbers = (key: string, otherwise: number) => {
    const given = config.get(key) ?? otherwise;
    const list = Array.isArray(given) ? given : [given];
    if (!list.every((value) => typeof value === 'number')) return config.fail(key, 'numbers');
    const data = Float32Array.from(list as number[]);
    return floats(data.length === 1 ? [] : [data.length], data);
  };
  const scale = perChannel(builder, place, input, numbers('scale', 1));
  const offset = perChannel(builder, place, scale.x, numbers('offset', 0));
  const length = Math.max(scale.values.length, offset.values.length);
  const full = (data: Float32Array) => (data.length === length ? data : new Float32Array(length).fill(data[0]!));
  return builder.affine(place, offset.x, full(scale.values), full(offset.values));
}

// Shapes

function reshape({ builder, place, config, input }: LayerCall): Variable {
  const target = config.targetShape('target_shape');
  const batch = input.dims[0]!;
  const known = target.reduce((product, d) => (d === -1 ? product : product * d), batch);
  const count = input.dims.reduce((product, d) => product * d, 1);
  return builder.reshape(place, input, [batch, ...target.map((d) => (d === -1 ? count / known : d))]);
}

function flatten({ builder, place, config, input }: LayerCall): Variable {
  const first = config.channelsFirst() && input.dims.length === 4;
  const x = first ? builder.transpose(input, [0, 2, 3, 1]) : input;
  return builder.reshape(place, x, [x.dims[0]!, x.dims.slice(1).reduce((product, d) => product * d, 1)]);
}

function permute({ builder, config, input }: LayerCall): Variable {
  const order = [0, ...config.integers('dims', 1)];
  const sound = order.length === input.dims.length && [...order].sort((a, b) => a - b).every((d, i) => d === i);
  if (!sound) config.fail('dims', `an order of the ${input.dims.length - 1} dimensions after the batch`);
  return builder.transpose(input, order);
}
