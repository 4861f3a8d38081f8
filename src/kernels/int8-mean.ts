import source from '../../shaders/int8-mean.wgsl?raw';
import { defineInteger, endsOf } from './int8.ts';
import { ceilDiv, inputBinding, type Kernel, outputBinding, shapeBinding } from './kernel.ts';

/** Four-channel groups of a workgroup, and the invocations that share each of them. */
const mean = (name: string, columns: number, slices: number): Kernel =>
  defineInteger(['mean'], {
    name,
    program({ inputZeroPoint, to }, { inputs: [input] }) {
      const channels4 = ceilDiv(input![3], 4);
      const pixels = input![1] * input![2];
      return {
        file: 'int8-mean.wgsl',
        source,
        constants: { SLICED: slices > 1 },
        overrides: { COLUMNS: columns, ...(slices > 1 ? { SLICES: slices } : {}) },
        shape: { pixels, channels4, zero_sum: pixels * inputZeroPoint, multiplier: to.multipliers[0]!, ...endsOf(to) },
        bindings: [shapeBinding, inputBinding(0), outputBinding],
        workgroups: [ceilDiv(channels4, columns), input![0], 1],
      };
    },
  });

/** Runs on every device. */
export const int8Mean = mean('int8-mean', 8, 8);

/** Software adapters pay for each lane that waits. */
export const int8MeanVariants: readonly Kernel[] = [mean('int8-mean/4x1', 4, 1)];
