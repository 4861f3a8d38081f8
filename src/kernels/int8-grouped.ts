import source from '../../shaders/int8-grouped.wgsl?raw';
import { bytesConstant, channelsConstant, defineInteger, endsOf } from './int8.ts';
import { ceilDiv, channelsByPixels, convolutionBindings } from './kernel.ts';
import { windowShape } from './window.ts';

/** Every convolution but with a residual: any groups, several outputs a channel, large depthwise kernels. */
export const int8Grouped = defineInteger(['conv2d'], {
  name: 'int8-grouped',
  accepts: (body) => !body.residual,
  program(body, { inputs: [input], output }) {
    const cout4 = ceilDiv(body.outChannels, 4);
    const workgroup = channelsByPixels(cout4);
    return {
      file: 'int8-grouped.wgsl',
      source,
      constants: {},
      overrides: { WORKGROUP_X: workgroup.x, WORKGROUP_Y: workgroup.y },
      shape: {
        ...windowShape(body, input!, output),
        cin4: ceilDiv(input![3], 4),
        cout4,
        group_inputs: input![3] / body.groups,
        group_outputs: body.outChannels / body.groups,
        dilation_y: body.dilation[0],
        dilation_x: body.dilation[1],
        input_zero: body.inputZeroPoint,
        weight_zero: body.weightZeroPoint,
        ...endsOf(body.to),
      },
      bindings: convolutionBindings(false),
      workgroups: [ceilDiv(cout4, workgroup.x), ceilDiv(output[2], workgroup.y), output[1] * output[0]],
    };
  },
  constants(body, { inputs: [input] }) {
    const { weights, kernel, groups, outChannels } = body;
    const [rows, cout4] = [kernel[0] * kernel[1] * (input![3] / groups), ceilDiv(outChannels, 4)];
    return [
      bytesConstant(4 * rows * cout4, (bytes) => {
        for (let row = 0; row < rows; row++) {
          bytes.set(weights.subarray(row * outChannels, (row + 1) * outChannels), 4 * row * cout4);
        }
      }),
      channelsConstant(body, outChannels, cout4, false),
    ];
  },
});
