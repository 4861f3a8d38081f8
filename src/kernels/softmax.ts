import source from '../../shaders/softmax.wgsl?raw';
import type { Softmax } from '../graph/ops.ts';
import { ceilDiv, defineKernel, inputBinding, outputBinding, shapeBinding } from './kernel.ts';

export const softmax = defineKernel<Softmax>({
  name: 'softmax',
  op: 'softmax',
  accepts: (_node, { output }) => output[0] * output[1] * output[2] <= 65535,
  program(_node, { output }) {
    return {
      file: 'softmax.wgsl',
      source,
      constants: {},
      overrides: { WORKGROUP_X: 64 },
      shape: { channels: output[3], channels4: ceilDiv(output[3], 4) },
      bindings: [shapeBinding, inputBinding(0), outputBinding],
      workgroups: [output[0] * output[1] * output[2], 1, 1],
    };
  },
  constants: () => [],
});
