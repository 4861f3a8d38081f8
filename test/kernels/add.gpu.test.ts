import type { Shape } from '../../src/graph/ops.ts';
import type { KernelCase } from './case.ts';
import { activations } from './conv-cases.ts';
import { describeKernel } from './describe-kernel.ts';
import { elementwiseShapes, titleOf } from './elementwise-cases.ts';

const pair = (a: Shape, b: Shape): KernelCase => ({
  title: `${titleOf(a)} and ${titleOf(b)}`,
  node: { op: 'add', activation: 'none' },
  inputs: [a, b],
});

describeKernel('add', [
  ...elementwiseShapes.map((shape) => pair(shape, shape)),
  ...elementwiseShapes.map((shape) => pair(shape, [shape[0], 1, 1, shape[3]])),
  pair([3, 4, 5, 6], [1, 1, 1, 6]),
  ...activations.map((activation) => ({
    title: activation,
    node: { op: 'add' as const, activation },
    inputs: [[1, 4, 3, 6] as const, [1, 4, 3, 6] as const],
    range: 4,
  })),
]);
