import source from '../../shaders/reshape.wgsl?raw';
import type { Reshape } from '../graph/ops.ts';
import { elementwise, elementwiseProgram } from './elementwise.ts';
import { ceilDiv, defineKernel } from './kernel.ts';

export const reshape = defineKernel<Reshape>({
  name: 'reshape',
  op: 'reshape',
  accepts: () => true,
  program: (_node, { inputs: [input], output }) =>
    elementwiseProgram(elementwise(output, output[0] * output[1] * output[2], 1), {
      file: 'reshape.wgsl',
      source,
      shape: { channels: output[3], src_channels: input![3], src_channels4: ceilDiv(input![3], 4) },
    }),
  constants: () => [],
});
