import source from '../../shaders/int8-conv-transpose.wgsl?raw';
import { bytesConstant, channelsConstant, defineInteger, endsOf, packQuads } from './int8.ts';
import { ceilDiv, channelsByPixels, convolutionBindings } from './kernel.ts';
import { windowShape } from './window.ts';

/** Every transposed convolution. */
export const int8ConvTranspose = defineInteger(['conv-transpose2d'], {
  name: 'int8-conv-transpose',
  program(body, { inputs: [input], output }) {
    const cout4 = ceilDiv(body.outChannels, 4);
    const workgroup = channelsByPixels(cout4);
    const padding = { top: body.crop[0], left: body.crop[1], bottom: 0, right: 0 };
    return {
      file: 'int8-conv-transpose.wgsl',
      source,
      constants: {},
      overrides: { WORKGROUP_X: workgroup.x, WORKGROUP_Y: workgroup.y },
      shape: {
        ...windowShape({ ...body, padding }, input!, output),
        cin4: ceilDiv(input![3], 4),
        cout4,
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
    const [taps, inputs, cout4] = [body.kernel[0] * body.kernel[1], input![3], ceilDiv(body.outChannels, 4)];
    return [
      bytesConstant(16 * taps * ceilDiv(inputs, 4) * cout4, (bytes) =>
        packQuads(bytes, body, [taps, inputs, body.outChannels], cout4),
      ),
      channelsConstant(body, body.outChannels, cout4, false),
    ];
  },
});
