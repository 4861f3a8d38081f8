import type { Shape } from '../../src/graph/ops.ts';
import { describeKernel } from './describe-kernel.ts';
import { elementwiseShapes, titleOf } from './elementwise-cases.ts';

const shapes: readonly Shape[] = [...elementwiseShapes, [1, 7, 7, 1280], [3, 7, 7, 33], [1, 1, 1, 130]];

describeKernel(
  'global-average-pool',
  shapes.map((shape) => ({ title: titleOf(shape), node: { op: 'global-average-pool' as const }, inputs: [shape] })),
);
