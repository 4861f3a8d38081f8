import type { Pair, Resize, Shape } from '../../src/graph/ops.ts';
import type { KernelCase } from './case.ts';
import { channelCounts } from './conv-cases.ts';
import { describeKernel } from './describe-kernel.ts';

const resizeCase = (input: Shape, size: Pair, mode: Resize['mode'], corners: Resize['corners']): KernelCase => ({
  title: `${mode} ${corners} ${input.join('×')} → ${size.join('×')}`,
  node: { op: 'resize', size, mode, corners },
  inputs: [input],
});

describeKernel('resize', [
  ...channelCounts.map((channels) => resizeCase([1, 5, 4, channels], [9, 11], 'bilinear', 'half-pixel')),
  ...(['bilinear', 'nearest'] as const).flatMap((mode) =>
    (['half-pixel', 'align', 'asymmetric'] as const).flatMap((corners) => [
      resizeCase([1, 6, 7, 5], [12, 14], mode, corners),
      resizeCase([1, 12, 14, 5], [6, 7], mode, corners),
      resizeCase([3, 5, 5, 6], [5, 5], mode, corners),
      resizeCase([1, 4, 4, 3], [1, 1], mode, corners),
      resizeCase([1, 1, 1, 3], [3, 4], mode, corners),
      // Coordinates that fall between two pixels.
      resizeCase([1, 2, 2, 3], [82, 41], mode, corners),
    ]),
  ),
]);
