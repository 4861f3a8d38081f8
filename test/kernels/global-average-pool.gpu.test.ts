import type { Shape } from '../../src/graph/ops.ts';
import { globalAveragePool, globalAveragePoolVariants } from '../../src/kernels/global-average-pool.ts';
import { describeVariants } from './describe-kernel.ts';
import { elementwiseShapes, titleOf } from './elementwise-cases.ts';

const shapes: readonly Shape[] = [...elementwiseShapes, [1, 7, 7, 1280], [3, 7, 7, 33], [1, 1, 1, 130]];

describeVariants(
  [globalAveragePool, ...globalAveragePoolVariants],
  shapes.map((shape) => ({ title: titleOf(shape), node: { op: 'global-average-pool' as const }, inputs: [shape] })),
);
