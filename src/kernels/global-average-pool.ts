import source from '../../shaders/global-average-pool.wgsl?raw';
import type { GlobalAveragePool } from '../graph/ops.ts';
import { ceilDiv, defineKernel, inputBinding, outputBinding, shapeBinding } from './kernel.ts';

const COLUMNS = 8;
const SLICES = 8;

export const globalAveragePool = defineKernel<GlobalAveragePool>({
  name: 'global-average-pool',
  op: 'global-average-pool',
  accepts: () => true,
  program(_node, { inputs: [input] }) {
    const channels4 = ceilDiv(input![3], 4);
    return {
      file: 'global-average-pool.wgsl',
      source,
      constants: {},
      overrides: { COLUMNS, SLICES },
      shape: { pixels: input![1] * input![2], channels4 },
      bindings: [shapeBinding, inputBinding(0), outputBinding],
      workgroups: [ceilDiv(channels4, COLUMNS), input![0], 1],
    };
  },
  constants: () => [],
});
