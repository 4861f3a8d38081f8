import source from '../../shaders/activation.wgsl?raw';
import type { Activate } from '../graph/ops.ts';
import { elementwise, elementwiseProgram } from './elementwise.ts';
import { activationOverride, defineKernel } from './kernel.ts';

export const activation = defineKernel<Activate>({
  name: 'activation',
  op: 'activation',
  accepts: () => true,
  program: (node, { output }) =>
    elementwiseProgram(elementwise(output), {
      file: 'activation.wgsl',
      source,
      overrides: activationOverride(node.activation),
    }),
  constants: () => [],
});
