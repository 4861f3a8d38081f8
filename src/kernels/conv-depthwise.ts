import source from '../../shaders/conv-depthwise.wgsl?raw';
import { isDepthwise } from '../graph/layers.ts';
import type { Conv2d } from '../graph/ops.ts';
import {
  activationOverride,
  ceilDiv,
  channelConstant,
  convolutionBindings,
  defineKernel,
  floatWeightsConstant,
  type Kernel,
  type PackedConstant,
} from './kernel.ts';
import { packRows } from './pack.ts';
import { planes } from './window.ts';

/** Rows and columns of outputs that one invocation computes. */
interface Tile {
  readonly y: number;
  readonly x: number;
}

interface Workgroup {
  readonly x: number;
  readonly y: number;
  readonly z: number;
}

const isPlain = ({ dilation }: Conv2d): boolean => dilation[0] === 1 && dilation[1] === 1;

/** Large kernels leave registers for fewer sums; the output is no smaller than the tile. */
function usualTile(node: Conv2d, height: number, width: number): Tile {
  const taps = node.kernel[0] * node.kernel[1];
  const small = !isPlain(node) || taps > 25;
  const y = small ? 1 : taps <= 9 && node.stride[0] === 1 ? 4 : 2;
  const x = small ? 1 : 4;
  const shrink = (tile: number, length: number) => (tile <= length ? tile : length >= 2 && tile > 2 ? 2 : 1);
  return { y: shrink(y, height), x: shrink(x, width) };
}

/** Inputs that a tile of outputs reads along an axis. */
const inputExtent = ({ kernel, stride, dilation }: Conv2d, tile: number, axis: 0 | 1): number =>
  (tile - 1) * stride[axis] + (kernel[axis] - 1) * dilation[axis] + 1;

/** Overrides of a workgroup of channels × columns × rows. */
export const workgroupOverrides = ({ x, y, z }: Workgroup) => ({ WORKGROUP_X: x, WORKGROUP_Y: y, WORKGROUP_Z: z });

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

/** One output a channel, as long as a tile's inputs are few enough to unroll. `tileOf` gives null where it has none. */
const depthwise = (
  name: string,
  workgroup: Workgroup,
  tileOf: (node: Conv2d, height: number, width: number) => Tile | null,
): Kernel =>
  defineKernel<Conv2d>({
    name,
    op: 'conv2d',
    accepts(node, { inputs: [input], output }) {
      if (!isDepthwise(node, input![3]) || node.kernel[0] * node.kernel[1] > 49) return false;
      const tile = tileOf(node, output[1], output[2]);
      return tile !== null && inputExtent(node, tile.y, 0) * inputExtent(node, tile.x, 1) <= MOST_INPUTS;
    },
    program(node, { inputs: [input], output }) {
      const { kernel, stride, dilation, padding } = node;
      const tile = tileOf(node, output[1], output[2])!;
      const residual = node.inputs.length > 1;
      const channels4 = ceilDiv(output[3], 4);
      const tilesY = ceilDiv(output[1], tile.y);
      return {
        file: 'conv-depthwise.wgsl',
        source,
        constants: {
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
          STORE_LOOP: workgroup.x * workgroup.y * workgroup.z <= 16,
        },
        overrides: {
          ...workgroupOverrides(workgroup),
          ...activationOverride(node.activation),
        },
        shape: {
          ...planes(input!, output),
          channels4,
          tiles_y: tilesY,
          batch: output[0],
        },
        bindings: convolutionBindings(residual),
        workgroups: [
          ceilDiv(channels4, workgroup.x),
          ceilDiv(ceilDiv(output[2], tile.x), workgroup.y),
          ceilDiv(tilesY * output[0], workgroup.z),
        ],
      };
    },
    constants: depthwiseConstants,
  });

export const convDepthwise = depthwise('conv-depthwise', { x: 8, y: 4, z: 2 }, usualTile);

const tiles: readonly (Tile & { readonly workgroup: Workgroup })[] = [
  { y: 1, x: 1, workgroup: { x: 8, y: 8, z: 1 } },
  { y: 2, x: 4, workgroup: { x: 8, y: 4, z: 2 } },
  { y: 4, x: 2, workgroup: { x: 8, y: 4, z: 2 } },
  { y: 4, x: 4, workgroup: { x: 4, y: 2, z: 1 } },
  { y: 7, x: 7, workgroup: { x: 4, y: 2, z: 1 } },
];

/** `conv-depthwise/7x7`: rows × columns of a tile. */
export const depthwiseVariants: readonly Kernel[] = tiles.map(({ y, x, workgroup }) =>
  depthwise(`conv-depthwise/${y}x${x}`, workgroup, (node, height, width) =>
    isPlain(node) && y <= height && x <= width ? { y, x } : null,
  ),
);
