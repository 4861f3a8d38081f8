import source from '../../shaders/int8-pad.wgsl?raw';
import { defineInteger, wordOf } from './int8.ts';
import { ceilDiv, channelsByPixels, inputBinding, outputBinding, shapeBinding } from './kernel.ts';
import { planes } from './window.ts';

export const int8Pad = defineInteger(['pad'], {
  name: 'int8-pad',
  program({ padding, filler }, { inputs: [input], output }) {
    const channels4 = ceilDiv(output[3], 4);
    const workgroup = channelsByPixels(channels4);
    return {
      file: 'int8-pad.wgsl',
      source,
      constants: {},
      overrides: { WORKGROUP_X: workgroup.x, WORKGROUP_Y: workgroup.y },
      shape: {
        ...planes(input!, output),
        channels4,
        pad_top: padding.top,
        pad_left: padding.left,
        filler: wordOf(filler),
      },
      bindings: [shapeBinding, inputBinding(0), outputBinding],
      workgroups: [ceilDiv(channels4, workgroup.x), ceilDiv(output[2], workgroup.y), output[1] * output[0]],
    };
  },
});
