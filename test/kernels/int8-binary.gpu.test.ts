import type { Shape } from '../../src/graph/ops.ts';
import { describeKernel } from './describe-kernel.ts';
import { elementwiseShapes, titleOf } from './elementwise-cases.ts';
import { addition, integerCase, zeroPoint } from './integer-cases.ts';

/** The second tensor of equal shape, and of one pixel an image. */
const pairsOf = elementwiseShapes.flatMap((shape): (readonly [Shape, Shape])[] => [
  [shape, shape],
  [shape, [shape[0], 1, 1, shape[3]]],
]);

describeKernel('int8-binary', [
  ...pairsOf.map((shapes, turn) => {
    return integerCase(`add ${shapes.map(titleOf).join(', ')}`, addition(turn), shapes);
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
