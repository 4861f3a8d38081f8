import source from '../../shaders/global-average-pool.wgsl?raw';
import type { GlobalAveragePool } from '../graph/ops.ts';
import { ceilDiv, defineKernel, inputBinding, type Kernel, outputBinding, shapeBinding } from './kernel.ts';

/** Four-channel groups of a workgroup, and the invocations that share each of them. */
interface Workgroup {
  readonly columns: number;
  readonly slices: number;
}

const pool = (name: string, { columns, slices }: Workgroup): Kernel =>
  defineKernel<GlobalAveragePool>({
    name,
    op: 'global-average-pool',
    accepts: () => true,
    program(_node, { inputs: [input] }) {
      const channels4 = ceilDiv(input![3], 4);
      return {
        file: 'global-average-pool.wgsl',
        source,
        constants: { SLICED: slices > 1 },
        overrides: { COLUMNS: columns, ...(slices > 1 ? { SLICES: slices } : {}) },
        shape: { pixels: input![1] * input![2], channels4 },
        bindings: [shapeBinding, inputBinding(0), outputBinding],
        workgroups: [ceilDiv(channels4, columns), input![0], 1],
      };
    },
    constants: () => [],
  });

export const globalAveragePool = pool('global-average-pool', { columns: 8, slices: 8 });

/** Software adapters have few lanes to share a sum, and pay for each that waits. */
export const globalAveragePoolVariants: readonly Kernel[] = [
  pool('global-average-pool/4x1', { columns: 4, slices: 1 }),
  pool('global-average-pool/4x4', { columns: 4, slices: 4 }),
];
