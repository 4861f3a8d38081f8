import source from '../../shaders/conv-direct.wgsl?raw';
import type { Conv2d, Shape } from '../graph/ops.ts';
import { type DotVariant, dotVariantName, isPointwise, storesInLoop, wasteful, workgroupOf } from './conv-pointwise.ts';
import {
  ceilDiv,
  channelConstant,
  convolutionBindings,
  defineKernel,
  type Kernel,
  LARGEST_TEXTURE,
  MOST_WORKGROUPS,
  piecewiseOf,
  sigmoidOverride,
  textureConstant,
  weightsConstant,
} from './kernel.ts';
import { packDot } from './pack.ts';
import { windowShape } from './window.ts';

interface DirectVariant extends DotVariant {
  /** For first plans: pointwise layers too, with a residual or none, so that one pipeline serves all. */
  readonly any?: true;
}

/** All pixels in one row. */
const row = ([batch, height, width, channels]: Shape): Shape => [1, 1, batch * height * width, channels];

/** Any convolution of one group that `takes` allows. */
function direct(name: string, variant: DirectVariant, takes: (node: Conv2d) => boolean): Kernel {
  const { pixels: tilePixels, channels: tileChannels, weights, broadcast, narrow, any = false } = variant;
  // Rows of pixels of a workgroup.
  const rows = any ? 1 : 4;
  const columnsOfWorkgroup = workgroupOf(variant) / rows;
  const columnsOf = (node: Conv2d) => ceilDiv(node.outChannels, tileChannels) * tileChannels;
  const weightRowsOf = ({ kernel }: Conv2d, channels: number) => kernel[0] * kernel[1] * ceilDiv(channels, 4);
  const texture = weights === 'texture';
  return defineKernel<Conv2d>({
    name,
    op: 'conv2d',
    requires: broadcast ? ['subgroups'] : [],
    accepts: (node, { inputs: [input], output }) =>
      node.groups === 1 &&
      takes(node) &&
      !(texture && Math.max(columnsOf(node), weightRowsOf(node, input![3])) > LARGEST_TEXTURE) &&
      !(any && isPointwise(node) && ceilDiv(row(output)[2], tilePixels * columnsOfWorkgroup) > MOST_WORKGROUPS),
    suits: (node) => any || !wasteful(node, variant),
    program(node, shapes) {
      // Where no pixel sees another they are one row, which tiles fill.
      const [input, output] = [shapes.inputs[0]!, shapes.output].map((shape) =>
        isPointwise(node) ? row(shape) : shape,
      );
      const residual = node.inputs.length > 1;
      const channelGroups = columnsOf(node) / tileChannels;
      return {
        file: 'conv-direct.wgsl',
        source,
        constants: {
          TILE_PIXELS: tilePixels,
          TILE_CHANNELS: tileChannels,
          RESIDUAL: residual || any,
          TEXTURE: texture,
          BROADCAST: broadcast,
          NARROW: narrow,
          STORE_LOOP: storesInLoop(variant),
        },
        overrides: { WORKGROUP_X: columnsOfWorkgroup, WORKGROUP_Y: rows, ...sigmoidOverride(node.activation) },
        shape: {
          ...windowShape(node, input!, output!),
          cin4: ceilDiv(input![3], 4),
          cout4: ceilDiv(node.outChannels, 4),
          columns: columnsOf(node),
          dilation_y: node.dilation[0],
          dilation_x: node.dilation[1],
          groups_of_channels: channelGroups,
          ...piecewiseOf(node.activation),
          adds_residual: residual ? 1 : 0,
        },
        bindings: convolutionBindings(residual, any),
        workgroups: [
          ceilDiv(ceilDiv(output![2], tilePixels), columnsOfWorkgroup),
          ceilDiv(output![1], rows),
          channelGroups * output![0],
        ],
      };
    },
    constants(node, { inputs: [input] }) {
      const columns = columnsOf(node);
      const taps = node.kernel[0] * node.kernel[1];
      const weightRows = weightRowsOf(node, input![3]);
      const pack = () => packDot(node.weights, taps, input![3], node.outChannels, columns);
      return [
        texture ? textureConstant(columns, weightRows, pack) : weightsConstant(4 * weightRows * columns, pack),
        channelConstant(node.bias, columns),
      ];
    },
  });
}

export const convDirect = direct(
  'conv-direct',
  { pixels: 4, channels: 16, weights: 'buffer', broadcast: false, narrow: false },
  () => true,
);

const tiles: readonly DirectVariant[] = [
  { pixels: 7, channels: 32, weights: 'texture', broadcast: true, narrow: true },
  { pixels: 7, channels: 16, weights: 'texture', broadcast: true, narrow: true },
  { pixels: 4, channels: 16, weights: 'texture', broadcast: false, narrow: false },
  { pixels: 8, channels: 8, weights: 'buffer', broadcast: false, narrow: false },
];

export const directVariants: readonly Kernel[] = tiles.map((tile) =>
  direct(dotVariantName('conv-direct', tile), tile, (node) => !isPointwise(node)),
);

/** For first results on devices that compile slowly: one pipeline for all of a network's convolutions of one group. */
export const convAnyVariants: readonly Kernel[] = (
  [
    { pixels: 4, channels: 8, weights: 'texture', broadcast: true, narrow: true, any: true },
    { pixels: 2, channels: 8, weights: 'texture', broadcast: false, narrow: true, any: true },
  ] as const
).map((tile) => direct(dotVariantName('conv-any', tile), tile, () => true));
