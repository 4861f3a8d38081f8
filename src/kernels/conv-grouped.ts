import source from '../../shaders/conv-grouped.wgsl?raw';
import outputPixel from '../../shaders/fragments/output-pixel.wgsl?raw';
import type { Conv2d } from '../graph/ops.ts';
import {
  activationOverride,
  ceilDiv,
  channelConstant,
  channelsByPixels,
  convolutionBindings,
  defineKernel,
  floatWeightsConstant,
} from './kernel.ts';
import { packRows } from './pack.ts';
import { windowShape } from './window.ts';

/** Every convolution: any groups, several outputs a channel, large depthwise kernels. */
export const convGrouped = defineKernel<Conv2d>({
  name: 'conv-grouped',
  op: 'conv2d',
  accepts: () => true,
  program(node, { inputs: [input], output }) {
    const residual = node.inputs.length > 1;
    const cout4 = ceilDiv(node.outChannels, 4);
    const workgroup = channelsByPixels(cout4);
    return {
      file: 'conv-grouped.wgsl',
      source,
      fragments: { 'output-pixel': outputPixel },
      constants: { RESIDUAL: residual },
      overrides: { WORKGROUP_X: workgroup.x, WORKGROUP_Y: workgroup.y, ...activationOverride(node.activation) },
      shape: {
        ...windowShape(node, input!, output),
        cin4: ceilDiv(input![3], 4),
        cout4,
        group_inputs: input![3] / node.groups,
        group_outputs: node.outChannels / node.groups,
        dilation_y: node.dilation[0],
        dilation_x: node.dilation[1],
      },
      bindings: convolutionBindings(residual),
      workgroups: [ceilDiv(cout4, workgroup.x), ceilDiv(output[2], workgroup.y), output[1] * output[0]],
    };
  },
  constants({ weights, bias, kernel, groups, outChannels }, { inputs: [input] }) {
    const rows = kernel[0] * kernel[1] * (input![3] / groups);
    const channels = 4 * ceilDiv(outChannels, 4);
    return [
      floatWeightsConstant(rows * channels, () => packRows(weights, rows, outChannels)),
      channelConstant(bias, channels),
    ];
  },
});
