import source from '../../shaders/conv-depthwise-strip.wgsl?raw';
import { isDepthwise } from '../graph/layers.ts';
import type { Conv2d } from '../graph/ops.ts';
import { depthwiseConstants, overhang } from './conv-depthwise.ts';
import { activationOverride, ceilDiv, convolutionBindings, defineKernel, type Kernel } from './kernel.ts';
import { planes } from './window.ts';

interface Strip {
  /** Columns of outputs that one invocation computes. */
  readonly columns: number;
  /** Rows of outputs that it computes one after another, at most. */
  readonly rows: number;
  readonly workgroup: { readonly x: number; readonly y: number; readonly z: number };
}

/** Weights and sums are kept in registers: no larger kernel. */
const MOST_TAPS = 25;

/** One output a channel, no dilation, outputs at least as wide as a strip. */
const depthwiseStrip = ({ columns, rows: most, workgroup }: Strip): Kernel =>
  defineKernel<Conv2d>({
    name: `conv-depthwise-strip/c${columns}-r${most}`,
    op: 'conv2d',
    accepts: (node, { inputs: [input], output }) =>
      isDepthwise(node, input![3]) &&
      node.dilation.every((value) => value === 1) &&
      node.kernel[0] * node.kernel[1] <= MOST_TAPS &&
      columns <= output[2],
    program(node, { inputs: [input], output }) {
      const { kernel, stride, padding } = node;
      const residual = node.inputs.length > 1;
      const channels4 = ceilDiv(output[3], 4);
      // Strips of equal length.
      const strips = ceilDiv(output[1], most);
      const rows = ceilDiv(output[1], strips);
      return {
        file: 'conv-depthwise-strip.wgsl',
        source,
        constants: {
          TILE_X: columns,
          KERNEL_Y: kernel[0],
          KERNEL_X: kernel[1],
          STRIDE_Y: stride[0],
          STRIDE_X: stride[1],
          INPUT_X: (columns - 1) * stride[1] + kernel[1],
          AHEAD: Math.floor((kernel[0] - 1) / stride[0]),
          PAD_TOP: padding.top,
          PAD_LEFT: padding.left,
          PAD_RIGHT: overhang(node, input![2], output[2]),
          RESIDUAL: residual,
        },
        overrides: {
          WORKGROUP_X: workgroup.x,
          WORKGROUP_Y: workgroup.y,
          WORKGROUP_Z: workgroup.z,
          ...activationOverride(node.activation),
        },
        shape: {
          ...planes(input!, output),
          channels4,
          rows,
          strips,
          batch: output[0],
        },
        bindings: convolutionBindings(residual),
        workgroups: [
          ceilDiv(channels4, workgroup.x),
          ceilDiv(ceilDiv(output[2], columns), workgroup.y),
          ceilDiv(strips * output[0], workgroup.z),
        ],
      };
    },
    constants: depthwiseConstants,
  });

const strips: readonly Strip[] = [
  { columns: 7, rows: 14, workgroup: { x: 4, y: 2, z: 1 } },
  { columns: 4, rows: 8, workgroup: { x: 8, y: 4, z: 2 } },
  { columns: 4, rows: 4, workgroup: { x: 8, y: 4, z: 2 } },
  { columns: 1, rows: 8, workgroup: { x: 8, y: 8, z: 1 } },
];

export const depthwiseStripVariants: readonly Kernel[] = strips.map(depthwiseStrip);
