import type { StoredRange } from '../../src/graph/integers.ts';
import type { Shape } from '../../src/graph/ops.ts';
import { describeKernel } from './describe-kernel.ts';
import { elementwiseShapes, titleOf } from './elementwise-cases.ts';
import { integerCase, zeroPoint } from './integer-cases.ts';

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
      zeroPoints: [zeroPoint(turn), zeroPoint(turn + 1)],
      shift,
      zeroPoint: zeroPoint(turn + 2),
      range,
    } as const;
    return integerCase(`add ${shapes.map(titleOf).join(', ')}`, body, shapes);
  }),
  ...pairsOf.map((shapes, turn) => {
    const body = {
      kind: 'multiply',
      zeroPoints: [zeroPoint(turn), zeroPoint(turn + 3)],
      ends: { zeroPoint: zeroPoint(turn + 1), ties: turn % 2 === 0 },
    } as const;
    return integerCase(`multiply ${shapes.map(titleOf).join(', ')}`, body, shapes);
  }),
  ...pairsOf.slice(6, 10).map((shapes) => {
    return integerCase(`pairs ${shapes.map(titleOf).join(', ')}`, { kind: 'pairs' }, shapes);
  }),
]);
