import source from '../../shaders/conv-depthwise.wgsl?raw';
import type { Conv2d } from '../graph/ops.ts';
import {
  activationOverride,
  ceilDiv,
  channelConstant,
  convolutionBindings,
  defineKernel,
  weightsConstant,
} from './kernel.ts';
import { packRows } from './pack.ts';

const WORKGROUP = { x: 8, y: 4, z: 2 };

/** Output tile: large kernels hold their weights in registers and leave room for fewer sums. */
function tileOf({ kernel, dilation }: Conv2d): number {
  const taps = kernel[0] * kernel[1];
  if (dilation[0] > 1 || dilation[1] > 1) return 1;
  return taps <= 9 ? 4 : taps <= 25 ? 2 : 1;
}

/** One output a channel, kernels up to 7×7 (all taps are unrolled). */
export const convDepthwise = defineKernel<Conv2d>({
  name: 'conv-depthwise',
  op: 'conv2d',
  accepts: ({ kernel, groups, outChannels }, { inputs: [input] }) =>
    groups === input![3] && outChannels === groups && kernel[0] <= 7 && kernel[1] <= 7,
  program(node, { inputs: [input], output }) {
    const tile = tileOf(node);
    const residual = node.inputs.length > 1;
    const channels4 = ceilDiv(output[3], 4);
    const tilesY = ceilDiv(output[1], tile);
    return {
      file: 'conv-depthwise.wgsl',
      source,
      constants: {
        TILE_Y: tile,
        TILE_X: tile,
        KERNEL_Y: node.kernel[0],
        KERNEL_X: node.kernel[1],
        STRIDE_Y: node.stride[0],
        STRIDE_X: node.stride[1],
        DILATION_Y: node.dilation[0],
        DILATION_X: node.dilation[1],
        RESIDUAL: residual,
      },
      overrides: {
        WORKGROUP_X: WORKGROUP.x,
        WORKGROUP_Y: WORKGROUP.y,
        WORKGROUP_Z: WORKGROUP.z,
        ...activationOverride(node.activation),
      },
      shape: {
        in_height: input![1],
        in_width: input![2],
        out_height: output[1],
        out_width: output[2],
        channels4,
        pad_top: node.padding.top,
        pad_left: node.padding.left,
        tiles_y: tilesY,
        batch: output[0],
      },
      bindings: convolutionBindings(residual),
      workgroups: [
        ceilDiv(channels4, WORKGROUP.x),
        ceilDiv(ceilDiv(output[2], tile), WORKGROUP.y),
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
