import source from '../../shaders/add.wgsl?raw';
import type { Add } from '../graph/ops.ts';
import { binaryProgram } from './elementwise.ts';
import { defineKernel } from './kernel.ts';

export const add = defineKernel<Add>({
  name: 'add',
  op: 'add',
  accepts: () => true,
  program: (node, shapes) => binaryProgram('add.wgsl', source, node.activation, shapes),
  constants: () => [],
});
