/** Operations on stored integers without weights. */
import type { IntegerOf, StoredRange } from '../../src/graph/integers.ts';
import type { Pair, Permutation, Shape } from '../../src/graph/ops.ts';
import { int8Mean, int8MeanVariants } from '../../src/kernels/int8-mean.ts';
import { channelCounts } from './conv-cases.ts';
import { describeKernel, describeVariants } from './describe-kernel.ts';
import { elementwiseShapes, titleOf } from './elementwise-cases.ts';
import { type IntegerTemplate, integerCase } from './integer-cases.ts';

const ends = [-128, 127, 0, 31] as const;
const at = (turn: number) => ends[turn % 4]!;

/** The second tensor of equal shape, and of one pixel an image. */
const pairsOf = elementwiseShapes.flatMap((shape): (readonly [Shape, Shape])[] => [
  [shape, shape],
  [shape, [shape[0], 1, 1, shape[3]]],
]);

describeKernel('int8-binary', [
  ...pairsOf.map((shapes, turn) => {
    const range: StoredRange = turn % 3 === 0 ? [-100, 90] : [-128, 127];
    // From halves that are many to factors as large as runtimes make them.
    const [shift, factors] = (
      [
        [1, [1, 1]],
        [20, [2 ** 20 - 3, 2 ** 19 + 7]],
        [17, [2 ** 16 + 5, 2 ** 17 - 9]],
      ] as const
    )[turn % 3]!;
    const body = {
      kind: 'add',
      factors,
      zeroPoints: [at(turn), at(turn + 1)],
      shift,
      zeroPoint: at(turn + 2),
      range,
    } as const;
    return integerCase(`add ${shapes.map(titleOf).join(', ')}`, body, shapes);
  }),
  ...pairsOf.map((shapes, turn) => {
    const body = {
      kind: 'multiply',
      zeroPoints: [at(turn), at(turn + 3)],
      ends: { zeroPoint: at(turn + 1), ties: turn % 2 === 0 },
    } as const;
    return integerCase(`multiply ${shapes.map(titleOf).join(', ')}`, body, shapes);
  }),
  ...pairsOf.slice(6, 10).map((shapes) => {
    return integerCase(`pairs ${shapes.map(titleOf).join(', ')}`, { kind: 'pairs' }, shapes);
  }),
]);

describeKernel(
  'int8-lookup',
  elementwiseShapes.map((shape) => integerCase(titleOf(shape), { kind: 'lookup' }, [shape])),
);

const none = { top: 0, left: 0, bottom: 0, right: 0 };
const margins = { top: 1, left: 2, bottom: 0, right: 1 };

const pool = (input: Shape, more: Partial<IntegerOf<'pool'>>) => {
  const body: IntegerOf<'pool'> = {
    kind: 'pool',
    pool: 'average',
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
    pool([3, 8, 7, 6], { pool: kind, stride: [2, 2], range: [-20, 15] }),
    pool([1, 9, 9, 6], { pool: kind, window: [2, 4], stride: [2, 3], padding: margins }),
    pool([1, 5, 6, 4], { pool: kind, window: [2, 1] }),
  ]),
);

describeVariants(
  [int8Mean, ...int8MeanVariants],
  [...elementwiseShapes, [1, 7, 7, 160] as const].map((shape, turn) => {
    const body = {
      kind: 'mean',
      inputZeroPoint: at(turn),
      ends: { zeroPoint: at(turn + 1), ties: turn % 2 === 0 },
    } as const;
    return integerCase(titleOf(shape), body, [shape]);
  }),
);

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

const concat = (axis: 0 | 1 | 2 | 3, ...sizes: readonly number[]) => {
  const shapes = sizes.map((size): Shape => {
    const shape: [number, number, number, number] = [2, 3, 4, axis === 3 ? 0 : 7];
    shape[axis] = size;
    return shape;
  });
  return [false, true].map((asTheyAre) => {
    const body: IntegerTemplate<'concat'> = { kind: 'concat', axis, ends: { ties: asTheyAre } };
    return integerCase(`axis ${axis}, ${sizes}${asTheyAre ? '' : ', tables'}`, body, shapes);
  });
};

describeKernel('int8-concat', [
  ...[
    [4, 8],
    [3, 5],
    [1, 1],
    [7, 130],
    [130, 4],
    [8, 3, 5],
    [8, 4, 12, 5],
    [1, 2, 3, 4, 5],
  ].flatMap((sizes) => concat(3, ...sizes)),
  ...([0, 1, 2] as const).flatMap((axis) => concat(axis, 3, 1, 2)),
]);

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

describeKernel(
  'int8-pad',
  elementwiseShapes.map((shape, turn) =>
    integerCase(titleOf(shape), { kind: 'pad', padding: margins, filler: at(turn) }, [shape]),
  ),
);

describeKernel(
  'int8-quantise',
  elementwiseShapes.map((shape, turn) => {
    const body = {
      kind: 'quantise',
      scale: Math.fround([0.0078431, 0.5, 0.017][turn % 3]!),
      zeroPoint: at(turn),
    } as const;
    // Halves of steps, and what is beyond the range.
    return integerCase(titleOf(shape), body, [shape], { range: turn % 2 === 0 ? 2 : 90 });
  }),
);

describeKernel(
  'int8-dequantise',
  elementwiseShapes.map((shape, turn) =>
    integerCase(titleOf(shape), { kind: 'dequantise', scale: Math.fround(0.0234), zeroPoint: at(turn) }, [shape]),
  ),
);
