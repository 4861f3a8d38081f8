import source from '../../shaders/conv-transpose.wgsl?raw';
import outputPixel from '../../shaders/fragments/output-pixel.wgsl?raw';
import type { ConvTranspose2d } from '../graph/ops.ts';
import {
  activationOverride,
  ceilDiv,
  channelConstant,
  channelsByPixels,
  convolutionBindings,
  defineKernel,
  weightsConstant,
} from './kernel.ts';
import { packDot } from './pack.ts';
import { windowShape } from './window.ts';

/** Every transposed convolution. */
export const convTranspose = defineKernel<ConvTranspose2d>({
  name: 'conv-transpose',
  op: 'conv-transpose2d',
  accepts: () => true,
  program(node, { inputs: [input], output }) {
    const cout4 = ceilDiv(node.outChannels, 4);
    const workgroup = channelsByPixels(cout4);
    const padding = { top: node.crop[0], left: node.crop[1], bottom: 0, right: 0 };
    return {
      file: 'conv-transpose.wgsl',
      source,
      fragments: { 'output-pixel': outputPixel },
      constants: { RESIDUAL: false },
      overrides: { WORKGROUP_X: workgroup.x, WORKGROUP_Y: workgroup.y, ...activationOverride(node.activation) },
      shape: {
        ...windowShape({ ...node, padding }, input!, output),
        cin4: ceilDiv(input![3], 4),
        cout4,
        dilation_y: node.dilation[0],
        dilation_x: node.dilation[1],
      },
      bindings: convolutionBindings(false),
      workgroups: [ceilDiv(cout4, workgroup.x), ceilDiv(output[2], workgroup.y), output[1] * output[0]],
    };
  },
  constants({ weights, bias, kernel, outChannels }, { inputs: [input] }) {
    const [taps, inputs, columns] = [kernel[0] * kernel[1], input![3], 4 * ceilDiv(outChannels, 4)];
    return [
      weightsConstant(4 * taps * ceilDiv(inputs, 4) * columns, () =>
        packDot(weights, taps, inputs, outChannels, columns),
      ),
      channelConstant(bias, columns),
    ];
  },
});
