/** Kernels of real numbers that only move them, on bytes. */
import type { Permutation } from '../../src/graph/ops.ts';
import { describeKernel } from './describe-kernel.ts';
import { titleOf } from './elementwise-cases.ts';
import { integerCase } from './integer-cases.ts';

const permutations: readonly Permutation[] = [
  [0, 2, 3, 1],
  [0, 3, 1, 2],
  [3, 2, 1, 0],
  [1, 0, 3, 2],
];

describeKernel(
  'int8-transpose',
  permutations.map((permutation) =>
    integerCase(permutation.join(''), { kind: 'transpose', permutation }, [[2, 3, 5, 6]]),
  ),
);

describeKernel(
  'int8-reshape',
  [
    [[1, 3, 5, 7] as const, [1, 1, 1, 105] as const] as const,
    [[1, 1, 1, 105] as const, [1, 3, 5, 7] as const] as const,
    [[3, 2, 5, 6] as const, [3, 5, 4, 3] as const] as const,
  ].map(([from, to]) => integerCase(`${titleOf(from)} → ${titleOf(to)}`, { kind: 'reshape', shape: to }, [from])),
);
