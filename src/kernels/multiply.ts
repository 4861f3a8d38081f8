import source from '../../shaders/multiply.wgsl?raw';
import type { Multiply } from '../graph/ops.ts';
import { binaryProgram } from './elementwise.ts';
import { defineKernel } from './kernel.ts';

export const multiply = defineKernel<Multiply>({
  name: 'multiply',
  op: 'multiply',
  accepts: () => true,
  program: (node, shapes) => binaryProgram('multiply.wgsl', source, node.activation, shapes),
  constants: () => [],
});
