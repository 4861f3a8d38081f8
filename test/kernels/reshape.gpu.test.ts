import type { Shape } from '../../src/graph/ops.ts';
import { describeKernel } from './describe-kernel.ts';

const pairs: readonly (readonly [Shape, Shape])[] = [
  [
    [1, 4, 4, 8],
    [1, 1, 1, 128],
  ],
  [
    [1, 3, 5, 7],
    [1, 1, 1, 105],
  ],
  [
    [1, 1, 1, 105],
    [1, 3, 5, 7],
  ],
  [
    [3, 2, 5, 6],
    [3, 5, 4, 3],
  ],
  [
    [1, 6, 6, 1],
    [1, 3, 3, 4],
  ],
];

describeKernel(
  'reshape',
  pairs.map(([from, to]) => ({
    title: `${from.join('×')} → ${to.join('×')}`,
    node: { op: 'reshape' as const, shape: to },
    inputs: [from],
  })),
);
