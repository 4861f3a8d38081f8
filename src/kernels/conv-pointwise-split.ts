import source from '../../shaders/conv-pointwise-split.wgsl?raw';
import { isPointwise } from '../graph/layers.ts';
import type { Conv2d } from '../graph/ops.ts';
import { columnsOf, dotConstants, dotLayout, groupsOf, inLine, tileOf, wasteful } from './dot.ts';
import { ceilDiv, convolutionBindings, defineKernel, type Kernel, pointwiseShape, sigmoidOverride } from './kernel.ts';

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
        source,
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

/** Variants that no software adapter tries: its lanes are as many as it has. */
export const variants: readonly Kernel[] = [split(4, 16, 4), split(4, 16, 8), split(4, 4, 4), split(2, 4, 4)];
