import source from '../../shaders/activation.wgsl?raw';
import type { Activate } from '../graph/ops.ts';
import { elementwise } from './elementwise.ts';
import { activationOverride, defineKernel, inputBinding, outputBinding, shapeBinding } from './kernel.ts';

export const activation = defineKernel<Activate>({
  name: 'activation',
  op: 'activation',
  accepts: () => true,
  program(node, { output }) {
    const { extent, overrides, workgroups } = elementwise(output);
    return {
      file: 'activation.wgsl',
      source,
      constants: {},
      overrides: { ...overrides, ...activationOverride(node.activation) },
      shape: extent,
      bindings: [shapeBinding, inputBinding(0), outputBinding],
      workgroups,
    };
  },
  constants: () => [],
});
