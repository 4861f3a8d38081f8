/** Convolutions whose weights are in dot layout: for each output channel one vec4 over four inputs. */
import type { Conv2d, Shape } from '../graph/ops.ts';
import {
  ceilDiv,
  channelConstant,
  type HalfArithmetic,
  MOST_WORKGROUPS,
  type PackedConstant,
  textureConstant,
  weightsConstant,
} from './kernel.ts';
import { packDot } from './pack.ts';

/** What tells one variant of such a convolution from another. */
export interface DotVariant<Weights extends string = 'buffer' | 'texture'> {
  /** Pixels × channels that one invocation computes. */
  readonly pixels: number;
  readonly channels: number;
  readonly weights: Weights;
  /**
   * What the lanes of a workgroup differ in: `pixels`, so that weights are uniform; `channels`, so that inputs are; or both,
   * as one line that leaves no lane idle where pixels are few.
   */
  readonly lanes: 'pixels' | 'line' | 'channels';
  /** Four neighbouring lanes of a subgroup load a weight each and hand it round. */
  readonly broadcast: boolean;
  /** For software adapters: few lanes make a workgroup, and products are with matrices where the shader has that. */
  readonly software: boolean;
  /** Lanes of a workgroup where they are not as many as usual. */
  readonly workgroup?: number;
  /** Computes in halves; in float32 where absent. */
  readonly halves?: HalfArithmetic;
}

/** On hardware, with weights in a buffer. */
export const tileOf = (pixels: number, channels: number, lanes: DotVariant['lanes']) =>
  ({ pixels, channels, weights: 'buffer', lanes, broadcast: false, software: false }) as const;

/** Invocations of a workgroup: on hardware as many as the widest waves. */
export const workgroupOf = ({ software, pixels, workgroup = 64 }: DotVariant<string>): number =>
  software ? (pixels > 8 ? 4 : 8) : workgroup;

/** Features of the device. */
export const requiredBy = ({ broadcast, halves }: DotVariant<string>): readonly GPUFeatureName[] => [
  ...(broadcast ? (['subgroups'] as const) : []),
  ...(halves ? (['shader-f16'] as const) : []),
];

const lanesCodes = { pixels: 0, line: 1, channels: 2 } as const;

/** Groups of channels whose columns lie in turns, where neighbouring lanes have neighbouring groups: 64 bytes a load. */
const TURNS = 4;

const columnStep = ({ lanes = 'pixels' }: Tiled): number => (lanes === 'pixels' ? 1 : TURNS);

type Tiled = { readonly channels: number; readonly lanes?: DotVariant['lanes'] };

/** Constants of the fragments that such shaders share. SwiftShader, which has subgroups, compiles stores in a loop sooner. */
export const dotConstants = ({
  pixels,
  channels,
  weights,
  lanes,
  broadcast,
  software,
  halves,
}: DotVariant<string>) => ({
  ...halves?.names,
  HALF: halves !== undefined,
  TILE_PIXELS: pixels,
  TILE_CHANNELS: channels,
  LANES: lanesCodes[lanes],
  COLUMN_STEP: columnStep({ channels, lanes }),
  EARLY_END: !software && !broadcast,
  TEXTURE: weights === 'texture',
  BROADCAST: broadcast,
  MATRICES: software,
  STORE_LOOP: software && broadcast,
});

/** `conv-pointwise/p7-c24-texture-broadcast-software`: shader, tile, where the weights are, and how they are read. */
export const dotVariantName = (
  stem: string,
  { pixels, channels, weights, lanes, broadcast, software }: DotVariant<string>,
): string => {
  // All others have lanes along pixels.
  const varied = weights === 'buffer' && !broadcast && !software;
  const parts = [weights, varied && lanes, broadcast && 'broadcast', software && 'software'];
  return `${stem}/p${pixels}-c${channels}-${parts.filter(Boolean).join('-')}`;
};

/** Groups of output channels, one for each lane of a tile of pixels. */
export const groupsOf = ({ outChannels }: Conv2d, { channels }: Tiled): number => ceilDiv(outChannels, channels);

/** Columns of weights: output channels, rounded up to a tile's, or to those of the groups that lie in turns. */
export function columnsOf(node: Conv2d, tile: Tiled): number {
  const step = columnStep(tile);
  return ceilDiv(groupsOf(node, tile), step) * step * tile.channels;
}

/** A last tile of channels that is mostly beyond the last channel. */
export const wasteful = (node: Conv2d, variant: DotVariant<string>): boolean =>
  groupsOf(node, variant) * variant.channels > (variant.software ? 1.5 : 1.25) * node.outChannels;

/** Workgroups for so many in a line; a second axis where one has not so many. */
export const inLine = (workgroups: number): readonly [number, number] => [
  Math.min(workgroups, MOST_WORKGROUPS),
  ceilDiv(workgroups, MOST_WORKGROUPS),
];

/** Vectors of four inputs that are summed in halves before they are added in float32: eight terms. */
export const vectorsOf = (inputs: number): number => Math.min(2, ceilDiv(inputs, 4));

/** Weights `[taps][⌈inputs / 4⌉][columns]`, and the bias. */
export function dotLayout(
  node: Conv2d,
  taps: number,
  inputs: number,
  tile: Tiled & { readonly weights?: string; readonly halves?: HalfArithmetic },
  vectors = vectorsOf(inputs),
): readonly PackedConstant[] {
  const { weights, bias, outChannels } = node;
  const rows = taps * ceilDiv(inputs, 4);
  const columns = columnsOf(node, tile);
  if (tile.halves) {
    const layer = {
      weights: () => weights,
      bias,
      taps,
      inputs,
      outputs: outChannels,
      group: tile.channels,
      columns,
      vectors,
    };
    return tile.halves.dot(layer);
  }
  const step = columnStep(tile);
  const { channels } = tile;
  // As the fragment place-of-group has it.
  const columnOf = (output: number) => {
    const group = Math.floor(output / channels);
    return Math.floor(group / step) * step * channels + (output % channels) * step + (group % step);
  };
  const pack = () => packDot(weights, taps, inputs, outChannels, columns, inputs, columnOf);
  return [
    tile.weights === 'texture' ? textureConstant(columns, rows, pack) : weightsConstant(4 * rows * columns, pack),
    channelConstant(bias, columns),
  ];
}

/** Rows of pixels of a workgroup that is a rectangle of them. */
export const workgroupRowsOf = ({ software }: DotVariant): number => (software ? 4 : 8);

/** Workgroups of a kernel that includes the fragment row-tile. */
export function rowTileWorkgroups(
  variant: DotVariant,
  rows: number,
  [images, height, width]: Shape,
  groups: number,
): readonly [number, number, number] {
  const tiles = ceilDiv(width, variant.pixels);
  const workgroup = workgroupOf(variant);
  if (variant.lanes === 'line') return [...inLine(ceilDiv(images * height * tiles * groups, workgroup)), 1];
  return [ceilDiv(tiles, workgroup / rows), ceilDiv(height, rows), groups * images];
}
