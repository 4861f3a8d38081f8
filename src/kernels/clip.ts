import source from '../../shaders/clip.wgsl?raw';
import type { Clip } from '../graph/ops.ts';
import { elementwise, elementwiseProgram } from './elementwise.ts';
import { defineKernel } from './kernel.ts';

const LARGEST = 3.4028234663852886e38;
const finite = (value: number) => Math.min(Math.max(value, -LARGEST), LARGEST);

export const clip = defineKernel<Clip>({
  name: 'clip',
  op: 'clip',
  accepts: () => true,
  program: (node, { output }) =>
    elementwiseProgram(elementwise(output), {
      file: 'clip.wgsl',
      source,
      shape: { low: finite(node.min), high: finite(node.max) },
    }),
  constants: () => [],
});
