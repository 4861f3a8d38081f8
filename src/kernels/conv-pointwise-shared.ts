import splitSource from '../../shaders/conv-pointwise-split.wgsl?raw';
import tiledSource from '../../shaders/conv-pointwise-tiled.wgsl?raw';
import type { Conv2d } from '../graph/ops.ts';
import { isPointwise } from './conv-pointwise.ts';
import {
  ceilDiv,
  channelConstant,
  convolutionBindings,
  defineKernel,
  type Kernel,
  piecewiseOf,
  sigmoidOverride,
  weightsConstant,
} from './kernel.ts';
import { packDot } from './pack.ts';

/** Pixels and channels of a workgroup, as the shader has them. */
interface Tile {
  readonly pixels: number;
  readonly channels: number;
}

/** A pointwise convolution whose invocations work together on a tile. */
function shared(name: string, source: string, tile: Tile): Kernel {
  const columnsOf = ({ outChannels }: Conv2d) => ceilDiv(outChannels, tile.channels) * tile.channels;
  return defineKernel<Conv2d>({
    name,
    op: 'conv2d',
    accepts: (node) => isPointwise(node),
    program(node, { inputs: [input], output }) {
      const pixels = output[0] * output[1] * output[2];
      const residual = node.inputs.length > 1;
      return {
        file: `${name}.wgsl`,
        source,
        constants: { RESIDUAL: residual },
        overrides: sigmoidOverride(node.activation),
        shape: {
          pixels,
          cin4: ceilDiv(input![3], 4),
          cout4: ceilDiv(node.outChannels, 4),
          columns: columnsOf(node),
          ...piecewiseOf(node.activation),
        },
        bindings: convolutionBindings(residual),
        workgroups: [ceilDiv(pixels, tile.pixels), columnsOf(node) / tile.channels, 1],
      };
    },
    constants(node, { inputs: [input] }) {
      const columns = columnsOf(node);
      return [
        weightsConstant(4 * ceilDiv(input![3], 4) * columns, () =>
          packDot(node.weights, 1, input![3], node.outChannels, columns),
        ),
        channelConstant(node.bias, columns),
      ];
    },
  });
}

/** Through workgroup memory: 32 pixels × 32 channels of a workgroup read each input and weight once. */
export const convPointwiseTiled = shared('conv-pointwise-tiled', tiledSource, { pixels: 32, channels: 32 });

/** Input channels split over eight invocations: parallel where pixels are few. */
export const convPointwiseSplit = shared('conv-pointwise-split', splitSource, { pixels: 32, channels: 8 });
