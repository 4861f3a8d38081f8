import { int8Mean, int8MeanVariants } from '../../src/kernels/int8-mean.ts';
import { describeVariants } from './describe-kernel.ts';
import { elementwiseShapes, titleOf } from './elementwise-cases.ts';
import { integerCase, zeroPoint } from './integer-cases.ts';

describeVariants(
  [int8Mean, ...int8MeanVariants],
  [...elementwiseShapes, [1, 7, 7, 160] as const].map((shape, turn) => {
    const body = {
      kind: 'mean',
      inputZeroPoint: zeroPoint(turn),
      ends: { zeroPoint: zeroPoint(turn + 1), ties: turn % 2 === 0 },
    } as const;
    return integerCase(titleOf(shape), body, [shape]);
  }),
);
