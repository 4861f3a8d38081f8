import { describeKernel } from './describe-kernel.ts';
import { elementwiseShapes, titleOf } from './elementwise-cases.ts';

describeKernel('l2-normalize', [
  ...[...elementwiseShapes, [1, 1, 1, 512] as const].map((shape) => ({
    title: titleOf(shape),
    node: { op: 'l2-normalize' as const, epsilon: 1e-6 },
    inputs: [shape],
  })),
  { title: 'shorter than epsilon', node: { op: 'l2-normalize', epsilon: 1e-3 }, inputs: [[1, 2, 2, 7]], range: 1e-4 },
]);
