import source from '../../shaders/l2-normalize.wgsl?raw';
import type { L2Normalize } from '../graph/ops.ts';
import { defineKernel } from './kernel.ts';
import { alongChannels } from './softmax.ts';

export const l2Normalize = defineKernel<L2Normalize>({
  name: 'l2-normalize',
  op: 'l2-normalize',
  accepts: () => true,
  program: ({ epsilon }, { output }) => alongChannels('l2-normalize.wgsl', source, output, { epsilon }),
  constants: () => [],
});
