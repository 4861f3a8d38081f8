import { describeKernel } from './describe-kernel.ts';
import { elementwiseShapes, titleOf } from './elementwise-cases.ts';

describeKernel(
  'prelu',
  elementwiseShapes.map((shape) => ({ title: titleOf(shape), node: { op: 'prelu' as const }, inputs: [shape] })),
);
