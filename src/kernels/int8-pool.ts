import source from '../../shaders/int8-pool.wgsl?raw';
import { defineInteger } from './int8.ts';
import { ceilDiv, channelsByPixels, inputBinding, outputBinding, shapeBinding } from './kernel.ts';
import { windowShape } from './window.ts';

export const int8Pool = defineInteger(['pool'], {
  name: 'int8-pool',
  program({ pool, halves, window, stride, padding, range }, { inputs: [input], output }) {
    const channels4 = ceilDiv(output[3], 4);
    const workgroup = channelsByPixels(channels4);
    return {
      file: 'int8-pool.wgsl',
      source,
      constants: { MAXIMUM: pool === 'max', UP: halves === 'up' },
      overrides: { WORKGROUP_X: workgroup.x, WORKGROUP_Y: workgroup.y },
      shape: {
        ...windowShape({ kernel: window, stride, padding }, input!, output),
        channels4,
        least: range[0],
        most: range[1],
      },
      bindings: [shapeBinding, inputBinding(0), outputBinding],
      workgroups: [ceilDiv(channels4, workgroup.x), ceilDiv(output[2], workgroup.y), output[1] * output[0]],
    };
  },
});
