import source from '../../shaders/concat.wgsl?raw';
import type { Concat } from '../graph/ops.ts';
import { elementwise, elementwiseProgram } from './elementwise.ts';
import { ceilDiv, defineKernel, inputBinding } from './kernel.ts';

/** Two tensors; a pass splits a longer list into pairs. */
export const concat = defineKernel<Concat>({
  name: 'concat',
  op: 'concat',
  accepts: ({ inputs }) => inputs.length === 2,
  program: (_node, { inputs: [a, b], output }) =>
    elementwiseProgram(elementwise(output, output[0] * output[1] * output[2], 1), {
      file: 'concat.wgsl',
      source,
      shape: { a_channels: a![3], a_channels4: ceilDiv(a![3], 4), b_channels4: ceilDiv(b![3], 4) },
      reads: [inputBinding(0), inputBinding(1)],
    }),
  constants: () => [],
});
