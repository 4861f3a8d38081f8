import { describeKernel } from './describe-kernel.ts';
import { elementwiseShapes, titleOf } from './elementwise-cases.ts';

describeKernel('affine', [
  ...elementwiseShapes.map((shape) => ({ title: titleOf(shape), node: { op: 'affine' as const }, inputs: [shape] })),
  ...elementwiseShapes.map((shape) => ({
    title: `batch-norm ${titleOf(shape)}`,
    node: { op: 'batch-norm' as const, epsilon: 1e-3 },
    inputs: [shape],
  })),
]);
