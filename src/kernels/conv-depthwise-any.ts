import source from '../../shaders/conv-depthwise-any.wgsl?raw';
import { isDepthwise } from '../graph/layers.ts';
import type { Conv2d } from '../graph/ops.ts';
import { depthwiseConstants } from './conv-depthwise.ts';
import { ceilDiv, convolutionBindings, defineKernel, type Kernel, piecewiseOf, sigmoidOverride } from './kernel.ts';
import { windowShape } from './window.ts';

const WORKGROUP = { x: 8, y: 4 };

/** An invocation computes so many neighbours of a row. */
const depthwiseAny = (pixels: number): Kernel =>
  defineKernel<Conv2d>({
    name: `conv-depthwise-any/p${pixels}`,
    op: 'conv2d',
    accepts: (node, { inputs: [input] }) => isDepthwise(node, input![3]),
    program(node, { inputs: [input], output }) {
      const residual = node.inputs.length > 1;
      const channels4 = ceilDiv(output[3], 4);
      return {
        file: 'conv-depthwise-any.wgsl',
        source,
        constants: { TILE_PIXELS: pixels },
        overrides: { WORKGROUP_X: WORKGROUP.x, WORKGROUP_Y: WORKGROUP.y, ...sigmoidOverride(node.activation) },
        shape: {
          ...windowShape(node, input!, output),
          channels4,
          dilation_y: node.dilation[0],
          dilation_x: node.dilation[1],
          adds_residual: residual ? 1 : 0,
          ...piecewiseOf(node.activation),
        },
        bindings: convolutionBindings(residual, true),
        workgroups: [
          ceilDiv(channels4, WORKGROUP.x),
          ceilDiv(ceilDiv(output[2], pixels), WORKGROUP.y),
          output[1] * output[0],
        ],
      };
    },
    constants: depthwiseConstants,
  });

/** For first results on devices that compile slowly: one pipeline for all of a network's depthwise layers. */
export const depthwiseAnyVariants: readonly Kernel[] = [4, 2].map(depthwiseAny);
