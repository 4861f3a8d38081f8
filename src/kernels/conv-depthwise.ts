import source from '../../shaders/conv-depthwise.wgsl?raw';
import type { Conv2d } from '../graph/ops.ts';
import {
  ceilDiv,
  channelConstant,
  clampOf,
  convolutionBindings,
  curveOverride,
  defineKernel,
  weightsConstant,
} from './kernel.ts';
import { packRows } from './pack.ts';

const WORKGROUP = { x: 8, y: 4, z: 2 };

/** Rows and columns of outputs of one invocation; large kernels leave registers for fewer sums. */
function tileOf({ kernel, stride, dilation }: Conv2d, height: number, width: number): { y: number; x: number } {
  const taps = kernel[0] * kernel[1];
  const plain = dilation[0] === 1 && dilation[1] === 1;
  const y = !plain || taps > 25 ? 1 : taps <= 9 && stride[0] === 1 ? 4 : 2;
  const x = !plain || taps > 25 ? 1 : 4;
  // The output is no smaller than the tile.
  const shrink = (tile: number, length: number) => (tile <= length ? tile : length >= 2 && tile > 2 ? 2 : 1);
  return { y: shrink(y, height), x: shrink(x, width) };
}

/** Inputs that a tile of outputs reads along an axis. */
const inputExtent = ({ kernel, stride, dilation }: Conv2d, tile: number, axis: 0 | 1): number =>
  (tile - 1) * stride[axis] + (kernel[axis] - 1) * dilation[axis] + 1;

/** Reads are unrolled: beyond this the shader's text grows out of proportion. */
const MOST_INPUTS = 150;

/** One output a channel, as long as a tile's inputs are few enough to unroll. */
export const convDepthwise = defineKernel<Conv2d>({
  name: 'conv-depthwise',
  op: 'conv2d',
  accepts(node, { inputs: [input], output }) {
    if (node.groups !== input![3] || node.outChannels !== node.groups || node.kernel[0] * node.kernel[1] > 49)
      return false;
    const tile = tileOf(node, output[1], output[2]);
    return inputExtent(node, tile.y, 0) * inputExtent(node, tile.x, 1) <= MOST_INPUTS;
  },
  program(node, { inputs: [input], output }) {
    const { kernel, stride, dilation, padding } = node;
    const tile = tileOf(node, output[1], output[2]);
    const residual = node.inputs.length > 1;
    const channels4 = ceilDiv(output[3], 4);
    const tilesY = ceilDiv(output[1], tile.y);
    // Columns that the last output reads past the right edge.
    const overhang = (output[2] - 1) * stride[1] + (kernel[1] - 1) * dilation[1] - padding.left - (input![2] - 1);
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
        PAD_RIGHT: Math.max(0, overhang),
        SURE_ROW: (output[1] - tile.y) * stride[0] < input![1] ? padding.top : -1,
        RESIDUAL: residual,
      },
      overrides: {
        WORKGROUP_X: WORKGROUP.x,
        WORKGROUP_Y: WORKGROUP.y,
        WORKGROUP_Z: WORKGROUP.z,
        ...curveOverride(node.activation),
      },
      shape: {
        in_height: input![1],
        in_width: input![2],
        out_height: output[1],
        out_width: output[2],
        channels4,
        tiles_y: tilesY,
        batch: output[0],
        ...clampOf(node.activation),
      },
      bindings: convolutionBindings(residual),
      workgroups: [
        ceilDiv(channels4, WORKGROUP.x),
        ceilDiv(ceilDiv(output[2], tile.x), WORKGROUP.y),
        ceilDiv(tilesY * output[0], WORKGROUP.z),
      ],
    };
  },
  constants({ weights, bias, kernel, outChannels }) {
    const taps = kernel[0] * kernel[1];
    const channels = 4 * ceilDiv(outChannels, 4);
    return [
      weightsConstant(taps * channels, () => packRows(weights, taps, outChannels)),
      channelConstant(bias, channels),
    ];
  },
});
