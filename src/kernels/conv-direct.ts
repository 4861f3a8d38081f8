import source from '../../shaders/conv-direct.wgsl?raw';
import type { Conv2d } from '../graph/ops.ts';
import { type DotVariant, dotVariantName, isPointwise, wasteful, workgroupOf } from './conv-pointwise.ts';
import {
  ceilDiv,
  channelConstant,
  clampOf,
  convolutionBindings,
  curveOverride,
  defineKernel,
  type Kernel,
  LARGEST_TEXTURE,
  textureConstant,
  weightsConstant,
} from './kernel.ts';
import { packDot } from './pack.ts';
import { windowShape } from './window.ts';

/** Rows of pixels of a workgroup. */
const ROWS = 4;

/** Any convolution of one group that `takes` allows. */
function direct(name: string, variant: DotVariant, takes: (node: Conv2d) => boolean): Kernel {
  const { pixels: tilePixels, channels: tileChannels, weights, broadcast, narrow } = variant;
  const columnsOfWorkgroup = workgroupOf(variant) / ROWS;
  const columnsOf = (node: Conv2d) => ceilDiv(node.outChannels, tileChannels) * tileChannels;
  const rowsOf = ({ kernel }: Conv2d, channels: number) => kernel[0] * kernel[1] * ceilDiv(channels, 4);
  const texture = weights === 'texture';
  return defineKernel<Conv2d>({
    name,
    op: 'conv2d',
    requires: broadcast ? ['subgroups'] : [],
    accepts: (node, { inputs: [input] }) =>
      node.groups === 1 &&
      takes(node) &&
      !(texture && Math.max(columnsOf(node), rowsOf(node, input![3])) > LARGEST_TEXTURE),
    suits: (node) => !wasteful(node, variant),
    program(node, { inputs: [input], output }) {
      const residual = node.inputs.length > 1;
      const channelGroups = columnsOf(node) / tileChannels;
      return {
        file: 'conv-direct.wgsl',
        source,
        constants: {
          TILE_PIXELS: tilePixels,
          TILE_CHANNELS: tileChannels,
          RESIDUAL: residual || narrow,
          TEXTURE: texture,
          BROADCAST: broadcast,
          STORE_LOOP: narrow,
        },
        overrides: { WORKGROUP_X: columnsOfWorkgroup, WORKGROUP_Y: ROWS, ...curveOverride(node.activation) },
        shape: {
          ...windowShape(node, input!, output),
          cin4: ceilDiv(input![3], 4),
          cout4: ceilDiv(node.outChannels, 4),
          columns: columnsOf(node),
          dilation_y: node.dilation[0],
          dilation_x: node.dilation[1],
          groups_of_channels: channelGroups,
          ...clampOf(node.activation),
          adds_residual: residual ? 1 : 0,
        },
        bindings: convolutionBindings(residual, narrow),
        workgroups: [
          ceilDiv(ceilDiv(output[2], tilePixels), columnsOfWorkgroup),
          ceilDiv(output[1], ROWS),
          channelGroups * output[0],
        ],
      };
    },
    constants(node, { inputs: [input] }) {
      const columns = columnsOf(node);
      const taps = node.kernel[0] * node.kernel[1];
      const rows = rowsOf(node, input![3]);
      const pack = () => packDot(node.weights, taps, input![3], node.outChannels, columns);
      return [
        texture ? textureConstant(columns, rows, pack) : weightsConstant(4 * rows * columns, pack),
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

const tiles: readonly DotVariant[] = [
  { pixels: 4, channels: 16, weights: 'texture', broadcast: true, narrow: true },
  { pixels: 7, channels: 32, weights: 'texture', broadcast: true, narrow: true },
  { pixels: 7, channels: 16, weights: 'texture', broadcast: true, narrow: true },
  { pixels: 4, channels: 16, weights: 'texture', broadcast: false, narrow: false },
  { pixels: 8, channels: 8, weights: 'buffer', broadcast: false, narrow: false },
];

export const directVariants: readonly Kernel[] = tiles.map((tile) =>
  direct(dotVariantName('conv-direct', tile), tile, (node) => !isPointwise(node)),
);
