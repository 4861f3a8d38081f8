import { describeKernel } from './describe-kernel.ts';
import { elementwiseShapes, titleOf } from './elementwise-cases.ts';

describeKernel('clip', [
  ...elementwiseShapes.map((shape) => ({
    title: titleOf(shape),
    node: { op: 'clip' as const, min: -1, max: 1.5 },
    inputs: [shape],
  })),
  { title: 'at most 1', node: { op: 'clip', min: -1e38, max: 1 }, inputs: [[1, 4, 4, 5]] },
]);
