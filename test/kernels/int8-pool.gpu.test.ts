import type { IntegerOf } from '../../src/graph/integers.ts';
import type { Shape } from '../../src/graph/ops.ts';
import { channelCounts } from './conv-cases.ts';
import { describeKernel } from './describe-kernel.ts';
import { titleOf } from './elementwise-cases.ts';
import { integerCase } from './integer-cases.ts';

const none = { top: 0, left: 0, bottom: 0, right: 0 };
const margins = { top: 1, left: 2, bottom: 0, right: 1 };

const pool = (input: Shape, more: Partial<IntegerOf<'pool'>>) => {
  const body: IntegerOf<'pool'> = {
    kind: 'pool',
    pool: 'average',
    halves: 'away',
    window: [3, 3],
    stride: [1, 1],
    padding: none,
    range: [-128, 127],
    ...more,
  };
  return integerCase(`${titleOf(input)} ${JSON.stringify(more)}`, body, [input]);
};

describeKernel(
  'int8-pool',
  (['average', 'max'] as const).flatMap((kind) => [
    ...channelCounts.map((channels) => pool([1, 7, 6, channels], { pool: kind, padding: margins })),
    pool([1, 8, 7, 5], { pool: kind, halves: 'up', padding: margins }),
    pool([3, 8, 7, 6], { pool: kind, stride: [2, 2], range: [-20, 15] }),
    pool([1, 9, 9, 6], { pool: kind, window: [2, 4], stride: [2, 3], padding: margins }),
    pool([1, 5, 6, 4], { pool: kind, window: [2, 1] }),
  ]),
);
