import type { Shape } from '../../src/graph/ops.ts';
import { describeKernel } from './describe-kernel.ts';
import { elementwiseShapes, titleOf } from './elementwise-cases.ts';

const shapes: readonly Shape[] = [...elementwiseShapes, [1, 1, 1, 1001], [3, 1, 1, 411]];

describeKernel('softmax', [
  ...shapes.map((shape) => ({ title: titleOf(shape), node: { op: 'softmax' as const }, inputs: [shape] })),
  { title: 'large logits', node: { op: 'softmax' }, inputs: [[1, 1, 1, 100]], range: 80 },
]);
