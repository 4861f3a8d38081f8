import splitSource from '../../shaders/conv-pointwise-split.wgsl?raw';
import tiledSource from '../../shaders/conv-pointwise-tiled.wgsl?raw';
import { isPointwise } from '../graph/layers.ts';
import type { Conv2d } from '../graph/ops.ts';
import { columnsOf, dotConstants, dotLayout, groupsOf, inLine, tileOf, wasteful } from './dot.ts';
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
      source: tiledSource,
      constants: { RESIDUAL: residual },
      overrides: sigmoidOverride(node.activation),
      shape: pointwiseShape(node, pixels, input![3], columns),
      bindings: convolutionBindings(residual),
      workgroups: [ceilDiv(pixels, TILE.pixels), columns / TILE.channels, 1],
    };
  },
  constants: (node, { inputs: [input] }) => dotLayout(node, 1, input![3], TILE),
});

/** Invocations of a workgroup. */
const WORKGROUP = 64;

/** Input channels split over invocations: parallel where pixels are few. */
function split(pixels: number, channels: number, slices: number): Kernel {
  const tile = tileOf(pixels, channels, 'line');
  const places = (node: Conv2d, [images, height, width]: readonly number[]) =>
    ceilDiv(images! * height! * width!, pixels) * groupsOf(node, tile);
  return defineKernel<Conv2d>({
    name: `conv-pointwise-split/p${pixels}-c${channels}-s${slices}`,
    op: 'conv2d',
    accepts: isPointwise,
    // Each of them has some products to add.
    suits: (node, { inputs: [input], output }) =>
      !wasteful(node, tile) && input![3] >= 16 * slices && output[1] * output[2] > 1,
    invocations: (node, { output }) => places(node, output) * slices,
    program(node, { inputs: [input], output }) {
      const residual = node.inputs.length > 1;
      const [images, height, width] = output;
      return {
        file: 'conv-pointwise-split.wgsl',
        source: splitSource,
        constants: { ...dotConstants(tile), SLICES: slices, RESIDUAL: residual },
        overrides: sigmoidOverride(node.activation),
        shape: {
          ...pointwiseShape(node, images * height * width, input![3], columnsOf(node, tile)),
          groups_of_channels: groupsOf(node, tile),
        },
        bindings: convolutionBindings(residual),
        workgroups: [...inLine(ceilDiv(places(node, output) * slices, WORKGROUP)), 1],
      };
    },
    constants: (node, { inputs: [input] }) => dotLayout(node, 1, input![3], tile),
  });
}

export const pointwiseSplitVariants: readonly Kernel[] = [
  split(4, 16, 4),
  split(4, 16, 8),
  split(4, 4, 4),
  split(2, 4, 4),
];
