import { describeKernel } from './describe-kernel.ts';
import { elementwiseShapes, titleOf } from './elementwise-cases.ts';
import { integerCase, zeroPoint } from './integer-cases.ts';

const margins = { top: 1, left: 2, bottom: 0, right: 1 };

describeKernel(
  'int8-pad',
  elementwiseShapes.map((shape, turn) =>
    integerCase(titleOf(shape), { kind: 'pad', padding: margins, filler: zeroPoint(turn) }, [shape]),
  ),
);
