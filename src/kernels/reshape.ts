import source from '../../shaders/reshape.wgsl?raw';
import type { Reshape } from '../graph/ops.ts';
import { elementwise } from './elementwise.ts';
import { ceilDiv, defineKernel, inputBinding, outputBinding, shapeBinding } from './kernel.ts';

export const reshape = defineKernel<Reshape>({
  name: 'reshape',
  op: 'reshape',
  accepts: () => true,
  program(_node, { inputs: [input], output }) {
    const { extent, overrides, workgroups } = elementwise(output, output[0] * output[1] * output[2], 1);
    return {
      file: 'reshape.wgsl',
      source,
      constants: {},
      overrides,
      shape: { ...extent, channels: output[3], src_channels: input![3], src_channels4: ceilDiv(input![3], 4) },
      bindings: [shapeBinding, inputBinding(0), outputBinding],
      workgroups,
    };
  },
  constants: () => [],
});
