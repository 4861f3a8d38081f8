import source from '../../shaders/concat.wgsl?raw';
import blocksSource from '../../shaders/concat-blocks.wgsl?raw';
import type { Concat, Shape } from '../graph/ops.ts';
import { elementwise, elementwiseProgram } from './elementwise.ts';
import { ceilDiv, defineKernel, inputBinding } from './kernel.ts';

/** Two tensors; a pass splits a longer list into pairs. */
export const concat = defineKernel<Concat>({
  name: 'concat',
  op: 'concat',
  accepts: ({ inputs }) => inputs.length === 2,
  program: ({ axis = 3 }, { inputs: [a, b], output }) => {
    // vec4 that lie side by side from one place of the axis to the next of what lies before it.
    const block = (shape: Shape) => shape.slice(axis, 3).reduce((product, d) => product * d, ceilDiv(shape[3], 4));
    const parts =
      axis === 3
        ? {
            file: 'concat.wgsl',
            source,
            shape: { a_channels: a![3], a_channels4: ceilDiv(a![3], 4), b_channels4: ceilDiv(b![3], 4) },
          }
        : { file: 'concat-blocks.wgsl', source: blocksSource, shape: { a_block: block(a!), b_block: block(b!) } };
    return elementwiseProgram(elementwise(output, output[0] * output[1] * output[2], 1), {
      ...parts,
      reads: [inputBinding(0), inputBinding(1)],
    });
  },
  constants: () => [],
});
