import type { IntegerOf } from '../../src/graph/integers.ts';
import type { Pair, Shape } from '../../src/graph/ops.ts';
import { channelCounts } from './conv-cases.ts';
import { describeKernel } from './describe-kernel.ts';
import { titleOf } from './elementwise-cases.ts';
import { integerCase } from './integer-cases.ts';

const resize = (input: Shape, size: Pair, mode: 'bilinear' | 'nearest', corners: IntegerOf<'resize'>['corners']) =>
  integerCase(`${mode} ${corners} ${titleOf(input)} → ${size.join('×')}`, { kind: 'resize', size, mode, corners }, [
    input,
  ]);

describeKernel('int8-resize', [
  ...channelCounts.map((channels) => resize([1, 5, 4, channels], [9, 11], 'bilinear', 'half-pixel')),
  ...(['bilinear', 'nearest'] as const).flatMap((mode) =>
    (['half-pixel', 'align', 'asymmetric'] as const).flatMap((corners) => [
      resize([1, 6, 7, 5], [12, 14], mode, corners),
      resize([1, 12, 14, 5], [6, 7], mode, corners),
      resize([3, 5, 5, 6], [5, 5], mode, corners),
      resize([1, 4, 4, 3], [1, 1], mode, corners),
      resize([1, 2, 2, 3], [82, 41], mode, corners),
      resize([1, 13, 11, 3], [37, 29], mode, corners),
    ]),
  ),
]);
