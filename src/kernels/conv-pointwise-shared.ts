import splitSource from '../../shaders/conv-pointwise-split.wgsl?raw';
import tiledSource from '../../shaders/conv-pointwise-tiled.wgsl?raw';
import { isPointwise } from '../graph/layers.ts';
import type { Conv2d } from '../graph/ops.ts';
import { columnsOf, dotLayout } from './dot.ts';
import { ceilDiv, convolutionBindings, defineKernel, type Kernel, pointwiseShape, sigmoidOverride } from './kernel.ts';

/** Pixels and channels of a workgroup, as the shader has them. */
interface Tile {
  readonly pixels: number;
  readonly channels: number;
}

/** A pointwise convolution whose invocations work together on a tile. */
const shared = (name: string, source: string, tile: Tile): Kernel =>
  defineKernel<Conv2d>({
    name,
    op: 'conv2d',
    accepts: isPointwise,
    program(node, { inputs: [input], output }) {
      const pixels = output[0] * output[1] * output[2];
      const residual = node.inputs.length > 1;
      return {
        file: `${name}.wgsl`,
        source,
        constants: { RESIDUAL: residual },
        overrides: sigmoidOverride(node.activation),
        shape: pointwiseShape(node, pixels, input![3], columnsOf(node, tile)),
        bindings: convolutionBindings(residual),
        workgroups: [ceilDiv(pixels, tile.pixels), columnsOf(node, tile) / tile.channels, 1],
      };
    },
    constants: (node, { inputs: [input] }) => dotLayout(node, 1, input![3], columnsOf(node, tile)),
  });

/** Through workgroup memory: 32 pixels × 32 channels of a workgroup read each input and weight once. */
export const convPointwiseTiled = shared('conv-pointwise-tiled', tiledSource, { pixels: 32, channels: 32 });

/** Input channels split over eight invocations: parallel where pixels are few. */
export const convPointwiseSplit = shared('conv-pointwise-split', splitSource, { pixels: 32, channels: 8 });
