import source from '../../shaders/conv-pointwise.wgsl?raw';
import type { Conv2d } from '../graph/ops.ts';
import {
  ceilDiv,
  channelConstant,
  convolutionBindings,
  defineKernel,
  type Kernel,
  LARGEST_TEXTURE,
  piecewiseOf,
  sigmoidOverride,
  textureConstant,
  weightsConstant,
} from './kernel.ts';
import { packDot } from './pack.ts';

/** What tells one variant of a convolution with weights in dot layout from another. */
export interface DotVariant<Weights extends string = 'buffer' | 'texture'> {
  /** Pixels × channels that one invocation computes. */
  readonly pixels: number;
  readonly channels: number;
  readonly weights: Weights;
  /** Four neighbouring lanes of a subgroup load a weight each and hand it round. */
  readonly broadcast: boolean;
  /** For software adapters: few lanes make a workgroup, and products are with matrices where the shader has that. */
  readonly narrow: boolean;
}

/** Invocations of a workgroup. */
export const workgroupOf = ({ narrow, pixels }: DotVariant<string>): number => (narrow ? (pixels > 8 ? 4 : 8) : 32);

/** SwiftShader, the software adapter with subgroups, compiles stores in a loop sooner; lavapipe runs them more slowly. */
export const storesInLoop = ({ narrow, broadcast }: DotVariant<string>): boolean => narrow && broadcast;

/** `conv-pointwise/p7-c24-texture-broadcast-narrow`: shader, tile, where the weights are, and how they are read. */
export const dotVariantName = (
  stem: string,
  { pixels, channels, weights, broadcast, narrow }: DotVariant<string>,
): string => `${stem}/p${pixels}-c${channels}-${weights}${broadcast ? '-broadcast' : ''}${narrow ? '-narrow' : ''}`;

/** A last tile of channels that is mostly beyond the last channel. */
export const wasteful = ({ outChannels }: Conv2d, { channels }: DotVariant<string>): boolean =>
  ceilDiv(outChannels, channels) * channels > 1.5 * outChannels;

export const isPointwise = ({ kernel, stride, groups, padding: { top, left, bottom, right } }: Conv2d): boolean =>
  groups === 1 &&
  [...kernel, ...stride].every((value) => value === 1) &&
  [top, left, bottom, right].every((value) => value === 0);

/**
 * Four weights each: the 64 KiB that a uniform binding may have in every WebGPU implementation. Whatever a layer needs of
 * it, so that one pipeline serves all; what lies after its weights is never read.
 */
const UNIFORM_VECTORS = 4096;

type PointwiseVariant = DotVariant<'buffer' | 'texture' | 'uniform'>;

/** 1×1, stride 1, one group, no padding. */
function pointwise(name: string, variant: PointwiseVariant): Kernel {
  const { pixels: tilePixels, channels: tileChannels, weights, broadcast, narrow } = variant;
  const workgroup = workgroupOf(variant);
  const columnsOf = (node: Conv2d) => ceilDiv(node.outChannels, tileChannels) * tileChannels;
  const texture = weights === 'texture';
  const uniform = weights === 'uniform';
  return defineKernel<Conv2d>({
    name,
    op: 'conv2d',
    requires: broadcast ? ['subgroups'] : [],
    // Halves take half of what is asked for here, as a kernel does not know the precision.
    accepts: (node, { inputs: [input] }) =>
      isPointwise(node) &&
      !(texture && Math.max(columnsOf(node), ceilDiv(input![3], 4)) > LARGEST_TEXTURE) &&
      !(uniform && columnsOf(node) * ceilDiv(input![3], 4) > UNIFORM_VECTORS),
    suits: (node, { output }) => !wasteful(node, variant) && output[1] * output[2] > 1,
    program(node, { inputs: [input], output }) {
      const pixels = output[0] * output[1] * output[2];
      const residual = node.inputs.length > 1;
      return {
        file: 'conv-pointwise.wgsl',
        source,
        constants: {
          TILE_PIXELS: tilePixels,
          TILE_CHANNELS: tileChannels,
          RESIDUAL: residual,
          TEXTURE: texture,
          UNIFORM_VECTORS: uniform ? UNIFORM_VECTORS : 0,
          BROADCAST: broadcast,
          NARROW: narrow,
          STORE_LOOP: storesInLoop(variant),
        },
        overrides: { WORKGROUP_X: workgroup, ...sigmoidOverride(node.activation) },
        shape: {
          pixels,
          cin4: ceilDiv(input![3], 4),
          cout4: ceilDiv(node.outChannels, 4),
          columns: columnsOf(node),
          ...piecewiseOf(node.activation),
        },
        bindings: convolutionBindings(residual, false, uniform ? 16 * UNIFORM_VECTORS : 0),
        workgroups: [ceilDiv(ceilDiv(pixels, tilePixels), workgroup), columnsOf(node) / tileChannels, 1],
      };
    },
    constants(node, { inputs: [input] }) {
      const columns = columnsOf(node);
      const cin4 = ceilDiv(input![3], 4);
      const pack = () => packDot(node.weights, 1, input![3], node.outChannels, columns);
      return [
        texture ? textureConstant(columns, cin4, pack) : weightsConstant(4 * cin4 * columns, pack),
        channelConstant(node.bias, columns),
      ];
    },
  });
}

export const convPointwise = pointwise('conv-pointwise', {
  pixels: 4,
  channels: 16,
  weights: 'buffer',
  broadcast: false,
  narrow: false,
});

// Seven pixels fill lanes at 7², 14² and 28².
const tiles: readonly PointwiseVariant[] = [
  { pixels: 7, channels: 24, weights: 'texture', broadcast: true, narrow: true },
  { pixels: 14, channels: 32, weights: 'texture', broadcast: true, narrow: true },
  { pixels: 4, channels: 16, weights: 'texture', broadcast: true, narrow: true },
  { pixels: 7, channels: 16, weights: 'texture', broadcast: false, narrow: true },
  { pixels: 4, channels: 16, weights: 'texture', broadcast: false, narrow: true },
  { pixels: 4, channels: 16, weights: 'texture', broadcast: false, narrow: false },
  { pixels: 4, channels: 16, weights: 'uniform', broadcast: false, narrow: false },
  { pixels: 4, channels: 8, weights: 'uniform', broadcast: false, narrow: false },
  { pixels: 4, channels: 16, weights: 'buffer', broadcast: true, narrow: false },
  { pixels: 8, channels: 8, weights: 'buffer', broadcast: false, narrow: false },
  { pixels: 4, channels: 4, weights: 'buffer', broadcast: false, narrow: false },
];

export const pointwiseVariants: readonly Kernel[] = tiles.map((tile) =>
  pointwise(dotVariantName('conv-pointwise', tile), tile),
);
