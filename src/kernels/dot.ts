/** Convolutions whose weights are in dot layout: for each output channel one vec4 over four inputs. */
import type { Conv2d } from '../graph/ops.ts';
import { ceilDiv, channelConstant, type PackedConstant, textureConstant, weightsConstant } from './kernel.ts';
import { packDot } from './pack.ts';

/** What tells one variant of such a convolution from another. */
export interface DotVariant<Weights extends string = 'buffer' | 'texture'> {
  /** Pixels × channels that one invocation computes. */
  readonly pixels: number;
  readonly channels: number;
  readonly weights: Weights;
  /** Four neighbouring lanes of a subgroup load a weight each and hand it round. */
  readonly broadcast: boolean;
  /** For software adapters: few lanes make a workgroup, and products are with matrices where the shader has that. */
  readonly software: boolean;
}

/** The kernel of every device. */
export const usualVariant = { pixels: 4, channels: 16, weights: 'buffer', broadcast: false, software: false } as const;

/** Invocations of a workgroup. */
export const workgroupOf = ({ software, pixels }: DotVariant<string>): number => (software ? (pixels > 8 ? 4 : 8) : 32);

/** Constants of the fragments that such shaders share. SwiftShader, which has subgroups, compiles stores in a loop sooner. */
export const dotConstants = ({ pixels, channels, weights, broadcast, software }: DotVariant<string>) => ({
  TILE_PIXELS: pixels,
  TILE_CHANNELS: channels,
  TEXTURE: weights === 'texture',
  BROADCAST: broadcast,
  MATRICES: software,
  STORE_LOOP: software && broadcast,
});

/** `conv-pointwise/p7-c24-texture-broadcast-software`: shader, tile, where the weights are, and how they are read. */
export const dotVariantName = (
  stem: string,
  { pixels, channels, weights, broadcast, software }: DotVariant<string>,
): string => `${stem}/p${pixels}-c${channels}-${weights}${broadcast ? '-broadcast' : ''}${software ? '-software' : ''}`;

/** Output channels, rounded up to a tile's. */
export const columnsOf = ({ outChannels }: Conv2d, { channels }: { readonly channels: number }): number =>
  ceilDiv(outChannels, channels) * channels;

/** A last tile of channels that is mostly beyond the last channel. */
export const wasteful = (node: Conv2d, variant: DotVariant<string>): boolean =>
  columnsOf(node, variant) > 1.5 * node.outChannels;

/** Weights `[taps][⌈inputs / 4⌉][columns]`, and the bias. */
export function dotLayout(
  { weights, bias, outChannels }: Conv2d,
  taps: number,
  inputs: number,
  columns: number,
  texture = false,
): PackedConstant[] {
  const rows = taps * ceilDiv(inputs, 4);
  const pack = () => packDot(weights, taps, inputs, outChannels, columns);
  return [
    texture ? textureConstant(columns, rows, pack) : weightsConstant(4 * rows * columns, pack),
    channelConstant(bias, columns),
  ];
}
