import { activations } from './conv-cases.ts';
import { describeKernel } from './describe-kernel.ts';
import { elementwiseShapes, titleOf } from './elementwise-cases.ts';

describeKernel(
  'activation',
  activations.flatMap((activation) => [
    ...elementwiseShapes.map((shape) => ({
      title: `${activation} ${titleOf(shape)}`,
      node: { op: 'activation' as const, activation },
      inputs: [shape],
      range: 8,
    })),
    {
      title: `${activation} of large values`,
      node: { op: 'activation' as const, activation },
      inputs: [[1, 5, 5, 8] as const],
      range: 300,
    },
  ]),
);
