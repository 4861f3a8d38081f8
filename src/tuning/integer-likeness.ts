/** Layers on stored integers as small ones, for the self-check; fetched for graphs that have such. */
import type { IntegerBody, IntegerOf, IntegerWeights } from '../graph/integers.ts';
import { seededUniform } from '../graph/random.ts';
import { chunkOf } from '../kernels/int8.ts';
import { fewer, type Likeness, smaller } from './golden.ts';

export const integerLikeness: Likeness = (node, inputs, rows, columns) => {
  if (node.op !== 'integer') return null;
  const { body } = node;
  const depthwise = body.kind === 'conv2d' && body.groups > 1;
  if (depthwise && (body.groups !== inputs[0]![3] || body.outChannels !== body.groups)) return null;
  const most = depthwise
    ? 8
    : body.kind === 'conv2d'
      ? channelsOf(body, inputs[0]![3])
      : body.kind === 'fully-connected'
        ? 64
        : 40;
  const shapes = inputs.map(smaller(rows, columns, most));
  const [, height, width, channels] = shapes[0]!;
  const [, ownHeight, ownWidth] = inputs[0]!;
  const made = smallBody(body, [height * width, ownHeight * ownWidth], channels);
  return made && { node: { ...node, body: made }, inputs: shapes };
};

/** Enough for more products than are summed at once, where the layer has that many. */
function channelsOf(body: IntegerOf<'conv2d'>, channels: number): number {
  const taps = body.kernel[0] * body.kernel[1];
  const chunk = chunkOf(body);
  return taps * Math.ceil(channels / 4) > chunk ? 4 * (Math.floor(chunk / taps) + 1) : 16;
}

function smallBody(
  body: IntegerBody,
  [pixels, ownPixels]: readonly [number, number],
  channels: number,
): IntegerBody | null {
  switch (body.kind) {
    case 'conv2d': {
      const outChannels = body.groups > 1 ? channels : fewer(body.outChannels, 40);
      const groups = body.groups > 1 ? channels : 1;
      const products = (body.kernel[0] * body.kernel[1] * channels) / groups;
      return { ...body, outChannels, groups, ...smallWeights(body, products, outChannels) };
    }
    case 'fully-connected': {
      const outFeatures = fewer(body.outFeatures, 40);
      return { ...body, outFeatures, ...smallWeights(body, pixels * channels, outFeatures) };
    }
    case 'lookup':
      return { ...body, table: body.table.slice(0, body.table.length > 256 ? 256 * channels : 256) };
    case 'mean': {
      const multipliers = Float32Array.of(Math.fround((body.to.multipliers[0]! * ownPixels) / pixels));
      return { ...body, to: { ...body.to, multipliers } };
    }
    case 'add':
    case 'multiply':
    case 'pairs':
    case 'pool':
    case 'concat':
    case 'quantise':
    case 'dequantise':
      return body;
    default:
      return null;
  }
}

/** Any bytes, with multipliers by which the sums of their products spread over the result's steps. */
function smallWeights(
  { bias, to }: IntegerWeights,
  products: number,
  outputs: number,
): Pick<IntegerWeights, 'weights' | 'bias' | 'to'> {
  const random = seededUniform(products);
  // Of the products of two evenly spread bytes.
  const spread = 74 * 74 * Math.sqrt(products);
  return {
    weights: Int8Array.from({ length: products * outputs }, () => Math.floor(random() * 255) - 127),
    bias: bias && Int32Array.from({ length: outputs }, () => Math.round((2 * random() - 1) * spread)),
    to: {
      ...to,
      multipliers: Float32Array.from(
        { length: Math.min(to.multipliers.length, outputs) },
        () => (90 / spread) * (0.5 + random()),
      ),
    },
  };
}
