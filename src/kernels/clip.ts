import source from '../../shaders/clip.wgsl?raw';
import type { Clip } from '../graph/ops.ts';
import { elementwise } from './elementwise.ts';
import { defineKernel, inputBinding, outputBinding, shapeBinding } from './kernel.ts';

const LARGEST = 3.4028234663852886e38;
const finite = (value: number) => Math.min(Math.max(value, -LARGEST), LARGEST);

export const clip = defineKernel<Clip>({
  name: 'clip',
  op: 'clip',
  accepts: () => true,
  program(node, { output }) {
    const { extent, overrides, workgroups } = elementwise(output);
    return {
      file: 'clip.wgsl',
      source,
      constants: {},
      overrides,
      shape: { ...extent, low: finite(node.min), high: finite(node.max) },
      bindings: [shapeBinding, inputBinding(0), outputBinding],
      workgroups,
    };
  },
  constants: () => [],
});
