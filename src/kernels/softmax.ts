import source from '../../shaders/softmax.wgsl?raw';
import type { Softmax } from '../graph/ops.ts';
import { ceilDiv, defineKernel, inputBinding, outputBinding, shapeBinding } from './kernel.ts';

export const softmax = defineKernel<Softmax>({
  name: 'softmax',
  op: 'softmax',
  accepts: () => true,
  program(_node, { output }) {
    const pixels = output[0] * output[1] * output[2];
    // One workgroup a pixel, in rows of at most as many as WebGPU allows.
    const across = Math.min(pixels, 65535);
    return {
      file: 'softmax.wgsl',
      source,
      constants: {},
      overrides: { WORKGROUP_X: 64 },
      shape: { pixels, across, channels: output[3], channels4: ceilDiv(output[3], 4) },
      bindings: [shapeBinding, inputBinding(0), outputBinding],
      workgroups: [across, ceilDiv(pixels, across), 1],
    };
  },
  constants: () => [],
});
