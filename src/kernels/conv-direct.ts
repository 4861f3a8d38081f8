import source from '../../shaders/conv-direct.wgsl?raw';
import type { Conv2d } from '../graph/ops.ts';
import {
  activationOverride,
  ceilDiv,
  channelConstant,
  convolutionBindings,
  defineKernel,
  weightsConstant,
} from './kernel.ts';
import { packDot } from './pack.ts';
import { windowShape } from './window.ts';

const TILE_PIXELS = 4;
const TILE_CHANNELS = 16;
const WORKGROUP = { x: 8, y: 4 };

const columnsOf = (node: Conv2d) => ceilDiv(node.outChannels, TILE_CHANNELS) * TILE_CHANNELS;

/** Any convolution of one group. */
export const convDirect = defineKernel<Conv2d>({
  name: 'conv-direct',
  op: 'conv2d',
  accepts: ({ groups }) => groups === 1,
  program(node, { inputs: [input], output }) {
    const residual = node.inputs.length > 1;
    const channelGroups = columnsOf(node) / TILE_CHANNELS;
    return {
      file: 'conv-direct.wgsl',
      source,
      constants: { TILE_PIXELS, TILE_CHANNELS, RESIDUAL: residual },
      overrides: { WORKGROUP_X: WORKGROUP.x, WORKGROUP_Y: WORKGROUP.y, ...activationOverride(node.activation) },
      shape: {
        ...windowShape(node, input!, output),
        cin4: ceilDiv(input![3], 4),
        cout4: ceilDiv(node.outChannels, 4),
        columns: columnsOf(node),
        dilation_y: node.dilation[0],
        dilation_x: node.dilation[1],
        groups_of_channels: channelGroups,
      },
      bindings: convolutionBindings(residual),
      workgroups: [
        ceilDiv(ceilDiv(output[2], TILE_PIXELS), WORKGROUP.x),
        ceilDiv(output[1], WORKGROUP.y),
        channelGroups * output[0],
      ],
    };
  },
  constants(node, { inputs: [input] }) {
    const columns = columnsOf(node);
    const taps = node.kernel[0] * node.kernel[1];
    return [
      weightsConstant(taps * 4 * ceilDiv(input![3], 4) * columns, () =>
        packDot(node.weights, taps, input![3], node.outChannels, columns),
      ),
      channelConstant(node.bias, columns),
    ];
  },
});
