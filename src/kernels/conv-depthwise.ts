import source from '../../shaders/conv-depthwise.wgsl?raw';
import { isDepthwise } from '../graph/layers.ts';
import type { Conv2d, Shape } from '../graph/ops.ts';
import {
  activationOverride,
  ceilDiv,
  channelConstant,
  convolutionBindings,
  defineKernel,
  floatWeightsConstant,
  type HalfArithmetic,
  type Kernel,
  type PackedConstant,
} from './kernel.ts';
import { packRows } from './pack.ts';
import { planes } from './window.ts';

/** Rows and columns of outputs that one invocation computes. */
export interface Tile {
  readonly y: number;
  readonly x: number;
}

export const isPlain = ({ dilation }: Conv2d): boolean => dilation[0] === 1 && dilation[1] === 1;

/** Null where a kernel has none for this node. */
type TileOf = (node: Conv2d, output: Shape) => Tile | null;

const [single, pair, row, rows, square] = [
  [1, 1],
  [1, 2],
  [1, 4],
  [2, 4],
  [4, 4],
].map(([y, x]) => ({ y, x })) as [Tile, Tile, Tile, Tile, Tile];

/**
 * Tiles that so many values of four channels, sums, weights and inputs, leave in registers, the largest first. Intel's and
 * Mali's compilers have room for 16 a lane, Apple's for 32.
 */
const tilesIn = {
  16: (_taps: number, stride: number) => (stride === 1 ? [row, pair] : [pair]),
  32: (taps: number, stride: number) => (taps <= 9 && stride === 1 ? [rows, row] : [row]),
  64: (taps: number, stride: number) => (taps <= 9 && stride === 1 ? [square, rows, row] : [rows, row]),
} as const;

/**
 * Below so many invocations a GPU is not full, and a smaller tile is taken. Where registers are many, that costs more: a row
 * has half again as many instructions an output as a square.
 */
const fewInvocations = { 16: 8000, 32: 8000, 64: 4000 } as const;

const invocationsOf = ({ y, x }: Tile, [batch, height, width, channels]: Shape): number =>
  batch * ceilDiv(height, y) * ceilDiv(width, x) * ceilDiv(channels, 4);

/** The output is no smaller than the tile. */
const tileWithin =
  (registers: keyof typeof tilesIn): TileOf =>
  (node, output) => {
    const taps = node.kernel[0] * node.kernel[1];
    if (!isPlain(node) || taps > 25) return single;
    const fits = ({ y, x }: Tile) => y <= output[1] && x <= output[2];
    const tiles = tilesIn[registers](taps, node.stride[0]).filter(fits);
    return (
      tiles.find((tile) => invocationsOf(tile, output) >= fewInvocations[registers]) ??
      tiles.at(-1) ??
      (fits(pair) ? pair : single)
    );
  };

/** Inputs that a tile of outputs reads along an axis. */
const inputExtent = ({ kernel, stride, dilation }: Conv2d, tile: number, axis: 0 | 1): number =>
  (tile - 1) * stride[axis] + (kernel[axis] - 1) * dilation[axis] + 1;

/** Columns that the last output reads past the right edge. */
export const overhang = ({ kernel, stride, dilation, padding }: Conv2d, inWidth: number, outWidth: number): number =>
  Math.max(0, (outWidth - 1) * stride[1] + (kernel[1] - 1) * dilation[1] - padding.left - (inWidth - 1));

/** Weights `[kernel_y][kernel_x][channels4]`, bias. */
export function depthwiseConstants({ weights, bias, kernel, outChannels }: Conv2d): PackedConstant[] {
  const taps = kernel[0] * kernel[1];
  const channels = 4 * ceilDiv(outChannels, 4);
  return [
    floatWeightsConstant(taps * channels, () => packRows(weights, taps, outChannels)),
    channelConstant(bias, channels),
  ];
}

/** Reads are unrolled: beyond this the shader's text grows out of proportion. */
const MOST_INPUTS = 150;

/** Lanes of a workgroup: waves are as wide as 64. */
const LANES = 64;

/** One output a channel, as long as a tile's inputs are few enough to unroll. */
export const depthwise = (name: string, tileOf: TileOf, halves?: HalfArithmetic): Kernel =>
  defineKernel<Conv2d>({
    name,
    op: 'conv2d',
    requires: halves ? ['shader-f16'] : [],
    accepts(node, { inputs: [input], output, half = false }) {
      // Halving float32 inputs would cost more than it saves.
      if (halves && !half) return false;
      if (!isDepthwise(node, input![3]) || node.kernel[0] * node.kernel[1] > 49) return false;
      const tile = tileOf(node, output);
      return tile !== null && inputExtent(node, tile.y, 0) * inputExtent(node, tile.x, 1) <= MOST_INPUTS;
    },
    program(node, { inputs: [input], output }) {
      const { kernel, stride, dilation, padding } = node;
      const tile = tileOf(node, output)!;
      const terms = halves?.names.MOST_TERMS ?? Number.POSITIVE_INFINITY;
      const residual = node.inputs.length > 1;
      const channels4 = ceilDiv(output[3], 4);
      return {
        file: 'conv-depthwise.wgsl',
        source,
        ...(halves ? { fragments: halves.fragments } : {}),
        constants: {
          HALF: halves !== undefined,
          SUM_ROWS: kernel[0] * kernel[1] > terms ? Math.floor(terms / kernel[1]) : kernel[0] + 1,
          TILE_Y: tile.y,
          TILE_X: tile.x,
          KERNEL_Y: kernel[0],
          KERNEL_X: kernel[1],
          STRIDE_Y: stride[0],
          STRIDE_X: stride[1],
          DILATION_Y: dilation[0],
          DILATION_X: dilation[1],
          INPUT_Y: inputExtent(node, tile.y, 0),
          INPUT_X: inputExtent(node, tile.x, 1),
          PAD_TOP: padding.top,
          PAD_LEFT: padding.left,
          PAD_RIGHT: overhang(node, input![2], output[2]),
          SURE_ROW: (output[1] - tile.y) * stride[0] < input![1] ? padding.top : -1,
          RESIDUAL: residual,
        },
        overrides: { WORKGROUP_X: LANES, ...activationOverride(node.activation) },
        shape: { ...planes(input!, output), channels4 },
        bindings: convolutionBindings(residual),
        workgroups: [ceilDiv(channels4 * ceilDiv(output[2], tile.x), LANES), ceilDiv(output[1], tile.y), output[0]],
      };
    },
    constants: (node) => (halves ? halves.taps(node.weights, node.bias, node.outChannels) : depthwiseConstants(node)),
  });

export const byRegisters = (name: string, registers: keyof typeof tilesIn, halves?: HalfArithmetic) =>
  depthwise(name, tileWithin(registers), halves);

/** No GPU's compiler keeps its values in memory. */
export const convDepthwise = byRegisters('conv-depthwise', 16);

/** `conv-depthwise/r32`: tiles for devices with room for so many values of four channels a lane. */
export const depthwiseVariants: readonly Kernel[] = ([32, 64] as const).map((registers) =>
  byRegisters(`conv-depthwise/r${registers}`, registers),
);
