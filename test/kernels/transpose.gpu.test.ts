import type { Permutation, Shape } from '../../src/graph/ops.ts';
import { describeKernel } from './describe-kernel.ts';

const all: Permutation[] = [0, 1, 2, 3].flatMap((a) =>
  [0, 1, 2, 3].flatMap((b) =>
    [0, 1, 2, 3].flatMap((c): Permutation[] => {
      const d = 6 - a - b - c;
      return new Set([a, b, c, d]).size === 4 && d >= 0 && d < 4 ? [[a, b, c, d]] : [];
    }),
  ),
);

const shapes: readonly (readonly [Shape, Permutation])[] = [
  [
    [1, 3, 16, 16],
    [0, 2, 3, 1],
  ],
  [
    [1, 16, 16, 3],
    [0, 3, 1, 2],
  ],
  [
    [1, 1, 1, 130],
    [3, 2, 1, 0],
  ],
  [
    [70, 1, 1, 1],
    [1, 2, 3, 0],
  ],
];

describeKernel(
  'transpose',
  [...shapes, ...all.map((permutation) => [[2, 3, 5, 6], permutation] as const)].map(([shape, permutation]) => ({
    title: `${shape.join('×')} by ${permutation.join('')}`,
    node: { op: 'transpose' as const, permutation },
    inputs: [shape],
  })),
);
