import source from '../../shaders/conv-pointwise-tiled.wgsl?raw';
import { isPointwise } from '../graph/layers.ts';
import type { Conv2d } from '../graph/ops.ts';
import { columnsOf, dotLayout } from './dot.ts';
import { ceilDiv, convolutionBindings, defineKernel, type Kernel, pointwiseShape, sigmoidOverride } from './kernel.ts';

/** Pixels and channels of a workgroup, as the shader has them. */
const TILE = { pixels: 32, channels: 32 } as const;

/** Through workgroup memory: 32 pixels × 32 channels of a workgroup read each input and weight once. */
export const convPointwiseTiled: Kernel = defineKernel<Conv2d>({
  name: 'conv-pointwise-tiled',
  op: 'conv2d',
  accepts: isPointwise,
  program(node, { inputs: [input], output }) {
    const pixels = output[0] * output[1] * output[2];
    const residual = node.inputs.length > 1;
    const columns = columnsOf(node, TILE);
    return {
      file: 'conv-pointwise-tiled.wgsl',
      source,
      constants: { RESIDUAL: residual },
      overrides: sigmoidOverride(node.activation),
      shape: pointwiseShape(node, pixels, input![3], columns),
      bindings: convolutionBindings(residual),
      workgroups: [ceilDiv(pixels, TILE.pixels), columns / TILE.channels, 1],
    };
  },
  constants: (node, { inputs: [input] }) => dotLayout(node, 1, input![3], TILE),
});
