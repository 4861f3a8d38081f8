import source from '../../shaders/conv-pointwise.wgsl?raw';
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

const TILE_PIXELS = 4;
const TILE_CHANNELS = 16;

const columnsOf = (node: Conv2d) => ceilDiv(node.outChannels, TILE_CHANNELS) * TILE_CHANNELS;

/** 1×1, stride 1, one group, no padding. */
export const convPointwise = defineKernel<Conv2d>({
  name: 'conv-pointwise',
  op: 'conv2d',
  accepts: ({ kernel, stride, groups, padding: { top, left, bottom, right } }) =>
    groups === 1 &&
    [...kernel, ...stride].every((value) => value === 1) &&
    [top, left, bottom, right].every((value) => value === 0),
  program(node, { inputs: [input], output }) {
    const pixels = output[0] * output[1] * output[2];
    const residual = node.inputs.length > 1;
    const groups = ceilDiv(pixels, TILE_PIXELS);
    const workgroup = groups > 16 ? 32 : 16;
    return {
      file: 'conv-pointwise.wgsl',
      source,
      constants: { TILE_PIXELS, TILE_CHANNELS, RESIDUAL: residual },
      overrides: { WORKGROUP_X: workgroup, ...activationOverride(node.activation) },
      shape: {
        pixels,
        cin4: ceilDiv(input![3], 4),
        cout4: ceilDiv(node.outChannels, 4),
        columns: columnsOf(node),
      },
      bindings: convolutionBindings(residual),
      workgroups: [ceilDiv(groups, workgroup), columnsOf(node) / TILE_CHANNELS, 1],
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
